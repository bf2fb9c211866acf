// The stored objects that a task reads, so that it can be placed where they are.

import { taskReadsMax } from '../base/limits.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { ObjectRef, refState } from './object-ref.js'
import type { Task } from './task.js'

/** Undefined when it reads none that is known to be stored. */
export function readsOf({ pins }: Task): readonly ObjectKey[] | undefined {
  if (pins === null) return undefined
  const reads: ObjectKey[] = []
  for (const pin of pins) {
    const isStored = pin instanceof ObjectRef && pin.state === refState.stored
    if (isStored && reads.push([pin.owner, pin.sequence]) === taskReadsMax) break
  }
  return reads.length === 0 ? undefined : reads
}
