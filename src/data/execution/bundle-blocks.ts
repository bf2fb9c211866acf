// Puts neighbouring blocks together for one task, so that it has rows enough.
//
// A batch is filled from what its task is given. Where blocks are smaller than the batches that
// were asked for, consecutive ones go to one task, as few as have that many rows together: only the
// last batch of a task is short then. Rows stay in their order.

import { joinOrigins, type RowOrigin } from '../physical/row-origin.js'
import type { PendingBlock } from './task-runner.js'

/** Blocks that go to one task. */
export type Bundle = readonly PendingBlock[]

/**
 * Bundles of at least `rowsMin` rows, the last one of fewer; a bundle per block where it is
 * undefined. A block that failed is a bundle by itself, at once: whoever reads it learns why.
 */
export async function* bundleBlocks(
  blocks: AsyncIterable<PendingBlock>,
  rowsMin: number | undefined,
): AsyncGenerator<Bundle, void, void> {
  let waiting: PendingBlock[] = []
  let rows = 0
  for await (const block of blocks) {
    const made = rowsMin === undefined ? undefined : await rowsOf(block)
    if (rowsMin === undefined || made === undefined) {
      yield [block]
      continue
    }
    waiting.push(block)
    rows += made
    if (rows < rowsMin) continue
    yield waiting
    waiting = []
    rows = 0
  }
  if (waiting.length > 0) yield waiting
}

/** Undefined if the block failed. */
export async function rowsOf({ metadata }: PendingBlock): Promise<number | undefined> {
  try {
    return (await metadata).rows
  } catch {
    return undefined
  }
}

/** Where the rows of a bundle come from, if one place can be named. */
export function originOfBundle(bundle: Bundle): RowOrigin | undefined {
  return joinOrigins(bundle.map(({ origin }) => origin))
}
