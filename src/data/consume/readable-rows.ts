// What can be read from blocks that come one by one, whether of a dataset or of a part of one.

import type { Table } from 'apache-arrow'
import type { Block } from '../block/block.js'
import type { Columns } from '../block/column.js'
import { rowsOfBlock } from '../block/rows.js'
import type { ConsumeOptions } from '../planned-dataset.js'
import { refuseUnknown } from '../step-options.js'
import { batchesOfBlocks, type IterBatchesOptions } from './iter-batches.js'
import { prefetched } from './prefetch.js'

/** Rows that can be read in order, while later ones are being computed. */
export abstract class ReadableRows<Row> {
  /** @internal The blocks themselves, in the memory of this process. */
  abstract blocks(options?: ConsumeOptions): AsyncGenerator<Block, void, void>

  /**
   * Batches in order, while later blocks are being computed: columns (typed arrays and arrays by
   * name), Arrow tables or rows, of `batchSize` rows each, or as the blocks are.
   *
   * @throws RayError if computing the rows fails, or an option has a value that it cannot have.
   *
   * @example
   * for await (const { id } of range(100).iterBatches({ batchSize: 8 })) console.log(id.length)
   */
  iterBatches(options?: IterBatchesOptions<'columns'>): AsyncGenerator<Columns<Row>, void, void>
  iterBatches(
    options: IterBatchesOptions<'arrow'> & { readonly batchFormat: 'arrow' },
  ): AsyncGenerator<Table, void, void>
  iterBatches(
    options: IterBatchesOptions<'rows'> & { readonly batchFormat: 'rows' },
  ): AsyncGenerator<Row[], void, void>
  iterBatches(options: IterBatchesOptions = {}): AsyncGenerator<unknown, void, void> {
    return batchesOfBlocks(this.blocks(), options)
  }

  /**
   * Rows in order, while later blocks are being computed; `for await` does the same.
   *
   * @throws RayError if computing the rows fails.
   *
   * @example
   * for await (const row of range(3).iterRows()) console.log(row.id)
   */
  async *iterRows(options: ConsumeOptions = {}): AsyncGenerator<Row, void, void> {
    refuseUnknown('iterRows', options, ['onProgress'])
    for await (const block of prefetched(this.blocks(options), 1)) {
      yield* rowsOfBlock(block) as Row[]
    }
  }

  /** Rows in order, as `iterRows`. */
  [Symbol.asyncIterator](): AsyncGenerator<Row, void, void> {
    return this.iterRows()
  }
}
