// Batches of a given size from a stream of blocks: a batch may begin in one block and end in
// another.

import { type Block, sliceBlock } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'

/**
 * Cuts blocks into batches of exactly `size` rows, the last one shorter; undefined keeps blocks as
 * they are.
 */
export async function* batchesOf(
  blocks: AsyncIterable<Block>,
  size: number | undefined,
): AsyncGenerator<Block, void, void> {
  let parts: Block[] = []
  let rows = 0
  for await (const block of blocks) {
    if (block.numRows === 0) continue
    if (size === undefined) {
      yield block
      continue
    }
    let start = 0
    while (rows + block.numRows - start >= size) {
      const end = start + size - rows
      yield concatBlocks([...parts, sliceBlock(block, start, end)])
      parts = []
      rows = 0
      start = end
    }
    if (start < block.numRows) {
      parts.push(sliceBlock(block, start, block.numRows))
      rows += block.numRows - start
    }
  }
  if (rows > 0) yield concatBlocks(parts)
}
