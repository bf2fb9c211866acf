// The placement groups that this process waits for or has made.
//
// The process that makes a group hears of it from the beginning; one that was given a handle asks
// when it first wants to know. Both have one ref per group, ready when all bundles are reserved.

import {
  type RayError,
  TaskPlacementGroupRemovedError,
  TaskUnschedulableError,
} from '../base/errors.js'
import type { FromRaylet, ToRaylet } from '../wire/messages/raylet.js'
import { type ObjectRef, refState, settleRef } from './object-ref.js'
import type { PlacementGroup } from './placement-group.js'
import type { RayletSender, ReferenceHolder } from './reference-holder.js'
import { errorFromWire } from './store-access.js'
import type { UnseenErrors } from './unseen-error-monitor.js'

interface Watch {
  readonly group: PlacementGroup
  readonly ref: ObjectRef<PlacementGroup>
  /** This process has made it. */
  readonly isMade: boolean
}

interface PlacementGroupPorts {
  readonly raylet: RayletSender
  readonly references: ReferenceHolder
  readonly unseen: UnseenErrors
  readonly newRef: () => ObjectRef
}

export class PlacementGroups {
  readonly #raylet: RayletSender
  readonly #references: ReferenceHolder
  readonly #unseen: UnseenErrors
  readonly #newRef: () => ObjectRef
  /** By id. Removed when the group is. */
  readonly #watches = new Map<string, Watch>()

  constructor(ports: PlacementGroupPorts) {
    this.#raylet = ports.raylet
    this.#references = ports.references
    this.#unseen = ports.unseen
    this.#newRef = ports.newRef
  }

  create(
    group: PlacementGroup,
    options: Omit<ToRaylet & { kind: 'createPlacementGroup' }, 'kind' | 'group'>,
  ): void {
    this.#watch(group, true)
    this.#raylet.send({ kind: 'createPlacementGroup', group: group.id, ...options })
  }

  /** A ref that is ready when the group is. */
  ready(group: PlacementGroup): ObjectRef<PlacementGroup> {
    const known = this.#watches.get(group.id)
    if (known !== undefined) return known.ref
    const { ref } = this.#watch(group, false)
    this.#raylet.send({ kind: 'subscribePlacementGroup', group: group.id })
    return ref
  }

  remove(group: string): void {
    this.#raylet.send({ kind: 'removePlacementGroup', group })
  }

  changed(message: Extract<FromRaylet, { kind: 'placementGroupChanged' }>): void {
    const watch = this.#watches.get(message.group)
    if (watch === undefined) return
    const { state } = message
    if (state === 'created') this.#settle(watch.ref, refState.primitive, watch.group)
    else if (state === 'infeasible' || state === 'removed') {
      const failure = failureOf(message)
      this.#settle(watch.ref, refState.error, failure)
      // Who waits for it sees the error in a moment; nobody else would ever hear of it.
      if (watch.isMade && failure instanceof TaskUnschedulableError) {
        this.#unseen.notMade(message.group, failure)
      }
    }
    if (state === 'removed') this.#watches.delete(message.group)
  }

  /** The session is over: who waits for a group hears it. */
  failAll(error: RayError): void {
    for (const { ref } of this.#watches.values()) this.#settle(ref, refState.error, error)
    this.#watches.clear()
  }

  #watch(group: PlacementGroup, isMade: boolean): Watch {
    const watch = { group, ref: this.#newRef() as ObjectRef<PlacementGroup>, isMade }
    this.#watches.set(group.id, watch)
    return watch
  }

  #settle(ref: ObjectRef<PlacementGroup>, state: number, value: unknown): void {
    const isNews = settleRef(ref as ObjectRef, state, value)
    if (isNews && ref.isKnown) this.#references.settled(ref as ObjectRef)
  }
}

function failureOf({
  group,
  state,
  message = `Placement group ${group} is ${state}.`,
  error,
}: Extract<FromRaylet, { kind: 'placementGroupChanged' }>): RayError {
  if (error !== undefined) return errorFromWire(error)
  const fields = { placementGroupId: group }
  return state === 'infeasible'
    ? new TaskUnschedulableError(message, { fields })
    : new TaskPlacementGroupRemovedError(message, { fields })
}
