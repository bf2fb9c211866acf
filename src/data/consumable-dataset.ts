// Methods that run a dataset and hand out what comes of it.

import type { Table } from 'apache-arrow'
import { RayError } from '../base/errors.js'
import { type BatchFormat, batchOfBlock } from './block/batch.js'
import type { Columns, DateFormat } from './block/column.js'
import type { BlockRef, RefBundle } from './block/metadata.js'
import { rowsOfBlock } from './block/rows.js'
import type { Dataset } from './dataset.js'
import { batchesOf } from './execution/batch-stream.js'
import type { DatasetStatistics } from './execution/statistics.js'
import { ExchangeableDataset } from './exchangeable-dataset.js'
import type { AnyRow, ConsumeOptions } from './planned-dataset.js'
import { formatRows } from './show-rows.js'
import { refuseUnknown, whole } from './step-options.js'

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

/** A dataset that can be run. */
export abstract class ConsumableDataset<Row> extends ExchangeableDataset<Row> {
  /** The number of rows; from the files' metadata where nothing that changes it comes between. */
  async count(options: ConsumeOptions = {}): Promise<number> {
    const counted = this.derive<Row>({ kind: 'count' })
    const known = await this.session.countFromMetadata(counted.plan)
    if (known !== undefined) return known
    let rows = 0
    for await (const { metadata } of counted.execute(options)) rows += metadata.rows
    this.statistics = counted.statistics
    return rows
  }

  /** The first `rows` rows; reads no more than it must. */
  async take(rows = 20): Promise<Row[]> {
    const limited = this.limit(rows)
    const taken = await limited.takeAll()
    this.statistics = limited.statistics
    return taken
  }

  /** All rows, in the memory of this process. */
  async takeAll(options: ConsumeOptions = {}): Promise<Row[]> {
    const parts: AnyRow[][] = []
    for await (const block of this.blocks(options)) parts.push(rowsOfBlock(block))
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
    const fields = await this.fields()
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
    for await (const block of batchesOf(this.blocks(), size)) {
      yield batchOfBlock(block, { batchFormat, dates })
    }
  }

  /** Rows in order, while later blocks are being computed. */
  async *iterRows(): AsyncGenerator<Row, void, void> {
    for await (const block of this.blocks()) yield* rowsOfBlock(block) as Row[]
  }

  /** Refs of the blocks in order, each when it is finished: for tasks and actors of your own. */
  async *iterRefBundles(options: ConsumeOptions = {}): AsyncGenerator<RefBundle, void, void> {
    for await (const { block, metadata } of this.execute(options)) yield { block, metadata }
  }

  /** Refs of all blocks, each an apache-arrow table in the object store. */
  async toArrowRefs(options: ConsumeOptions = {}): Promise<readonly BlockRef[]> {
    const refs: BlockRef[] = []
    for await (const { block } of this.execute(options)) refs.push(block)
    return refs
  }

  /**
   * Computes the dataset and keeps its blocks in the object store for as long as the result is
   * held.
   */
  async materialize(options: ConsumeOptions = {}): Promise<Dataset<Row>> {
    const bundles: RefBundle[] = []
    for await (const { block, metadata } of this.execute(options)) bundles.push({ block, metadata })
    const result = this.over({ source: { kind: 'blocks', bundles }, steps: [] })
    result.statistics = this.statistics
    return result
  }

  /** The number of blocks that the dataset is computed in. */
  async numBlocks(): Promise<number> {
    return this.session.countBlocks(this.plan)
  }

  /** What the last execution of this dataset did; prints as a table. */
  stats(): DatasetStatistics {
    if (this.statistics !== undefined) return this.statistics
    throw new RayError(
      'stats() describes an execution, and this dataset has not been executed yet.',
    )
  }
}
