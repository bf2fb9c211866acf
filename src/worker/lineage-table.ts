// The lineage of one process: its records by the ids of their results, and how much they take.
//
// The records live and die with refs (see lineage); the table only finds them. Two things it holds
// itself: the records of objects that only other processes still have, which the raylet names, and
// a bound on all of them, beyond which the oldest are evicted.

import type { ProcessId } from '../base/ids.js'
import { readU32 } from '../base/bytes.js'
import { ObjectFreedError } from '../base/errors.js'
import { unpackMessage } from '../wire/control-channel.js'
import { pushFlag, pushHeadBytes } from '../wire/frame.js'
import type { ActorLine } from './actor-line.js'
import { firstOf } from './item-ids.js'
import { type Dependency, Lineage } from './lineage.js'
import { ObjectRef, type RefHold, refState } from './object-ref.js'
import type { RayletSender, ReferenceHolder } from './reference-holder.js'
import { attemptOf, type Task } from './task.js'

export interface LineagePorts {
  readonly process: ProcessId
  readonly raylet: RayletSender
  readonly references: ReferenceHolder
  readonly lineOf: (task: Task) => ActorLine | undefined
  readonly bytesMax: number
}

/** What is left of a record that was collected. */
interface Trace {
  readonly first: number
  readonly count: number
  bytes: number
}

export class LineageTable {
  readonly #ports: LineagePorts
  /** By the sequence of each result, oldest first. Removed when the record is collected. */
  readonly #records = new Map<number, WeakRef<Lineage>>()
  readonly #recordOf = new WeakMap<Task, Lineage | null>()
  readonly #traces = new WeakMap<Lineage, Trace>()
  readonly #collected = new FinalizationRegistry<Trace>((trace) => this.#forget(trace))
  /** Records of objects that we have released, until the raylet says whether others have them. */
  readonly #asked = new Map<number, readonly RefHold[]>()
  /** Records of objects that only others have. */
  readonly #kept = new Map<number, Lineage>()
  /** Objects that the raylet was asked to revive: how often, and who waits for its word. */
  readonly #reviving = new Map<number, { count: number; readonly waiters: (() => void)[] }>()
  #requests = 0
  #bytes = 0

  constructor(ports: LineagePorts) {
    this.#ports = ports
    ports.references.lineageReleased = (holds) => this.#released(holds)
  }

  /** Bytes that the records take, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** Records that can be found; for tests. */
  get size(): number {
    return this.#records.size
  }

  find(sequence: number): Lineage | undefined {
    return this.#kept.get(sequence) ?? this.#records.get(firstOf(sequence))?.deref()
  }

  /** The value of a ref of ours is in the store: its task leaves a record, if it may run again. */
  stored(ref: ObjectRef): void {
    const { task } = ref
    if (task === null) return
    let record = this.#recordOf.get(task)
    if (record === undefined) this.#recordOf.set(task, (record = this.#recordFor(task)))
    if (record !== null) this.bind(record, ref, attemptOf(task))
  }

  /** The task makes the results of this record again. */
  runs(task: Task, record: Lineage): void {
    this.#recordOf.set(task, record)
  }

  /** This is the ref of a result from now on. */
  bind(record: Lineage, ref: ObjectRef, attempt?: number): void {
    const index = ref.sequence - record.first
    const known = record.outputs[index]
    const output = known ?? (record.isStream ? record.add(index, ref) : undefined)
    if (output === undefined) return
    if (attempt !== undefined) output.attempt = attempt
    if (output.ref.deref() !== ref) output.ref = new WeakRef(ref)
    output.hold = ref.hold
    if (ref.hold !== null) ref.hold.lineage = record
  }

  #recordFor(task: Task): Lineage | null {
    const { slab, start, end } = task
    if (slab === null) return null
    if (task.retriesLeft === 0 && attemptOf(task) === 0) return null
    if (this.#ports.bytesMax === 0) return null
    const line = task.actor === null ? null : (this.#ports.lineOf(task) ?? null)
    if (line === null && task.key === null) return null
    const record = new Lineage(task, line)
    if (task.retriesLeft !== 0) {
      // A slice of its own: the slab holds the frames of many other tasks.
      const frame = Uint8Array.prototype.slice.call(slab, start, end)
      const nested = task.nested ?? []
      const slots = slotsIn(frame, (task.pins ?? []) as ObjectRef[])
      const dependency = (ref: ObjectRef): Dependency => this.#dependency(ref)
      record.keep(frame, slots.map(dependency), nested.map(dependency))
      record.argumentHolder = task.argumentHolder
      // A generator that runs needs it too, and lets go of it with its pins.
      if (record.isStream) task.pins = [...(task.pins ?? []), task.argumentHolder]
      task.argumentHolder = null
    }
    this.#add(record)
    return record
  }

  #dependency(ref: ObjectRef): Dependency {
    if (ref.owner !== this.#ports.process) return ref
    const record = this.find(ref.sequence)
    return record === undefined ? ref : { record, index: ref.sequence - record.first }
  }

  #add(record: Lineage): void {
    const { first, bytes } = record
    const count = record.isStream ? 1 : record.outputs.length
    const trace = { first, count, bytes }
    const weak = new WeakRef(record)
    for (let i = 0; i < count; i++) this.#records.set(first + i, weak)
    this.#collected.register(record, trace)
    this.#traces.set(record, trace)
    this.#bytes += bytes
    if (this.#bytes > this.#ports.bytesMax) this.#evict(record)
  }

  /** The oldest go first: what is newest is most likely still worked with. */
  #evict(newest: Lineage): void {
    for (const weak of this.#records.values()) {
      if (this.#bytes <= this.#ports.bytesMax) return
      const record = weak.deref()
      if (record === undefined || record === newest || record.frame === null) continue
      if (record.rebuild !== null) continue
      record.isEvicted = true
      this.drop(record)
    }
  }

  /** The task cannot run again. */
  drop(record: Lineage): void {
    if (record.argumentHolder !== null && !record.isStream)
      this.#ports.references.release(record.argumentHolder)
    this.#bytes -= record.drop()
    const trace = this.#traces.get(record)
    if (trace !== undefined) trace.bytes = 0
  }

  #forget({ first, count, bytes }: Trace): void {
    this.#bytes -= bytes
    for (let i = first; i < first + count; i++) {
      if (this.#records.get(i)?.deref() === undefined) this.#records.delete(i)
    }
  }

  /** The ref of an argument, which must be there again: a new one if the program has dropped it. */
  argumentOf(dependency: Dependency): ObjectRef {
    if (dependency instanceof ObjectRef) return dependency
    const { record, index } = dependency
    const ref = this.outputOf(record, index)
    if (ref.state === refState.error && ref.value instanceof ObjectFreedError) {
      ref.state = refState.stored
      ref.value = undefined
      this.#revive(ref, record.attempt, true)
    }
    return ref
  }

  /** The ref of a result. Where the program has none any more, a new one that is counted. */
  outputOf(record: Lineage, index: number): ObjectRef {
    const known = record.refOf(index)
    if (known !== undefined) return known
    const { process, references } = this.#ports
    const ref = new ObjectRef(process, record.first + index)
    ref.state = refState.stored
    const hold = record.outputs[index]?.hold ?? null
    if (!references.adopt(ref, hold)) this.#revive(ref, record.attempt, false)
    this.bind(record, ref)
    this.#kept.delete(ref.sequence)
    return ref
  }

  #revive({ sequence }: ObjectRef, attempt: number, isHeld: boolean): void {
    const state = this.#reviving.get(sequence) ?? { count: 0, waiters: [] }
    state.count++
    this.#reviving.set(sequence, state)
    this.#ports.raylet.send({ kind: 'revive', sequence, attempt, ...(isHeld && { isHeld }) })
  }

  /** The raylet knows the object again. */
  revived(sequence: number): void {
    const state = this.#reviving.get(sequence)
    if (state === undefined || --state.count > 0) return
    this.#reviving.delete(sequence)
    for (const done of state.waiters) done()
  }

  /** Calls back when the raylet knows the object again. False: it does. */
  whenRevived(ref: ObjectRef, done: () => void): boolean {
    const { sequence } = ref
    const state = this.#reviving.get(sequence)
    state?.waiters.push(done)
    return state !== undefined
  }

  // Others may have an object that we have released, and may need its lineage.
  #released(holds: readonly RefHold[]): void {
    const request = ++this.#requests
    const sequences = holds.map(({ sequence }) => sequence)
    this.#asked.set(request, holds)
    this.#ports.raylet.send({ kind: 'releaseLineage', request, sequences })
  }

  needed({ request, sequences }: { request: number; sequences: readonly number[] }): void {
    const holds = this.#asked.get(request) ?? []
    this.#asked.delete(request)
    if (sequences.length === 0) return
    const records = new Map(holds.map(({ sequence, lineage }) => [sequence, lineage]))
    for (const sequence of sequences) {
      const record = records.get(sequence)
      if (record instanceof Lineage) this.#kept.set(sequence, record)
    }
  }

  /** Nobody has the object any more. */
  done(sequence: number): void {
    this.#kept.delete(sequence)
  }
}

/** The refs among `pins` that a frame names by their ids. */
function slotsIn(frame: Uint8Array, pins: readonly ObjectRef[]): ObjectRef[] {
  const flags = frame[5]!
  if ((flags & pushFlag.full) === 0) return []
  let at = pushHeadBytes
  if ((flags & pushFlag.extended) !== 0) at += 2 + (frame[at]! | (frame[at + 1]! << 8))
  const size = readU32(frame, at)
  const slots = unpackMessage(frame.subarray(at + 4, at + 4 + size)) as unknown[]
  return pins.filter((_, i) => Array.isArray(slots[i]))
}
