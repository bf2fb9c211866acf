// The aggregates that `groupBy(...).aggregate` and `aggregate` take.

import { RayError } from '../../base/errors.js'
import type { ColumnBatch } from '../block/column.js'
import { col, Expression } from '../expression/expression.js'
import { withoutAlias } from '../expression/node.js'
import type { ListOf, SameAs } from '../expression/row-value.js'
import { textOfNode } from '../expression/text.js'
import { refuseUnknown } from '../step-options.js'
import type { AggregateKind, AggregateSpec, Sketch } from './spec.js'

export type { ListOf, SameAs }

/**
 * Something that is computed of the rows of a group. Made by Count, Sum, Mean and their like.
 *
 * @example
 * const longest = Max('distance', { alias: 'longest' })
 * console.log(longest.spec.name) // longest
 */
export class Aggregate<out Name extends string = string, out Value = unknown> {
  /** What it computes, as data. */
  readonly spec: AggregateSpec
  /** Only in types: the column that it makes. */
  declare readonly column: Name
  /** Only in types: what that column has. */
  declare readonly value: Value

  /** @internal Use Count, Sum, Mean and their like. */
  constructor(spec: AggregateSpec) {
    this.spec = spec
  }
}

/** What all aggregates can be told. */
export interface AggregateOptions {
  /** Name of the column that it makes; `sum(x)` for a sum of `x` unless told otherwise. */
  readonly alias?: string
  /**
   * Whether nulls are left out, as they are unless told otherwise; else one makes the result null.
   * `Count`, `Unique` and `AsList` count and list nulls too, unless this is true.
   */
  readonly ignoreNulls?: boolean
}

/** What `Std` can be told. */
export interface StdOptions extends AggregateOptions {
  /** Degrees of freedom that are taken off the number of values; 1 unless told otherwise. */
  readonly ddof?: number
}

/** What `Quantile` can be told. */
export interface QuantileOptions extends AggregateOptions {
  /** The fraction of values that lie below; 0.5, the median, unless told otherwise. */
  readonly q?: number
}

/** A column to aggregate: its name, or an expression. */
export type AggregateOn = string | Expression

/** The name of the column that an aggregate makes. */
export type AggregateName<Kind extends string, On, Options> = Options extends {
  readonly alias: infer Alias extends string
}
  ? Alias
  : On extends string
    ? `${Kind}(${On})`
    : string

type ValuesOf<On> =
  On extends Expression<infer T> ? (T extends SameAs<infer Name> ? ListOf<Name> : T[]) : ListOf<On>
type ValueOf<On> = On extends Expression<infer T> ? T : SameAs<On>

/**
 * The number of rows; with a column and `ignoreNulls: true`, of its values.
 *
 * @example
 * const sizes = range(10).groupBy('id').aggregate(Count())
 */
export function Count<
  const On extends AggregateOn | undefined = undefined,
  const Options extends AggregateOptions = object,
>(
  on?: On,
  options?: Options,
): Aggregate<AggregateName<'count', On extends undefined ? '' : On, Options>, number> {
  return make('count', on, { name: 'count', options })
}

/**
 * The sum of a column.
 *
 * @example
 * const total = await range(10).aggregate(Sum('id')) // { 'sum(id)': 45 }
 */
export function Sum<const On extends AggregateOn, const Options extends AggregateOptions = object>(
  on: On,
  options?: Options,
): Aggregate<AggregateName<'sum', On, Options>, ValueOf<On>> {
  return make('sum', on, { name: 'sum', options })
}

/**
 * The least value of a column.
 *
 * @example
 * const least = await range(10).aggregate(Min('id')) // { 'min(id)': 0 }
 */
export function Min<const On extends AggregateOn, const Options extends AggregateOptions = object>(
  on: On,
  options?: Options,
): Aggregate<AggregateName<'min', On, Options>, ValueOf<On>> {
  return make('min', on, { name: 'min', options })
}

/**
 * The greatest value of a column.
 *
 * @example
 * const greatest = await range(10).aggregate(Max('id')) // { 'max(id)': 9 }
 */
export function Max<const On extends AggregateOn, const Options extends AggregateOptions = object>(
  on: On,
  options?: Options,
): Aggregate<AggregateName<'max', On, Options>, ValueOf<On>> {
  return make('max', on, { name: 'max', options })
}

/**
 * The mean of a column.
 *
 * @example
 * const mean = await range(10).aggregate(Mean('id')) // { 'mean(id)': 4.5 }
 */
export function Mean<const On extends AggregateOn, const Options extends AggregateOptions = object>(
  on: On,
  options?: Options,
): Aggregate<AggregateName<'mean', On, Options>, number> {
  return make('mean', on, { name: 'mean', options })
}

/**
 * The standard deviation of a column.
 *
 * @example
 * const spread = await range(10).aggregate(Std('id', { ddof: 0 }))
 */
export function Std<const On extends AggregateOn, const Options extends StdOptions = object>(
  on: On,
  options?: Options,
): Aggregate<AggregateName<'std', On, Options>, number> {
  const { ddof = 1 } = options ?? {}
  return make('std', on, { name: 'std', options, own: ['ddof'], parameter: ddof })
}

/**
 * The greatest value of a column without its sign.
 *
 * @example
 * const both = fromItems([{ x: -3 }, { x: 2 }])
 * const furthest = await both.aggregate(AbsMax('x')) // { 'abs_max(x)': 3 }
 */
export function AbsMax<
  const On extends AggregateOn,
  const Options extends AggregateOptions = object,
>(on: On, options?: Options): Aggregate<AggregateName<'abs_max', On, Options>, ValueOf<On>> {
  return make('absMax', on, { name: 'abs_max', options })
}

/**
 * A quantile of a column, between values where it lies between them.
 *
 * @example
 * const median = await range(10).aggregate(Quantile('id')) // { 'quantile(id)': 4.5 }
 */
export function Quantile<
  const On extends AggregateOn,
  const Options extends QuantileOptions = object,
>(on: On, options?: Options): Aggregate<AggregateName<'quantile', On, Options>, number> {
  const { q = 0.5 } = options ?? {}
  if (!(q >= 0 && q <= 1)) throw new RayError(`Quantile: q must be from 0 to 1, not ${q}.`)
  return make('quantile', on, { name: 'quantile', options, own: ['q'], parameter: q })
}

/**
 * The number of different values of a column.
 *
 * @example
 * const kinds = await fromItems([{ x: 1 }, { x: 1 }]).aggregate(CountDistinct('x'))
 */
export function CountDistinct<
  const On extends AggregateOn,
  const Options extends AggregateOptions = object,
>(on: On, options?: Options): Aggregate<AggregateName<'count_distinct', On, Options>, number> {
  return make('countDistinct', on, { name: 'count_distinct', options })
}

/**
 * The different values of a column, as a list.
 *
 * @example
 * const values = fromItems([{ k: 1, x: 2 }]).groupBy('k').aggregate(Unique('x'))
 */
export function Unique<
  const On extends AggregateOn,
  const Options extends AggregateOptions = object,
>(on: On, options?: Options): Aggregate<AggregateName<'unique', On, Options>, ValuesOf<On>> {
  return make('unique', on, { name: 'unique', options })
}

/**
 * All values of a column, as a list.
 *
 * @example
 * const values = fromItems([{ k: 1, x: 2 }]).groupBy('k').aggregate(AsList('x'))
 */
export function AsList<
  const On extends AggregateOn,
  const Options extends AggregateOptions = object,
>(on: On, options?: Options): Aggregate<AggregateName<'list', On, Options>, ValuesOf<On>> {
  return make('asList', on, { name: 'list', options })
}

/**
 * How many percent of the values of a column are null or NaN.
 *
 * @example
 * const missing = await fromItems([{ x: 1 }, { x: null }]).aggregate(MissingValuePercentage('x'))
 */
export function MissingValuePercentage<
  const On extends AggregateOn,
  const Options extends AggregateOptions = object,
>(on: On, options?: Options): Aggregate<AggregateName<'missing_pct', On, Options>, number> {
  return make('missingValuePercentage', on, { name: 'missing_pct', options })
}

/**
 * How many percent of the values of a column are 0.
 *
 * @example
 * const zeros = await range(10).aggregate(ZeroPercentage('id')) // { 'zero_pct(id)': 10 }
 */
export function ZeroPercentage<
  const On extends AggregateOn,
  const Options extends AggregateOptions = object,
>(on: On, options?: Options): Aggregate<AggregateName<'zero_pct', On, Options>, number> {
  return make('zeroPercentage', on, { name: 'zero_pct', options })
}

/** An aggregate of your own, in JavaScript. */
export interface CustomAggregateOptions<Name extends string, State, Value> {
  /** Name of the column that it makes. */
  readonly name: Name
  /** The state of a group of which no row was seen. */
  readonly init: () => State
  /** The state after the rows of a batch in the format 'columns'. */
  readonly accumulate: (state: State, batch: ColumnBatch) => State | Promise<State>
  /** The value of a group. */
  readonly finalize: (state: State) => Value | Promise<Value>
}

/**
 * An aggregate in JavaScript. Each group comes to one task whole.
 *
 * @example
 * const product = AggregateFn({
 *   name: 'product',
 *   init: () => 1,
 *   accumulate: (state, { x }) => (x as Float64Array).reduce((a, b) => a * b, state),
 *   finalize: (state) => state,
 * })
 * const products = fromItems([{ k: 1, x: 2 }, { k: 1, x: 3 }]).groupBy('k').aggregate(product)
 */
export function AggregateFn<const Name extends string, State, Value>(
  options: CustomAggregateOptions<Name, State, Value>,
): Aggregate<Name, Value> {
  refuseUnknown('AggregateFn', options, ['name', 'init', 'accumulate', 'finalize'])
  const { name, init, accumulate, finalize } = options
  for (const [key, value] of Object.entries({ init, accumulate, finalize })) {
    if (typeof value !== 'function') throw new RayError(`AggregateFn: ${key} must be a function.`)
  }
  return new Aggregate({ kind: 'custom', name, init, accumulate, finalize } as AggregateSpec)
}

/** What all aggregates are made of. */
export interface Making {
  readonly name: string
  readonly options: AggregateOptions | undefined
  /** Options that only this aggregate has. */
  readonly own?: readonly string[]
  /** Whether nulls are always left out. */
  readonly isNullFree?: boolean
  readonly parameter?: number
  readonly sketch?: Sketch
}

/** What takes nulls for values unless told otherwise, as in Ray. */
const keepNulls: readonly AggregateKind[] = ['count', 'unique', 'asList']

/** @internal An aggregate of a column. */
export function make<Name extends string, Value>(
  kind: AggregateKind,
  on: AggregateOn | undefined,
  { name, options = {}, own = [], isNullFree = false, parameter = 0, sketch }: Making,
): Aggregate<Name, Value> {
  refuseUnknown(name, options, ['alias', ...(isNullFree ? [] : ['ignoreNulls']), ...own])
  if (on === undefined && kind !== 'count') {
    throw new RayError(`The aggregate ${name} takes the name of a column, or an expression.`)
  }
  const node = on === undefined ? undefined : (on instanceof Expression ? on : col(on)).node
  const value = node === undefined ? undefined : withoutAlias(node)
  const { alias, ignoreNulls = !keepNulls.includes(kind) } = options
  const made = alias ?? `${name}(${value === undefined ? '' : textOfNode(value)})`
  const spec = { kind, name: made, value, ignoreNulls, parameter }
  return new Aggregate(sketch === undefined ? spec : { ...spec, sketch })
}
