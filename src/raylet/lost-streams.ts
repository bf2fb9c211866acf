// Streams that their consumers gave up while the worker still lived.
//
// A worker lends each stored item to the consumer of its stream before it says that there is one.
// A consumer that gives up on the worker will never hear of what is on its way then, so it tells
// the raylet what it has heard of. Most workers are dead by that time; one that was only asked to
// end may go on lending for a moment, and that is not counted.

import type { ProcessId } from '../base/ids.js'
import type { StreamItem } from '../wire/messages/raylet.js'

/** Is the item one of those that are lost with `lost`, the first that was not heard of? */
export function isLost(item: StreamItem, lost: StreamItem): boolean {
  return item.stream === lost.stream && item.attempt === lost.attempt && item.index >= lost.index
}

export class LostStreams {
  /** By worker. Added by a consumer that gave up; removed when the worker or consumer is gone. */
  readonly #ofWorker = new Map<ProcessId, { readonly of: ProcessId; readonly item: StreamItem }[]>()

  add(worker: ProcessId, of: ProcessId, item: StreamItem): void {
    const streams = this.#ofWorker.get(worker)
    if (streams === undefined) this.#ofWorker.set(worker, [{ of, item }])
    else streams.push({ of, item })
  }

  has(worker: ProcessId, of: ProcessId, item: StreamItem): boolean {
    const streams = this.#ofWorker.get(worker)
    return streams?.some((lost) => lost.of === of && isLost(item, lost.item)) ?? false
  }

  processDied(process: ProcessId): void {
    this.#ofWorker.delete(process)
    for (const [worker, streams] of this.#ofWorker) {
      const left = streams.filter(({ of }) => of !== process)
      if (left.length === 0) this.#ofWorker.delete(worker)
      else this.#ofWorker.set(worker, left)
    }
  }
}
