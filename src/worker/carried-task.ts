// A task as it travels with the request for its worker.

import { assert } from '../base/assert.js'
import { taskReadsMax } from '../base/limits.js'
import type { CarriedTask } from '../wire/messages/raylet.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { ObjectRef, refState } from './object-ref.js'
import { keysOf } from './reference-holder.js'
import type { Task } from './task.js'

export function carriedTask(task: Task): CarriedTask {
  const { fn, slab, start, end, ref, nested } = task
  assert(slab !== null && fn.define !== null, 'the frame of a submitted task is written')
  const reads = readsOf(task)
  return {
    frames: Buffer.concat([fn.define, slab.subarray(start, end)]),
    sequence: ref.sequence,
    nested: nested === null ? [] : keysOf(nested),
    ...(reads !== undefined && { reads }),
  }
}

/** The stored objects that it reads; undefined when none is known. */
function readsOf({ pins, nested, argumentHolder: holder }: Task): readonly ObjectKey[] | undefined {
  if (pins === null) return undefined
  const reads: ObjectKey[] = holder === null ? [] : [[holder.owner, holder.sequence]]
  // Refs inside of the arguments come last: what they stand for is read if the task likes.
  for (const pin of pins.slice(0, pins.length - (nested?.length ?? 0))) {
    const isStored = pin instanceof ObjectRef && pin.state === refState.stored
    if (isStored && reads.push([pin.owner, pin.sequence]) >= taskReadsMax) break
  }
  return reads.length === 0 ? undefined : reads
}
