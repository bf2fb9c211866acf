// Rows by their keys: what `groupBy` gives.

import type { Table } from 'apache-arrow'
import { RayError } from '../base/errors.js'
import {
  type Aggregate,
  type AggregateOptions,
  Count,
  CountDistinct,
  Max,
  Mean,
  Min,
  Quantile,
  type QuantileOptions,
  Std,
  type StdOptions,
  Sum,
  Unique,
} from './aggregate/aggregates.js'
import type { Column, Columns, DateFormat, RowOfColumns } from './block/column.js'
import type { BatchFormat } from './block/batch.js'
import type { Dataset } from './dataset.js'
import type { Batches, Callable } from './mappable-dataset.js'
import { type Expression, nodeOfColumn } from './expression/expression.js'
import type { ValueIn } from './expression/row-value.js'
import type { PlannedDataset } from './planned-dataset.js'
import {
  checkBatchFormat,
  compileFunction,
  refuseUnknown,
  type StepOptions,
} from './step-options.js'

/** How `mapGroups` shows groups. */
export interface MapGroupsOptions<Format extends BatchFormat = BatchFormat> extends StepOptions {
  /** 'columns', the default, 'arrow' or 'rows'. */
  readonly batchFormat?: Format
  /** How 'columns' shows timestamps; as `Date` by default. */
  readonly dates?: DateFormat
}

type AnyAggregate = Aggregate
/** The columns that aggregates make. */
export type AggregatedColumns<Row, Aggregates extends readonly AnyAggregate[]> = {
  [A in Aggregates[number] as A['column']]: ValueIn<Row, A['value']>
}

/** Without a name: that of the column follows from the aggregate's. */
type Unnamed<Options> = Omit<Options, 'alias'>
/** The keys of groups, and a column that an aggregate makes of them. */
type Made<Row, Key extends keyof Row, Name extends string, Value> = Dataset<
  Pick<Row, Key> & { [K in Name]: Value }
>

/**
 * Rows by their keys. Made by `groupBy`.
 *
 * @example
 * const delays = readParquet('flights/*.parquet')
 *   .groupBy('origin')
 *   .aggregate(Count(), Mean('delay'), Max('distance'))
 */
export class GroupedDataset<Row, Key extends keyof Row & string> {
  // Plain fields, because private ones do not travel.
  /** @internal */
  readonly dataset: PlannedDataset<Row>
  /** @internal */
  readonly keys: readonly Key[]
  /** @internal */
  readonly blocks: number | undefined

  /** @internal Use groupBy. */
  constructor(dataset: PlannedDataset<Row>, keys: readonly Key[], blocks: number | undefined) {
    this.dataset = dataset
    this.keys = keys
    this.blocks = blocks
  }

  /**
   * Computes aggregates of each group: one row per group, its keys first.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.aggregate(Count(), Mean('x'))
   */
  aggregate<const Aggregates extends readonly AnyAggregate[]>(
    ...aggregates: Aggregates
  ): Dataset<Pick<Row, Key> & AggregatedColumns<Row, Aggregates>> {
    const specs = aggregates.map(({ spec }) => spec)
    const names = [...this.keys, ...specs.map(({ name }) => name)]
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) {
      throw new RayError(`aggregate: there are two columns "${twice}"; give one an alias.`)
    }
    const step = { kind: 'aggregate', keys: this.keys, aggregates: specs } as const
    return this.dataset.derive({ ...step, blocks: this.blocks })
  }

  /**
   * The number of rows of each group, in the column `count()`.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.count()
   */
  count(): Dataset<Pick<Row, Key> & { 'count()': number }> {
    return this.aggregate(Count())
  }

  /**
   * The sum of a column in each group.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.sum('x')
   */
  sum<C extends keyof Row & string>(
    on: C,
    options?: Unnamed<AggregateOptions>,
  ): Made<Row, Key, `sum(${C})`, Row[C]> {
    return only(this, Sum(on, options))
  }

  /**
   * The least value of a column in each group.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.min('x')
   */
  min<C extends keyof Row & string>(
    on: C,
    options?: Unnamed<AggregateOptions>,
  ): Made<Row, Key, `min(${C})`, Row[C]> {
    return only(this, Min(on, options))
  }

  /**
   * The greatest value of a column in each group.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.max('x')
   */
  max<C extends keyof Row & string>(
    on: C,
    options?: Unnamed<AggregateOptions>,
  ): Made<Row, Key, `max(${C})`, Row[C]> {
    return only(this, Max(on, options))
  }

  /**
   * The mean of a column in each group.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.mean('x')
   */
  mean<C extends keyof Row & string>(
    on: C,
    options?: Unnamed<AggregateOptions>,
  ): Made<Row, Key, `mean(${C})`, number> {
    return only(this, Mean(on, options))
  }

  /**
   * The standard deviation of a column in each group.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.std('x')
   */
  std<C extends keyof Row & string>(
    on: C,
    options?: Unnamed<StdOptions>,
  ): Made<Row, Key, `std(${C})`, number> {
    return only(this, Std(on, options))
  }

  /**
   * A quantile of a column in each group: the median unless `q` says otherwise.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.quantile('x', { q: 0.9 })
   */
  quantile<C extends keyof Row & string>(
    on: C,
    options?: Unnamed<QuantileOptions>,
  ): Made<Row, Key, `quantile(${C})`, number> {
    return only(this, Quantile(on, options))
  }

  /**
   * The different values of a column in each group, as a list.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.unique('x')
   */
  unique<C extends keyof Row & string>(
    on: C,
    options?: Unnamed<AggregateOptions>,
  ): Made<Row, Key, `unique(${C})`, Row[C][]> {
    return only(this, Unique(on, options))
  }

  /**
   * The number of different values of a column in each group.
   *
   * @example
   * const sales = fromItems([{ k: 'a', x: 3 }, { k: 'a', x: 5 }]).groupBy('k')
   * const made = sales.countDistinct('x')
   */
  countDistinct<C extends keyof Row & string>(
    on: C,
    options?: Unnamed<AggregateOptions>,
  ): Made<Row, Key, `count_distinct(${C})`, number> {
    return only(this, CountDistinct(on, options))
  }

  /**
   * Calls a function once per group, with all its rows. It returns a batch of any number of rows,
   * or generates several; of a class, each actor of a pool has an instance, whose method `call` is
   * given the groups.
   *
   * @example
   * const spans = fromItems([{ k: 'a', x: 1 }, { k: 'a', x: 5 }])
   *   .groupBy('k')
   *   .mapGroups(({ k, x }) => ({ k: k.slice(0, 1), span: [Math.max(...x) - Math.min(...x)] }))
   */
  mapGroups<Out extends Readonly<Record<keyof Out, Column>>>(
    fn: Callable<Columns<Row>, Batches<Out>>,
    options?: MapGroupsOptions<'columns'>,
  ): Dataset<RowOfColumns<Out>>
  mapGroups<OutRow = Record<string, unknown>>(
    fn: Callable<Table, Batches<Table>>,
    options: MapGroupsOptions<'arrow'> & { readonly batchFormat: 'arrow' },
  ): Dataset<OutRow>
  mapGroups<Out extends object>(
    fn: Callable<Row[], Batches<Out[]>>,
    options: MapGroupsOptions<'rows'> & { readonly batchFormat: 'rows' },
  ): Dataset<Out>
  mapGroups(fn: unknown, options: MapGroupsOptions = {}): unknown {
    const { batchFormat = 'columns', dates = 'date' } = options
    checkBatchFormat('mapGroups', batchFormat)
    const compiled = compileFunction('mapGroups', fn, options, ['batchFormat', 'dates'])
    const step = { kind: 'group-map', keys: this.keys, blocks: this.blocks } as const
    return this.dataset.derive({ ...compiled, ...step, batchFormat, dates })
  }

  /**
   * Adds a column that an expression computes, or replaces the one of that name; rows of a group
   * come together. What `udf` makes is given whole groups, one at a time.
   *
   * @example
   * const rank = udf((x: ArrayLike<number>) => Float64Array.from(x, (_, i) => i))
   * const ranked = fromItems([{ k: 'a', x: 5 }, { k: 'a', x: 3 }])
   *   .groupBy('k')
   *   .withColumn('rank', rank(col('x')))
   */
  withColumn<Name extends string, T>(
    name: Name,
    expression: Expression<T>,
  ): Dataset<Omit<Row, Name> & { [K in Name]: ValueIn<Row, T> }>
  withColumn(name: string, expression: Expression, options: object = {}): unknown {
    refuseUnknown('withColumn', options, [])
    const output = { name, value: nodeOfColumn('withColumn', expression) }
    const step = { kind: 'group-column', keys: this.keys, blocks: this.blocks } as const
    return this.dataset.derive({ ...step, output })
  }
}

/** One aggregate of each group. A private method would keep groups from travelling. */
function only<Made, Row, Key extends keyof Row & string>(
  groups: GroupedDataset<Row, Key>,
  aggregate: Aggregate,
): Made {
  return groups.aggregate(aggregate) as Made
}
