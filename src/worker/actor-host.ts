// An actor inside its worker: one instance, calls in order of arrival from each caller.
//
// A call runs alone, also while it awaits, unless the actor was made with `maxConcurrency` above
// one. That differs from Ray, whose asynchronous actors interleave by default: here state between
// two awaits of a method is safe without a lock.

import type { ActorSpec, FromRaylet } from '../wire/messages/raylet.js'
import { taskEventFlag } from '../wire/messages/state.js'
import { objectIdHex } from '../base/ids.js'
import { pushFlag } from '../wire/frame.js'
import type { SelfExit } from '../wire/messages/terms.js'
import { CallLane } from './call-lane.js'
import { cancelContext } from './cancel-context.js'
import { endsWithCaller } from './caller-watch.js'
import { readArguments, readCall, readExtension } from './call-values.js'
import { CallRunner, reportBody } from './call-runner.js'
import { defaultGroup, noGroups } from './concurrency-groups.js'
import type { CoreWorker } from './core-worker.js'
import { ActorExit, installActorExit, isActorExit } from './exit-actor.js'
import type { LiveTaskList } from './live-tasks.js'
import { LoadedFunction } from './loaded-function.js'
import { LookAhead } from './look-ahead.js'
import type { Incoming, OwnerConnection } from './owner-connection.js'
import { howOf } from './task-recorder.js'
import { groupsOf, LazyTaskContext, setCurrentTask, type TaskPlace } from './task-context.js'
import { cancelledError } from './task-error.js'
import { showGpus } from './visible-gpus.js'

type StartActor = Extract<FromRaylet, { kind: 'startActor' }>
type Constructor = new (...args: unknown[]) => Record<string, unknown>

const replyDelayMs = 0.3

export class ActorHost {
  readonly spec: ActorSpec
  readonly id: string
  readonly #core: CoreWorker
  readonly #runner: CallRunner
  readonly #ahead: LookAhead
  readonly #place: TaskPlace
  readonly #methods = new Map<number, LoadedFunction>()
  #instance: Record<string, unknown> | null = null
  /** The lane of the calls that name no group, then one for each group. */
  readonly #lanes: readonly CallLane[]
  /** The lane of each method by its number; null when there is one lane only. */
  readonly #laneOfMethod: readonly CallLane[] | null
  readonly #groups: ReadonlyMap<string, CallLane>
  readonly #isInterleaved: boolean
  /** It ends itself: no further call is started. */
  #leaving: SelfExit | null = null
  readonly #contexts = new Map<Incoming, LazyTaskContext>()
  readonly #touched = new Set<OwnerConnection>()
  #lastFlush = 0
  #onEmpty: (() => void) | null = null

  constructor(core: CoreWorker, started: StartActor) {
    const { spec, gpus } = started
    this.#core = core
    core.hosted = started
    core.recorder.actor = spec.actor
    this.spec = spec
    this.id = objectIdHex(spec.actor[0], spec.actor[1])
    this.#place = {
      actorId: this.id,
      resources: spec.resources,
      gpus,
      ...groupsOf(spec.strategy.target),
    }
    this.#runner = new CallRunner(core)
    this.#ahead = new LookAhead(core.raylet)
    showGpus(gpus, core.welcome.resources)
    const freed = (): void => this.drain()
    const main = new CallLane(spec.maxConcurrency, freed)
    const groups = new Map([[defaultGroup, main]])
    for (const [name, limit] of Object.entries(spec.concurrencyGroups ?? noGroups)) {
      groups.set(name, new CallLane(limit, freed))
    }
    this.#groups = groups
    this.#lanes = [...groups.values()]
    this.#isInterleaved = groups.size > 1 || spec.maxConcurrency > 1
    this.#laneOfMethod =
      groups.size === 1
        ? null
        : spec.methods.map((name) => groups.get(spec.methodSpecs?.[name]?.group ?? '') ?? main)
    installActorExit((how) => this.#leave(how))
  }

  /** Runs the constructor and tells the GCS how it went. */
  async start(setup: Promise<void> | null = null): Promise<boolean> {
    const { spec } = this
    const name = `${spec.className}.constructor`
    const { recorder, now } = this.#core
    const [owner, sequence] = spec.actor
    const creation = { from: { owner }, sequence, attempt: this.#core.hosted?.incarnation ?? 0 }
    const begun = now()
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
      if (isActorExit(thrown)) return false
      const failure = { name, error: thrown, taskId: this.id, actorId: this.id }
      const error = reportBody(this.#core, spec.actor[0], failure)
      recorder.failed(creation, { name, error: thrown, durationUs: (now() - begun) * 1000 })
      this.#core.raylet.send({ kind: 'actorStarted', actor: spec.actor, error })
      return false
    }
    const at = recorder.add(creation, howOf(recorder.nameNumber(name), taskEventFlag.creation))
    recorder.timed(at, begun, (now() - begun) * 1000)
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
    this.#ahead.arrived(call)
    this.#laneOf(call).add(call)
  }

  #laneOf(call: Incoming): CallLane {
    if (this.#laneOfMethod === null) return this.#lanes[0]!
    const group =
      (call.flags & pushFlag.extended) === 0 ? undefined : readExtension(call).extension.group
    const lane = group === undefined ? undefined : this.#groups.get(group)
    return lane ?? this.#laneOfMethod[call.fn] ?? this.#lanes[0]!
  }

  cancel(
    connection: OwnerConnection,
    { sequence, recursive }: { sequence: number; recursive: boolean },
  ): void {
    for (const [call, context] of this.#contexts) {
      if (call.from === connection && call.sequence === sequence)
        cancelContext(this.#core, context, recursive)
    }
    for (const lane of this.#lanes) {
      for (const call of lane.waiting()) {
        if (call.from === connection && call.sequence === sequence) call.isCancelled = true
      }
    }
  }

  /** Adds the calls under way. */
  listRunning(list: LiveTaskList): void {
    const { process, isWaiting } = this.#core
    const { actor } = this.spec
    for (const [call, context] of this.#contexts) {
      list.addRunning(call, { context, worker: process, isWaiting, actor })
    }
  }

  credit(connection: OwnerConnection, sequence: number, items: number): void {
    this.#runner.credit(connection, sequence, items)
  }

  escape(connection: OwnerConnection, sequence: number): void {
    this.#runner.escape(connection, sequence)
  }

  abandon(connection: OwnerConnection, others: Iterable<OwnerConnection>): void {
    this.#runner.abandon(connection, others)
    for (const [call, context] of this.#contexts) {
      if (call.from === connection && endsWithCaller(context)) {
        context.cancel(cancelledError(context))
      }
    }
  }

  drain(): void {
    if (this.#instance === null) return
    for (const lane of this.#lanes) this.#drainLane(lane)
    if (!this.#ahead.isQuiet) this.#ahead.look(this.#waiting())
    this.#flush()
    if (this.#onEmpty !== null && this.isEmpty) this.#onEmpty()
  }

  *#waiting(): IterableIterator<Incoming> {
    for (const lane of this.#lanes) yield* lane.waiting()
  }

  #drainLane(lane: CallLane): void {
    while (this.#leaving === null) {
      const call = lane.next()
      if (call === undefined) return
      lane.running++
      this.#touched.add(call.from)
      const later = this.#start(call)
      if (later === null) lane.running--
      else void later.then(lane.finished)
    }
  }

  /** No call runs, and none waits that will be started. */
  get isEmpty(): boolean {
    if (this.#leaving !== null) return this.#lanes.every((lane) => lane.running === 0)
    return this.#lanes.every((lane) => lane.isEmpty)
  }

  // The call that asks for it ends by what exitActor throws, or is the last one. Others that run
  // are cut off, unless the actor is terminated in an orderly way.
  #leave(how: SelfExit): void {
    if (this.#leaving !== null) return
    this.#leaving = how
    const end = (): void => {
      this.#core.raylet.send({ kind: 'actorExiting', actor: this.spec.actor, how })
      this.onExit()
    }
    setImmediate(() => {
      if (how === 'exitActor') end()
      else void this.whenEmpty().then(end)
    })
  }

  /** Ends the process in an orderly way; set by the worker. */
  onExit: () => void = () => undefined

  #flush(): void {
    for (const connection of this.#touched) connection.replies.flush()
    this.#touched.clear()
    this.#lastFlush = this.#core.now()
  }

  #start(call: Incoming): Promise<void> | null {
    const methodName = this.spec.methods[call.fn] ?? `method ${call.fn}`
    const name = `${this.spec.className}.${methodName}`
    const context = this.#context(name, {
      owner: call.from.owner,
      sequence: call.sequence,
      attempt: call.attempt,
    })
    if (call.isCancelled) {
      this.#runner.fail(call, {
        name,
        error: cancelledError(context),
        durationUs: 0,
        actorId: this.id,
      })
      return null
    }
    let method
    let read
    try {
      // The instance may be a proxy, and the method a getter.
      method = this.#methods.get(call.fn) ?? this.#method(call.fn, methodName)
      read = readCall(this.#core, call)
    } catch (error) {
      this.#runner.fail(call, { name, error, durationUs: 0, actorId: this.id })
      return null
    }
    if (method.isSlow || this.#core.now() - this.#lastFlush > replyDelayMs) {
      this.#flush()
      this.#touched.add(call.from)
    }
    const job = {
      task: call,
      fn: method,
      name,
      context,
      returns: read.extension.returns ?? call.returns,
      extension: read.extension,
      self: this.#instance!,
      isInterleaved: this.#isInterleaved,
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

  #method(number: number, name: string): LoadedFunction {
    const code = this.#instance![name]
    const run = typeof code === 'function' ? code : this.#builtIn(name)
    const method = new LoadedFunction(name, run)
    this.#methods.set(number, method)
    return method
  }

  #builtIn(name: string): () => unknown {
    if (name === '__ray_ready__') return () => true
    if (name === '__ray_terminate__') return () => this.#terminate()
    return () => {
      throw new TypeError(`${this.spec.className} has no method ${name}`)
    }
  }

  /** Calls that came before have run, or run still; those that wait are not started. */
  #terminate(): never {
    this.#leave('__ray_terminate__')
    throw new ActorExit()
  }

  /** Resolves when all calls that have arrived are answered. */
  whenEmpty(): Promise<void> {
    if (this.isEmpty) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }
}
