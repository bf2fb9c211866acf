// The refs that a simulated process holds: the side of ownership that lives in CoreWorker, in its
// simplest form.
//
// A process that holds a ref may ask for the value, lend it, keep it, and drop it. Everything it is
// ever given is a count in the object table of its raylet, and every count is given back exactly
// once, or dies with the process.

import type { ObjectKey } from '../../wire/messages/terms.js'
import type { FromRaylet } from '../../wire/messages/raylet.js'
import type { SimulatedProcess } from './process.js'
import { processText } from './world.js'

const keyOf = ([owner, sequence]: ObjectKey): string => `o${processText(owner)}.${sequence}`

interface Held {
  readonly key: ObjectKey
  count: number
}

export class HeldRefs {
  readonly #process: SimulatedProcess
  readonly #held = new Map<string, Held>()
  /** Questions under way, by object. */
  readonly #asked = new Map<string, { readonly id: string; readonly done: () => void }[]>()
  #sequence = 1_000_000
  #gets = 0

  constructor(process: SimulatedProcess) {
    this.#process = process
  }

  get openGets(): number {
    return this.#asked.size
  }

  holds(key: ObjectKey): boolean {
    return this.#held.has(keyOf(key))
  }

  /** A new object that contains others; its value comes at once, or after `pendingMs`. */
  create(contains: readonly ObjectKey[], pendingMs: number): ObjectKey {
    const process = this.#process
    const { world, id } = process
    const sequence = this.#sequence++
    const object: ObjectKey = [id, sequence]
    world.trace.note(`${process.name} creates ${keyOf(object)} of ${contains.map(keyOf).join(' ')}`)
    this.take(object)
    const body = new Uint8Array([0])
    // The value holds counts of its own on what it contains, which the creator holds until the
    // value is there.
    const isNow = pendingMs === 0
    const escaped = isNow ? { sequence, body, contains } : { sequence }
    process.send({ kind: 'escape', objects: [escaped] })
    if (isNow) return object
    for (const key of contains) this.take(key)
    world.clock.timer(pendingMs, () => {
      if (!process.isAlive) return
      process.send({ kind: 'settle', object, body, contains })
      for (const key of contains) this.drop(key)
    })
    return object
  }

  /**
   * Counts one more hold. Holds beyond the first are the process's own affair until they are
   * dropped.
   */
  take(key: ObjectKey): void {
    const id = keyOf(key)
    const held = this.#held.get(id)
    if (held === undefined) this.#held.set(id, { key, count: 1 })
    else held.count++
  }

  /** A count was given by the raylet: when the process held one already, it gives this one back. */
  given(keys: readonly ObjectKey[]): void {
    for (const key of keys) {
      if (this.holds(key)) this.#release(key)
      this.take(key)
    }
  }

  drop(key: ObjectKey): void {
    const id = keyOf(key)
    const held = this.#held.get(id)
    const { world, name } = this.#process
    if (held === undefined) return world.checker.fail(`${name} drops ${id} too often`, [id, name])
    held.count--
    if (held.count > 0) return
    this.#held.delete(id)
    this.#release(key)
  }

  /** Asks for the value of a ref that is held; it stays held until the answer. */
  get(key: ObjectKey, done: () => void): void {
    const { world, id } = this.#process
    const question = `get${processText(id)}.${++this.#gets}`
    this.take(key)
    world.checker.asked(question, id)
    world.trace.note(`${this.#process.name} gets ${keyOf(key)} ${question}`)
    const list = this.#asked.get(keyOf(key))
    const entry = { id: question, done }
    if (list === undefined) this.#asked.set(keyOf(key), [entry])
    else list.push(entry)
    this.#process.send({ kind: 'getObjects', objects: [key] })
  }

  ready(message: FromRaylet & { readonly kind: 'ready' }): void {
    const { world, name } = this.#process
    const id = keyOf(message.object)
    const list = this.#asked.get(id)
    const entry = list?.shift()
    if (list === undefined || entry === undefined) {
      return world.checker.fail(`${id} is answered without a question`, [id, name])
    }
    if (list.length === 0) this.#asked.delete(id)
    world.trace.note(`${name} has ${id} ${entry.id} ${message.error?.code ?? 'value'}`)
    world.checker.answered(entry.id)
    if (message.error !== undefined) {
      const owner = world.processes.get(message.object[0])
      // The owner may live on, on a node that was given up.
      const isGone = owner?.isAlive === false || world.checker.isCutOff(owner?.node.nodeId ?? '')
      const isExpected = message.error.code === 'RAY_OWNER_DIED' && isGone
      world.checker.expect(isExpected, `${id} failed: ${message.error.message}`, [id, name])
    }
    this.given(message.contains ?? [])
    this.drop(message.object)
    // What came with the value is held for as long as the value is looked at, and that is over.
    for (const key of message.contains ?? []) this.drop(key)
    entry.done()
  }

  #release(key: ObjectKey): void {
    this.#process.world.trace.note(`${this.#process.name} releases ${keyOf(key)}`)
    this.#process.send({ kind: 'release', objects: [key[0], key[1]] })
  }
}
