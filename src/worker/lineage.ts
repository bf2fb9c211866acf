// How a stored result was made: what its owner needs to have it made again.
//
// A record belongs to one task. The refs of its results hold it, and a record holds the records of
// the results that its task took as arguments, so the garbage collector counts who needs it: a
// record lives as long as a ref of its results, or the record of a task that used them, does. It
// does not hold the refs of those arguments, so their values are freed as if there were no lineage;
// they are made again too. Only what cannot be made again is held as a ref: objects from `ray.put`,
// large arguments, and the objects of other processes.

import { itemSequence } from './item-ids.js'
import type { ActorLine } from './actor-line.js'
import type { ErrorClass } from './call-options.js'
import type { ObjectRef, RefHold } from './object-ref.js'
import type { SchedulingKey } from './scheduling-key.js'
import { attemptOf, type FunctionEntry, type Task } from './task.js'

/** One result of a task, or an object that nobody can make again. */
export type Dependency = ObjectRef | { readonly record: Lineage; readonly index: number }

/** A result of the task: its ref as long as there is one, and the count that it holds. */
export interface Output {
  ref: WeakRef<ObjectRef>
  hold: RefHold | null
  /** Of an item of a stream: which run has made it. */
  attempt: number
}

/** Later runs of a generator, for lost items, count their attempts from here on. */
const rebuildAttempts = 64
/** Items of a stream that are no longer held are looked for after so many new ones. */
const pruneEvery = 1024

/** What a record takes beside its frame: itself, its outputs and the tables that know it. */
const recordBytes = 512

const nothing: readonly Dependency[] = []

export class Lineage {
  /** Sequence of its first result; of a generator, of its first item. */
  readonly first: number
  /** It is a generator: its outputs are items, of which those that are known are listed. */
  readonly isStream: boolean
  readonly fn: FunctionEntry
  /** Where its tasks go; of a call, the line of its actor. That is no handle: the actor may end. */
  readonly key: SchedulingKey | null
  readonly line: ActorLine | null
  readonly depth: number
  readonly retryExceptions: boolean | readonly ErrorClass[] | Uint8Array
  readonly outputs: (Output | undefined)[]
  /** Has one ref, and not a list of them. */
  readonly isSingle: boolean
  /** The push frame. Null when the task cannot run again; its attempt is in `attempt` then. */
  frame: Uint8Array | null
  /** Arguments that the frame names: they must be there when the task runs. */
  slots: readonly Dependency[]
  /** Refs inside the arguments: lent to the worker. */
  nested: readonly Dependency[]
  /** Holds the arguments themselves when they are large. */
  argumentHolder: ObjectRef | null
  retriesLeft: number
  /** Dropped because the lineage of this process had become too large. */
  isEvicted = false
  /** The task that makes the results again. */
  rebuild: Task | null = null
  /** What this record adds to the lineage of its process. */
  bytes = 0
  #attempt = 0
  #added = 0

  constructor(task: Task, line: ActorLine | null) {
    const { stream } = task
    this.isStream = stream !== null
    this.first = stream === null ? task.ref.sequence : itemSequence(stream.number, 0)
    this.fn = task.fn
    this.key = task.key
    this.line = line
    this.depth = task.depth
    this.retryExceptions = task.retryExceptions
    this.isSingle = task.returns === null
    const refs = stream === null ? (task.returns ?? [task.ref]) : []
    this.outputs = refs.map((ref) => ({ ref: new WeakRef(ref), hold: null, attempt: 0 }))
    this.retriesLeft = task.retriesLeft
    this.frame = null
    this.slots = nothing
    this.nested = nothing
    this.argumentHolder = null
    this.#attempt = attemptOf(task)
  }

  /** Keeps what another run of the task needs. */
  keep(frame: Uint8Array, slots: readonly Dependency[], nested: readonly Dependency[]): void {
    this.frame = frame
    if (this.isStream) frame[6] = rebuildAttempts - 1
    this.slots = slots
    this.nested = nested
    this.bytes = recordBytes + frame.length
  }

  /** The last attempt at the task. */
  get attempt(): number {
    return this.frame?.[6] ?? this.#attempt
  }

  get canRun(): boolean {
    return this.frame !== null && this.retriesLeft !== 0
  }

  /** Lets go of all that another run would need. Returns how many bytes that were. */
  drop(): number {
    const { bytes } = this
    this.#attempt = this.attempt
    this.frame = null
    this.slots = nothing
    this.nested = nothing
    this.argumentHolder = null
    this.bytes = 0
    return bytes
  }

  /** An item of the stream has come. */
  add(index: number, ref: ObjectRef): Output {
    const output = { ref: new WeakRef(ref), hold: null, attempt: 0 }
    this.outputs[index] = output
    if (++this.#added % pruneEvery === 0) {
      this.outputs.forEach((each, i) => {
        if (each?.hold?.released === true) Reflect.deleteProperty(this.outputs, i)
      })
    }
    return output
  }

  /** The ref of a result, if the program has one that is counted. */
  refOf(index: number): ObjectRef | undefined {
    const ref = this.outputs[index]?.ref.deref()
    return ref !== undefined && ref.hold !== null ? ref : undefined
  }
}
