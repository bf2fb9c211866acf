// Which objects of other nodes come to this one, and in which order.
//
// Readers of one object share one pull. A pull needs room in the store before anything is asked of
// anybody, and the pulls that have room or wait for it take at most a share of the store together:
// what comes from other nodes must not push out what this node works with. A pull that is larger
// than that runs alone. Among those that wait a `get` goes before a `wait`, and that before the
// arguments of tasks, because nobody stands still for those. What comes ahead of its task comes
// last, and only as long as it fits beside what has come ahead and is not read yet.
//
// When no source gives any more, the home of the object is asked again, at longer and longer
// intervals. It knows of other copies, or says that the object is lost, or nothing until it was
// made again. What has come already is kept, unless the object was made again meanwhile, or others
// need the room: what the object is made of may be among them.
//
//   want ─► queued ─► allocating ─ allocated ─► reading ─ finished ─► sealed, readers answered
//                         │                      │   ▲
//                      refused                stalled │ want, with new sources
//                         ▼                      ▼   │
//                    readers fail             asking ┘ ─ answered ─► readers answered
//
// Invariants, checked by validate():
//   - `bytes` is the sum of the pulls that have room or wait for it;
//   - it is within the bound, or there is one such pull;
//   - nothing waits in the queue that could go on.

import { assert, assertNever } from '../../base/assert.js'
import type { ProcessId } from '../../base/ids.js'
import { nodeNumberOf } from '../../base/ids.js'
import { pullRetryMs, pullRetryMsMax } from '../../base/limits.js'
import type { ObjectKey, WireError } from '../../wire/messages/terms.js'
import { pullUrgency } from '../../wire/pull-urgency.js'
import { homeDied } from '../remote-asks.js'

export interface PullReader {
  readonly process: ProcessId
  /** On these it was lent one count each, with the answer that it still waits for. */
  readonly contains: readonly ObjectKey[]
}

/** What the home says of a stored object. */
export interface PullSource {
  readonly object: ObjectKey
  readonly sizeBytes: number
  readonly sources: readonly number[]
  readonly version: number
}

export type PullEvent =
  | (PullSource & {
      readonly kind: 'want'
      readonly urgency: number
      /** Undefined: the home was asked by this node, for readers that wait already, or for none. */
      readonly reader: PullReader | undefined
    })
  | { readonly kind: 'allocated'; readonly pull: number }
  | { readonly kind: 'refused'; readonly pull: number; readonly error: WireError }
  | { readonly kind: 'finished'; readonly pull: number }
  /** No source gives any more; `missing` said that they do not have it. */
  | { readonly kind: 'stalled'; readonly pull: number; readonly missing: readonly number[] }
  /** The home's answer when there is nothing to pull. */
  | {
      readonly kind: 'answered'
      readonly object: ObjectKey
      readonly outcome: PullOutcome
    }
  /** It came in another way: a worker of this node has made it. */
  | { readonly kind: 'present'; readonly object: ObjectKey }
  /** The home wants no copy here any more. */
  | { readonly kind: 'dropped'; readonly object: ObjectKey }
  /** No task that waits reads what was to come ahead. */
  | { readonly kind: 'unwanted'; readonly object: ObjectKey }
  /** So much has come ahead of its tasks and is not read yet. Said after each that is complete. */
  | { readonly kind: 'held'; readonly bytes: number }
  | { readonly kind: 'processDied'; readonly process: ProcessId }
  | { readonly kind: 'nodeDied'; readonly node: number }
  | { readonly kind: 'tick' }

export type PullOutcome =
  | { readonly error: WireError }
  | { readonly body: Uint8Array; readonly contains: readonly ObjectKey[] }

export type PullEffect =
  /** Answered by `allocated` or `refused`. */
  | {
      readonly kind: 'allocate'
      readonly pull: number
      readonly object: ObjectKey
      readonly sizeBytes: number
    }
  /** Begin, or go on, with these sources; answered by `finished` or `stalled`. */
  | { readonly kind: 'read'; readonly pull: number; readonly sources: readonly number[] }
  /** Stop, and give the room back, now or when it comes. */
  | { readonly kind: 'abort'; readonly pull: number }
  /** The object is complete: it belongs to the store from here on, and its home hears of it. */
  | { readonly kind: 'seal'; readonly pull: number; readonly object: ObjectKey }
  /** Pin it for them and tell them where it is. */
  | {
      readonly kind: 'deliver'
      readonly object: ObjectKey
      readonly readers: readonly PullReader[]
    }
  | {
      readonly kind: 'answer'
      readonly object: ObjectKey
      readonly readers: readonly PullReader[]
      readonly outcome: PullOutcome
    }
  /** Ask the home where it is. */
  | { readonly kind: 'ask'; readonly object: ObjectKey }
  /** Tell the home that the node has none. */
  | { readonly kind: 'missing'; readonly object: ObjectKey; readonly node: number }
  /** Tell the home that this node will have none. */
  | { readonly kind: 'giveUp'; readonly object: ObjectKey }

interface Pull {
  readonly object: ObjectKey
  id: number
  state: 'queued' | 'allocating' | 'reading' | 'asking'
  sizeBytes: number
  sources: readonly number[]
  version: number
  urgency: number
  readers: PullReader[]
  /** It holds room in the store. */
  hasRoom: boolean
  /** Times in a row that no source gave anything. */
  failures: number
  /** When the home is asked; undefined when it was and has not answered. */
  askAt: number | undefined
}

export class PullState {
  readonly #bytesMax: number
  /** By object. Added by `want`; removed when it is complete, failed, or nobody wants it. */
  readonly #pulls = new Map<string, Pull>()
  readonly #byId = new Map<number, Pull>()
  /** Those that wait for their turn, by urgency, and those that wait for their home. */
  readonly #queues = Object.values(pullUrgency).map(() => new Set<Pull>())
  readonly #asking = new Set<Pull>()
  #bytes = 0
  /** Of what has come ahead of its tasks. */
  #heldBytes = 0
  #nextId = 1
  #effects: PullEffect[] = []

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get size(): number {
    return this.#pulls.size
  }

  has(object: ObjectKey): boolean {
    return this.#pulls.has(keyText(object))
  }

  handle(event: PullEvent, now: number): PullEffect[] {
    this.#effects = []
    this.#apply(event, now)
    this.#askDue(now)
    this.#admit()
    return this.#effects
  }

  /** When a `tick` is wanted; Infinity for never. */
  nextTickAt(): number {
    let at = Infinity
    for (const pull of this.#asking) {
      if (pull.askAt !== undefined) at = Math.min(at, pull.askAt)
    }
    return at
  }

  validate(): void {
    let bytes = 0
    let active = 0
    for (const [key, pull] of this.#pulls) {
      assert(keyText(pull.object) === key, 'pulls are found by their object')
      assert(this.#byId.get(pull.id) === pull, 'and by their number')
      if (!isActive(pull)) continue
      bytes += pull.sizeBytes
      active++
    }
    assert(this.#byId.size === this.#pulls.size, 'every number has a pull')
    assert(bytes === this.#bytes, 'the bytes under way are counted')
    assert(bytes <= this.#bytesMax || active === 1, 'pulls stay within their bound')
    const next = this.#next()
    assert(next === undefined || !this.#mayGoOn(next), 'nothing waits that could go on')
  }

  #apply(event: PullEvent, now: number): void {
    switch (event.kind) {
      case 'want':
        return this.#want(event, now)
      case 'allocated':
        return this.#allocated(event.pull)
      case 'refused':
        return this.#withId(event.pull, (pull) => {
          this.#end(pull, { error: event.error })
          this.#effects.push({ kind: 'giveUp', object: pull.object })
        })
      case 'finished':
        return this.#withId(event.pull, (pull) => this.#finished(pull))
      case 'stalled':
        return this.#withId(event.pull, (pull) => {
          for (const node of event.missing) {
            this.#effects.push({ kind: 'missing', object: pull.object, node })
          }
          this.#askLater(pull, now)
        })
      case 'answered':
        return this.#with(event.object, (pull) => this.#end(pull, event.outcome))
      case 'present':
        return this.#with(event.object, (pull) => {
          this.#abort(pull)
          this.#forget(pull)
          this.#deliver(pull)
        })
      case 'dropped':
        return this.#with(event.object, (pull) => {
          if (pull.readers.length === 0) {
            this.#abort(pull)
            return this.#forget(pull)
          }
          this.#restart(pull)
          return this.#askLater(pull, now)
        })
      case 'unwanted':
        return this.#with(event.object, (pull) => {
          const isIdle = pull.readers.length === 0 && !isActive(pull)
          if (isIdle && pull.urgency === pullUrgency.hint) this.#giveUp(pull)
        })
      case 'held':
        this.#heldBytes = event.bytes
        return undefined
      case 'processDied':
        return this.#processDied(event.process)
      case 'nodeDied':
        for (const pull of [...this.#pulls.values()]) {
          if (nodeNumberOf(pull.object[0]) !== event.node) continue
          this.#end(pull, { error: homeDied(pull.object) })
        }
        return undefined
      case 'tick':
        return undefined
      default:
        return assertNever(event)
    }
  }

  #want(event: Extract<PullEvent, { kind: 'want' }>, now: number): void {
    const { object, reader, urgency, sizeBytes, sources, version } = event
    const known = this.#pulls.get(keyText(object))
    const pull = known ?? this.#add(event)
    if (reader !== undefined) pull.readers.push(reader)
    if (urgency < pull.urgency) this.#change(pull, { urgency })
    if (pull.version !== version || pull.sizeBytes !== sizeBytes) {
      this.#restart(pull)
      pull.version = version
      pull.sizeBytes = sizeBytes
    }
    if (sources.length === 0) {
      // The home takes it to be here; the word that it is not is on its way there.
      if (known === undefined || isAnswered(pull)) this.#askLater(pull, now)
    } else if (pull.state === 'asking') {
      pull.sources = sources
      pull.askAt = undefined
      this.#change(pull, { state: pull.hasRoom ? 'reading' : 'queued' })
      if (pull.hasRoom) this.#effects.push({ kind: 'read', pull: pull.id, sources })
    }
  }

  #add({ object, sizeBytes, sources, version, urgency }: PullSource & { urgency: number }): Pull {
    const pull: Pull = {
      object,
      id: this.#nextId++,
      state: 'queued',
      sizeBytes,
      sources,
      version,
      urgency,
      readers: [],
      hasRoom: false,
      failures: 0,
      askAt: undefined,
    }
    this.#pulls.set(keyText(object), pull)
    this.#byId.set(pull.id, pull)
    this.#enter(pull)
    return pull
  }

  #allocated(id: number): void {
    this.#withId(id, (pull) => {
      assert(pull.state === 'allocating', 'room was asked for')
      this.#change(pull, { state: 'reading', hasRoom: true })
      this.#effects.push({ kind: 'read', pull: id, sources: pull.sources })
    })
  }

  #finished(pull: Pull): void {
    this.#forget(pull)
    // Until `held` says how it is: others must not take its room in between.
    if (pull.urgency === pullUrgency.hint) this.#heldBytes += pull.sizeBytes
    this.#effects.push({ kind: 'seal', pull: pull.id, object: pull.object })
    this.#deliver(pull)
  }

  #deliver({ object, readers }: Pull): void {
    if (readers.length > 0) this.#effects.push({ kind: 'deliver', object, readers })
  }

  #end(pull: Pull, outcome: PullOutcome): void {
    const { object, readers } = pull
    this.#abort(pull)
    this.#forget(pull)
    if (readers.length > 0) this.#effects.push({ kind: 'answer', object, readers, outcome })
  }

  #processDied(process: ProcessId): void {
    for (const pull of [...this.#pulls.values()]) {
      const left = pull.readers.filter((reader) => reader.process !== process)
      if (left.length === pull.readers.length) continue
      pull.readers = left
      if (left.length === 0) this.#giveUp(pull)
    }
  }

  /** Nobody wants it any more. */
  #giveUp(pull: Pull): void {
    this.#abort(pull)
    this.#forget(pull)
    this.#effects.push({ kind: 'giveUp', object: pull.object })
  }

  /** What has come is kept, and with it the room. */
  #askLater(pull: Pull, now: number): void {
    this.#change(pull, { state: 'asking' })
    pull.askAt = now + Math.min(pullRetryMsMax, pullRetryMs * 2 ** pull.failures++)
  }

  #askDue(now: number): void {
    for (const pull of this.#asking) {
      if (pull.askAt === undefined || pull.askAt > now) continue
      pull.askAt = undefined
      this.#effects.push({ kind: 'ask', object: pull.object })
    }
  }

  /** From the beginning, under another number: what still comes under the old one is void. */
  #restart(pull: Pull): void {
    this.#abort(pull)
    this.#byId.delete(pull.id)
    pull.id = this.#nextId++
    this.#byId.set(pull.id, pull)
  }

  #abort(pull: Pull): void {
    if (isActive(pull)) this.#effects.push({ kind: 'abort', pull: pull.id })
    const state = pull.state === 'asking' ? 'asking' : 'queued'
    this.#change(pull, { state, hasRoom: false })
  }

  #forget(pull: Pull): void {
    this.#leave(pull)
    this.#pulls.delete(keyText(pull.object))
    this.#byId.delete(pull.id)
  }

  #change(pull: Pull, to: Partial<Pick<Pull, 'state' | 'hasRoom' | 'urgency'>>): void {
    this.#leave(pull)
    Object.assign(pull, to)
    this.#enter(pull)
  }

  #enter(pull: Pull): void {
    if (isActive(pull)) this.#bytes += pull.sizeBytes
    if (pull.state === 'queued') this.#queues[pull.urgency]?.add(pull)
    if (pull.state === 'asking') this.#asking.add(pull)
  }

  #leave(pull: Pull): void {
    if (isActive(pull)) this.#bytes -= pull.sizeBytes
    this.#queues[pull.urgency]?.delete(pull)
    this.#asking.delete(pull)
  }

  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (!this.#mayGoOn(next)) return
      if (!this.#fits(next)) this.#makeRoom(next)
      this.#change(next, { state: 'allocating' })
      const { id: pull, object, sizeBytes } = next
      this.#effects.push({ kind: 'allocate', pull, object, sizeBytes })
    }
  }

  #fits({ sizeBytes, urgency }: Pull): boolean {
    const bytes = this.#bytes + sizeBytes
    if (urgency === pullUrgency.hint) return bytes + this.#heldBytes <= this.#bytesMax
    return this.#bytes === 0 || bytes <= this.#bytesMax
  }

  #mayGoOn(pull: Pull): boolean {
    if (this.#fits(pull)) return true
    if (pull.urgency === pullUrgency.hint) return false
    const idleBytes = this.#idle().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const bytes = this.#bytes - idleBytes
    return bytes === 0 || bytes + pull.sizeBytes <= this.#bytesMax
  }

  /** Those that hold room while their home has nobody to take them from. */
  #idle(): Pull[] {
    return [...this.#asking].filter((pull) => pull.hasRoom && isAnswered(pull))
  }

  #makeRoom(pull: Pull): void {
    for (const idle of this.#idle()) {
      if (this.#fits(pull)) return
      this.#restart(idle)
    }
  }

  /** The first in line. */
  #next(): Pull | undefined {
    for (const queue of this.#queues) for (const pull of queue) return pull
    return undefined
  }

  #with(object: ObjectKey, act: (pull: Pull) => void): void {
    const pull = this.#pulls.get(keyText(object))
    if (pull !== undefined) act(pull)
  }

  #withId(id: number, act: (pull: Pull) => void): void {
    const pull = this.#byId.get(id)
    if (pull !== undefined) act(pull)
  }
}

/** It asked its home, which has answered without a source. */
function isAnswered({ state, askAt }: Pull): boolean {
  return state === 'asking' && askAt === undefined
}

/** It has room in the store, or has asked for it. */
function isActive({ state, hasRoom }: Pull): boolean {
  return state === 'allocating' || state === 'reading' || hasRoom
}

export function keyText([owner, sequence]: ObjectKey): string {
  return `${owner}:${sequence}`
}
