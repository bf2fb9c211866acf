// Methods in which rows change blocks: order, groups, joins, shuffles.

import { RayError } from '../base/errors.js'
import {
  type Aggregate,
  type AggregateOn,
  type AggregateOptions,
  Max,
  Mean,
  Min,
  Std,
  type StdOptions,
  Sum,
} from './aggregate/aggregates.js'
import type { Dataset } from './dataset.js'
import {
  compileJoin,
  compileRepartition,
  compileShuffle,
  compileSort,
  type JoinOptions,
  type RepartitionOptions,
  type ShuffleOptions,
  type SortOptions,
} from './exchange-options.js'
import type { Expression } from './expression/expression.js'
import { type AggregatedColumns, GroupedDataset } from './grouped-dataset.js'
import type { Joined, OnColumns, Zipped } from './joined-row.js'
import type { LogicalPlan } from './logical/plan.js'
import type { PlannedDataset } from './planned-dataset.js'
import { RelationalDataset } from './relational-dataset.js'
import { refuseUnknown, whole } from './step-options.js'

/** A column that the rows have, or an expression. */
type ColumnOrExpression<Row> = (keyof Row & string) | Expression
/** What may be aggregated where the caller says the type of the result, and else nothing. */
type IfSaid<T> = [T] extends [never] ? never : AggregateOn

/** A dataset whose rows can change places. */
export abstract class ExchangeableDataset<Row> extends RelationalDataset<Row> {
  /**
   * Orders the rows by columns or expressions. Equal rows stay in their order.
   *
   * @example
   * const sorted = readParquet('flights/*.parquet').sort(['distance', 'date'], {
   *   descending: [true, false],
   * })
   */
  sort<On extends ColumnOrExpression<Row>>(
    by: On | readonly On[],
    options: SortOptions = {},
  ): Dataset<Row> {
    return this.derive({ kind: 'sort', keys: compileSort(by, options) })
  }

  /**
   * Groups rows by one or several columns.
   *
   * @example
   * const counts = range(10).withColumn('odd', col<number>('id').mod(2)).groupBy('odd').count()
   */
  groupBy<K extends keyof Row & string>(
    keys: K | readonly K[],
    options: { readonly numPartitions?: number } = {},
  ): GroupedDataset<Row, K> {
    refuseUnknown('groupBy', options, ['numPartitions'])
    const list = (Array.isArray(keys) ? keys : [keys]) as readonly K[]
    if (list.length === 0) throw new RayError('groupBy was given no columns; see aggregate.')
    return new GroupedDataset(this, list, whole('groupBy', 'numPartitions', options.numPartitions))
  }

  /**
   * Computes aggregates of all rows.
   *
   * @example
   * const { longest } = await range(10).aggregate(Max('id', { alias: 'longest' }))
   */
  async aggregate<const Aggregates extends readonly Aggregate[]>(
    ...aggregates: Aggregates
  ): Promise<AggregatedColumns<Row, Aggregates>> {
    if (aggregates.length === 0) throw new RayError('aggregate was given no aggregates.')
    const specs = aggregates.map(({ spec }) => spec)
    const step = { kind: 'aggregate', keys: [], aggregates: specs, blocks: undefined } as const
    const [row] = await this.derive<AggregatedColumns<Row, Aggregates>>(step).takeAll()
    if (row === undefined) throw new RayError('aggregate: the result has no row.')
    return row
  }

  /**
   * The sum of a column; null without values. Of 64-bit integers it is a bigint.
   *
   * @throws RayError if it overflows, or the column has no numbers.
   *
   * @example
   * console.log(await range(10).sum('id')) // 45
   */
  sum<On extends ColumnOrExpression<Row>>(
    on: On,
    options?: AggregateOptions,
  ): Promise<number | bigint | null> {
    return this.#one(Sum(on, { ...options, alias: 'value' }))
  }

  /**
   * The least value of a column; null without values.
   *
   * @example
   * console.log(await range(10).min('id')) // 0
   */
  min<T = never>(on: IfSaid<T>, options?: AggregateOptions): Promise<T>
  min<On extends keyof Row & string>(on: On, options?: AggregateOptions): Promise<Row[On] | null>
  min(on: Expression, options?: AggregateOptions): Promise<unknown>
  min(on: AggregateOn, options?: AggregateOptions): Promise<unknown> {
    return this.#one(Min(on, { ...options, alias: 'value' }))
  }

  /**
   * The greatest value of a column; null without values.
   *
   * @example
   * console.log(await range(10).max('id')) // 9
   */
  max<T = never>(on: IfSaid<T>, options?: AggregateOptions): Promise<T>
  max<On extends keyof Row & string>(on: On, options?: AggregateOptions): Promise<Row[On] | null>
  max(on: Expression, options?: AggregateOptions): Promise<unknown>
  max(on: AggregateOn, options?: AggregateOptions): Promise<unknown> {
    return this.#one(Max(on, { ...options, alias: 'value' }))
  }

  /**
   * The mean of a column; null without values.
   *
   * @example
   * console.log(await range(10).mean('id')) // 4.5
   */
  mean<On extends ColumnOrExpression<Row>>(
    on: On,
    options?: AggregateOptions,
  ): Promise<number | null> {
    return this.#one(Mean(on, { ...options, alias: 'value' }))
  }

  /**
   * The standard deviation of a column, of a sample unless `ddof` is 0; null without values.
   *
   * @example
   * console.log(await range(10).std('id', { ddof: 0 }))
   */
  std<On extends ColumnOrExpression<Row>>(on: On, options?: StdOptions): Promise<number | null> {
    return this.#one(Std(on, { ...options, alias: 'value' }))
  }

  /**
   * The different values of a column, in order; null, if it is one of them, last.
   *
   * @example
   * console.log(await fromItems([{ x: 2 }, { x: 1 }, { x: 2 }]).unique('x')) // [1, 2]
   */
  async unique<K extends keyof Row & string>(
    column: K,
    options: { readonly ignoreNulls?: boolean } = {},
  ): Promise<Row[K][]> {
    refuseUnknown('unique', options, ['ignoreNulls'])
    const rows = await this.groupBy(column).aggregate().takeAll()
    const values = rows.map((row) => row[column] as Row[K])
    return options.ignoreNulls === true ? values.filter((value) => value !== null) : values
  }

  /**
   * The rows of this and another dataset that agree in some columns. The order of the result is not
   * defined.
   *
   * @example
   * const orders = fromItems([{ customer: 1, total: 20 }])
   * const customers = fromItems([{ customer: 1, name: 'Ada' }])
   * const named = orders.join(customers, { on: 'customer', how: 'left' })
   */
  join<Right, const Options extends JoinOptions>(
    right: Dataset<Right>,
    options: Options & OnColumns<Row, Options>,
  ): Dataset<Joined<Row, Right, Options>> {
    const { spec, blocks } = compileJoin(options)
    const source = { kind: 'join', left: this.plan, right: right.plan, spec, blocks } as const
    return this.over({ source, steps: [] })
  }

  /**
   * The columns of datasets of equal length side by side. A column that several have gets `_1`,
   * `_2` and so on behind its name on the right.
   *
   * @example
   * const three = range(3).zip(range(3), range(3))
   * console.log(await three.columns()) // ['id', 'id_1', 'id_2']
   */
  zip<Right>(right: Dataset<Right>): Dataset<Zipped<Row, Right>>
  zip(...others: readonly PlannedDataset<unknown>[]): Dataset
  zip(...others: readonly PlannedDataset<unknown>[]): unknown {
    if (others.length === 0) throw new RayError('zip was given no datasets.')
    const joined = others.reduce<LogicalPlan>((left, { plan: right }) => {
      return { source: { kind: 'zip', left, right }, steps: [] }
    }, this.plan)
    return this.over(joined)
  }

  /**
   * The same rows in other blocks: a number of them, of a number of rows each, or with equal keys
   * in one block.
   *
   * @example
   * const ten = range(1000).repartition(10)
   * const small = range(1000).repartition({ targetNumRowsPerBlock: 64 })
   */
  repartition(numBlocks: number, options?: Omit<RepartitionOptions, 'numBlocks'>): Dataset<Row>
  repartition(options: RepartitionOptions): Dataset<Row>
  repartition(by: number | RepartitionOptions, options: RepartitionOptions = {}): Dataset<Row> {
    const all = typeof by === 'number' ? { ...options, numBlocks: by } : by
    return this.derive(compileRepartition(all))
  }

  /**
   * All rows in random order.
   *
   * @example
   * const shuffled = range(1000).randomShuffle({ seed: 42 })
   */
  randomShuffle(options: ShuffleOptions = {}): Dataset<Row> {
    return this.derive(compileShuffle(options))
  }

  /**
   * The blocks in random order; rows stay together as they are. Cheaper than `randomShuffle`.
   *
   * @example
   * const roughly = range(1000).randomizeBlockOrder({ seed: 42 })
   */
  randomizeBlockOrder(options: Pick<ShuffleOptions, 'seed'> = {}): Dataset<Row> {
    refuseUnknown('randomizeBlockOrder', options, ['seed'])
    return this.derive({ kind: 'block-order', seed: options.seed })
  }

  async #one<T>(aggregate: Aggregate): Promise<T> {
    const { value } = (await this.aggregate(aggregate)) as { value?: T }
    return value as T
  }
}
