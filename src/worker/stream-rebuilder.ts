// Has lost items of generators made again.
//
// The generator runs once more, from its beginning, and sends those items that are wanted; they
// have the ids of the lost ones. Items of one stream are lost at different times, also while the
// generator itself still runs and waits to be read, so this is a run of its own: it is never held
// back by a consumer, and ends with the last item that is wanted. There is one of them at a time
// for each stream; what is lost meanwhile is for the next.
//
// Attempts tell old news from new. Those of the generator itself count from 0, those of later runs
// from `rebuildAttempts`: so the later run always has the higher number.

import { ObjectReconstructionFailedError, type RayError } from '../base/errors.js'
import { itemsRebuiltMax } from '../base/limits.js'
import type { Dependency, Lineage } from './lineage.js'
import type { LineageTable } from './lineage-table.js'
import { type ObjectRef, refState, settleRef } from './object-ref.js'
import { frameWith } from './push-extension.js'
import type { ReferenceHolder } from './reference-holder.js'
import { attemptOf, Task, type TaskStream } from './task.js'
import type { TaskSettler } from './task-outcomes.js'

export interface StreamRebuilderPorts {
  readonly references: ReferenceHolder
  readonly lineage: LineageTable
  readonly settler: TaskSettler
  /** The ref of a task whose end nobody looks at. */
  readonly newRef: () => ObjectRef
  /** Sends the task when its arguments are there and the raylet knows the results. */
  readonly begin: (
    run: { readonly task: Task; readonly record: Lineage; readonly args: readonly ObjectRef[] },
    results: readonly ObjectRef[],
    reason: string,
  ) => void
  /** Why the items cannot be made again; undefined when they can. */
  readonly refusal: (ref: ObjectRef, record: Lineage, reason: string) => RayError | undefined
  readonly refuse: (ref: ObjectRef, error: RayError) => void
}

export class StreamRebuilder {
  readonly #ports: StreamRebuilderPorts
  readonly #runs = new Map<Lineage, Rebuild>()
  /** Items that were lost while others are made again: how, by index. */
  readonly #next = new Map<Lineage, Map<number, string>>()

  constructor(ports: StreamRebuilderPorts) {
    this.#ports = ports
  }

  lost(
    record: Lineage,
    index: number,
    { attempt, reason }: { attempt: number; reason: string },
  ): void {
    const made = record.outputs[index]?.attempt ?? 0
    if (isBefore(attempt, made)) return
    const run = this.#runs.get(record)
    // It is the run that is under way, or one before, that has not brought it yet.
    if (run?.has(index) === true && isBefore(attempt, run.attempt)) return
    const waiting = this.#next.get(record) ?? new Map<number, string>()
    this.#next.set(record, waiting.set(index, reason))
    if (run !== undefined || waiting.size > 1) return
    // What else is lost with the same node is told in the same message.
    queueMicrotask(() => this.#start(record))
  }

  #start(record: Lineage): void {
    const waiting = this.#next.get(record)
    if (waiting === undefined || this.#runs.has(record)) return
    const { lineage, refuse, refusal } = this.#ports
    const lost = [...waiting].sort(([a], [b]) => a - b)
    const now = lost.slice(0, itemsRebuiltMax)
    if (lost.length === now.length) this.#next.delete(record)
    else this.#next.set(record, new Map(lost.slice(itemsRebuiltMax)))
    const wanted = new Map(now.map(([index]) => [index, lineage.outputOf(record, index)]))
    const reason = now[0]?.[1] ?? ''
    const first = wanted.values().next().value
    const error = first && refusal(first, record, reason)
    if (error !== undefined) {
      for (const ref of wanted.values()) refuse(ref, refusal(ref, record, reason) ?? error)
      this.#start(record)
      return
    }
    this.#run(record, wanted, reason)
  }

  #run(record: Lineage, wanted: Map<number, ObjectRef>, reason: string): void {
    const { lineage, references, begin } = this.#ports
    const task = this.#taskOf(record, [...wanted.keys()])
    const results = [...wanted.values()]
    const run = new Rebuild(task, wanted, this.#ports)
    task.stream = run
    lineage.runs(task, record)
    record.rebuild = task
    this.#runs.set(record, run)
    for (const ref of results) {
      ref.state = refState.pending
      ref.value = undefined
      ref.nested = null
      ref.task = task
      references.pendingAgain(ref)
    }
    task.onSettled = () => this.#finished(record, task)
    const argumentOf = (dependency: Dependency): ObjectRef => lineage.argumentOf(dependency)
    const args = record.slots.map(argumentOf)
    const nested = record.nested.map(argumentOf)
    task.pins = [...args, ...nested, record]
    if (nested.length > 0) task.nested = nested
    begin({ task, record, args }, results, reason)
  }

  #taskOf(record: Lineage, only: readonly number[]): Task {
    const { frame, fn, key, depth, retryExceptions, retriesLeft, line } = record
    const task = new Task(this.#ports.newRef(), fn)
    frame![6]!++
    task.slab = frameWith(frame!, { only, skip: 0 }, task.ref.sequence)
    task.end = task.slab.length
    task.key = key
    task.depth = depth
    task.retryExceptions = retryExceptions
    task.retriesLeft = retriesLeft > 0 ? retriesLeft - 1 : retriesLeft
    if (line !== null) task.actor = line
    return task
  }

  #finished(record: Lineage, task: Task): void {
    record.rebuild = null
    record.retriesLeft = task.retriesLeft
    const run = this.#runs.get(record)
    if (record.frame !== null && run !== undefined) record.frame[6] = run.attempt
    this.#runs.delete(record)
    if (!record.canRun) this.#ports.lineage.drop(record)
    this.#start(record)
  }
}

/** A run for some items of a stream. */
class Rebuild implements TaskStream {
  readonly number = -1
  readonly heard = Infinity
  readonly #task: Task
  /** Those that have not come. */
  readonly #wanted: Map<number, ObjectRef>
  readonly #ports: Pick<StreamRebuilderPorts, 'references' | 'settler'>
  #attempt: number

  constructor(
    task: Task,
    wanted: Map<number, ObjectRef>,
    ports: Pick<StreamRebuilderPorts, 'references' | 'settler'>,
  ) {
    this.#task = task
    this.#wanted = wanted
    this.#ports = ports
    this.#attempt = attemptOf(task)
  }

  /** The last attempt; a task that has finished does not say any more. */
  get attempt(): number {
    if (this.#task.slab !== null) this.#attempt = attemptOf(this.#task)
    return this.#attempt
  }

  has(index: number): boolean {
    return this.#wanted.has(index)
  }

  itemArrived(index: number, body: Uint8Array): void {
    const { attempt } = this
    const ref = this.#wanted.get(index)
    this.#wanted.delete(index)
    if (ref !== undefined && attempt >= 0) this.#ports.settler.settle(ref, body)
  }

  ended(): void {
    for (const [index, ref] of this.#wanted) {
      const text =
        `Object ${ref.id} cannot be computed again: it was item ${index} of a generator, ` +
        `${this.#task.fn.name}, which yielded fewer items when it ran again. Let it yield the ` +
        'same items each time.'
      const fields = { objectId: ref.id }
      this.#settle(ref, refState.error, new ObjectReconstructionFailedError(text, { fields }))
    }
  }

  failed(): void {
    const { state, value } = this.#task.ref
    for (const ref of this.#wanted.values()) this.#settle(ref, state, value)
  }

  #settle(ref: ObjectRef, state: number, value: unknown): void {
    if (settleRef(ref, state, value)) this.#ports.references.settled(ref)
  }

  lost(): void {
    // What it has stored are objects that we hold already.
  }

  restarted(): void {
    // The same items are wanted of the next attempt; those that have come are not taken twice.
  }
}

/** Attempts are counted in one byte. */
function isBefore(attempt: number, other: number): boolean {
  const ahead = (other - attempt) & 0xff
  return ahead > 0 && ahead < 128
}
