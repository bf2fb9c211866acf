// How far ahead of its consumer a dataset computes.
//
// Enough tasks to keep every CPU busy and one more each in line; fewer when their blocks are so
// large that this many would fill the object store. Where a limit will stop the work early, it
// starts with one task and doubles, as most takes are satisfied by the first block.

import { dataAheadBytesMax } from '../../base/limits.js'

export interface ConsumedSoFar {
  readonly blocks: number
  readonly bytes: number
}

export interface BackpressurePolicy {
  readonly cpus: number
  readonly startsSmall: boolean
}

/** The number of blocks, unfinished or unread, that may be ahead of the consumer. */
export function blocksAhead(policy: BackpressurePolicy, consumed: ConsumedSoFar): number {
  const wanted = policy.cpus * 2
  const started = policy.startsSmall ? Math.min(wanted, 2 ** consumed.blocks) : wanted
  if (consumed.bytes === 0) return started
  const fitting = Math.floor((dataAheadBytesMax * consumed.blocks) / consumed.bytes)
  return Math.max(1, Math.min(started, fitting))
}
