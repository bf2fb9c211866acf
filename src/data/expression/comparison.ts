// Comparisons as numbers are compared in JavaScript and pyarrow: nothing is greater, less or equal
// where one of the two is NaN. The engine takes NaN for the greatest number, equal to itself.
//
// The engine knows types beforehand: of a column that is no fraction nothing is left of what is
// added here, and of a fraction beside a number a second comparison, which readers understand too.

import type { ExpressionNode } from './node.js'

const operators: ReadonlyMap<string, string> = new Map([
  ['eq', '='],
  ['ne', '<>'],
  ['gt', '>'],
  ['gte', '>='],
  ['lt', '<'],
  ['lte', '<='],
])

export const isComparison = (fn: string): boolean => operators.has(fn)

/** One side of a comparison. */
interface Side {
  readonly node: ExpressionNode
  readonly sql: string
}

/** SQL of `left fn right`. */
export function comparisonSql(fn: string, left: Side, right: Side): string {
  const plain = `${left.sql} ${operators.get(fn) ?? ''} ${right.sql}`
  // The side that a NaN would make greater, or as great.
  const risky = fn === 'lt' || fn === 'lte' ? right : left
  const other = risky === left ? right : left
  if (isKnown(risky.node) || isAlien(other.node)) return `(${plain})`
  const isFraction = `typeof(${risky.sql}) IN ('DOUBLE', 'FLOAT')`
  if (!isKnown(other.node)) {
    const isNan = `isnan(TRY_CAST(${risky.sql} AS DOUBLE)) AND ${other.sql} IS NOT NULL`
    const answer = fn === 'ne' ? 'TRUE' : 'FALSE'
    return `(CASE WHEN ${isFraction} AND ${isNan} THEN ${answer} ELSE ${plain} END)`
  }
  if (fn === 'eq' || fn === 'ne') return `(${plain})`
  return `(${plain} AND (NOT ${isFraction} OR ${risky.sql} <= 'Infinity'::DOUBLE))`
}

/** Whether the value is there to be seen, and no NaN. */
function isKnown(node: ExpressionNode): boolean {
  return node.kind === 'literal' && !Number.isNaN(node.value)
}

/** Whether the value is none that a fraction could be compared with. */
function isAlien(node: ExpressionNode): boolean {
  if (node.kind !== 'literal') return false
  return typeof node.value !== 'number' && typeof node.value !== 'bigint'
}
