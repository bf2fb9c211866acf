// Aggregates that keep a summary of the values of a group.

import { RayError } from '../../base/errors.js'
import { textOfNode } from '../expression/text.js'
import { whole } from '../step-options.js'
import { col, Expression } from '../expression/expression.js'
import { withoutAlias } from '../expression/node.js'
import { type Aggregate, type AggregateName, type AggregateOn, make } from './aggregates.js'

/** What `ValueCounter` can be told. */
export interface ValueCounterOptions {
  /** Name of the column that it makes. */
  readonly alias?: string
}

/** What `ApproximateQuantile` can be told. */
export interface ApproximateQuantileOptions {
  /** Fractions of values that lie below, each from 0 to 1. */
  readonly quantiles: readonly number[]
  /** Parts that each block is cut into: more are more exact, and take more room. 800 by default. */
  readonly quantilePrecision?: number
  /** Name of the column that it makes. */
  readonly alias?: string
}

/** What `ApproximateTopK` can be told. */
export interface ApproximateTopKOptions {
  /** Values that are wanted. */
  readonly k: number
  /** Each block counts at most two to the power of this many values; 15 by default. */
  readonly logCapacity?: number
  /** Whether of a column of lists the elements are counted, and not whole lists. */
  readonly encodeLists?: boolean
  /** Name of the column that it makes. */
  readonly alias?: string
}

/** The values of a column and how often each is there, the most frequent first. */
export interface ValueCounts<T = unknown> {
  /** Each value once. */
  readonly values: readonly T[]
  /** How often the value at the same place is there. */
  readonly counts: readonly number[]
}

/**
 * How often each value of a column is there: `{ values, counts }`, the most frequent first. Nulls
 * are not counted; without other values it is null.
 *
 * @example
 * const rows = fromItems([{ x: 'a' }, { x: 'b' }, { x: 'a' }])
 * console.log(await rows.aggregate(ValueCounter('x')))
 * // { 'value_counter(x)': { values: ['a', 'b'], counts: [2, 1] } }
 */
export function ValueCounter<
  const On extends AggregateOn,
  const Options extends ValueCounterOptions = object,
>(
  on: On,
  options?: Options,
): Aggregate<AggregateName<'value_counter', On, Options>, ValueCounts | null> {
  const all = { capacity: Number.POSITIVE_INFINITY, limit: Number.POSITIVE_INFINITY }
  const sketch = { kind: 'counts', ...all, field: undefined, flattens: false } as const
  return make('sketch', on, { name: 'value_counter', options, isNullFree: true, sketch })
}

/**
 * Quantiles of a column, each a value that is there or near one. Blocks are summed up by
 * `quantilePrecision` of their values, so no task has to hold all of them: a quantile may be off by
 * half a part, 0.06 % of the rows by default.
 *
 * @example
 * const of = { quantiles: [0.1, 0.5, 0.9] }
 * const spread = await range(1000).aggregate(ApproximateQuantile('id', of))
 * console.log(spread['approx_quantile(id)']) // [99, 499, 899]
 */
export function ApproximateQuantile<
  const On extends AggregateOn,
  const Options extends ApproximateQuantileOptions,
>(
  on: On,
  options: Options,
): Aggregate<AggregateName<'approx_quantile', On, Options>, number[] | null> {
  const { quantiles, quantilePrecision = 800 } = options
  const isRight = Array.isArray(quantiles) && quantiles.every((q) => q >= 0 && q <= 1)
  if (!isRight || quantiles.length === 0) {
    throw new RayError('ApproximateQuantile: quantiles must be a list of numbers from 0 to 1.')
  }
  const precision = whole('ApproximateQuantile', 'quantilePrecision', quantilePrecision) ?? 800
  const sketch = { kind: 'quantiles', quantiles, precision } as const
  const own = ['quantiles', 'quantilePrecision']
  return make('sketch', on, { name: 'approx_quantile', options, own, isNullFree: true, sketch })
}

/** A value of a column, under the column's name, and how often it is there. */
export type CountedValue<On> = Readonly<Record<On extends string ? On : string, unknown>> & {
  readonly count: number
}

/**
 * The most frequent values of a column, and how often each is there. A block counts at most
 * `2 ** logCapacity` values: a value with a larger share of the rows than 1 in so many is found for
 * sure, and its count lacks at most that share.
 *
 * @example
 * const words = fromItems([{ word: 'a' }, { word: 'b' }, { word: 'a' }])
 * console.log(await words.aggregate(ApproximateTopK('word', { k: 1 })))
 * // { 'approx_topk(word)': [{ word: 'a', count: 2 }] }
 */
export function ApproximateTopK<
  const On extends AggregateOn,
  const Options extends ApproximateTopKOptions,
>(
  on: On,
  options: Options,
): Aggregate<AggregateName<'approx_topk', On, Options>, CountedValue<On>[] | null> {
  const operator = 'ApproximateTopK'
  const { encodeLists: flattens = false, logCapacity = 15 } = options
  const limit = whole(operator, 'k', options.k)
  if (limit === undefined) throw new RayError(`${operator} takes the number of values: { k: 10 }.`)
  const capacity = 2 ** Math.min(whole(operator, 'logCapacity', logCapacity) ?? 15, 31)
  const node = withoutAlias((on instanceof Expression ? on : col(on)).node)
  const field = textOfNode(node)
  if (field === 'count') {
    throw new RayError(`${operator}: a column "count" has to be renamed first; see renameColumns.`)
  }
  const sketch = { kind: 'counts', capacity, limit, field, flattens } as const
  const own = ['k', 'logCapacity', 'encodeLists']
  return make('sketch', on, { name: 'approx_topk', options, own, isNullFree: true, sketch })
}
