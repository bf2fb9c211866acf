// A dataset: a lazy plan with a fluent face. Methods that add to the plan return at once; methods
// that consume run it.

import type { Table } from 'apache-arrow'
import fs from 'node:fs'
import path from 'node:path'
import { RayError } from '../base/errors.js'
import { refuseMethodsNotBuilt } from './methods-not-built.js'
import { type BatchFormat, batchOfBlock } from './block/batch.js'
import { type Block, type SchemaField } from './block/block.js'
import type { Column, Columns, DateFormat, RowOfColumns } from './block/column.js'
import type { BlockRef, RefBundle } from './block/metadata.js'
import { rowsOfBlock } from './block/rows.js'
import { batchesOf } from './execution/batch-stream.js'
import type { DatasetSession } from './dataset-session.js'
import type { DatasetStatistics } from './execution/statistics.js'
import type { Progress } from './execution/streaming-executor.js'
import type { LogicalPlan, Step } from './logical/plan.js'
import { formatRows } from './show-rows.js'
import {
  compileMapBatchesOptions,
  compileStepOptions,
  functionName,
  type MapBatchesOptions,
  refuseUnknown,
  rowCount,
  type StepOptions,
  whole,
} from './step-options.js'

/** A row of a dataset whose type is not known at compile time. */
export type AnyRow = Record<string, unknown>

/** Options of everything that runs a dataset. */
export interface ConsumeOptions {
  /** Called each time a block is done. */
  readonly onProgress?: (progress: Progress) => void
}

/** How `iterBatches` cuts and shows rows. */
export interface IterBatchesOptions<Format extends BatchFormat = BatchFormat> {
  /** 'columns', the default, or 'arrow'. */
  readonly batchFormat?: Format
  /** Rows per batch, across blocks; as the blocks are unless told otherwise. */
  readonly batchSize?: number
  /** How 'columns' shows timestamps; as `Date` by default. */
  readonly dates?: DateFormat
}

/** Names and Arrow types of the columns of a dataset. */
export interface Schema {
  /** Names of the columns, in order. */
  readonly names: readonly string[]
  /** Their Arrow types, in the same order, such as `Float64`. */
  readonly types: readonly string[]
}

/**
 * Rows in blocks across the cluster.
 *
 * @example
 * const delays = readParquet<{ origin: string; delay: bigint }>('flights.parquet')
 *   .filter((row) => row.delay > 60n)
 *   .map((row) => ({ origin: row.origin, hours: Number(row.delay) / 60 }))
 * console.log(await delays.count())
 */
export class Dataset<Row = AnyRow> {
  readonly #session: DatasetSession
  readonly #plan: LogicalPlan
  /** Of the last execution of this very dataset; undefined before the first. */
  #statistics: DatasetStatistics | undefined

  /** @internal Use readParquet, fromItems or range. */
  constructor(session: DatasetSession, plan: LogicalPlan) {
    this.#session = session
    this.#plan = plan
  }

  /** Applies a function to batches of rows, in parallel. The function may be async. */
  mapBatches<Out extends Readonly<Record<keyof Out, Column>>>(
    fn: (batch: Columns<Row>) => Out | Promise<Out>,
    options?: MapBatchesOptions<'columns'>,
  ): Dataset<RowOfColumns<Out>>
  mapBatches<OutRow = AnyRow>(
    fn: (batch: Table) => Table | Promise<Table>,
    options: MapBatchesOptions<'arrow'> & { readonly batchFormat: 'arrow' },
  ): Dataset<OutRow>
  mapBatches(fn: (batch: never) => unknown, options: MapBatchesOptions = {}): unknown {
    const name = functionName('mapBatches', fn)
    return this.#then({ kind: 'map-batches', name, fn, ...compileMapBatchesOptions(options) })
  }

  /** Applies a function to every row. The function returns the new row, or a promise of it. */
  map<Out extends object>(
    fn: (row: Row) => Out | Promise<Out>,
    options: StepOptions = {},
  ): Dataset<Out> {
    const name = functionName('map', fn)
    return this.#then({ kind: 'map', name, fn, ...compileStepOptions('map', options) })
  }

  /** Keeps the rows for which the function returns true. */
  filter(fn: (row: Row) => boolean, options: StepOptions = {}): Dataset<Row> {
    const name = functionName('filter', fn)
    return this.#then({ kind: 'filter', name, fn, ...compileStepOptions('filter', options) })
  }

  /** Keeps the named columns. Right behind `readParquet` the others are not even read. */
  selectColumns<K extends keyof Row & string>(columns: readonly K[]): Dataset<Pick<Row, K>> {
    return this.#then({ kind: 'select', columns: [...columns] })
  }

  /** Keeps the first `rows` rows. */
  limit(rows: number): Dataset<Row> {
    return this.#then({ kind: 'limit', rows: rowCount('limit', rows) })
  }

  /** The number of rows; from the files' metadata where nothing that changes it comes between. */
  async count(options: ConsumeOptions = {}): Promise<number> {
    const counted = this.#then<Row>({ kind: 'count' })
    const known = await this.#session.countFromMetadata(counted.#plan)
    if (known !== undefined) return known
    let rows = 0
    for await (const { metadata } of counted.#execute(options)) rows += metadata.rows
    this.#statistics = counted.#statistics
    return rows
  }

  /** The first `rows` rows; reads no more than it must. */
  async take(rows = 20): Promise<Row[]> {
    const limited = this.limit(rows)
    const taken = await limited.takeAll()
    this.#statistics = limited.#statistics
    return taken
  }

  /** All rows, in the memory of this process. */
  async takeAll(options: ConsumeOptions = {}): Promise<Row[]> {
    const parts: AnyRow[][] = []
    for await (const block of this.#blocks(options)) parts.push(rowsOfBlock(block))
    return parts.flat() as Row[]
  }

  /** Prints the first `rows` rows as a table. */
  async show(rows = 20): Promise<void> {
    const taken = (await this.take(rows)) as AnyRow[]
    process.stdout.write(`${formatRows(taken)}\n`)
  }

  /**
   * Names and types of the columns; computes the first block if a function of the user decides
   * them.
   */
  async schema(): Promise<Schema> {
    const fields =
      (await this.#session.schemaFromMetadata(this.#plan)) ?? (await this.#firstSchema())
    return { names: fields.map(({ name }) => name), types: fields.map(({ type }) => type) }
  }

  /** Names of the columns, in order. */
  async columns(): Promise<readonly string[]> {
    return (await this.schema()).names
  }

  /** Batches in order, while later blocks are being computed. */
  iterBatches(options?: IterBatchesOptions<'columns'>): AsyncGenerator<Columns<Row>, void, void>
  iterBatches(
    options: IterBatchesOptions<'arrow'> & { readonly batchFormat: 'arrow' },
  ): AsyncGenerator<Table, void, void>
  async *iterBatches(options: IterBatchesOptions = {}): AsyncGenerator<unknown, void, void> {
    refuseUnknown('iterBatches', options, ['batchFormat', 'batchSize', 'dates'])
    const { batchSize, batchFormat = 'columns', dates = 'date' } = options
    const size = whole('iterBatches', 'batchSize', batchSize)
    for await (const block of batchesOf(this.#blocks(), size)) {
      yield batchOfBlock(block, { batchFormat, dates })
    }
  }

  /** Rows in order, while later blocks are being computed. */
  async *iterRows(): AsyncGenerator<Row, void, void> {
    for await (const block of this.#blocks()) yield* rowsOfBlock(block) as Row[]
  }

  /** Refs of the blocks in order, each when it is finished: for tasks and actors of your own. */
  async *iterRefBundles(options: ConsumeOptions = {}): AsyncGenerator<RefBundle, void, void> {
    yield* this.#execute(options)
  }

  /** Refs of all blocks, each an apache-arrow table in the object store. */
  async toArrowRefs(options: ConsumeOptions = {}): Promise<readonly BlockRef[]> {
    const refs: BlockRef[] = []
    for await (const { block } of this.#execute(options)) refs.push(block)
    return refs
  }

  /**
   * Computes the dataset and keeps its blocks in the object store for as long as the result is
   * held.
   */
  async materialize(options: ConsumeOptions = {}): Promise<Dataset<Row>> {
    const bundles: RefBundle[] = []
    for await (const bundle of this.#execute(options)) bundles.push(bundle)
    const result = new Dataset<Row>(this.#session, {
      source: { kind: 'blocks', bundles },
      steps: [],
    })
    result.#statistics = this.#statistics
    return result
  }

  /** The number of blocks that the dataset is computed in. */
  async numBlocks(): Promise<number> {
    return this.#session.countBlocks(this.#plan)
  }

  /**
   * Writes one Parquet file per block, `part-00000.parquet` and so on, and removes parts that an
   * earlier run left beyond them. Files appear when they are complete. Gives their paths.
   */
  async writeParquet(folder: string, options: ConsumeOptions = {}): Promise<readonly string[]> {
    refuseUnknown('writeParquet', options, ['onProgress'])
    const absolute = path.resolve(folder)
    await this.#session.refuseOverwrite(this.#plan, absolute)
    const written = this.#then<Row>({ kind: 'write-parquet', folder: absolute })
    const files: string[] = []
    for await (const { metadata } of written.#execute(options)) {
      if (metadata.file !== undefined) files.push(metadata.file)
    }
    this.#statistics = written.#statistics
    removeStaleParts(absolute, files)
    return files
  }

  /** What the last execution of this dataset did; prints as a table. */
  stats(): DatasetStatistics {
    if (this.#statistics !== undefined) return this.#statistics
    throw new RayError(
      'stats() describes an execution, and this dataset has not been executed yet.',
    )
  }

  #then<Out>(step: Step): Dataset<Out> {
    const { source, steps } = this.#plan
    return new Dataset<Out>(this.#session, { source, steps: [...steps, step] })
  }

  async *#execute(options: ConsumeOptions): AsyncGenerator<RefBundle, void, void> {
    const execution = await this.#session.execute(this.#plan, options.onProgress)
    try {
      yield* execution.bundles
    } finally {
      // Handing out blocks that are there already is nothing to report.
      const done = execution.statistics.result()
      if (done.operators.length > 0) this.#statistics = done
    }
  }

  async *#blocks(options: ConsumeOptions = {}): AsyncGenerator<Block, void, void> {
    for await (const { block } of this.#execute(options)) yield await this.#session.get(block)
  }

  async #firstSchema(): Promise<readonly SchemaField[]> {
    for await (const { metadata } of this.limit(1).#execute({})) return metadata.schema
    return []
  }
}

refuseMethodsNotBuilt(Dataset.prototype)

/** A shorter dataset over the files of a longer one must not read as the two together. */
function removeStaleParts(folder: string, files: readonly string[]): void {
  const written = new Set(files)
  const present = fs.existsSync(folder) ? fs.readdirSync(folder) : []
  for (const name of present) {
    const file = path.join(folder, name)
    if (/^part-\d{5,}\.parquet$/.test(name) && !written.has(file)) fs.rmSync(file)
  }
}
