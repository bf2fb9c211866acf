// How far ahead of its consumer a dataset computes.
//
// Enough tasks to keep every CPU busy and one more each in line; many more where tasks are so short
// that they would end before the next one is asked for; fewer when their blocks are so large that
// this many would fill the object store. Where a limit will stop the work early, it starts with one
// task and doubles, as most takes are satisfied by the first block.

import { dataAheadBlocksMax, dataAheadBytesMax } from '../../base/limits.js'

export interface ConsumedSoFar {
  readonly blocks: number
  readonly bytes: number
  /** Time that the tasks took. */
  readonly taskMs: number
}

export interface BackpressurePolicy {
  readonly cpus: number
  readonly startsSmall: boolean
  /** Bytes that the blocks ahead may have together. */
  readonly bytesMax?: number
}

/** Work that every CPU should have in line. */
const queuedMs = 50
/** A task takes at least so long, with all that is around it. */
const taskMsMin = 0.1

/** The number of blocks, unfinished or unread, that may be ahead of the consumer. */
export function blocksAhead(policy: BackpressurePolicy, consumed: ConsumedSoFar): number {
  const { cpus, startsSmall, bytesMax = dataAheadBytesMax } = policy
  const { blocks, bytes, taskMs } = consumed
  const perBlock = cpus * 2
  const short = blocks < perBlock ? 0 : (cpus * queuedMs) / Math.max(taskMsMin, taskMs / blocks)
  const wanted = Math.max(perBlock, Math.min(dataAheadBlocksMax, Math.floor(short)))
  const started = startsSmall ? Math.min(wanted, 2 ** Math.min(blocks, 30)) : wanted
  if (bytes === 0) return started
  const fitting = Math.floor((bytesMax * blocks) / bytes)
  return Math.max(1, Math.min(started, fitting))
}

/** The share of the object store that the blocks ahead at one of several places may take. */
export function aheadBytes(storeBytes: number, places: number): number {
  return Math.min(dataAheadBytesMax, storeBytes / 4) / Math.max(1, places)
}
