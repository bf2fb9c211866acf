// ObjectRef: a typed handle of a value that may not exist yet.
//
// In Ray an owner keeps a table of its objects and counts the refs to each. Here the value and the
// state live in the ref itself, so that garbage collection is the count while a ref has not left
// its process: no table, no finaliser, no message. Only a ref that others know (it escaped, it is
// borrowed, or its value is in the object store) is counted at the raylet and registered with a
// finaliser (see reference-holder).

import { objectIdHex, type ProcessId } from '../base/ids.js'
import type { Task } from './task.js'

export const refState = {
  /**
   * Ours, and its task has not finished; or borrowed, and the raylet has not been asked or has not
   * answered.
   */
  pending: 0,
  /** `value` is the value: immutable, so that every get may have the same. */
  primitive: 1,
  /** `value` holds the result body (bytes) that every get decodes afresh. */
  body: 2,
  /** The value is in the object store. */
  stored: 3,
  /** `value` holds an error body that every get decodes afresh. */
  errorBody: 4,
  /** `value` is a RayError made in this process. */
  error: 5,
} as const

/** Somebody in this process who waits for a ref to become ready. */
export interface RefWaiter {
  refReady(ref: ObjectRef): void
}

/** What the holder of counts at the raylet must do when the ref is gone; see reference-holder. */
export interface RefHold {
  readonly owner: ProcessId
  readonly sequence: number
  released: boolean
  /** The record from which the value can be made again; see lineage. */
  lineage: object | null
  /** Others may have been given the ref. */
  isShared: boolean
}

const inspect = Symbol.for('nodejs.util.inspect.custom')

/** How a ref that the user calls `.get()` on, or frees, reaches the runtime of this process. */
export interface RefActions {
  get(ref: ObjectRef, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<unknown>
  free(ref: ObjectRef): void
}

let actions: RefActions | null = null

export function installRefActions(next: RefActions): void {
  actions = next
}

/**
 * A future of a value of type T, made by `f.remote()`, `ray.put()` or found inside another value.
 * Copying it is cheap and never copies the value. It is not a thenable: `await ref` gives the ref,
 * `await ray.get(ref)` or `ref.get()` the value.
 *
 * Follows `ray.ObjectRef` of Ray.
 *
 * @example
 * const ref = ray.put([1, 2, 3])
 * const [one] = await ref.get()
 * console.log(ref.id, one)
 */
export class ObjectRef<T = unknown> {
  declare readonly __type?: T

  /** @internal */ owner: ProcessId
  /** @internal */ sequence: number
  /** @internal */ state: number
  /** @internal */ value: unknown
  /** @internal Waiters: none, one, or several. */
  waiters: RefWaiter | RefWaiter[] | null
  /** @internal The unfinished task that makes the value, when this process submitted it. */
  task: Task | null
  /**
   * @internal Refs nested in the value, in order of the value's attachments; they live as long as
   * this one.
   */
  nested: readonly unknown[] | null
  /** @internal Set once the raylet counts this ref. */
  hold: RefHold | null
  /** @internal The raylet knows the object (escaped, borrowed, stored). */
  isKnown: boolean
  /** @internal The raylet was asked for the value and has not answered. */
  isAsked: boolean
  /** @internal Number of the last `wait` that saw it; finds duplicates without a set. */
  mark: number

  /** @internal */
  constructor(owner: ProcessId, sequence: number) {
    this.owner = owner
    this.sequence = sequence
    this.state = 0
    this.value = undefined
    this.waiters = null
    this.task = null
    this.nested = null
    this.hold = null
    this.isKnown = false
    this.isAsked = false
    this.mark = 0
  }

  /** The id of the object: 24 hexadecimal digits. */
  get id(): string {
    return objectIdHex(this.owner, this.sequence)
  }

  /** The value, as `ray.get(ref)`. */
  get(options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<T> {
    if (actions === null) return Promise.reject(new Error('Typeray is not initialised'))
    return actions.get(this as ObjectRef, options) as Promise<T>
  }

  /** Frees the value now, everywhere. Later gets fail with ObjectFreedError. */
  free(): void {
    actions?.free(this as ObjectRef)
  }

  /**
   * Releases the ref at the end of a `using` block: the value is freed once nobody else holds a ref
   * to it.
   */
  [Symbol.dispose](): void {
    releaseHold?.(this as ObjectRef)
  }

  toString(): string {
    return `ObjectRef(${this.id})`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect](): string {
    return this.toString()
  }
}

Object.defineProperty(ObjectRef.prototype, Symbol.for('typeray.attachment'), { value: 'ref' })
// `using` needs Symbol.dispose, which Node 20 has under a registered name when TypeScript's helper
// asked for it.

let releaseHold: ((ref: ObjectRef) => void) | null = null

export function installRelease(next: (ref: ObjectRef) => void): void {
  releaseHold = next
}

/**
 * Its value must be asked of the raylet: another process's ref, or a copy of one of ours that has
 * come home.
 */
export function isBorrowed(ref: ObjectRef, process: ProcessId): boolean {
  return ref.owner !== process || (ref.hold !== null && ref.task === null)
}

export function addWaiter(ref: ObjectRef, waiter: RefWaiter): void {
  const waiters = ref.waiters
  if (waiters === null) ref.waiters = waiter
  else if (Array.isArray(waiters)) waiters.push(waiter)
  else ref.waiters = [waiters, waiter]
}

export function removeWaiter(ref: ObjectRef, waiter: RefWaiter): void {
  const waiters = ref.waiters
  if (waiters === waiter) ref.waiters = null
  else if (Array.isArray(waiters)) {
    const index = waiters.indexOf(waiter)
    if (index >= 0) waiters.splice(index, 1)
  }
}

export function wakeWaiters(ref: ObjectRef): void {
  const waiters = ref.waiters
  if (waiters === null) return
  ref.waiters = null
  if (Array.isArray(waiters)) for (const waiter of waiters) waiter.refReady(ref)
  else waiters.refReady(ref)
}

/** Settles a ref. The first settlement stands: a cancelled task may still answer. */
export function settleRef(ref: ObjectRef, state: number, value: unknown): boolean {
  if (ref.state !== refState.pending) return false
  ref.state = state
  ref.value = value
  ref.task = null
  if (ref.waiters !== null) wakeWaiters(ref)
  return true
}

export function isFailed(ref: ObjectRef): boolean {
  return ref.state >= refState.errorBody
}
