// How a stream of blocks becomes batches: fetched ahead, shuffled if that is asked for, cut to
// size.

import { RayError } from '../../base/errors.js'
import { randomBytes } from '../../base/random.js'
import { meetUsersArrow } from '../block/arrow-library.js'
import { type BatchFormat, batchOfBlock } from '../block/batch.js'
import type { Block } from '../block/block.js'
import type { DateFormat } from '../block/column.js'
import { batchesOf } from '../execution/batch-stream.js'
import { checkBatchFormat, refuseUnknown, whole } from '../step-options.js'
import { prefetched } from './prefetch.js'
import { shuffledLocally } from './shuffle-buffer.js'

/** How `iterBatches` cuts and shows rows. */
export interface IterBatchesOptions<Format extends BatchFormat = BatchFormat> {
  /** 'columns', the default, 'arrow' or 'rows'. */
  readonly batchFormat?: Format
  /** Rows per batch, across blocks; as the blocks are unless told otherwise. */
  readonly batchSize?: number
  /** Leaves out a last batch of fewer rows. */
  readonly dropLast?: boolean
  /** How 'columns' shows timestamps; as `Date` by default. */
  readonly dates?: DateFormat
  /** Blocks that are fetched before they are wanted; 1 by default. */
  readonly prefetchBatches?: number
  /** Draws every row at random from at least so many. */
  readonly localShuffleBufferSize?: number
  /** The same seed gives the same order. */
  readonly localShuffleSeed?: number
}

const known = [
  'batchFormat', 'batchSize', 'dropLast', 'dates', 'prefetchBatches', 'localShuffleBufferSize',
  'localShuffleSeed',
] // prettier-ignore

export async function* batchesOfBlocks(
  blocks: AsyncGenerator<Block, void, void>,
  options: IterBatchesOptions,
): AsyncGenerator<unknown, void, void> {
  refuseUnknown('iterBatches', options, known)
  const { batchFormat = 'columns', dates = 'date', prefetchBatches = 1 } = options
  checkBatchFormat('iterBatches', batchFormat)
  const size = whole('iterBatches', 'batchSize', options.batchSize)
  const ahead = prefetchBatches === 0 ? 0 : whole('iterBatches', 'prefetchBatches', prefetchBatches)
  if (batchFormat === 'arrow') await meetUsersArrow()
  const cut = batchesOf(mixed(prefetched(blocks, ahead ?? 0), options), size)
  for await (const block of cut) {
    if (options.dropLast === true && size !== undefined && block.numRows < size) return
    yield batchOfBlock(block, { batchFormat, dates })
  }
}

function mixed(
  blocks: AsyncGenerator<Block, void, void>,
  options: IterBatchesOptions,
): AsyncGenerator<Block, void, void> {
  const { localShuffleBufferSize, localShuffleSeed } = options
  const rowsMin = whole('iterBatches', 'localShuffleBufferSize', localShuffleBufferSize)
  if (rowsMin === undefined) {
    if (localShuffleSeed === undefined) return blocks
    throw new RayError('iterBatches: localShuffleSeed needs localShuffleBufferSize.')
  }
  const seed = localShuffleSeed ?? randomBytes(4).readUInt32LE()
  return shuffledLocally(blocks, rowsMin, seed)
}
