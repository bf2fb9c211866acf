// Expressions as SQL of the engine.

import { assert } from '../../base/assert.js'
import { RayError } from '../../base/errors.js'
import { quoteName, quoteText } from '../engine/engine.js'
import { sqlOfType } from './casts.js'
import { comparisonSql, isComparison } from './comparison.js'
import { functions } from './functions.js'
import type { CallNode, CastNode, ExpressionNode, Literal, NamedNode } from './node.js'

/** The expression over columns of whatever table the SQL is put before. */
export function sqlOfNode(node: ExpressionNode): string {
  switch (node.kind) {
    case 'column':
      return quoteName(node.name)
    case 'literal':
      return sqlOfLiteral(node.value)
    case 'alias':
      return sqlOfNode(node.value)
    case 'cast':
      return sqlOfCast(node)
    case 'call': {
      if (isSurelyNull(node)) return 'NULL'
      const template = functions.get(node.fn)
      assert(template !== undefined, `expression function ${node.fn} is not in the table`)
      const args = node.args.map(sqlOfNode)
      const [left, right] = node.args.map((arg, i) => ({ node: arg, sql: args[i] ?? '' }))
      if (left !== undefined && right !== undefined && isComparison(node.fn)) {
        return comparisonSql(node.fn, left, right)
      }
      return template(...args)
    }
    case 'udf':
    case 'generate':
    case 'download':
      throw new RayError(`The engine cannot compute ${node.kind} expressions.`)
  }
}

function sqlOfCast({ value, type, isTry }: CastNode): string {
  const sql = sqlOfNode(value)
  const cast = `${isTry ? 'TRY_CAST' : 'CAST'}(${sql} AS ${sqlOfType(type)})`
  if (type !== 'string') return cast
  // Whole numbers have no point in JavaScript, nor in Arrow. The engine knows types beforehand, so
  // that only one of the branches is left of the query.
  const isFraction = `typeof(${sql}) IN ('DOUBLE', 'FLOAT')`
  return `(CASE WHEN ${isFraction} THEN regexp_replace(${cast}, '\\.0$', '') ELSE ${cast} END)`
}

/**
 * Whether a function is given a null that has no type: that of a column without a single value. The
 * engine would ask which of several functions of that name is meant.
 */
function isSurelyNull({ fn, args: [first] }: CallNode): boolean {
  if (first === undefined || !/^(str|dt|list|arr|struct|map)\./.test(fn)) return false
  if (first.kind === 'literal') return first.value === null
  return first.kind === 'call' && isSurelyNull(first)
}

/** `expression AS "name"`. */
export function sqlOfOutput({ name, value }: NamedNode): string {
  return `${sqlOfNode(value)} AS ${quoteName(name)}`
}

export function sqlOfLiteral(value: Literal): string {
  if (value === null) return 'NULL'
  switch (typeof value) {
    case 'number':
      return sqlOfNumber(value)
    case 'bigint':
      return sqlOfBigint(value)
    case 'boolean':
      return value ? 'TRUE' : 'FALSE'
    case 'string':
      return quoteText(value)
    default:
      return sqlOfObject(value)
  }
}

function sqlOfObject(value: Date | Uint8Array | readonly Literal[]): string {
  if (value instanceof Date) {
    const microseconds = Math.round(value.getTime() * 1000)
    return `make_timestamp(${microseconds}::BIGINT)`
  }
  if (value instanceof Uint8Array) {
    const bytes = Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
    return `'${bytes.join('')}'::BLOB`
  }
  return `[${value.map(sqlOfLiteral).join(', ')}]`
}

/**
 * Whole numbers become integers, so that an integer column stays one; others become doubles, as
 * JavaScript's are, where SQL would take `0.1` for a decimal.
 */
function sqlOfNumber(value: number): string {
  if (Number.isNaN(value)) return `'NaN'::DOUBLE`
  if (!Number.isFinite(value)) return `'${value > 0 ? '' : '-'}Infinity'::DOUBLE`
  if (Object.is(value, -0)) return '(-0e0)'
  if (Number.isSafeInteger(value)) return value < 0 ? `(${value})` : String(value)
  const text = String(value)
  const double = text.includes('e') ? text : `${text}e0`
  return value < 0 ? `(${double})` : double
}

function sqlOfBigint(value: bigint): string {
  if (value < -(2n ** 63n)) return `(${value}::HUGEINT)`
  const type = value < 2n ** 63n ? 'BIGINT' : value < 2n ** 64n ? 'UBIGINT' : 'HUGEINT'
  return `(${value})::${type}`
}
