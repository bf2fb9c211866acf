// Has lost objects of this process made again.
//
// The raylet says which values are gone. Their task runs again under the same ids, with the next
// attempt number, so all who wait for the object go on waiting. First its arguments must be there:
// those that are lost too are asked for, and the raylet, which knows, names them to us in turn (or
// to their owner). So a chain of any length is rebuilt from its end backwards by messages, without
// recursion, and no worker waits meanwhile.
//
// What the raylet says may be old news: the attempt tells. A loss of the value of an earlier
// attempt is repaired by the attempt that runs or has run; the loss of the last one needs another.

import type { RayError } from '../base/errors.js'
import {
  ObjectLostError,
  ObjectReconstructionFailedError,
  ObjectReconstructionFailedLineageEvictedError,
  ObjectReconstructionFailedMaxAttemptsExceededError,
} from '../base/errors.js'
import { objectIdHex, type ProcessId } from '../base/ids.js'
import { pushFlag } from '../wire/frame.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import { placeOf } from './item-ids.js'
import type { Lineage } from './lineage.js'
import type { LineageTable } from './lineage-table.js'
import {
  addWaiter,
  isFailed,
  ObjectRef,
  refState,
  type RefWaiter,
  settleRef,
} from './object-ref.js'
import type { ReferenceHolder } from './reference-holder.js'
import { StreamRebuilder } from './stream-rebuilder.js'
import { Task, taskStatus } from './task.js'
import type { TaskSettler } from './task-outcomes.js'

type ObjectLost = Extract<FromRaylet, { kind: 'objectLost' }>

interface Early {
  readonly attempt: number
  readonly reason: string
}

export interface ReconstructorPorts {
  readonly process: ProcessId
  readonly references: ReferenceHolder
  readonly lineage: LineageTable
  readonly settler: TaskSettler
  /** Hears when the raylet says that the object is there, or with which error it has failed. */
  readonly awaitReady: (ref: ObjectRef, ready: (error?: unknown) => void) => void
  /** Sends the task of a record whose arguments are there. */
  readonly submit: (task: Task, record: Lineage) => void
  /** The results of all tasks that are not over, by sequence. */
  readonly unfinished: () => ReadonlyMap<number, ObjectRef>
  /** Of generators that are not over: how many items we have heard of, by number of the stream. */
  readonly heardOf: () => ReadonlyMap<number, number>
  /** The ref of a task whose end nobody looks at. */
  readonly newRef: () => ObjectRef
  /** A task began to wait for its arguments, or ended that. */
  readonly waiting: (count: 1 | -1) => void
}

export class Reconstructor {
  readonly #ports: ReconstructorPorts
  /** Results that were lost again while their task ran: how, by sequence. */
  readonly #again = new Map<Lineage, Map<number, string>>()
  /** Losses of results of which we have not heard that they are in the store. */
  readonly #early = new WeakMap<ObjectRef, Early>()

  /** The same of items of generators, by sequence: their refs are made when they come. */
  readonly #earlyItems = new Map<number, Early>()
  readonly #streams: StreamRebuilder

  constructor(ports: ReconstructorPorts) {
    this.#ports = ports
    const { references, lineage, settler, newRef } = ports
    this.#streams = new StreamRebuilder({
      references,
      lineage,
      settler,
      newRef,
      begin: (run, results, reason) => this.#begin(run, results, reason),
      refusal: refusalOf,
      refuse: (ref, error) => this.#refuse(ref, error),
    })
  }

  lost({ objects, reason }: ObjectLost): void {
    const byRecord = new Map<Lineage, number[]>()
    const unknown: [number, number][] = []
    for (const [sequence, attempt] of objects) {
      const record = this.#ports.lineage.find(sequence)
      if (this.#isUnheard(sequence)) this.#earlyItems.set(sequence, { attempt, reason })
      else if (record?.isStream === true) {
        this.#streams.lost(record, sequence - record.first, { attempt, reason })
      } else if (record === undefined) unknown.push([sequence, attempt])
      else if (record.attempt !== attempt) this.#isComing(record, sequence)
      else if (record.rebuild !== null) this.#lostAgain(record, sequence, reason)
      else byRecord.set(record, [...(byRecord.get(record) ?? []), sequence])
    }
    if (unknown.length > 0) this.#unknown(unknown, reason)
    for (const [record, sequences] of byRecord) this.#start(record, sequences, reason)
  }

  /** An item of a generator that is not over, and may yet bring it. */
  #isUnheard(sequence: number): boolean {
    const place = placeOf(sequence)
    return (
      place !== undefined && place.index >= (this.#ports.heardOf().get(place.stream) ?? Infinity)
    )
  }

  // The attempt that runs will make this result too, so it is pending like those that it was begun
  // for. If none runs, the value is on its way to the store.
  #isComing(record: Lineage, sequence: number): void {
    const task = record.rebuild
    const ref = record.refOf(sequence - record.first)
    if (task !== null && ref !== undefined) this.#makePending(ref, task)
  }

  #lostAgain(record: Lineage, sequence: number, reason: string): void {
    const reasons = this.#again.get(record) ?? new Map<number, string>()
    this.#again.set(record, reasons.set(sequence, reason))
  }

  // Of a task that is not over we have not read the answer: it has given it, or its worker has died
  // after it had stored the result, and it runs again.
  #wait(ref: ObjectRef, attempt: number, reason: string): void {
    this.#early.set(ref, { attempt, reason })
    this.#ports.references.hold(ref)
    this.#ports.references.pendingAgain(ref)
  }

  /** We have heard that a result is in the store, where it may have been lost again. */
  stored(ref: ObjectRef): void {
    const early = this.#early.get(ref) ?? this.#earlyItems.get(ref.sequence)
    if (early === undefined) return
    this.#early.delete(ref)
    this.#earlyItems.delete(ref.sequence)
    const { attempt, reason } = early
    const lost = { kind: 'objectLost', objects: [[ref.sequence, attempt]], reason } as const
    queueMicrotask(() => this.lost(lost))
  }

  #unknown(objects: ObjectLost['objects'], reason: string): void {
    const unfinished = this.#ports.unfinished()
    for (const [sequence, attempt] of objects) {
      const pending = unfinished.get(sequence)
      if (pending !== undefined) {
        this.#wait(pending, attempt, reason)
        continue
      }
      const text =
        'it cannot be computed again, because its task was not to run twice (maxRetries: 0, or ' +
        'lineageMemory: 0 of ray.init).'
      const ref = new ObjectRef(this.#ports.process, sequence)
      this.#refuse(ref, errorFor(ref, reason, { ErrorType: ObjectLostError, text }))
    }
  }

  #refuse(ref: ObjectRef, error: RayError): void {
    ref.state = refState.pending
    ref.nested = null
    this.#ports.references.pendingAgain(ref)
    settleRef(ref, refState.error, error)
    this.#ports.references.settled(ref)
  }

  #start(record: Lineage, sequences: readonly number[], reason: string): void {
    const { lineage } = this.#ports
    const refs = record.outputs.map((_, index) => lineage.outputOf(record, index))
    const lost = refs.filter(({ sequence }) => sequences.includes(sequence))
    if (refusalOf(refs[0]!, record, reason) !== undefined) {
      for (const ref of lost) this.#refuse(ref, refusal(ref, record, reason))
      return
    }
    const task = taskOf(record, refs)
    lineage.runs(task, record)
    record.rebuild = task
    for (const ref of lost) this.#makePending(ref, task)
    task.onSettled = () => this.#finished(record, task)
    const args = record.slots.map((slot) => lineage.argumentOf(slot))
    const nested = record.nested.map((inner) => lineage.argumentOf(inner))
    task.pins = [...args, ...nested]
    if (nested.length > 0) task.nested = nested
    this.#begin({ task, record, args }, refs, reason)
  }

  #begin(
    { task, record, args }: { task: Task; record: Lineage; args: readonly ObjectRef[] },
    results: readonly ObjectRef[],
    reason: string,
  ): void {
    this.#ports.waiting(1)
    new Needs({ args, results }, this.#ports, (failed, cause) => {
      this.#ports.waiting(-1)
      if (task.status === taskStatus.finished) return
      if (failed === null) this.#ports.submit(task, record)
      else {
        const said = cause instanceof Error ? cause.message : 'its task failed'
        const text = `it cannot be computed again without its argument ${failed.id}: ${said}`
        const ErrorType = ObjectReconstructionFailedError
        const error = errorFor(results[0]!, reason, { ErrorType, text, cause })
        this.#ports.settler.fail(task, error)
      }
    })
  }

  #makePending(ref: ObjectRef, task: Task): void {
    if (ref.state !== refState.stored) return
    ref.state = refState.pending
    ref.value = undefined
    ref.nested = null
    ref.task = task
    this.#ports.references.pendingAgain(ref)
  }

  #finished(record: Lineage, task: Task): void {
    record.rebuild = null
    record.retriesLeft = task.retriesLeft
    const again = this.#again.get(record)
    this.#again.delete(record)
    if (!record.canRun) this.#ports.lineage.drop(record)
    for (const [sequence, reason] of again ?? []) {
      this.lost({ kind: 'objectLost', objects: [[sequence, record.attempt]], reason })
    }
  }
}

/** The next attempt at the task of a record. */
function taskOf(record: Lineage, refs: readonly ObjectRef[]): Task {
  const { frame, retriesLeft, line } = record
  const task = new Task(refs[0]!, record.fn)
  if (!record.isSingle) task.returns = refs
  frame![5]! |= pushFlag.escaped
  frame![6]!++
  task.slab = frame
  task.end = frame!.length
  task.key = record.key
  task.depth = record.depth
  task.retryExceptions = record.retryExceptions
  task.retriesLeft = retriesLeft > 0 ? retriesLeft - 1 : retriesLeft
  // The actor of a call is not kept alive by the results that it once gave.
  if (line !== null) task.actor = line
  return task
}

/**
 * Waits until all arguments are there, or one has failed, and the raylet knows the results: a value
 * must not overtake the word that we hold its object again.
 */
class Needs implements RefWaiter {
  #left: number
  readonly #done: (failed: ObjectRef | null, cause?: unknown) => void

  constructor(
    refs: { readonly args: readonly ObjectRef[]; readonly results: readonly ObjectRef[] },
    ports: Pick<ReconstructorPorts, 'process' | 'awaitReady' | 'lineage'>,
    done: (failed: ObjectRef | null, cause?: unknown) => void,
  ) {
    const { args, results } = refs
    this.#left = args.length + 1
    this.#done = done
    for (const ref of results) {
      if (ports.lineage.whenRevived(ref, () => this.#come())) this.#left++
    }
    this.#come()
    for (const ref of args) {
      const isOwnPending =
        ref.owner === ports.process && ref.state === refState.pending && ref.task !== null
      if (isFailed(ref)) this.refReady(ref)
      else if (isOwnPending) addWaiter(ref, this)
      else ports.awaitReady(ref, (error) => this.refReady(ref, error))
    }
  }

  refReady(ref: ObjectRef, error?: unknown): void {
    if (this.#left <= 0) return
    if (error !== undefined || isFailed(ref)) {
      this.#left = 0
      const cause = error ?? (ref.state === refState.error ? ref.value : undefined)
      // In a turn of its own: a chain of any length fails without recursion.
      queueMicrotask(() => this.#done(ref, cause))
    } else this.#come()
  }

  #come(): void {
    if (--this.#left === 0) this.#done(null)
  }
}

function errorFor(
  ref: ObjectRef,
  reason: string,
  how: {
    readonly ErrorType: typeof ObjectLostError
    readonly text: string
    readonly cause?: unknown
  },
): RayError {
  const objectId = objectIdHex(ref.owner, ref.sequence)
  const options = {
    fields: { objectId },
    ...(how.cause !== undefined && { cause: how.cause }),
  }
  return new how.ErrorType(`Object ${objectId} is lost: ${reason}; ${how.text}`, options)
}

/** Why a result cannot be made again; undefined when it can. */
function refusalOf(ref: ObjectRef, record: Lineage, reason: string): RayError | undefined {
  const isOver = !record.canRun || record.line?.isDead === true
  return isOver ? refusal(ref, record, reason) : undefined
}

function refusal(ref: ObjectRef, record: Lineage, reason: string): RayError {
  if (record.line?.isDead === true) {
    const cause = record.line.death
    const text = `it cannot be computed again, because its actor has ended: ${cause.message}`
    return errorFor(ref, reason, { ErrorType: ObjectReconstructionFailedError, text, cause })
  }
  if (record.isEvicted) {
    const text =
      'how it was made is no longer known, because the lineage of its owner had grown beyond ' +
      'its bound (lineageMemory of ray.init). Submit the task again.'
    const ErrorType = ObjectReconstructionFailedLineageEvictedError
    return errorFor(ref, reason, { ErrorType, text })
  }
  const times = record.isStream ? '' : ` ${record.attempt + 1} times,`
  const text =
    `its task ${record.fn.name} has run${times} as often as its maxRetries allows. Raise ` +
    'maxRetries, or submit the task again.'
  const ErrorType = ObjectReconstructionFailedMaxAttemptsExceededError
  return errorFor(ref, reason, { ErrorType, text })
}
