// Runs an operator to its end: what an exchange needs before it can give its first block.

import type { BlockMetadata, BlockRef } from '../block/metadata.js'
import type { RowRange } from '../physical/exchange-transforms.js'
import { type ErroredBlocks, unlessTolerated } from './errored-blocks.js'
import type { BlockRunner, PendingBlock } from './task-runner.js'

/** A block that is done, or its parts. */
export interface DrainedBlock {
  readonly block: BlockRef
  readonly parts: readonly BlockRef[]
  readonly metadata: BlockMetadata
  readonly isOwned: boolean
}

interface Draining {
  readonly runner: BlockRunner
  readonly cpus: number
  /** Undefined where the first block that fails ends the execution. */
  readonly errored?: ErroredBlocks
}

/** Tasks per CPU that are under way at once: more would only wait. */
const tasksPerCpu = 4

export async function drain(
  blocks: AsyncGenerator<PendingBlock, void, void>,
  { runner, cpus, errored }: Draining,
): Promise<readonly DrainedBlock[]> {
  const pending: PendingBlock[] = []
  const done: DrainedBlock[] = []
  let finished = 0
  const finish = async (): Promise<void> => {
    const next = pending[finished++]
    if (next === undefined) return
    const { block, parts = [], isOwned = false } = next
    const metadata = await unlessTolerated(next.metadata, errored)
    if (metadata !== undefined) done.push({ block, parts, isOwned, metadata })
  }
  try {
    for await (const each of blocks) {
      pending.push(each)
      if (pending.length - finished >= tasksPerCpu * cpus) await finish()
    }
    while (finished < pending.length) await finish()
  } catch (error) {
    for (const each of pending) runner.cancel(each)
    throw error
  }
  return done
}

/** Rows of blocks that lie one behind the other; without rows, none of the first block. */
export function rowsBetween(
  blocks: readonly DrainedBlock[],
  [from, to]: RowRange,
): { readonly inputs: readonly DrainedBlock[]; readonly ranges: readonly RowRange[] } {
  const inputs: DrainedBlock[] = []
  const ranges: RowRange[] = []
  let start = 0
  for (const block of blocks) {
    const end = start + block.metadata.rows
    if (start < to && end > from) {
      inputs.push(block)
      ranges.push([Math.max(from, start) - start, Math.min(to, end) - start])
    }
    start = end
  }
  const [first] = blocks
  // Without rows it is still a block with columns.
  return inputs.length > 0 || first === undefined
    ? { inputs, ranges }
    : { inputs: [first], ranges: [[0, 0]] }
}
