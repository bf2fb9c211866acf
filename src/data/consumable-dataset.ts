// Methods that run a dataset and hand out what comes of it.

import type { Table } from 'apache-arrow'
import { RayError } from '../base/errors.js'
import * as ray from '../ray/index.js'
import { asTable, meetUsersArrow } from './block/arrow-library.js'
import { type BatchFormat, batchOfBlock } from './block/batch.js'
import { type Block, columnsOfBlock, type Schema, schemaOf } from './block/block.js'
import { concatBlocks } from './block/concat.js'
import type { Columns, DateFormat } from './block/column.js'
import type { BlockRef, RefBundle } from './block/metadata.js'
import { joinRows, rowsOfBlock } from './block/rows.js'
import type { IterBatchesOptions } from './consume/iter-batches.js'
import {
  type DatasetSummary,
  joinSummaries,
  type PartialSummary,
  summarizeBlock,
} from './consume/summary.js'
import type { Dataset } from './dataset.js'
import type { DatasetStatistics } from './execution/statistics.js'
import { ExchangeableDataset } from './exchangeable-dataset.js'
import type { AnyRow, ConsumeOptions } from './planned-dataset.js'
import { formatRows } from './show-rows.js'
import { checkBatchFormat, refuseUnknown } from './step-options.js'

/** How `takeBatch` shows rows. */
export type TakeBatchOptions<Format extends BatchFormat = BatchFormat> = Pick<
  IterBatchesOptions<Format>,
  'batchFormat' | 'dates'
>

/** What `summary` looks at. */
export interface SummaryOptions extends ConsumeOptions {
  /** Columns that are wanted; all unless told otherwise. */
  readonly columns?: readonly string[]
}

const tableTask = ray.remote(asTable)

const ofConsuming = ['onProgress']

/** How `schema` and `columns` find out. */
export interface SchemaOptions {
  /** Whether the first block is computed where nothing else tells; it is unless this is false. */
  readonly fetchIfMissing?: boolean
}

/** A dataset that can be run. */
export abstract class ConsumableDataset<Row> extends ExchangeableDataset<Row> {
  /**
   * The number of rows; from the files' metadata where nothing that changes it comes between.
   *
   * @example
   * console.log(await range(1000).count()) // 1000
   */
  async count(options: ConsumeOptions = {}): Promise<number> {
    refuseUnknown('count', options, ofConsuming)
    const counted = this.derive<Row>({ kind: 'count' })
    const known = await this.session.countFromMetadata(counted.plan)
    if (known !== undefined) return known
    let rows = 0
    for await (const { metadata } of counted.execute(options)) rows += metadata.rows
    this.statistics = counted.statistics
    return rows
  }

  /**
   * The first `rows` rows, 20 unless told otherwise; reads no more than it must.
   *
   * @example
   * console.log(await range(1000).take(2)) // [{ id: 0 }, { id: 1 }]
   */
  async take(rows = 20): Promise<Row[]> {
    const limited = this.limit(rows)
    const taken = await limited.takeAll()
    this.statistics = limited.statistics
    return taken
  }

  /**
   * All rows, in the memory of this process.
   *
   * @throws RayError if there are more than `limit`.
   *
   * @example
   * console.log(await range(2).takeAll()) // [{ id: 0 }, { id: 1 }]
   */
  async takeAll(options: ConsumeOptions & { readonly limit?: number } = {}): Promise<Row[]> {
    refuseUnknown('takeAll', options, [...ofConsuming, 'limit'])
    const { limit = Number.POSITIVE_INFINITY } = options
    const parts: AnyRow[][] = []
    let rows = 0
    for await (const block of this.blocks(options)) {
      rows += block.numRows
      if (rows > limit) {
        throw new RayError(`takeAll: the dataset has more rows than its limit, ${limit}.`)
      }
      parts.push(rowsOfBlock(block))
    }
    return joinRows(parts) as Row[]
  }

  /**
   * The first `rows` rows as one batch: columns, an Arrow table or rows.
   *
   * @example
   * const { id } = await range(1000).takeBatch(3)
   * console.log(id) // [0, 1, 2], a Float64Array
   */
  takeBatch(rows?: number, options?: TakeBatchOptions<'columns'>): Promise<Columns<Row>>
  takeBatch(
    rows: number,
    options: TakeBatchOptions<'arrow'> & { readonly batchFormat: 'arrow' },
  ): Promise<Table>
  takeBatch(
    rows: number,
    options: TakeBatchOptions<'rows'> & { readonly batchFormat: 'rows' },
  ): Promise<Row[]>
  async takeBatch(rows = 20, options: TakeBatchOptions = {}): Promise<unknown> {
    refuseUnknown('takeBatch', options, ['batchFormat', 'dates'])
    const { batchFormat = 'columns', dates = 'date' } = options
    checkBatchFormat('takeBatch', batchFormat)
    if (batchFormat === 'arrow') await meetUsersArrow()
    return batchOfBlock(await this.limit(rows).joined(), { batchFormat, dates })
  }

  /**
   * All rows as one Arrow table, in the memory of this process.
   *
   * @example
   * const table = await range(1000).toArrow()
   * console.log(table.numRows) // 1000
   */
  async toArrow(options: ConsumeOptions = {}): Promise<Table> {
    refuseUnknown('toArrow', options, ofConsuming)
    await meetUsersArrow()
    return this.joined(options)
  }

  /**
   * All rows as columns, in the memory of this process: typed arrays of numbers, arrays of others.
   *
   * @example
   * const { id } = await range(1000).toColumns()
   */
  async toColumns(
    options: ConsumeOptions & { readonly dates?: DateFormat } = {},
  ): Promise<Columns<Row>> {
    refuseUnknown('toColumns', options, [...ofConsuming, 'dates'])
    return columnsOfBlock(await this.joined(options), options.dates) as Columns<Row>
  }

  /** @internal All rows as one block. */
  async joined(options: ConsumeOptions = {}): Promise<Block> {
    const blocks: Block[] = []
    for await (const block of this.blocks(options)) blocks.push(block)
    return concatBlocks(blocks)
  }

  /**
   * Prints the first `rows` rows as a table, 20 unless told otherwise.
   *
   * @example
   * await range(1000).show(3)
   */
  async show(rows = 20): Promise<void> {
    const taken = (await this.take(rows)) as AnyRow[]
    process.stdout.write(`${formatRows(taken)}\n`)
  }

  /**
   * Names and types of the columns; computes the first block if a function of the user decides
   * them. With `fetchIfMissing: false` it does not, and there may be no answer.
   *
   * @example
   * const { names, types } = await range(3).schema()
   * console.log(names, types) // ['id'] ['Float64']
   */
  schema(options?: SchemaOptions & { readonly fetchIfMissing?: true }): Promise<Schema>
  schema(options: SchemaOptions): Promise<Schema | undefined>
  async schema(options: SchemaOptions = {}): Promise<Schema | undefined> {
    refuseUnknown('schema', options, ['fetchIfMissing'])
    const isKnown = options.fetchIfMissing === false
    const fields = await (isKnown ? this.session.schemaFromMetadata(this.plan) : this.fields())
    return fields && schemaOf(fields)
  }

  /** Names of the columns, in order; see `schema`. */
  columns(options?: SchemaOptions & { readonly fetchIfMissing?: true }): Promise<readonly string[]>
  columns(options: SchemaOptions): Promise<readonly string[] | undefined>
  async columns(options: SchemaOptions = {}): Promise<readonly string[] | undefined> {
    refuseUnknown('columns', options, ['fetchIfMissing'])
    return (await this.schema(options))?.names
  }

  /**
   * Refs of the blocks in order, each when it is finished: for tasks and actors of your own.
   *
   * @example
   * for await (const { metadata } of range(1000).iterRefBundles()) console.log(metadata.rows)
   */
  async *iterRefBundles(options: ConsumeOptions = {}): AsyncGenerator<RefBundle, void, void> {
    refuseUnknown('iterRefBundles', options, ofConsuming)
    await meetUsersArrow()
    for await (const { block, metadata } of this.execute(options)) yield { block, metadata }
  }

  /**
   * Refs of all blocks, each an apache-arrow table in the object store.
   *
   * @example
   * const rowsOf = ray.remote((table: { numRows: number }) => table.numRows)
   * const refs = await range(1000).toArrowRefs()
   * console.log(await ray.get(refs.map((ref) => rowsOf.remote(ref))))
   */
  async toArrowRefs(options: ConsumeOptions = {}): Promise<readonly BlockRef[]> {
    refuseUnknown('toArrowRefs', options, ofConsuming)
    const refs: BlockRef[] = []
    for await (const { block } of this.execute(options)) refs.push(tableTask.remote(block))
    return refs
  }

  /**
   * Computes the dataset and keeps its blocks in the object store for as long as the result is
   * held.
   *
   * @example
   * const squares = await range(1000).map(({ id }) => ({ square: id * id })).materialize()
   * console.log(await squares.count(), await squares.max('square')) // computed once
   */
  async materialize(options: ConsumeOptions = {}): Promise<Dataset<Row>> {
    refuseUnknown('materialize', options, ofConsuming)
    const bundles: RefBundle[] = []
    for await (const { block, metadata } of this.execute(options)) bundles.push({ block, metadata })
    const result = this.over({ source: { kind: 'blocks', bundles }, steps: [] })
    result.statistics = this.statistics
    return result
  }

  /**
   * Paths of the files that the dataset is read from, each once and in order; none if it is not.
   *
   * @example
   * const files = await readParquet('flights/').inputFiles()
   */
  async inputFiles(): Promise<readonly string[]> {
    return [...new Set(await this.session.inputFiles(this.plan))]
  }

  /**
   * The number of blocks that the dataset is computed in.
   *
   * @example
   * console.log(await range(1000, { overrideNumBlocks: 7 }).numBlocks()) // 7
   */
  async numBlocks(): Promise<number> {
    return this.session.countBlocks(this.plan)
  }

  /**
   * Bytes that the blocks of the dataset have in memory; computes them if they are not known.
   *
   * @example
   * console.log(await range(1000).sizeBytes()) // 8000
   */
  async sizeBytes(): Promise<number> {
    const known = await this.session.bytesFromMetadata(this.plan)
    if (known !== undefined) return known
    let bytes = 0
    for await (const { block, metadata, isOwned } of this.execute()) {
      bytes += metadata.bytes
      if (isOwned) this.session.release(block)
    }
    return bytes
  }

  /**
   * Counts, extremes, means and deviations of columns, all or those named; prints as a table.
   *
   * @example
   * console.log(String(await range(1000).summary({ columns: ['id'] })))
   */
  async summary(options: SummaryOptions = {}): Promise<DatasetSummary> {
    refuseUnknown('summary', options, [...ofConsuming, 'columns'])
    const { columns } = options
    const wanted = columns === undefined ? this : this.derive<Row>({ kind: 'select', columns })
    const partial = wanted.derive<Row>({ kind: 'report', name: 'summary', fn: summarizeBlock })
    const parts: PartialSummary[][] = []
    for await (const { metadata } of partial.execute(options)) {
      parts.push(metadata.report as PartialSummary[])
    }
    this.statistics = partial.statistics
    return joinSummaries(parts)
  }

  /**
   * What the last execution of this dataset did: operators, rows, bytes, times, workers. As text it
   * is a line for each.
   *
   * @throws RayError if the dataset has not been executed.
   *
   * @example
   * const numbers = range(1000)
   * await numbers.takeAll()
   * console.log(String(numbers.stats()))
   */
  stats(): DatasetStatistics {
    if (this.statistics !== undefined) return this.statistics
    throw new RayError(
      'stats() describes an execution, and this dataset has not been executed yet.',
    )
  }
}
