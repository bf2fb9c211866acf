// Counts at the raylet, seen from one process.
//
// A ref that nobody else knows needs no count (see object-ref). When it becomes known - it escapes,
// it is borrowed, its value is in the object store - the raylet counts one for this process until
// the ref is collected here. Finalisers run late and in bunches, so releases are joined and sent at
// the end of a turn.

import type { ProcessId } from '../base/ids.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ToRaylet } from '../wire/messages/raylet.js'
import { noteHeld } from './garbage.js'
import { isFailed, type ObjectRef, type RefHold, refState } from './object-ref.js'

export interface RayletSender {
  send(message: ToRaylet): void
  /** Writes what was sent in this turn, before this thread blocks. */
  flush(): void
}

type EscapedObject = Extract<ToRaylet, { kind: 'escape' }>['objects'][number]

export class ReferenceHolder {
  readonly #process: ProcessId
  readonly #raylet: RayletSender
  readonly #registry: FinalizationRegistry<RefHold>
  #released: number[] = []
  #forgotten: number[] = []
  /** What is released, and others may have and need made again. */
  #withLineage: RefHold[] = []
  #isScheduled = false
  /** Our refs that are pending and known outside: their settlement must be told to the raylet. */
  readonly #pendingKnown = new Set<ObjectRef>()

  constructor(process: ProcessId, raylet: RayletSender) {
    this.#process = process
    this.#raylet = raylet
    this.#registry = new FinalizationRegistry((hold) => this.#release(hold))
  }

  /** The raylet counts one for this ref, from now until it is collected or released. */
  hold(ref: ObjectRef, isShared = false): void {
    ref.isKnown = true
    if (ref.hold !== null) return
    const { owner, sequence } = ref
    const hold: RefHold = { owner, sequence, released: false, lineage: null, isShared }
    this.#register(ref, hold)
  }

  #register(ref: ObjectRef, hold: RefHold): void {
    ref.hold = hold
    noteHeld()
    this.#registry.register(ref, hold, hold)
  }

  /**
   * A new ref of ours for an object whose last ref here is gone. It takes over the count of that
   * one. False: that was given back, and the raylet must be asked for another.
   */
  adopt(ref: ObjectRef, hold: RefHold | null): boolean {
    if (hold !== null && !hold.released) {
      ref.isKnown = true
      this.#registry.unregister(hold)
      this.#register(ref, hold)
      return true
    }
    // A release that waits to be sent comes before the new count.
    this.flush()
    this.hold(ref)
    return false
  }

  /** The value of a known ref of ours is lost; it is settled again. */
  pendingAgain(ref: ObjectRef): void {
    ref.isKnown = true
    this.#pendingKnown.add(ref)
  }

  /** The raylet no longer counts this ref. */
  forget(ref: ObjectRef): void {
    if (ref.hold !== null) this.#registry.unregister(ref.hold)
    ref.hold = null
  }

  /** Gives the count back now. */
  release(ref: ObjectRef): void {
    const hold = ref.hold
    if (hold === null) return
    this.#registry.unregister(hold)
    ref.hold = null
    this.#release(hold)
  }

  /**
   * Makes refs of this process known at the raylet, so that others may hold them. Values that are
   * here go along; pending ones are settled when they are ready, by us and by the executing worker
   * (`onPending`).
   */
  escape(refs: readonly ObjectRef[], onPending: (ref: ObjectRef) => void): void {
    let objects: EscapedObject[] | null = null
    const work = [...refs]
    for (let ref = work.pop(); ref !== undefined; ref = work.pop()) {
      if (ref.hold !== null) ref.hold.isShared = true
      if (ref.isKnown || ref.owner !== this.#process) continue
      this.hold(ref, true)
      const contains = containedKeys(ref)
      for (const inner of ref.nested ?? []) if (isRef(inner)) work.push(inner)
      if (ref.state === refState.pending) {
        this.#pendingKnown.add(ref)
        ;(objects ??= []).push({ sequence: ref.sequence })
        onPending(ref)
      } else {
        if (isFailed(ref)) this.failedEscaped(ref)
        const body = this.bodyOf(ref)
        ;(objects ??= []).push({ sequence: ref.sequence, body, ...(contains && { contains }) })
      }
    }
    if (objects !== null) this.#raylet.send({ kind: 'escape', objects })
  }

  /** Called for every ref of ours that settles after it escaped. */
  settled(ref: ObjectRef): void {
    if (!this.#pendingKnown.delete(ref)) return
    if (ref.state === refState.stored) return // The worker that stored it sealed it at the raylet.
    const contains = containedKeys(ref)
    for (const inner of ref.nested ?? []) if (isRef(inner)) this.escape([inner], () => undefined)
    this.#raylet.send({
      kind: 'settle',
      object: [ref.owner, ref.sequence],
      body: this.bodyOf(ref),
      ...(contains && { contains }),
    })
  }

  /** Refs of ours with lineage were released that others may have; see lineage-table. */
  lineageReleased: (holds: readonly RefHold[]) => void = () => undefined

  /** A ref that failed is known to others from now on, who may look at it. */
  failedEscaped: (ref: ObjectRef) => void = () => undefined

  lend(to: ProcessId, refs: readonly ObjectRef[]): void {
    if (refs.length > 0) this.#raylet.send({ kind: 'lend', to, objects: keysOf(refs) })
  }

  /** What the worker has stored of these items of ours, or may still store, is not wanted. */
  dropItems(worker: ProcessId, items: { readonly first: number; readonly count: number }): void {
    if (items.count > 0) this.#raylet.send({ kind: 'dropItems', worker, ...items })
  }

  unlend(from: ProcessId, refs: readonly ObjectRef[]): void {
    if (refs.length > 0) this.#raylet.send({ kind: 'unlend', from, objects: keysOf(refs) })
  }

  /**
   * Encodes the value of a settled ref as a result body; set by the core worker, which has the
   * codec.
   */
  bodyOf: (ref: ObjectRef) => Uint8Array = () => {
    throw new Error('typeray: no codec')
  }

  #release(hold: RefHold): void {
    if (hold.released) return
    hold.released = true
    this.#released.push(hold.owner, hold.sequence)
    if (hold.lineage !== null && hold.isShared) this.#withLineage.push(hold)
    this.#schedule()
  }

  /**
   * A result came through the raylet, which kept it in case its ref escapes; it did not, and is
   * here now.
   */
  forgetResult(ref: ObjectRef): void {
    if (ref.isKnown) return
    this.#forgotten.push(ref.owner, ref.sequence)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => this.flush())
  }

  flush(): void {
    this.#isScheduled = false
    const released = this.#released
    const forgotten = this.#forgotten
    if (released.length > 0) {
      this.#released = []
      this.#raylet.send({ kind: 'release', objects: released })
    }
    if (this.#withLineage.length > 0) {
      const holds = this.#withLineage
      this.#withLineage = []
      this.lineageReleased(holds)
    }
    if (forgotten.length > 0) {
      this.#forgotten = []
      this.#raylet.send({ kind: 'forget', objects: forgotten })
    }
  }
}

export function keysOf(refs: readonly ObjectRef[]): ObjectKey[] {
  return refs.map((ref) => [ref.owner, ref.sequence])
}

function isRef(value: unknown): value is ObjectRef {
  return typeof value === 'object' && value !== null && 'isKnown' in value && 'sequence' in value
}

function containedKeys(ref: ObjectRef): ObjectKey[] | undefined {
  const nested = ref.nested
  if (nested === null || nested.length === 0) return undefined
  const refs = nested.filter(isRef)
  return refs.length > 0 ? keysOf(refs) : undefined
}
