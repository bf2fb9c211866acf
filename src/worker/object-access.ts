// get, put, wait and free, for the refs of one process.
//
// A promise is made per call, never per ref: one countdown serves a list of any length. Values that
// are here are decoded on the spot; those in the store or borrowed from others are asked of the
// raylet, which answers when there are any.

import type { RayError } from '../base/errors.js'
import { GetTimeoutError, ObjectFreedError } from '../base/errors.js'
import type { ProcessId } from '../base/ids.js'
import { bodyTag } from '../wire/frame.js'
import { pullUrgency } from '../wire/pull-urgency.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import { isBorrowed, isFailed, ObjectRef, refState, settleRef, wakeWaiters } from './object-ref.js'
import { Countdown, timedOut, type WaitBounds } from './countdown.js'
import { withPatience } from './get-patience.js'
import { LocalValues } from './local-values.js'
import type { PendingReasons } from './pending-reasons.js'
import type { RayletSender, ReferenceHolder } from './reference-holder.js'
import { errorFromWire, type StoreAccess } from './store-access.js'
import { refuseEnded } from './current-core.js'
import { taskErrorOf } from './task-error.js'
import type { UnseenErrors } from './unseen-error-monitor.js'
import type { EncodedObject, ValuePort } from './value-port.js'

type Ready = Extract<FromRaylet, { kind: 'ready' }>
type Fetch = (message: Ready) => void
type AskKind =
  | { readonly kind: 'getObjects'; readonly isBare?: boolean; readonly urgency?: number }
  | { readonly kind: 'awaitObjects' }

/**
 * Strings up to this length are kept as they are; longer ones are encoded, so that they can go to
 * the store.
 */
const stringLengthMax = 4096

export interface AccessPorts {
  readonly process: ProcessId
  readonly raylet: RayletSender
  readonly references: ReferenceHolder
  readonly values: ValuePort
  readonly store: () => StoreAccess
  readonly nextSequence: () => number
  /**
   * A get or wait began to wait, or ended: keeps the program alive, and tells the raylet when a
   * task is blocked. `isBrief`: it waits for its arguments.
   */
  readonly waiting: (count: 1 | -1, isBrief?: boolean) => void
  readonly unseen: UnseenErrors
  readonly reasons: () => PendingReasons
  /** Values may be on other nodes. */
  readonly isCluster: () => boolean
}

export class ObjectAccess {
  readonly #ports: AccessPorts
  /** Waiters for the raylet's answers, by owner and sequence. */
  readonly #fetches = new Map<string, Fetch[]>()
  /** Pending refs that were asked for, and that no get waits for yet. */
  readonly #awaited = new Set<ObjectRef>()
  #marks = 0

  readonly #local: LocalValues

  constructor(ports: AccessPorts) {
    this.#ports = ports
    this.#local = new LocalValues({
      isCluster: ports.isCluster,
      fetch: (ref, then) => this.#fetchOnly(ref, pullUrgency.wait, then),
      watch: (ref, then) => this.#listen(ref, { kind: 'awaitObjects' }, then),
    })
  }

  put(value: unknown): ObjectRef {
    const { process, nextSequence, values } = this.#ports
    const ref = new ObjectRef(process, nextSequence())
    if (isPrimitive(value)) {
      ref.state = refState.primitive
      ref.value = value
      return ref
    }
    const made = values.bodyOf(value, 'value')
    if ('body' in made) {
      ref.state = refState.body
      ref.value = made.body
      if (made.refs.length > 0) ref.nested = made.refs
    } else this.store(ref, made)
    return ref
  }

  /** Puts an encoded value into the store under the id of `ref`. */
  store(ref: ObjectRef, encoded: EncodedObject): void {
    const { references, store } = this.#ports
    references.escape(encoded.refs, () => undefined)
    store().put([ref.owner, ref.sequence], encoded.layout, { refs: encoded.refs })
    ref.state = refState.stored
    if (encoded.refs.length > 0) ref.nested = encoded.refs
    references.hold(ref)
  }

  get(target: ObjectRef | readonly ObjectRef[], bounds: WaitBounds): Promise<unknown> {
    return target instanceof ObjectRef
      ? this.#getOne(target, bounds)
      : this.#getMany(target, bounds)
  }

  #getOne(ref: ObjectRef, bounds: WaitBounds): Promise<unknown> {
    if (ref.state === refState.primitive) return Promise.resolve(ref.value)
    if (!this.#isBounded(bounds)) {
      if (this.#isHere(ref)) return this.#valueAsync(ref)
      return this.#waitToGet([ref], bounds).then(() => this.#valueAsync(ref))
    }
    const patience = { ...bounds, refs: [ref], since: performance.now() }
    if (this.#isHere(ref)) return withPatience(this.#valueAsync(ref), patience)
    return this.#waitToGet([ref], bounds).then(() => withPatience(this.#valueAsync(ref), patience))
  }

  /** Values may have to come from other nodes, and that must end in time. */
  #isBounded({ timeoutMs, signal }: WaitBounds): boolean {
    return (timeoutMs !== undefined || signal !== undefined) && this.#ports.isCluster()
  }

  #getMany(refs: readonly ObjectRef[], bounds: WaitBounds): Promise<unknown[]> {
    let missing = 0
    for (const ref of refs) {
      if (this.#isHere(ref)) {
        if (isFailed(ref)) return this.#failure(ref, refs)
      } else missing++
    }
    const isBounded = this.#isBounded(bounds)
    const patience = { ...bounds, refs, since: isBounded ? performance.now() : 0 }
    const values = (): Promise<unknown[]> =>
      isBounded ? withPatience(this.#values(refs), patience) : this.#values(refs)
    if (missing === 0) return values()
    return this.#waitToGet(refs, bounds).then((failed) =>
      failed === null ? values() : this.#failure(failed, refs),
    )
  }

  /** A timeout of some length also says what the refs wait for. */
  #waitToGet(refs: readonly ObjectRef[], bounds: WaitBounds): Promise<ObjectRef | null> {
    const waited = this.#waitFor(refs, bounds)
    const { timeoutMs = 0 } = bounds
    if (timeoutMs === 0) return waited
    return waited.catch(async (error: unknown) => {
      if (!(error instanceof GetTimeoutError)) throw error
      const pending = refs.filter((ref) => !this.#isHere(ref))
      const reasons = await this.#ports.reasons().explain(pending, timeoutMs)
      throw timedOut(pending, refs, { timeoutMs, reasons })
    })
  }

  /** Rejects with the error of a ref; those that were asked for with it will not be told of. */
  #failure(failed: ObjectRef, among: readonly ObjectRef[]): Promise<never> {
    for (const ref of among) {
      if (ref.state === refState.pending || isFailed(ref)) this.#ports.unseen.saw(ref)
    }
    return this.#valueAsync(failed) as Promise<never>
  }

  #isHere(ref: ObjectRef): boolean {
    return ref.state !== refState.pending
  }

  #values(refs: readonly ObjectRef[]): Promise<unknown[]> {
    const values: unknown[] = new Array(refs.length)
    let later: Promise<void>[] | null = null
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i]!
      if (ref.state === refState.primitive) values[i] = ref.value
      else {
        const value = this.#decode(ref)
        if (value instanceof Promise) {
          ;(later ??= []).push(
            value.then((got) => {
              values[i] = got
            }),
          )
        } else values[i] = value
      }
    }
    return later === null ? Promise.resolve(values) : Promise.all(later).then(() => values)
  }

  #valueAsync(ref: ObjectRef): Promise<unknown> {
    try {
      return Promise.resolve(this.#decode(ref))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /**
   * The value of a ready ref: at once, or a promise where the store or code is needed. Throws its
   * error.
   */
  #decode(ref: ObjectRef): unknown {
    switch (ref.state) {
      case refState.primitive:
        return ref.value
      case refState.body:
        return this.#ports.values.decodeBody(ref.value as Uint8Array, ref.nested)
      case refState.stored:
        return this.#fetchStored(ref)
      case refState.error:
        this.#ports.unseen.saw(ref)
        throw ref.value
      case refState.pending:
        // It was lost since it was ready, and is made again.
        return this.#waitToGet([ref], {}).then(() => this.#decode(ref))
      default:
        this.#ports.unseen.saw(ref)
        return this.errorOf(ref)
    }
  }

  /**
   * Throws the error that an error body holds, or rejects with it when code must be loaded for it.
   */
  errorOf(ref: ObjectRef): Promise<never> {
    const report = this.#ports.values.decodeBody(ref.value as Uint8Array, ref.nested)
    if (report instanceof Promise) {
      return report.then((decoded) => {
        throw taskErrorOf(decoded)
      })
    }
    throw taskErrorOf(report)
  }

  async #fetchStored(ref: ObjectRef): Promise<unknown> {
    const message = await this.#ask(ref, ref.nested !== null)
    if (message.error !== undefined) throw errorFromWire(message.error)
    if (message.body !== undefined) return this.#bodyIn(message)
    return this.#readParts(ref, message, [])
  }

  /**
   * The value in a body that came from the raylet, with counts of what it nests. Throws its error.
   */
  async #bodyIn({ body }: Ready): Promise<unknown> {
    const bytes = body!
    const value = this.#ports.values.decodeBody(bytes, this.nestedOf(bytes))
    if (bytes[0] === bodyTag.error) throw taskErrorOf(await value)
    return value
  }

  /**
   * The value of a ready object by its key alone, for the executor: a top-level ref among
   * arguments.
   */
  async fetchValue(key: readonly [number, number]): Promise<unknown> {
    const ref = new ObjectRef(key[0], key[1])
    const message = await this.#ask(ref, false, pullUrgency.argument)
    if (message.error !== undefined) throw errorFromWire(message.error)
    if (message.body !== undefined) return this.#bodyIn(message)
    return this.#readParts(ref, message, [])
  }

  /** The arguments that the caller put into the store. */
  async fetchArguments(holder: ObjectRef, slots: readonly unknown[]): Promise<unknown> {
    const message = await this.#ask(holder, true, pullUrgency.argument)
    if (message.error !== undefined) throw errorFromWire(message.error)
    return this.#readParts(holder, message, slots)
  }

  async #readParts(ref: ObjectRef, message: Ready, slots: readonly unknown[]): Promise<unknown> {
    const parts = this.#ports.store().read([ref.owner, ref.sequence], message.location!)
    // What the message lent for nested refs is owned by refs that live as long as this one. A value
    // that was lost and made again may nest others than before.
    const isLent = message.contains !== undefined
    if (isLent || ref.nested === null) ref.nested = this.#ports.values.nestedRefs(parts.meta)
    const value = await this.#ports.values.decode(parts, ref.nested, slots)
    if (parts.buffers.length === 0) parts.close()
    return value
  }

  #giveBack(keys: readonly (readonly [number, number])[]): void {
    if (keys.length > 0) this.#ports.raylet.send({ kind: 'release', objects: keys.flat() })
  }

  #ask(ref: ObjectRef, isBare: boolean, urgency?: number): Promise<Ready> {
    return new Promise((resolve) => {
      refuseEnded(ref.owner, String(ref))
      this.#ports.waiting(1, urgency === pullUrgency.argument)
      const more = { ...(isBare && { isBare }), ...(urgency && { urgency }) }
      this.#listen(ref, { kind: 'getObjects', ...more }, (message) => {
        this.#ports.waiting(-1)
        resolve(message)
      })
    })
  }

  /** Hears when the value of a known object is there, or with which error it failed. */
  whenReady(ref: ObjectRef, ready: (error?: unknown) => void): void {
    this.#listen(ref, { kind: 'awaitObjects' }, ({ error, failed }) => {
      if (error !== undefined) ready(errorFromWire(error))
      else if (failed !== true) ready()
      else this.fetchValue([ref.owner, ref.sequence]).then(() => ready(), ready)
    })
  }

  #listen(ref: ObjectRef, how: AskKind, fetch: Fetch): void {
    const id = fetchId(ref.owner, ref.sequence, how.kind === 'awaitObjects')
    const list = this.#fetches.get(id)
    if (list === undefined) this.#fetches.set(id, [fetch])
    else list.push(fetch)
    const objects = [[ref.owner, ref.sequence]] as const
    this.#ports.raylet.send({ ...how, objects })
  }

  ready(message: Ready): void {
    const [owner, sequence] = message.object
    const id = fetchId(owner, sequence, message.signal === true)
    const list = this.#fetches.get(id)
    const fetch = list?.shift()
    if (list !== undefined && list.length === 0) this.#fetches.delete(id)
    fetch?.(message)
  }

  /** Asks for a pending ref of another process; it settles when the raylet answers. */
  resolve(ref: ObjectRef, urgency: number = pullUrgency.wait): void {
    if (ref.state !== refState.pending || !isBorrowed(ref, this.#ports.process)) return
    if (ref.isAsked) {
      if (urgency === pullUrgency.get && this.#awaited.delete(ref)) this.#hurry(ref)
      return
    }
    refuseEnded(ref.owner, String(ref))
    ref.isAsked = true
    if (urgency !== pullUrgency.get) this.#awaited.add(ref)
    this.#listen(ref, { kind: 'getObjects', ...(urgency && { urgency }) }, (message) => {
      ref.isAsked = false
      this.#awaited.delete(ref)
      this.#settleBorrowed(ref, message)
    })
  }

  /** What was asked for by a wait is now wanted by a get. */
  #hurry(ref: ObjectRef): void {
    this.#fetchOnly(ref, pullUrgency.get, () => undefined)
  }

  #fetchOnly(ref: ObjectRef, urgency: number, then: () => void): void {
    const how = { kind: 'getObjects', isBare: true, ...(urgency && { urgency }) } as const
    this.#listen(ref, how, ({ object, location, contains }) => {
      // It may be the answer to the question before, which was answered on another way.
      if (location !== undefined) this.#ports.raylet.send({ kind: 'unpin', objects: [object] })
      if (contains !== undefined) this.#giveBack(contains)
      then()
    })
  }

  #settleBorrowed(ref: ObjectRef, message: Ready): void {
    if (message.error !== undefined) settleRef(ref, refState.error, errorFromWire(message.error))
    else if (message.location !== undefined) {
      // Only now do we know where it is: the value is mapped by the get that follows, with a pin of
      // its own.
      this.#ports.raylet.send({ kind: 'unpin', objects: [message.object] })
      if (message.contains !== undefined) this.#giveBack(message.contains)
      this.#local.came(ref)
      settleRef(ref, refState.stored, undefined)
    } else {
      const body = message.body!
      ref.nested = body[0] === bodyTag.small ? null : this.nestedOf(body)
      settleRef(ref, body[0] === bodyTag.error ? refState.errorBody : refState.body, body)
    }
  }

  /** Refs nested in a body, borrowed with the counts that came with it. */
  nestedOf(body: Uint8Array): ObjectRef[] | null {
    return this.#ports.values.nestedInBody(body)
  }

  async wait(
    refs: readonly ObjectRef[],
    options: WaitBounds & { numReturns: number; fetchLocal: boolean },
  ): Promise<[ObjectRef[], ObjectRef[]]> {
    this.#refuseDuplicates(refs)
    const { numReturns, fetchLocal } = options
    const isReady = fetchLocal ? this.#local.isReadyHere : this.#local.isReadyAnywhere
    let ready = readyAmong(refs, numReturns, isReady)
    if (ready.length < numReturns) {
      await this.#waitForSome(refs, options, isReady).catch((error: unknown) => {
        if (!(error instanceof GetTimeoutError)) throw error
      })
      ready = readyAmong(refs, numReturns, isReady)
    }
    return partition(refs, ready)
  }

  #refuseDuplicates(refs: readonly ObjectRef[]): void {
    const mark = ++this.#marks
    let borrowed: Set<string> | null = null
    for (const ref of refs) {
      let isDouble = ref.mark === mark
      ref.mark = mark
      if (ref.isKnown) {
        const id = ref.id
        borrowed ??= new Set()
        isDouble ||= borrowed.has(id)
        borrowed.add(id)
      }
      if (isDouble) throw new TypeError(`ray.wait got ${String(ref)} twice: pass every ref once.`)
    }
  }

  /**
   * Resolves to null when all refs are ready, or to the first that failed. The error of that ref is
   * left to the caller: made in a promise that the user awaits, its stack leads to the line with
   * the `await`.
   */
  #waitFor(refs: readonly ObjectRef[], bounds: WaitBounds): Promise<ObjectRef | null> {
    const { waiting } = this.#ports
    return new Promise((resolve, reject) => {
      waiting(1)
      const pending = refs.filter((ref) => !this.#isHere(ref))
      const countdown = new Countdown(pending, pending.length, true, (failed) => {
        waiting(-1)
        if (failed === null || failed instanceof ObjectRef) resolve(failed)
        else reject(failed)
      })
      countdown.start(bounds, refs)
      for (const ref of pending) this.resolve(ref, pullUrgency.get)
    })
  }

  #waitForSome(
    refs: readonly ObjectRef[],
    options: WaitBounds & { numReturns: number; fetchLocal: boolean },
    isReady: (ref: ObjectRef) => boolean,
  ): Promise<void> {
    const { numReturns, fetchLocal } = options
    const { waiting, process } = this.#ports
    return new Promise((resolve, reject) => {
      waiting(1)
      const open = refs.filter((ref) => !isReady(ref))
      const left = numReturns - (refs.length - open.length)
      const countdown = new Countdown(open, left, false, (failed) => {
        waiting(-1)
        if (failed === null || failed instanceof ObjectRef) resolve()
        else reject(failed)
      })
      countdown.isReady = (ref) => {
        if (isReady(ref)) return true
        this.#local.bring(ref)
        return false
      }
      countdown.start(options, refs)
      for (const ref of open) {
        if (ref.state !== refState.pending) this.#local.bring(ref)
        else if (fetchLocal || !isBorrowed(ref, process)) this.resolve(ref)
        else this.#local.watch(ref)
      }
    })
  }

  failAll(error: RayError): void {
    const lists = [...this.#fetches.values()]
    this.#fetches.clear()
    const wire = { code: error.code, message: error.message }
    for (const list of lists) {
      for (const fetch of list) fetch({ kind: 'ready', object: [0, 0], error: wire })
    }
  }

  free(refs: readonly ObjectRef[]): void {
    const known: [number, number][] = []
    for (const ref of refs) {
      if (ref.isKnown) known.push([ref.owner, ref.sequence])
      if (isFailed(ref)) this.#ports.unseen.saw(ref)
      if (ref.state === refState.pending && !isBorrowed(ref, this.#ports.process)) continue
      ref.state = refState.error
      ref.value = new ObjectFreedError(
        `Object ${ref.id} was freed; its value is gone everywhere.`,
        {
          fields: { objectId: ref.id },
        },
      )
      ref.nested = null
      wakeWaiters(ref)
    }
    if (known.length > 0) this.#ports.raylet.send({ kind: 'free', objects: known })
  }
}

/** A value and a mere signal come in any order. */
function fetchId(owner: number, sequence: number, isSignal: boolean): string {
  return `${owner}:${sequence}${isSignal ? ' signal' : ''}`
}

/** Indexes of the first `most` refs that are ready. */
function readyAmong(
  refs: readonly ObjectRef[],
  most: number,
  isReady: (ref: ObjectRef) => boolean,
): number[] {
  const ready: number[] = []
  for (let i = 0; i < refs.length && ready.length < most; i++) {
    if (isReady(refs[i]!)) ready.push(i)
  }
  return ready
}

// The usual wait takes one of many: copying the rest in slices is much faster than one by one.
function partition(
  refs: readonly ObjectRef[],
  ready: readonly number[],
): [ObjectRef[], ObjectRef[]] {
  const done = ready.map((index) => refs[index]!)
  if (ready.length > 8) {
    const taken = new Set(ready)
    return [done, refs.filter((_, index) => !taken.has(index))]
  }
  const rest = refs.slice()
  for (let i = ready.length - 1; i >= 0; i--) rest.splice(ready[i]!, 1)
  return [done, rest]
}

function isPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case 'undefined':
    case 'number':
    case 'boolean':
    case 'bigint':
      return true
    case 'string':
      return value.length <= stringLengthMax
    default:
      return value === null
  }
}
