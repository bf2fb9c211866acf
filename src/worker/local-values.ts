// Which stored values are on this node, as far as somebody has asked, and which refs of others are
// ready although nobody wants their values here.
//
// A ref that is settled as stored says nothing of where its value is. A `wait` that is to bring
// values here asks the raylet for each of them once; one that only wants to know takes a signal for
// an answer. What was here may be evicted later, and then comes again with the get.

import { type ObjectRef, refState, wakeWaiters } from './object-ref.js'

export interface LocalValuePorts {
  /** Values may be on other nodes. */
  readonly isCluster: () => boolean
  /** Calls `then` when the value is on this node, or has failed. */
  readonly fetch: (ref: ObjectRef, then: () => void) => void
  /** Calls `then` when there is a value, or an error, anywhere. */
  readonly watch: (ref: ObjectRef, then: () => void) => void
}

export class LocalValues {
  readonly #ports: LocalValuePorts
  readonly #here = new WeakSet<ObjectRef>()
  readonly #coming = new WeakSet<ObjectRef>()
  readonly #ready = new WeakSet<ObjectRef>()
  readonly #watched = new WeakSet<ObjectRef>()

  constructor(ports: LocalValuePorts) {
    this.#ports = ports
  }

  readonly isReadyHere = (ref: ObjectRef): boolean => {
    if (ref.state === refState.pending) return false
    return ref.state !== refState.stored || !this.#ports.isCluster() || this.#here.has(ref)
  }

  readonly isReadyAnywhere = (ref: ObjectRef): boolean =>
    ref.state !== refState.pending || this.#ready.has(ref)

  /** The raylet has said where it is, on this node. */
  came(ref: ObjectRef): void {
    this.#here.add(ref)
  }

  /** Wakes those who wait for the ref when its value is here. */
  bring(ref: ObjectRef): void {
    if (this.#coming.has(ref)) return
    this.#coming.add(ref)
    this.#ports.fetch(ref, () => {
      this.#coming.delete(ref)
      this.#here.add(ref)
      wakeWaiters(ref)
    })
  }

  /** Wakes those who wait for a pending ref of another process when it is ready. */
  watch(ref: ObjectRef): void {
    if (this.#watched.has(ref)) return
    this.#watched.add(ref)
    this.#ports.watch(ref, () => {
      this.#ready.add(ref)
      wakeWaiters(ref)
    })
  }
}
