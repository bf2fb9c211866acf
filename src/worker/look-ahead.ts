// Tells the raylet what the tasks read that wait behind the one that runs, so that it comes from
// other nodes meanwhile.
//
// All is said each time, and only when it has changed. What the first of them read is enough: the
// raylet fetches no more than it has room for.

import { readU32, readU48 } from '../base/bytes.js'
import { prefetchObjectsMax, prefetchTasksMax } from '../base/limits.js'
import { unpackMessage } from '../wire/control-channel.js'
import { pushFlag } from '../wire/frame.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { argumentsAt } from './call-values.js'
import type { Incoming } from './owner-connection.js'
import type { RayletSender } from './reference-holder.js'

export class LookAhead {
  readonly #raylet: RayletSender
  /** What was said last, as text. */
  #told = ''
  /** Something waits that was not looked at. */
  #isNew = false

  constructor(raylet: RayletSender) {
    this.#raylet = raylet
  }

  /** A task has come that may have to wait. */
  arrived({ flags }: Incoming): void {
    if ((flags & pushFlag.full) !== 0) this.#isNew = true
  }

  /** Whether there is nothing to say, whatever waits. */
  get isQuiet(): boolean {
    return !this.#isNew && this.#told === ''
  }

  /** These wait, in this order. */
  look(waiting: Iterable<Incoming>): void {
    this.#isNew = false
    const objects: ObjectKey[] = []
    let looked = 0
    for (const task of waiting) {
      if (++looked > prefetchTasksMax || objects.length >= prefetchObjectsMax) {
        this.#isNew = true
        break
      }
      if (!task.isCancelled) objects.push(...readsOf(task))
    }
    const text = objects.join(' ')
    if (text === this.#told) return
    this.#told = text
    this.#raylet.send({ kind: 'prefetch', objects })
  }
}

/** The objects that a task which has arrived will ask for before it runs. */
function readsOf(task: Incoming): ObjectKey[] {
  const { buffer, flags, end } = task
  if ((flags & pushFlag.full) === 0) return []
  const start = argumentsAt(task)
  const at = start + 4 + readU32(buffer, start)
  const slots = unpackMessage(buffer.subarray(start + 4, at)) as (Uint8Array | ObjectKey)[]
  const reads = slots.flatMap((slot) => (slot instanceof Uint8Array ? [] : [slot]))
  const isStored = (flags & pushFlag.stored) !== 0 && end >= at + 12
  return isStored ? [[readU48(buffer, at), readU48(buffer, at + 6)], ...reads] : reads
}
