// Methods that look at one block at a time: each adds a step to the plan and returns at once.

import type { Table, Vector } from 'apache-arrow'
import { RayError } from '../base/errors.js'
import type { Column, ColumnOf, Columns, RowOfColumns } from './block/column.js'
import type { Dataset } from './dataset.js'
import { type AnyRow, PlannedDataset } from './planned-dataset.js'
import {
  checkBatchFormat,
  compileFunction,
  compileMapBatchesOptions,
  type MapBatchesOptions,
  ofBatches,
  refuseUnknown,
  rowCount,
  type StepOptions,
} from './step-options.js'

/** What a function of the user may return: a value, or a promise of it. */
type Returned<Out> = Out | Promise<Out>
/** What a batch function may return: one batch, or a generator of any number of them. */
export type Batches<Out> = Returned<Out | Iterable<Out, unknown, unknown> | AsyncIterable<Out>>

/** A function of rows, or a class of which each actor of a pool has one instance. */
export type Callable<In, Out> =
  // The arguments after the rows come from `fnArgs`, and those of the class from
  // `fnConstructorArgs`.
  | ((rows: In, ...args: never[]) => Out)
  | (new (...args: never[]) => { call(rows: In, ...args: never[]): Out })

type Named<Name extends string, Value> = { [K in Name]: Value }
/** A row with some of its columns renamed. */
export type Renamed<Row, Names extends Readonly<Record<string, string>>> = {
  [K in keyof Row as K extends keyof Names ? Names[K] : K]: Row[K]
}

/** A dataset that can be transformed. */
export abstract class MappableDataset<Row> extends PlannedDataset<Row> {
  /**
   * Applies a function to batches of rows, in parallel. It may be async, return a generator of any
   * number of batches, or be a class whose method `call` gets the batches: then each actor of a
   * pool makes one instance and keeps it.
   *
   * @example
   * class Classifier {
   *   constructor(readonly weight: number) {}
   *   call({ id }: { id: ArrayLike<number> }) {
   *     return { score: Float64Array.from(id, (value) => value * this.weight) }
   *   }
   * }
   * const scores = range(1000).mapBatches(Classifier, { fnConstructorArgs: [0.5], concurrency: 2 })
   * console.log(await scores.take(2)) // [{ score: 0 }, { score: 0.5 }]
   */
  mapBatches<Out extends Readonly<Record<keyof Out, Column>>>(
    fn: Callable<Columns<Row>, Batches<Out>>,
    options?: MapBatchesOptions<'columns'>,
  ): Dataset<RowOfColumns<Out>>
  mapBatches<OutRow = AnyRow>(
    fn: Callable<Table, Batches<Table>>,
    options: MapBatchesOptions<'arrow'> & { readonly batchFormat: 'arrow' },
  ): Dataset<OutRow>
  mapBatches<Out extends object>(
    fn: Callable<Row[], Batches<Out[]>>,
    options: MapBatchesOptions<'rows'> & { readonly batchFormat: 'rows' },
  ): Dataset<Out>
  mapBatches(fn: unknown, options: MapBatchesOptions = {}): unknown {
    const compiled = compileFunction('mapBatches', fn, options, ofBatches)
    return this.derive({ kind: 'map-batches', ...compiled, ...compileMapBatchesOptions(options) })
  }

  /**
   * Applies a function to every row. The function returns the new row, or a promise of it.
   *
   * @example
   * const halves = range(1000).map(({ id }) => ({ half: id / 2 }))
   * console.log(await halves.take(2)) // [{ half: 0 }, { half: 0.5 }]
   */
  map<Out extends object>(
    fn: Callable<Row, Returned<Out>>,
    options: StepOptions = {},
  ): Dataset<Out> {
    return this.derive({ kind: 'map', ...compileFunction('map', fn, options) })
  }

  /**
   * Applies a function to every row, and keeps all the rows that it returns: none, one or many.
   *
   * @example
   * const words = fromItems([{ line: 'to be' }, { line: 'or not' }]).flatMap(({ line }) =>
   *   line.split(' ').map((word) => ({ word })),
   * )
   * console.log(await words.count()) // 4
   */
  flatMap<Out extends object>(
    fn: Callable<Row, Returned<Iterable<Out> | AsyncIterable<Out>>>,
    options: StepOptions = {},
  ): Dataset<Out> {
    return this.derive({ kind: 'flat-map', ...compileFunction('flatMap', fn, options) })
  }

  /**
   * Adds a column, or replaces the one of that name: the function gets batches and returns the
   * values of the column. The other columns are not touched.
   *
   * @example
   * const squares = range(3).addColumn('square', ({ id }) => id.map((value) => value * value))
   * console.log(await squares.takeAll()) // [{ id: 0, square: 0 }, ...]
   */
  addColumn<Name extends string, Values extends Column>(
    name: Name,
    fn: Callable<Columns<Row>, Returned<Values>>,
    options?: AddColumnOptions<'columns'>,
  ): Dataset<Omit<Row, Name> & RowOfColumns<Named<Name, Values>>>
  addColumn<Name extends string, Value = unknown>(
    name: Name,
    fn: Callable<Table, Returned<Vector | ColumnOf<Value>>>,
    options: AddColumnOptions<'arrow'> & { readonly batchFormat: 'arrow' },
  ): Dataset<Omit<Row, Name> & Named<Name, Value>>
  addColumn(column: string, fn: unknown, options: AddColumnOptions = {}): unknown {
    const { batchFormat = 'columns' } = options
    checkBatchFormat('addColumn', batchFormat)
    const compiled = compileFunction('addColumn', fn, options, ['batchFormat'])
    return this.derive({ kind: 'add-column', column, batchFormat, ...compiled })
  }

  /**
   * Leaves columns out.
   *
   * @example
   * const named = fromItems([{ name: 'Ada', born: 1815 }]).dropColumns(['born'])
   * console.log(await named.columns()) // ['name']
   */
  dropColumns<K extends keyof Row & string>(columns: readonly K[]): Dataset<Omit<Row, K>>
  dropColumns(columns: readonly string[], options: object = {}): unknown {
    refuseUnknown('dropColumns', options, [])
    return this.derive({ kind: 'drop-columns', columns: [...columns] })
  }

  /**
   * Gives columns other names: by their old names, or all of them in order.
   *
   * @example
   * const people = fromItems([{ name: 'Ada', born: 1815 }]).renameColumns({ born: 'year' })
   * console.log(await people.columns()) // ['name', 'year']
   */
  renameColumns<const Names extends Readonly<Record<string, string>>>(
    names: Names & { readonly [K in keyof Names]: K extends keyof Row ? string : never },
  ): Dataset<Renamed<Row, Names>>
  renameColumns(names: readonly string[]): Dataset
  renameColumns(
    names: Readonly<Record<string, string>> | readonly string[],
    options: object = {},
  ): unknown {
    refuseUnknown('renameColumns', options, [])
    const given = Array.isArray(names) ? (names as readonly string[]) : Object.values(names)
    if (given.length === 0) throw new RayError('renameColumns was given no names.')
    return this.derive({ kind: 'rename-columns', names })
  }

  /**
   * Keeps the first `rows` rows.
   *
   * @example
   * console.log(await range(1000).limit(10).count()) // 10
   */
  limit(rows: number): Dataset<Row> {
    return this.derive({ kind: 'limit', rows: rowCount('limit', rows) })
  }

  /**
   * The rows of this dataset, then those of the others. Columns that only some have are null in the
   * rows of the rest; a function that is given blocks of these as they are does not see them.
   *
   * @example
   * const both = range(3).union(range(2))
   * console.log(await both.count()) // 5
   */
  union(...others: readonly Dataset<Row>[]): Dataset<Row> {
    if (others.length === 0) return this.over(this.plan)
    const inputs = [this.plan, ...others.map(({ plan }) => plan)]
    return this.over({ source: { kind: 'union', inputs }, steps: [] })
  }
}

/** What `addColumn` gives its function. */
export interface AddColumnOptions<
  Format extends 'columns' | 'arrow' = 'columns' | 'arrow',
> extends StepOptions {
  /** 'columns' (typed arrays and arrays by name, the default) or 'arrow'. */
  readonly batchFormat?: Format
}
