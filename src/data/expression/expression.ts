// The fluent face of expressions: `col('a').gt(5).and(col('b').isNull().not())`.
//
// Each method only builds a node. Nulls follow SQL: what is computed with a null is null, and a
// predicate that is null keeps no row.

import { RayError } from '../../base/errors.js'
import { type CastType, type CastValue, sqlOfType } from './casts.js'
import { DateFunctions } from './date-functions.js'
import { ArrayFunctions, ListFunctions, MapFunctions, StructFunctions } from './nested-functions.js'
import { type ExpressionNode, type Literal, withoutAlias } from './node.js'
import type { ColumnValue, Computed, Filled, OperandValue, Widened } from './row-value.js'
import { StringFunctions } from './string-functions.js'
import { textOfNode } from './text.js'

/** What an expression is combined with: another expression, or a value. */
export type Operand = Expression | Literal

/**
 * A value computed from the columns of a row. Made by `col` and `lit`.
 *
 * @example
 * const isLate = col('delay').gt(15).and(col('origin').isNull().not())
 * console.log(String(isLate)) // ((delay > 15) and not(isNull(origin)))
 */
export class Expression<out T = unknown, out Name extends string = string> {
  /** What it computes, as data. */
  readonly node: ExpressionNode
  /** Only in types: what a row has in this column. */
  declare readonly valueType: T
  /** Only in types: what `select` calls the column, where that is known. */
  declare readonly columnName: Name

  /** @internal Use col or lit. */
  constructor(node: ExpressionNode) {
    this.node = node
  }

  /** The sum of numbers; strings are put together by `str.concat`. */
  add<const Other extends Operand>(other: Other): Expression<Computed<T, Other>> {
    return call('add', [this, other])
  }

  /** The difference. */
  sub<const Other extends Operand>(other: Other): Expression<Computed<T, Other>> {
    return call('sub', [this, other])
  }

  /** The product. */
  mul<const Other extends Operand>(other: Other): Expression<Computed<T, Other>> {
    return call('mul', [this, other])
  }

  /**
   * What a division leaves, with the sign of the dividend; where the divisor is 0 null, or NaN of
   * fractions.
   */
  mod<const Other extends Operand>(other: Other): Expression<Computed<T, Other>> {
    return call('mod', [this, other])
  }

  /** The quotient, a fraction also of integers. */
  div(other: Operand): Expression<number> {
    return call('div', [this, other])
  }

  /** The quotient, rounded down. */
  floordiv(other: Operand): Expression<number> {
    return call('floordiv', [this, other])
  }

  /** This to the power of the other. */
  power(other: Operand): Expression<number> {
    return call('power', [this, other])
  }

  /** The negative value. */
  neg(): Expression<T> {
    return call('neg', [this])
  }

  /** The value without its sign. */
  abs(): Expression<T> {
    return call('abs', [this])
  }

  /** -1, 0 or 1. */
  sign(): Expression<number> {
    return call('sign', [this])
  }

  /** The next whole number above. */
  ceil(): Expression<number> {
    return call('ceil', [this])
  }

  /** The next whole number below. */
  floor(): Expression<number> {
    return call('floor', [this])
  }

  /** The whole number towards zero. */
  trunc(): Expression<number> {
    return call('trunc', [this])
  }

  /** The square root; NaN of a negative value. */
  sqrt(): Expression<number> {
    return call('sqrt', [this])
  }

  /** e to the power of this. */
  exp(): Expression<number> {
    return call('exp', [this])
  }

  /** The natural logarithm. */
  ln(): Expression<number> {
    return call('ln', [this])
  }

  /** The logarithm to base 2. */
  log2(): Expression<number> {
    return call('log2', [this])
  }

  /** The logarithm to base 10. */
  log10(): Expression<number> {
    return call('log10', [this])
  }

  /** The sine. */
  sin(): Expression<number> {
    return call('sin', [this])
  }

  /** The cosine. */
  cos(): Expression<number> {
    return call('cos', [this])
  }

  /** The tangent. */
  tan(): Expression<number> {
    return call('tan', [this])
  }

  /** The arc sine; NaN outside -1 to 1. */
  asin(): Expression<number> {
    return call('asin', [this])
  }

  /** The arc cosine; NaN outside -1 to 1. */
  acos(): Expression<number> {
    return call('acos', [this])
  }

  /** The arc tangent. */
  atan(): Expression<number> {
    return call('atan', [this])
  }

  /** The hyperbolic sine. */
  sinh(): Expression<number> {
    return call('sinh', [this])
  }

  /** The hyperbolic cosine. */
  cosh(): Expression<number> {
    return call('cosh', [this])
  }

  /** The hyperbolic tangent. */
  tanh(): Expression<number> {
    return call('tanh', [this])
  }

  /** The angle of the point (other, this). */
  atan2(other: Operand): Expression<number> {
    return call('atan2', [this, other])
  }

  /** Rounded to some digits after the point; halves go to the even neighbour. */
  round(digits = 0): Expression<number> {
    return call('round', [this, digits])
  }

  /** Whether both are equal; null if either is null. */
  eq(other: Operand): Expression<boolean> {
    return call('eq', [this, other])
  }

  /** Whether they differ; null if either is null. */
  ne(other: Operand): Expression<boolean> {
    return call('ne', [this, other])
  }

  /** Whether this is greater. */
  gt(other: Operand): Expression<boolean> {
    return call('gt', [this, other])
  }

  /** Whether this is greater or equal. */
  gte(other: Operand): Expression<boolean> {
    return call('gte', [this, other])
  }

  /** Whether this is less. */
  lt(other: Operand): Expression<boolean> {
    return call('lt', [this, other])
  }

  /** Whether this is less or equal. */
  lte(other: Operand): Expression<boolean> {
    return call('lte', [this, other])
  }

  /** Whether both hold. */
  and(other: Operand): Expression<boolean> {
    return call('and', [this, other])
  }

  /** Whether one of them holds. */
  or(other: Operand): Expression<boolean> {
    return call('or', [this, other])
  }

  /** Whether exactly one of them holds. */
  xor(other: Operand): Expression<boolean> {
    return call('xor', [this, other])
  }

  /** Whether this does not hold. */
  not(): Expression<boolean> {
    return call('not', [this])
  }

  /** Whether there is no value. */
  isNull(): Expression<boolean> {
    return call('isNull', [this])
  }

  /** Whether there is a value. */
  isNotNull(): Expression<boolean> {
    return call('isNotNull', [this])
  }

  /** Whether the value is not a number. */
  isNan(): Expression<boolean> {
    return call('isNan', [this])
  }

  /** Whether the value is neither infinite nor NaN. */
  isFinite(): Expression<boolean> {
    return call('isFinite', [this])
  }

  /** Whether the value is one of a list; false of null, unless null is in the list. */
  isIn(values: Iterable<Literal>): Expression<boolean> {
    const list = [...values]
    const known = call('isIn', [this, ...list.filter((value) => value !== null)])
    return list.includes(null) ? this.isNull().or(known) : (known as Expression<boolean>)
  }

  /** Whether the value is none of a list. */
  notIn(values: Iterable<Literal>): Expression<boolean> {
    return this.isIn(values).not()
  }

  /** Whether the value lies between two others, or is one of them. */
  between(low: Operand, high: Operand): Expression<boolean> {
    return call('between', [this, low, high])
  }

  /** The other value where this is null. */
  fillNull(value: Operand): Expression<Filled<T>> {
    return call('coalesce', [this, value])
  }

  /** Null where this equals the value. */
  nullIf(value: Operand): Expression<T | null> {
    return call('nullIf', [this, value])
  }

  /** The same value as another type; an error where that cannot be. */
  cast<To extends CastType>(type: To): Expression<CastValue<To>> {
    sqlOfType(type)
    return new Expression({ kind: 'cast', value: this.node, type, isTry: false })
  }

  /** The same value as another type; null where that cannot be. */
  tryCast<To extends CastType>(type: To): Expression<CastValue<To> | null> {
    sqlOfType(type)
    return new Expression({ kind: 'cast', value: this.node, type, isTry: true })
  }

  /** Names the column that the expression makes in `select`. */
  alias<const Name extends string>(name: Name): Expression<T, Name> {
    return new Expression({ kind: 'alias', value: this.node, name })
  }

  /** Functions of strings. */
  get str(): StringFunctions {
    return new StringFunctions(this.#call)
  }

  /** Functions of dates and timestamps. */
  get dt(): DateFunctions {
    return new DateFunctions(this.#call)
  }

  /** Functions of lists. */
  get list(): ListFunctions {
    return new ListFunctions(this.#call)
  }

  /** Functions of arrays, lists of a fixed length. */
  get arr(): ArrayFunctions {
    return new ArrayFunctions(this.#call)
  }

  /** Fields of structs. */
  get struct(): StructFunctions {
    return new StructFunctions(this.#call)
  }

  /** Functions of maps. */
  get map(): MapFunctions {
    return new MapFunctions(this.#call)
  }

  readonly #call: CallOf = (fn, args) => call(fn, [this, ...args])

  toString(): string {
    return textOfNode(this.node)
  }
}

/**
 * The column of a name. Its type is that of the column in the rows, where these are typed; where
 * they are not, `col<number>('delay')` says it.
 *
 * @example
 * const late = readParquet('flights/*.parquet').filter(col('delay').gt(60))
 */
export function col<T = unknown, const Name extends string = string>(
  name: Name,
): Expression<ColumnValue<T, Name>, Name> {
  if (typeof name === 'string') return new Expression({ kind: 'column', name })
  throw new RayError(`col takes the name of a column, and was given ${String(name)}.`)
}

/**
 * A value as an expression.
 *
 * @example
 * const marked = range(3).withColumn('source', lit('range'))
 */
export function lit<T extends Literal>(value: T): Expression<Widened<T>> {
  return new Expression({ kind: 'literal', value: checkedLiteral(value) })
}

/**
 * One of two values, by a condition; null where it does not hold and there is no other value.
 *
 * @example
 * const kinds = range(10).withColumn('kind', when(col('id').mod(2).eq(0), 'even', 'odd'))
 */
export function when<T = unknown, const Then extends Operand = Operand>(
  condition: Expression,
  value: Then,
): Expression<unknown extends T ? OperandValue<Then> | null : T>
export function when<
  T = unknown,
  const Then extends Operand = Operand,
  const Else extends Operand = Operand,
>(
  condition: Expression,
  value: Then,
  otherwise: Else,
): Expression<unknown extends T ? OperandValue<Then | Else> : T>
export function when(condition: Expression, value: Operand, otherwise: Operand = null): Expression {
  return call('case', [condition, value, otherwise])
}

/** Calls a function with an expression as its first argument; for `col('a').str` and its like. */
export type CallOf = <T>(fn: string, args: readonly Operand[]) => Expression<T>

function call<T>(fn: string, args: readonly Operand[]): Expression<T> {
  return new Expression({ kind: 'call', fn, args: args.map(nodeOf) })
}

/** What a column is to be computed from. */
export function nodeOfColumn(operator: string, expression: unknown): ExpressionNode {
  if (expression instanceof Expression) return withoutAlias(expression.node)
  throw new RayError(
    `${operator} takes an expression, such as col('a').add(1); for a function use addColumn.`,
  )
}

/** A number from 0 to below 1 for each value, the same for equal ones. */
export function hashFraction(value: Expression): Expression<number> {
  return call('hashFraction', [value])
}

/** The node of an expression or of a plain value. */
export function nodeOf(operand: Operand): ExpressionNode {
  if (operand instanceof Expression) return operand.node
  return { kind: 'literal', value: checkedLiteral(operand) }
}

function checkedLiteral(value: unknown): Literal {
  const isAtom = ['number', 'bigint', 'string', 'boolean'].includes(typeof value)
  if (isAtom || value === null || value instanceof Date || value instanceof Uint8Array) {
    if (value instanceof Date && Number.isNaN(value.getTime())) {
      throw new RayError('An invalid Date cannot be part of an expression.')
    }
    return value as Literal
  }
  if (Array.isArray(value)) return value.map(checkedLiteral)
  throw new RayError(
    `An expression is made of columns, numbers, strings, booleans, dates, bytes, null and lists ` +
      `of these, and was given ${value === undefined ? 'undefined' : typeof value}.`,
  )
}
