// Shuffles rows on their way to the consumer, within a buffer: not as random as a shuffle of the
// whole, and without its cost.
//
// Blocks are collected until there are more rows than the buffer must keep. Then all of them are
// put in a random order, and handed out until only that many are left, which are shuffled again
// with the next block. Every row that is handed out was drawn from at least so many.

import { Prng } from '../../base/prng.js'
import { type Block, sliceBlock } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'
import { gatherBlock } from '../block/gather.js'

/** The rows of the blocks, each drawn at random from at least `rowsMin` of them. */
export async function* shuffledLocally(
  blocks: AsyncIterable<Block>,
  rowsMin: number,
  seed: number,
): AsyncGenerator<Block, void, void> {
  const prng = new Prng(seed)
  let parts: Block[] = []
  let rows = 0
  for await (const block of blocks) {
    if (block.numRows === 0) continue
    parts.push(block)
    rows += block.numRows
    if (rows <= rowsMin) continue
    const mixed = shuffleRows(concatBlocks(parts), prng)
    yield sliceBlock(mixed, 0, rows - rowsMin)
    parts = [sliceBlock(mixed, rows - rowsMin, rows)]
    rows = rowsMin
  }
  if (rows > 0) yield shuffleRows(concatBlocks(parts), prng)
}

function shuffleRows(block: Block, prng: Prng): Block {
  const order = Uint32Array.from({ length: block.numRows }, (_, i) => i)
  for (let i = order.length - 1; i > 0; i--) {
    const j = prng.integer(0, i)
    const row = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = row
  }
  return gatherBlock(block, order)
}
