// Runs one call and answers it: plain results, several returns, streams, errors and cancellation.

import { LocalRayletDiedError, RaySystemError, RuntimeEnvSetupError } from '../base/errors.js'
import { stackOf } from '../base/thrown.js'
import { pushFlag, returnsStreaming } from '../wire/frame.js'
import { taskEventFlag } from '../wire/messages/state.js'
import type { PushExtension } from '../wire/messages/task.js'
import { endBody, errorBody, resultBody, settleAtRaylet } from './call-values.js'
import type { CoreWorker } from './core-worker.js'
import { isActorExit } from './exit-actor.js'
import { itemSequence } from './item-ids.js'
import { isInterrupt, type LoadedFunction, runInterruptibly } from './loaded-function.js'
import type { ObjectRef } from './object-ref.js'
import type { Incoming, OwnerConnection } from './owner-connection.js'
import { howOf } from './task-recorder.js'
import { type LazyTaskContext, runInterleaved, setCurrentTask } from './task-context.js'
import { cancelledError, codeOf, originOf } from './task-error.js'
import { WantedItems } from './wanted-items.js'

export interface Job {
  readonly task: Incoming
  readonly fn: LoadedFunction
  readonly name: string
  readonly context: LazyTaskContext
  readonly returns: number
  readonly extension: PushExtension
  /** The actor's instance, for calls. */
  readonly self?: object
  /** Other calls of the actor may run meanwhile. */
  readonly isInterleaved?: boolean
}

interface Stream {
  readonly job: Job
  credit: number
  wake: (() => void) | null
}

/** How long an interrupted task waits for the cancel message that belongs to the signal, in ms. */
const interruptGraceMs = 200

export class CallRunner {
  readonly #core: CoreWorker
  readonly #streams = new Map<string, Stream>()
  /**
   * Tasks that are to be settled at the raylet too, because their refs escaped after they were
   * sent.
   */
  readonly #escaped = new Set<string>()

  constructor(core: CoreWorker) {
    this.#core = core
  }

  runLater(job: Job, args: Promise<unknown[]>): Promise<void> {
    return args.then(
      (ready) => this.run(job, ready) ?? undefined,
      (error: unknown) => this.#dependencyFailed(job, error),
    )
  }

  /** Null: it has finished and is answered. */
  run(job: Job, args: unknown[]): Promise<void> | null {
    const start = this.#core.now()
    let result: unknown
    let isLater: boolean
    try {
      result = this.#invoke(job, args)
      isLater = job.returns === returnsStreaming || isThenable(result)
    } catch (error) {
      if (isInterrupt(error)) return this.#interrupted(job, start)
      this.#threw(job, error, start)
      return null
    }
    if (isLater) {
      if (job.returns === returnsStreaming) return this.#stream(job, result, start)
      return this.#settles(job, result, start)
    }
    this.#returned(job, result, start)
    return null
  }

  /** `await` is the only way to a promise that runs no code which was put in its place. */
  async #settles(job: Job, result: unknown, start: number): Promise<void> {
    let value: unknown
    try {
      value = await result
    } catch (error) {
      this.#threw(job, error, start)
      return
    }
    this.#returned(job, value, start)
  }

  #invoke(job: Job, args: unknown[]): unknown {
    const { fn, self, context } = job
    // A function of its own: as a method it would have our object for its `this`, and in its stack.
    const { run } = fn
    if (job.isInterleaved === true) return runInterleaved(context, () => run.apply(self, args))
    setCurrentTask(context)
    if (self === undefined && fn.isInterruptible) return runInterruptibly(() => run(...args))
    if (self !== undefined) return run.apply(self, args)
    return args.length === 0 ? run() : run(...args)
  }

  #ended(job: Job, start: number): number {
    if (job.isInterleaved !== true) setCurrentTask(null)
    const durationUs = (this.#core.now() - start) * 1000
    job.fn.measure(durationUs)
    return durationUs
  }

  #returned(job: Job, value: unknown, start: number): void {
    const durationUs = this.#ended(job, start)
    const { task } = job
    if (job.context.isCancelled) {
      this.#failJob(job, job.context.controller.signal.reason, durationUs)
      return
    }
    try {
      if (job.returns === 1) {
        const isEscaped =
          this.#escaped.size > 0 && this.#escaped.has(keyOf(task.from, task.sequence))
        const isKnown = isEscaped || task.from.isRelay || (task.flags & pushFlag.escaped) !== 0
        if (!isKnown && task.from.replies.small(task.sequence, durationUs, value)) {
          this.#record(job, start, durationUs)
          return
        }
      }
      this.#answer(job, value, durationUs)
      this.#record(job, start, durationUs)
    } catch (error) {
      this.#failJob(job, error, durationUs)
    }
  }

  #answer(job: Job, value: unknown, durationUs: number): void {
    const { task, returns, name } = job
    const { sequence, attempt } = task
    const { owner } = task.from
    if (returns === 1) {
      const made = resultBody(this.#core, value, { owner, sequence, attempt, name })
      this.#reply(task, made, durationUs)
      return
    }
    const values = returns === 0 ? [] : severalValues(value, returns, name)
    const made = values.map((each, i) =>
      resultBody(this.#core, each, { owner, sequence: sequence + i, attempt, name }),
    )
    const bodies = made.map(({ body }) => body)
    task.from.replies.several(task.sequence, durationUs, bodies)
    if (!this.#isKnownOutside(task)) return
    made.forEach((one, i) =>
      settleAtRaylet(this.#core, task.from, { sequence: task.sequence + i, ...one }),
    )
  }

  #reply(
    task: Incoming,
    made: { body: Uint8Array; contains: readonly ObjectRef[] },
    durationUs: number,
  ): void {
    task.from.replies.body(task.sequence, durationUs, made.body)
    if (this.#isKnownOutside(task)) {
      settleAtRaylet(this.#core, task.from, { sequence: task.sequence, ...made })
    }
  }

  // A carried task is answered through the raylet, and its owner may be busy for long: whoever
  // borrows the ref must not depend on that, so its value goes to the raylet in any case, which
  // ignores it if nobody knows the ref. Asked once for each answer: the note of an escape is used
  // up.
  #isKnownOutside(task: Incoming): boolean {
    if (task.from.isRelay || (task.flags & pushFlag.escaped) !== 0) return true
    return this.#escaped.size > 0 && this.#escaped.delete(keyOf(task.from, task.sequence))
  }

  #threw(job: Job, thrown: unknown, start: number): void {
    const durationUs = this.#ended(job, start)
    // The call ends with its actor, whose death the caller hears of.
    if (isActorExit(thrown)) return
    const error = job.context.isCancelled ? job.context.controller.signal.reason : thrown
    this.#failJob(job, error, durationUs)
  }

  #dependencyFailed(job: Job, error: unknown): void {
    this.#failJob(job, error, 0)
  }

  #record(job: Job, start: number, durationUs: number): void {
    const { extension, fn } = job
    if (extension.events === false) return
    const { recorder } = this.#core
    let number = fn.nameNumber
    if (extension.name !== undefined) number = recorder.nameNumber(extension.name)
    else if (fn.nameGeneration !== recorder.generation) {
      number = fn.nameNumber = recorder.nameNumber(job.name)
      fn.nameGeneration = recorder.generation
    }
    const flags = job.self === undefined ? 0 : taskEventFlag.actorTask
    recorder.timed(recorder.add(job.task, howOf(number, flags)), start, durationUs)
  }

  #failJob({ task, name, extension }: Job, error: unknown, durationUs: number): void {
    this.fail(task, { name, error, durationUs, isUnlisted: extension.events === false })
  }

  /** Answers with what user code threw, or with a RayError of the system as it is. */
  fail(
    task: Incoming,
    failure: {
      name: string
      error: unknown
      durationUs: number
      actorId?: string
      isUnlisted?: boolean
    },
  ): void {
    if (failure.isUnlisted !== true) this.#core.recorder.failed(task, failure)
    const body = this.failureBody(task, failure)
    task.from.replies.body(task.sequence, failure.durationUs, body)
    if (this.#isKnownOutside(task) && (task.flags & pushFlag.retried) === 0) {
      settleAtRaylet(this.#core, task.from, { sequence: task.sequence, body, contains: [] })
    }
  }

  failureBody(
    task: Incoming,
    failure: { name: string; error: unknown; actorId?: string },
  ): Uint8Array {
    // The raylet of this node has died, which a look at the store told us before its socket did.
    // That is for the owner to hear of the node, and not as an error of the task.
    if (codeOf(failure.error) === LocalRayletDiedError.code) process.exit(0)
    return reportBody(this.#core, task.from.owner, {
      ...failure,
      taskId: task.from.taskId(task.sequence),
    })
  }

  // SIGINT stopped the function. The message that says which task was meant was written before the
  // signal was sent, so it is read as soon as the event loop turns.
  async #interrupted(job: Job, start: number): Promise<void> {
    const { context } = job
    if (!context.isCancelled) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, interruptGraceMs)
        context.controller.signal.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    if (context.isCancelled) this.#core.raylet.send({ kind: 'interrupted' })
    const reason: unknown = context.isCancelled
      ? context.controller.signal.reason
      : new RaySystemError(`Task ${job.name} was interrupted by SIGINT from outside of Typeray.`)
    this.#threw(job, reason, start)
  }

  async #stream(job: Job, result: unknown, start: number): Promise<void> {
    const { task } = job
    const key = keyOf(task.from, task.sequence)
    const items = new WantedItems(job.extension)
    const stream: Stream = { job, credit: items.credit, wake: null }
    this.#streams.set(key, stream)
    job.context.controller.signal.addEventListener('abort', () => stream.wake?.(), { once: true })
    let count = 0
    try {
      const iterator = iteratorOf(await result, job.name)
      for (;;) {
        // Between items other messages are read: a cancel, or credit from the consumer.
        if (count >= stream.credit) await this.#credited(job, stream, () => count < stream.credit)
        if (job.context.isCancelled) break
        const step = this.#step(job, iterator)
        const { done, value } = resultOf(isThenable(step) ? await step : step, job.name)
        if (done === true) break
        if (items.has(count)) this.#item(job, count, await value)
        count++
        if (count === items.end) {
          await iterator.return?.()
          break
        }
        if (job.fn.isSlow || count % 16 === 0) this.#flushItems(task)
      }
      if (job.context.isCancelled) {
        await iterator.return?.()
        this.#threw(job, job.context.controller.signal.reason, start)
      } else {
        const durationUs = this.#ended(job, start)
        task.from.replies.body(task.sequence, durationUs, endBody(count))
        this.#record(job, start, durationUs)
      }
    } catch (error) {
      this.#threw(job, error, start)
    } finally {
      this.#streams.delete(key)
    }
  }

  #item({ task, name, extension }: Job, index: number, value: unknown): void {
    const sequence = itemSequence(extension.stream ?? 0, index)
    const call = { owner: task.from.owner, sequence, attempt: task.attempt, name }
    task.from.replies.item(task.sequence, index, resultBody(this.#core, value, call).body)
  }

  #step(job: Job, iterator: AnyIterator): ReturnType<AnyIterator['next']> {
    if (job.isInterleaved === true) return runInterleaved(job.context, () => iterator.next())
    setCurrentTask(job.context)
    return iterator.next()
  }

  #flushItems(task: Incoming): void {
    task.from.replies.flush()
  }

  async #credited(job: Job, stream: Stream, hasCredit: () => boolean): Promise<void> {
    this.#flushItems(job.task)
    while (!hasCredit() && !job.context.isCancelled) {
      await new Promise<void>((resolve) => {
        stream.wake = resolve
      })
      stream.wake = null
    }
  }

  credit(connection: OwnerConnection, sequence: number, items: number): void {
    const stream = this.#streams.get(keyOf(connection, sequence))
    if (stream === undefined) return
    stream.credit = Math.max(stream.credit, items)
    stream.wake?.()
  }

  escape(connection: OwnerConnection, sequence: number): void {
    this.#escaped.add(keyOf(connection, sequence))
  }

  /**
   * A connection is gone: nobody asks for more items on it, and an actor has others to serve. With
   * the last of its owner, which may have said on one what concerns a task of another, its notes go
   * too.
   */
  abandon(connection: OwnerConnection, others: Iterable<OwnerConnection>): void {
    let isLast = true
    for (const { owner } of others) if (owner === connection.owner) isLast = false
    if (isLast) {
      const prefix = `${connection.owner}:`
      for (const key of this.#escaped) if (key.startsWith(prefix)) this.#escaped.delete(key)
    }
    for (const { job } of this.#streams.values()) {
      if (job.task.from === connection) job.context.cancel(cancelledError(job.context))
    }
  }
}

export function reportBody(
  core: CoreWorker,
  to: number,
  failure: { name: string; error: unknown; taskId: string; actorId?: string },
): Uint8Array {
  const { error, name } = failure
  const { cause, through } = originOf(error)
  return errorBody(core, to, {
    functionName: through === undefined ? name : `${name} → ${through}`,
    taskId: failure.taskId,
    actorId: failure.actorId,
    nodeId: core.welcome.nodeId,
    pid: process.pid,
    cause,
    stack: stackOf(error),
    ...(codeOf(error) === RuntimeEnvSetupError.code && { isOurs: true }),
  })
}

function keyOf(connection: OwnerConnection, sequence: number): string {
  return `${connection.owner}:${sequence}`
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

function severalValues(value: unknown, returns: number, name: string): unknown[] {
  const isIterable = typeof value === 'object' && value !== null && Symbol.iterator in value
  if (!isIterable) {
    throw new TypeError(
      `${name} has numReturns ${returns} and must return an array of ${returns} values.`,
    )
  }
  const values = [...(value as Iterable<unknown>)]
  if (values.length !== returns) {
    throw new RangeError(`${name} has numReturns ${returns} but returned ${values.length} values.`)
  }
  return values
}

interface AnyIterator {
  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>>
  return?(): unknown
}

/** Whatever a step of an iterator is, it must be an object: nothing else says that it is done. */
function resultOf(step: unknown, name: string): IteratorResult<unknown> {
  if (typeof step === 'object' && step !== null) return step as IteratorResult<unknown>
  throw new TypeError(`The iterator of ${name} gave ${typeof step} and not an object.`)
}

function iteratorOf(value: unknown, name: string): AnyIterator {
  const object = value as Record<symbol, (() => unknown) | undefined> | null | undefined
  const make = object?.[Symbol.asyncIterator] ?? object?.[Symbol.iterator]
  if (typeof make !== 'function') {
    throw new TypeError(
      `${name} has numReturns 'streaming' and must be a generator, or return an iterable.`,
    )
  }
  return make.call(object) as AnyIterator
}
