// An actor inside its worker: one instance, calls in order of arrival from each caller.
//
// A call runs alone, also while it awaits, unless the actor was made with `maxConcurrency` above
// one. That differs from Ray, whose asynchronous actors interleave by default: here state between
// two awaits of a method is safe without a lock.

import type { ActorSpec } from '../wire/messages/raylet.js'
import { objectIdHex } from '../base/ids.js'
import { readArguments, readCall } from './call-values.js'
import { CallRunner, reportBody } from './call-runner.js'
import type { CoreWorker } from './core-worker.js'
import { LoadedFunction } from './loaded-function.js'
import type { Incoming, OwnerConnection } from './owner-connection.js'
import { LazyTaskContext, setCurrentTask, type TaskPlace } from './task-context.js'
import { cancelContext, cancelledError } from './task-executor.js'
import { showGpus } from './visible-gpus.js'

type Constructor = new (...args: unknown[]) => Record<string, unknown>

const replyDelayMs = 0.3

export class ActorHost {
  readonly spec: ActorSpec
  readonly id: string
  readonly #core: CoreWorker
  readonly #runner: CallRunner
  readonly #place: TaskPlace
  readonly #methods = new Map<number, LoadedFunction>()
  #instance: Record<string, unknown> | null = null
  #queue: Incoming[] = []
  #at = 0
  #running = 0
  readonly #contexts = new Map<Incoming, LazyTaskContext>()
  readonly #touched = new Set<OwnerConnection>()
  #lastFlush = 0
  #onEmpty: (() => void) | null = null

  constructor(core: CoreWorker, spec: ActorSpec, gpus: readonly number[]) {
    this.#core = core
    core.ownActor = spec.actor
    this.spec = spec
    this.id = objectIdHex(spec.actor[0], spec.actor[1])
    this.#place = {
      actorId: this.id,
      resources: spec.resources,
      gpus,
      placementGroup: spec.strategy.target?.group,
    }
    this.#runner = new CallRunner(core)
    showGpus(gpus, core.welcome.resources)
  }

  /** Runs the constructor and tells the GCS how it went. */
  async start(setup: Promise<void> | null = null): Promise<boolean> {
    const { spec } = this
    const name = `${spec.className}.constructor`
    try {
      await setup
      const type = (await this.#core.functions.load(spec.classHash)) as unknown as Constructor
      const args = await readArguments(this.#core, spec.flags, spec.args)
      setCurrentTask(
        this.#context(name, { owner: spec.actor[0], sequence: spec.actor[1], attempt: 0 }),
      )
      this.#instance = new type(...args)
      setCurrentTask(null)
    } catch (thrown) {
      const failure = { name, error: thrown, taskId: this.id, actorId: this.id }
      const error = reportBody(this.#core, spec.actor[0], failure)
      this.#core.raylet.send({ kind: 'actorStarted', actor: spec.actor, error })
      return false
    }
    this.#core.raylet.send({ kind: 'actorStarted', actor: spec.actor })
    this.drain()
    return true
  }

  #context(
    name: string,
    task: { owner: number; sequence: number; attempt: number },
  ): LazyTaskContext {
    return new LazyTaskContext(task, { name, depth: this.spec.depth }, this.#place)
  }

  arrived(call: Incoming): void {
    this.#queue.push(call)
  }

  cancel(
    connection: OwnerConnection,
    { sequence, recursive }: { sequence: number; recursive: boolean },
  ): void {
    for (const [call, context] of this.#contexts) {
      if (call.from === connection && call.sequence === sequence)
        cancelContext(this.#core, context, recursive)
    }
    for (let i = this.#at; i < this.#queue.length; i++) {
      const call = this.#queue[i]!
      if (call.from === connection && call.sequence === sequence) call.isCancelled = true
    }
  }

  credit(connection: OwnerConnection, sequence: number, items: number): void {
    this.#runner.credit(connection, sequence, items)
  }

  escape(connection: OwnerConnection, sequence: number): void {
    this.#runner.escape(connection, sequence)
  }

  drain(): void {
    if (this.#instance === null) return
    while (this.#at < this.#queue.length && this.#running < this.spec.maxConcurrency) {
      const call = this.#queue[this.#at]!
      this.#queue[this.#at++] = undefined as unknown as Incoming
      this.#running++
      this.#touched.add(call.from)
      const later = this.#start(call)
      if (later === null) this.#running--
      else later.then(this.#finished, this.#finished)
    }
    if (this.#at === this.#queue.length) {
      this.#queue = []
      this.#at = 0
    }
    this.#flush()
    if (this.#running === 0 && this.#at === this.#queue.length) this.#onEmpty?.()
  }

  readonly #finished = (): void => {
    this.#running--
    this.drain()
  }

  #flush(): void {
    for (const connection of this.#touched) connection.replies.flush()
    this.#touched.clear()
    this.#lastFlush = this.#core.now()
  }

  #start(call: Incoming): Promise<void> | null {
    const method = this.#method(call.fn)
    const name = `${this.spec.className}.${method.name}`
    const context = this.#context(name, {
      owner: call.from.owner,
      sequence: call.sequence,
      attempt: call.attempt,
    })
    if (method.isSlow || this.#core.now() - this.#lastFlush > replyDelayMs) {
      this.#flush()
      this.#touched.add(call.from)
    }
    if (call.isCancelled) {
      this.#runner.fail(call, {
        name,
        error: cancelledError(context),
        durationUs: 0,
        actorId: this.id,
      })
      return null
    }
    let read
    try {
      read = readCall(this.#core, call)
    } catch (error) {
      this.#runner.fail(call, { name, error, durationUs: 0, actorId: this.id })
      return null
    }
    const job = {
      task: call,
      fn: method,
      name,
      context,
      returns: read.extension.returns ?? call.returns,
      extension: read.extension,
      self: this.#instance!,
      isInterleaved: this.spec.maxConcurrency > 1,
    }
    this.#contexts.set(call, context)
    const later = Array.isArray(read.args)
      ? this.#runner.run(job, read.args)
      : this.#runner.runLater(job, read.args)
    if (later === null) {
      this.#contexts.delete(call)
      return null
    }
    return later.finally(() => {
      this.#contexts.delete(call)
      this.#touched.add(call.from)
    })
  }

  #method(number: number): LoadedFunction {
    let method = this.#methods.get(number)
    if (method === undefined) {
      const name = this.spec.methods[number] ?? `method ${number}`
      const instance = this.#instance!
      const code = instance[name]
      const run =
        typeof code === 'function'
          ? code
          : () => {
              throw new TypeError(`${this.spec.className} has no method ${name}`)
            }
      method = new LoadedFunction(name, run)
      this.#methods.set(number, method)
    }
    return method
  }

  /** Resolves when all calls that have arrived are answered. */
  whenEmpty(): Promise<void> {
    if (this.#running === 0 && this.#at === this.#queue.length) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }
}
