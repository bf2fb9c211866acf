// What becomes of tasks: results settle refs, crashes and retriable errors run them again, the rest
// fails them.

import { readU32, readU48 } from '../base/bytes.js'
import type { ProcessId } from '../base/ids.js'
import {
  NodeDiedError,
  OutOfMemoryError,
  RayError,
  RuntimeEnvSetupError,
  TaskCancelledError,
  TaskPlacementGroupRemovedError,
  WorkerCrashedError,
} from '../base/errors.js'
import { oomRetryMs, oomRetryMsMax } from '../base/limits.js'
import { isA } from '../base/thrown.js'
import { bodyTag } from '../wire/frame.js'
import { decodeSmall } from '../wire/small-codec.js'
import { tagShortString, tagUtf16 } from '../wire/value-tags.js'
import {
  groupRemovedReason,
  lineBrokenReason,
  memoryReason,
  nodeDiedReason,
  type ProcessExit,
  setupReason,
  type WireError,
} from '../wire/messages/terms.js'
import type { ErrorClass } from './call-options.js'
import { isFailed, type ObjectRef, refState, settleRef } from './object-ref.js'
import type { ReferenceHolder } from './reference-holder.js'
import { decodeRetryClasses } from './retry-classes.js'
import { errorFromWire } from './store-access.js'
import { attemptOf, type Task, taskStatus } from './task.js'
import type { UnseenErrors } from './unseen-error-monitor.js'
import type { ValuePort } from './value-port.js'

export interface OutcomePorts {
  readonly references: ReferenceHolder
  readonly values: ValuePort
  /** How often a task that was ended for memory runs again; -1: without end. */
  readonly oomRetries: number
  /** Calls back after so many milliseconds. */
  readonly later: (ms: number, run: () => void) => void
  /** Runs the task again, ahead of others. */
  readonly resubmit: (task: Task) => void
  /** The system has failed the task. */
  readonly failed: (task: Task, error: RayError) => void
  /** The error that an error body holds. */
  readonly decodeError: (body: Uint8Array) => Promise<unknown>
  readonly unseen: UnseenErrors
  /** The value of a ref of ours is in the store of its maker's node. */
  readonly stored: (ref: ObjectRef, maker: ProcessId, task: Task | null) => void
}

export class TaskSettler {
  readonly #ports: OutcomePorts
  /** Tasks of which it is not decided, or not due, that they run again. */
  readonly undecided = new Set<Task>()
  /** How often tasks were ended for memory. */
  readonly #memoryRetries = new WeakMap<Task, number>()

  constructor(ports: OutcomePorts) {
    this.#ports = ports
  }

  /** A result body for the task. `body` may be a view of a read buffer: what is kept is copied. */
  answered(task: Task, body: Uint8Array): void {
    const tag = body[0]
    if (tag === bodyTag.error) {
      this.#failedBody(task, body)
      return
    }
    task.status = taskStatus.finished
    if (tag === bodyTag.several) this.#several(task, body)
    else if (tag === bodyTag.end) task.stream?.ended()
    else this.settle(task.ref, body, task)
    this.#finish(task)
  }

  #failedBody(task: Task, body: Uint8Array): void {
    const kept = Uint8Array.prototype.slice.call(body)
    if (task.retryExceptions === false || task.retriesLeft === 0 || task.isCancelled) {
      this.failWithBody(task, kept)
      return
    }
    void this.#retryIfListed(task, kept)
  }

  // The error must be decoded to see whether it is one to retry for, and its class may have to be
  // loaded first.
  async #retryIfListed(task: Task, body: Uint8Array): Promise<void> {
    this.undecided.add(task)
    const listed = await this.#retriedErrors(task)
    const error = await this.#ports.decodeError(body)
    this.undecided.delete(task)
    const thrown = causeOf(error)
    const matches = listed === true || (Array.isArray(listed) && listed.some((t) => isA(thrown, t)))
    if (!matches || task.isCancelled) this.failWithBody(task, body)
    else this.retry(task)
  }

  /** What the task is retried for. Nothing, when the classes cannot be loaded in this process. */
  async #retriedErrors({ retryExceptions }: Task): Promise<boolean | readonly ErrorClass[]> {
    if (!(retryExceptions instanceof Uint8Array)) return retryExceptions
    return decodeRetryClasses(this.#ports.values, retryExceptions).catch(() => false)
  }

  retry(task: Task): void {
    if (task.retriesLeft > 0) task.retriesLeft--
    task.stream?.restarted()
    this.#ports.resubmit(task)
  }

  failWithBody(task: Task, body: Uint8Array): void {
    task.status = taskStatus.finished
    const refs = task.returns ?? [task.ref]
    for (const ref of refs) {
      ref.nested = this.#ports.values.nestedInBody(body)
      if (settleRef(ref, refState.errorBody, body) && ref.isKnown)
        this.#ports.references.settled(ref)
    }
    this.#failed(refs, body)
    task.stream?.failed()
    this.#finish(task)
  }

  fail(task: Task, error: RayError): void {
    if (task.status !== taskStatus.finished) this.#ports.failed(task, error)
    task.status = taskStatus.finished
    const refs = task.returns ?? [task.ref]
    for (const ref of refs) {
      if (settleRef(ref, refState.error, error) && ref.isKnown) this.#ports.references.settled(ref)
    }
    this.#failed(refs, error)
    task.stream?.failed()
    this.#finish(task)
  }

  /** A ref may be settled already, as cancelled or freed: then this error is nobody's. */
  #failed(refs: readonly ObjectRef[], value: object): void {
    if (refs.every((ref) => ref.value === value)) this.#ports.unseen.failed(refs, value)
  }

  /** Fails a task as the ref that it depends on failed. */
  failLike(task: Task, dependency: ObjectRef): void {
    if (dependency.state === refState.error) this.fail(task, dependency.value as RayError)
    else this.failWithBody(task, dependency.value as Uint8Array)
  }

  /**
   * Settles one ref of ours with a result body. `task` made it: not always the one that the ref
   * waits for, as a task that is run again for one of its results makes the others too.
   */
  settle(ref: ObjectRef, body: Uint8Array, task = ref.task): void {
    const tag = body[0]
    let state: number = refState.body
    let value: unknown
    if (tag === bodyTag.small && isPrimitiveBody(body)) {
      state = refState.primitive
      value = decodeSmall(body, 1)
    } else if (tag === bodyTag.stored) {
      state = refState.stored
      this.#ports.references.hold(ref)
      this.#ports.stored(ref, makerIn(body), task)
    } else if (tag === bodyTag.error) {
      state = refState.errorBody
      value = Uint8Array.prototype.slice.call(body)
    } else {
      const kept = Uint8Array.prototype.slice.call(body)
      if (tag === bodyTag.full) {
        // Decoded in any case: what it nests was lent to us.
        const nested = this.#ports.values.nestedInBody(kept)
        if (ref.state === refState.pending) ref.nested = nested
      }
      value = kept
    }
    if (settleRef(ref, state, value) && ref.isKnown) this.#ports.references.settled(ref)
  }

  #several(task: Task, body: Uint8Array): void {
    const count = readU32(body, 1)
    let at = 5
    for (let i = 0; i < count; i++) {
      const size = readU32(body, at)
      const ref = task.returns?.[i]
      if (ref !== undefined) this.settle(ref, body.subarray(at + 4, at + 4 + size), task)
      at += 4 + size
    }
  }

  #finish(task: Task): void {
    // The object that held large arguments has nobody else.
    if (task.argumentHolder !== null) this.#ports.references.release(task.argumentHolder)
    task.argumentHolder = null
    task.pins = null
    task.actor = null
    task.nested = null
    task.slab = null
    task.line = null
    if (task.onSettled !== null) {
      const done = task.onSettled
      task.onSettled = null
      done()
    }
  }

  /** The worker died while the task ran, or may have run. */
  workerLost(task: Task, exit: ProcessExit): void {
    if (task.status === taskStatus.finished) return
    if (task.isCancelled || isFailed(task.ref)) this.fail(task, cancelled(task))
    else if (exit.reason.startsWith(setupReason)) this.fail(task, setupError(task, exit))
    else if (exit.reason.startsWith(memoryReason)) this.#memoryShort(task, exit)
    else if (task.retriesLeft !== 0) this.retry(task)
    else this.fail(task, crashError(task, exit))
  }

  /**
   * Its worker was ended for memory, perhaps through no fault of its own. That has a budget of its
   * own, and the next attempt waits until others may be done. A task that may not run twice does
   * not.
   */
  #memoryShort(task: Task, exit: ProcessExit): void {
    const count = this.#memoryRetries.get(task) ?? 0
    const most = this.#ports.oomRetries
    const isOnce = task.retriesLeft === 0 && attemptOf(task) === 0
    if (isOnce || (most !== -1 && count >= most)) {
      this.fail(task, crashError(task, exit))
      return
    }
    this.#memoryRetries.set(task, count + 1)
    task.status = taskStatus.waiting
    task.stream?.restarted()
    this.undecided.add(task)
    this.#ports.later(Math.min(oomRetryMs * 2 ** count, oomRetryMsMax), () => {
      this.undecided.delete(task)
      if (task.status === taskStatus.waiting) this.#ports.resubmit(task)
    })
  }

  refused(task: Task, error: WireError): void {
    this.fail(task, errorFromWire(error))
  }
}

/** What the function threw. An error that could not be read is what its reading threw. */
function causeOf(error: unknown): unknown {
  try {
    return error instanceof RayError ? error.cause : error
  } catch {
    return error
  }
}

export function cancelled(task: Task): TaskCancelledError {
  return new TaskCancelledError(`Task ${task.fn.name} (${task.ref.id}) was cancelled.`, {
    fields: { taskId: task.ref.id, functionName: task.fn.name },
  })
}

/** How a process ended, in words. */
export function describeExit(exit: ProcessExit): string {
  if (exit.reason.startsWith(memoryReason)) {
    return `worker pid=${exit.pid} was ended, ${exit.reason}`
  }
  if (exit.reason.startsWith(nodeDiedReason)) {
    const node = exit.reason.slice(nodeDiedReason.length)
    return `node ${node}, on which it ran, died. Set maxRetries if it may run again.`
  }
  if (exit.reason === lineBrokenReason) {
    return `${exit.reason}: worker pid=${exit.pid}, on another node. It may have run.`
  }
  const how =
    exit.signal !== null ? `signal ${exit.signal}` : `exit code ${exit.exitCode ?? 'unknown'}`
  const why = exit.reason === '' ? '' : ` (${exit.reason})`
  const stderr =
    exit.stderr.length === 0 ? '' : `\nLast lines of its stderr:\n  ${exit.stderr.join('\n  ')}`
  return `worker pid=${exit.pid} ended with ${how}${why}.${stderr}`
}

/** The task has not run, and the hook would do the same in another worker. */
function setupError({ ref, fn }: Task, exit: ProcessExit): RuntimeEnvSetupError {
  return new RuntimeEnvSetupError(
    `Task ${fn.name} (${ref.id}) cannot run: ${exit.reason} in worker ${exit.pid}, which ` +
      `computed all the time. Do less in it, or raise setupTimeoutMs.`,
    { fields: { taskId: ref.id, functionName: fn.name, pid: exit.pid } },
  )
}

function crashError(task: Task, exit: ProcessExit): RayError {
  const taskId = task.ref.id
  const functionName = task.fn.name
  const attempts = attemptOf(task) + 1
  const fields = {
    taskId,
    functionName,
    attempts,
    pid: exit.pid,
    exitCode: exit.exitCode,
    signal: exit.signal,
    stderr: exit.stderr,
    reason: exit.reason,
  }
  const times = attempts === 1 ? '' : ` after ${attempts} attempts`
  const text = `Task ${functionName} (${taskId}) failed${times}: ${describeExit(exit)}`
  if (/out of memory/i.test(exit.reason)) return new OutOfMemoryError(text, { fields })
  if (exit.reason === groupRemovedReason)
    return new TaskPlacementGroupRemovedError(text, { fields })
  if (exit.reason.startsWith(nodeDiedReason)) return new NodeDiedError(text, { fields })
  return new WorkerCrashedError(text, { fields })
}

/** Who has stored the value of a result. */
function makerIn(body: Uint8Array): ProcessId {
  return readU48(body, 7)
}

/** The value of a small body is immutable, so that every get may have the same. */
function isPrimitiveBody(body: Uint8Array): boolean {
  const tag = body[1]!
  return tag >= tagShortString || tag <= tagUtf16
}
