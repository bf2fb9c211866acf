// Streams that are over for their consumers while the workers that ran them may still live.
//
// A worker stores an item for the consumer of its stream before it says that there is one. A
// consumer whose stream is over will never hear of what is on its way then, so it tells the raylet
// from which item on it has not heard. Most workers are dead by that time; one that was only asked
// to end may go on storing for a moment, and that is dropped.

import { nodeNumberOf, type ProcessId } from '../base/ids.js'
import type { ObjectKey } from '../wire/messages/terms.js'

export interface LostItems {
  readonly of: ProcessId
  /** The sequence of the first, and how many ids follow that may be theirs. */
  readonly first: number
  readonly count: number
}

export function isAmong(sequence: number, { first, count }: LostItems): boolean {
  return sequence >= first && sequence < first + count
}

export class LostStreams {
  /** By worker. Added by a consumer whose stream is over; removed when one of the two is gone. */
  readonly #ofWorker = new Map<ProcessId, readonly LostItems[]>()

  add(worker: ProcessId, items: LostItems): void {
    this.#ofWorker.set(worker, [...(this.#ofWorker.get(worker) ?? []), items])
  }

  has(worker: ProcessId, [owner, sequence]: ObjectKey): boolean {
    const streams = this.#ofWorker.get(worker)
    return streams?.some((lost) => lost.of === owner && isAmong(sequence, lost)) ?? false
  }

  processDied(process: ProcessId): void {
    this.#ofWorker.delete(process)
    for (const [worker, streams] of this.#ofWorker) {
      const left = streams.filter(({ of }) => of !== process)
      if (left.length === 0) this.#ofWorker.delete(worker)
      else this.#ofWorker.set(worker, left)
    }
  }

  nodeDied(node: number): void {
    for (const worker of this.#ofWorker.keys()) {
      if (nodeNumberOf(worker) === node) this.#ofWorker.delete(worker)
    }
  }
}
