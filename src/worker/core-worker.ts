// The runtime library inside every driver and worker: puts the parts together and dispatches what
// the raylet says.

import { connect, type Socket } from 'node:net'
import { LocalRayletDiedError, type RayError, SessionError } from '../base/errors.js'
import { type ProcessId } from '../base/ids.js'
import { instanceProblem } from '../closure/index.js'
import { ControlChannel, packMessage } from '../wire/control-channel.js'
import { controlFrame } from '../wire/frame.js'
import type { WorkerEnvironment } from '../wire/messages/terms.js'
import type { FromRaylet, Query, ToRaylet, Welcome } from '../wire/messages/raylet.js'
import type { ToWorker } from '../wire/messages/task.js'
import { ActorLines } from './actor-lines.js'
import { ArgumentEncoder } from './argument-encoder.js'
import { Canceller, type CancelOptions } from './canceller.js'
import { ClaimSlots } from './claim-slots.js'
import { adoptTransport, helloOf, helloSync } from './hello.js'
import { FunctionExports } from './function-exports.js'
import { requestGarbageCollection } from './garbage.js'
import { streamNumberAfter } from './item-ids.js'
import { LiveTaskList } from './live-tasks.js'
import { ObjectAccess } from './object-access.js'
import { ObjectRef, refState } from './object-ref.js'
import { bodyOfRef } from './ref-body.js'
import { PendingReasons } from './pending-reasons.js'
import { PlacementGroups } from './placement-groups.js'
import { Recovery } from './recovery.js'
import { ReferenceHolder } from './reference-holder.js'
import { errorFromWire, StoreAccess } from './store-access.js'
import type { Task } from './task.js'
import { taskStatus } from './task.js'
import { taskErrorOf } from './task-error.js'
import { TaskRecorder } from './task-recorder.js'
import { cancelled, TaskSettler } from './task-outcomes.js'
import type { TaskContext } from './task-context.js'
import { type TaskOutcomes, TaskSubmitter } from './task-submitter.js'
import { UnseenErrors } from './unseen-error-monitor.js'
import { ValuePort } from './value-port.js'

export interface JoinOptions {
  readonly role: 'driver' | 'worker'
  readonly process: ProcessId
  /** Abstract socket of the raylet. */
  readonly rayletAddress: string
  readonly token: string
  /** Abstract socket of this worker; '' for a driver. */
  readonly address: string
  readonly environment?: WorkerEnvironment
  readonly namespace?: string
  readonly start?: string
  readonly now: () => number
}

/**
 * What the executing half of a worker, or the driver's terminal, does with messages that are not
 * for the owner half.
 */
export interface MessageSink {
  receive(message: FromRaylet): void
  /**
   * A task of this process waits in get or wait (true), or goes on (false). With `isBrief` it waits
   * for its arguments, which are here as a rule.
   */
  blocked(isBlocked: boolean, isBrief?: boolean): void
  sessionLost(error: LocalRayletDiedError): void
}

export class CoreWorker {
  readonly process: ProcessId
  readonly token: string
  readonly role: 'driver' | 'worker'
  readonly welcome: Welcome
  readonly raylet: ControlChannel<ToRaylet, FromRaylet>
  readonly references: ReferenceHolder
  readonly functions: FunctionExports
  readonly values: ValuePort
  readonly store: StoreAccess
  readonly objects: ObjectAccess
  readonly encoder: ArgumentEncoder
  readonly settler: TaskSettler
  readonly unseen = new UnseenErrors({
    now: () => this.now(),
    decode: (body, nested) => taskErrorIn(this.values.decodeBody(body, nested)),
  })
  readonly submitter: TaskSubmitter
  readonly actors: ActorLines
  readonly recovery: Recovery
  readonly claims: ClaimSlots
  readonly recorder = new TaskRecorder((events) => this.#send({ kind: 'taskEvents', events }))
  /** Adds what the executing half of a worker has under way. */
  listRunning: ((list: LiveTaskList) => void) | null = null
  readonly now: () => number
  readonly placementGroups: PlacementGroups
  /** The actor that this process is, if it is one. */
  hosted: Extract<FromRaylet, { kind: 'startActor' }> | null = null
  #sink: MessageSink | null = null
  /**
   * What came for the sink before there was one: the raylet may send work together with its
   * welcome.
   */
  #unsunk: FromRaylet[] = []
  /** A worker's: the socket to the raylet always holds the event loop. */
  keepsAlive = false
  #isClosed = false
  #lost: LocalRayletDiedError | null = null
  #sequence = 0
  #streams = 0
  #waits = 0
  /** What keeps the program alive: the waits, and functions on their way here. */
  #holds = 0
  #queries = 0
  #functionNumbers = 0
  readonly #canceller = new Canceller(this)
  readonly #answers = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >()

  private constructor(
    options: JoinOptions,
    welcome: Welcome,
    raylet: ControlChannel<ToRaylet, FromRaylet>,
  ) {
    const { process, token, now } = options
    this.process = process
    this.token = token
    this.role = options.role
    this.now = now
    this.welcome = welcome
    this.raylet = raylet
    if (options.role === 'driver') adoptTransport(welcome, token)
    const borrow = (owner: ProcessId, sequence: number): ObjectRef => this.#borrow(owner, sequence)
    const sender = {
      send: (message: ToRaylet): void => this.#send(message),
      flush: (): void => this.raylet.flush(),
    }
    const nextSequence = (): number => this.nextSequence()
    this.references = new ReferenceHolder(process, sender)
    this.functions = new FunctionExports(process, sender, this.references, borrow)
    this.values = new ValuePort(this.functions, { instanceProblem }, borrow)
    this.functions.attachments = this.values
    this.functions.holds = (count) => this.#hold(count)
    this.references.bodyOf = (ref) => bodyOfRef(ref, this.values)
    this.store = new StoreAccess({ process, token, welcome, raylet: sender, now })
    const slots = { fd: welcome.claimFile, sizeBytes: welcome.claimBytes }
    this.claims = new ClaimSlots(welcome.rayletPid, slots)
    const store = (): StoreAccess => this.store
    this.objects = new ObjectAccess({
      process,
      raylet: sender,
      references: this.references,
      values: this.values,
      store,
      nextSequence,
      waiting: (count, isBrief) => this.#countWait(count, isBrief),
      unseen: this.unseen,
      reasons: () => this.#reasons(),
      isCluster: () => welcome.isCluster === true,
    })
    this.encoder = new ArgumentEncoder({
      process,
      values: this.values,
      references: this.references,
      store,
      nextSequence,
      awaitReady: (ref) => this.objects.resolve(ref),
      escapedPending: (ref) => this.escapedPending(ref),
    })
    const { references, claims, unseen } = this
    references.failedEscaped = (ref) => unseen.saw(ref)
    const newRef = (): ObjectRef => this.#newRef()
    this.placementGroups = new PlacementGroups({ raylet: sender, references, unseen, newRef })
    this.recovery = new Recovery(this, sender)
    const settler = this.#newSettler(welcome.taskOomRetries, later)
    this.settler = settler
    const shared = { process, token, raylet: sender, references }
    this.submitter = new TaskSubmitter({
      ...shared,
      claims,
      outcomes: this.#outcomes(),
      now,
      total: welcome.resources,
    })
    this.actors = new ActorLines({ ...shared, settler, borrow, unseen, later })
    this.actors.decodeBody = (body) => this.values.decodeBody(body, null)
  }

  #reasons(): PendingReasons {
    return new PendingReasons({
      process: this.process,
      now: this.now,
      later,
      ask: (query) => this.query(query),
      lineOf: (task) => this.actors.lineOf(task),
    })
  }

  #newRef(): ObjectRef {
    return new ObjectRef(this.process, this.nextSequence())
  }

  #newSettler(oomRetries: number, later: (ms: number, run: () => void) => void): TaskSettler {
    const { references, values, unseen } = this
    return new TaskSettler({
      references,
      oomRetries,
      later,
      values,
      resubmit: (task) => this.resubmit(task),
      decodeError: (body) => this.#decodeError(body),
      failed: (task, error) => this.#recordFailure(task, error),
      unseen,
      stored: (ref, maker, task) => this.recovery.stored(ref, maker, task),
    })
  }

  /** Of a task that nobody has run to its end, and that therefore nobody else tells of. */
  #recordFailure(task: Task, error: RayError): void {
    if (this.#isClosed || this.#lost !== null) return
    const { owner, sequence } = task.ref
    const attempt = task.slab?.[task.start + 6] ?? 0
    const failure = { name: task.fn.name, error, durationUs: 0 }
    this.recorder.failed({ from: { owner }, sequence, attempt }, failure)
  }

  /** A ref that the raylet counts for us already. */
  #borrow(owner: ProcessId, sequence: number): ObjectRef {
    const ref = new ObjectRef(owner, sequence)
    this.references.hold(ref)
    return ref
  }

  #outcomes(): TaskOutcomes {
    return {
      taskAnswered: (task, body) => this.settler.answered(task, body),
      itemArrived: (task, index, body) => task.stream?.itemArrived(index, body),
      workerLost: (task, exit) => this.settler.workerLost(task, exit),
      leaseRefused: (task, error) => this.settler.refused(task, error),
      sessionLost: (task, error) => this.settler.fail(task, error),
      cancelled: (task) => this.settler.fail(task, cancelled(task)),
      cancelledOnTheWay: (task) => this.#canceller.onTheWay(task),
    }
  }

  /** Connects to the raylet of this node and says hello. */
  static async join(options: JoinOptions): Promise<CoreWorker> {
    const socket = connect(options.rayletAddress)
    await connected(socket)
    let core: CoreWorker | null = null
    const early: FromRaylet[] = []
    let welcomed!: (message: FromRaylet) => void
    const first = new Promise<FromRaylet>((resolve) => (welcomed = resolve))
    let isFirst = true
    const channel = new ControlChannel<ToRaylet, FromRaylet>(socket, (message) => {
      if (isFirst) {
        isFirst = false
        welcomed(message)
      } else if (core === null) early.push(message)
      else core.receive(message)
    })
    socket.on('close', () => {
      welcomed({ kind: 'refused', error: { code: 'RAY_LOCAL_RAYLET_DIED', message: diedText } })
      if (core !== null) core.#disconnected()
    })
    socket.on('error', () => undefined)
    channel.send(helloOf(options))
    const message = await first
    if (message.kind === 'refused') throw errorFromWire(message.error)
    if (message.kind !== 'welcome') throw new SessionError(`expected welcome, got ${message.kind}`)
    core = new CoreWorker(options, message, channel)
    const ready = core
    socket.unref()
    queueMicrotask(() => early.forEach((each) => ready.receive(each)))
    return core
  }

  /**
   * The same without a turn of the event loop, for the first call of a program that has not awaited
   * init.
   */
  static joinSync(options: JoinOptions): CoreWorker {
    const { socket, welcome, rest } = helloSync(options)
    let core: CoreWorker | null = null
    const channel = new ControlChannel<ToRaylet, FromRaylet>(socket, (message) =>
      core?.receive(message),
    )
    core = new CoreWorker(options, welcome, channel)
    const ready = core
    socket.on('error', () => undefined)
    socket.on('close', () => ready.#disconnected())
    socket.unref()
    if (rest.length > 0) queueMicrotask(() => channel.feed(rest))
    return core
  }

  /** Tasks of ours that wait for their arguments. */
  waitingCalls = 0

  /** Would tasks and calls of ours fail if this process ended now? */
  get hasUnfinishedCalls(): boolean {
    return this.waitingCalls > 0 || this.submitter.isBusy || this.actors.isBusy
  }

  nextSequence(count = 1): number {
    const first = this.#sequence + 1
    this.#sequence += count
    return first
  }

  nextStream(): number {
    return (this.#streams = streamNumberAfter(this.#streams))
  }

  get sink(): MessageSink | null {
    return this.#sink
  }

  set sink(sink: MessageSink | null) {
    this.#sink = sink
    const early = this.#unsunk
    this.#unsunk = []
    for (const message of early) sink?.receive(message)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  #send(message: ToRaylet): void {
    if (!this.#isClosed && this.#lost === null) this.raylet.send(message)
  }

  // Only a pending get, wait or iteration keeps a program alive: the socket to the raylet is what
  // holds the event loop.
  #countWait(count: 1 | -1, isBrief?: boolean): void {
    this.#waits += count
    this.#hold(count)
    // Told each time: an earlier task may have left a wait behind, and this one is another's.
    if (count === 1) this.#sink?.blocked(true, isBrief)
    else if (this.#waits === 0) this.#sink?.blocked(false)
  }

  #hold(count: 1 | -1): void {
    this.#holds += count
    if (this.#holds === 1 && count === 1) this.raylet.socket.ref()
    else if (this.#holds === 0 && !this.keepsAlive) this.raylet.socket.unref()
  }

  get isWaiting(): boolean {
    return this.#waits > 0
  }

  waiting(count: 1 | -1): void {
    this.#countWait(count)
  }

  resubmit(task: Task): void {
    if (task.key !== null) this.submitter.resubmit(task)
    else this.actors.resubmit(task)
  }

  /**
   * A pending ref of ours is known outside: whoever executes its task must settle it at the raylet
   * too.
   */
  escapedPending(ref: ObjectRef): void {
    const task = ref.task
    if (task === null) return
    if (task.status === taskStatus.inFlight) {
      task.line?.send({ kind: 'escaped', sequence: task.ref.sequence })
    } else if (task.slab !== null) task.slab[task.start + 5]! |= 8
  }

  async #decodeError(body: Uint8Array): Promise<unknown> {
    const ref = new ObjectRef(this.process, 0)
    ref.state = refState.errorBody
    ref.value = body
    try {
      await this.objects.errorOf(ref)
      return undefined
    } catch (error) {
      return error
    }
  }

  nextFunctionNumber(): number {
    return ++this.#functionNumbers
  }

  cancel(task: Task, how: CancelOptions): void {
    this.#canceller.cancel(task, how)
  }

  /** Cancels the task when the signal aborts. */
  cancelOn(task: Task, signal: AbortSignal): void {
    const abort = (): void => this.cancel(task, { force: false, recursive: true })
    if (signal.aborted) {
      queueMicrotask(abort)
      return
    }
    signal.addEventListener('abort', abort, { once: true })
    task.onSettled = () => signal.removeEventListener('abort', abort)
  }

  /** The task was submitted by this one: a recursive cancel reaches it. */
  adopt(parent: TaskContext, task: Task): void {
    parent.adopt(task)
  }

  /** A message for the worker that runs the task, over whichever way it went there. */
  sendToTask(task: Task, message: ToWorker): void {
    const { line } = task
    if (line === null) this.actors.lineOf(task)?.send(message)
    else if (line.carried === task) {
      const frames = controlFrame(packMessage(message))
      this.#send({ kind: 'relayToWorker', lease: line.lease, frames })
    } else line.send(message)
  }

  query(query: Query): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = ++this.#queries
      this.#countWait(1)
      this.#answers.set(request, { resolve, reject })
      this.#send({ kind: 'query', request, query })
    })
  }

  #answered(message: Extract<FromRaylet, { kind: 'answer' }>): void {
    const waiter = this.#answers.get(message.request)
    if (waiter === undefined) return
    this.#answers.delete(message.request)
    this.#countWait(-1)
    if (message.error !== undefined) waiter.reject(errorFromWire(message.error))
    else waiter.resolve(message.value)
  }

  /** A message from the raylet. */
  receive(message: FromRaylet): void {
    switch (message.kind) {
      case 'leaseGranted':
        return this.submitter.granted(message)
      case 'leaseRefused':
        return this.submitter.refused(message.request, message.error)
      case 'leaseEnded':
        return this.submitter.leaseEnded(message.lease, message.exit)
      case 'leaseStopped':
        return this.submitter.leaseStopped(message.lease, message.started)
      case 'requestLost':
        return this.submitter.requestLost(message.request, message.exit)
      case 'nodeDied':
        return this.submitter.nodeDied(message.nodeNumber, message.exit)
      case 'clusterHas':
        this.submitter.total = message.total
        return undefined
      case 'relayed':
        return this.submitter.relayed(message.lease, message.frames)
      case 'ready':
        return this.objects.ready(message)
      case 'objectLost':
      case 'lineageNeeded':
      case 'lineageDone':
      case 'revived':
        return this.recovery.receive(message)
      case 'collectGarbage':
        return requestGarbageCollection()
      case 'functionDefined':
        return this.functions.defined(message.hash, message.bytes, message.contains ?? [])
      case 'actorRegistered':
        return this.actors.registered(message)
      case 'actorChanged':
        return this.actors.changed(message.actor, message.state)
      case 'placementGroupChanged':
        return this.placementGroups.changed(message)
      case 'answer':
        return this.#answered(message)
      case 'reportTasks':
        return this.#reportTasks(message)
      default:
        if (this.#sink === null) this.#unsunk.push(message)
        else this.#sink.receive(message)
    }
  }

  #reportTasks({ request, only }: Extract<FromRaylet, { kind: 'reportTasks' }>): void {
    if (only === undefined) this.recorder.report()
    const list = new LiveTaskList(only)
    this.listRunning?.(list)
    this.submitter.listLive(list)
    this.actors.listLive(list)
    this.#send({ kind: 'tasksReported', request, tasks: list.tasks, more: list.isFull })
  }

  #disconnected(): void {
    if (this.#isClosed || this.#lost !== null) return
    this.#lost = new LocalRayletDiedError(diedText)
    for (const waiter of this.#answers.values()) waiter.reject(this.#lost)
    this.#answers.clear()
    this.submitter.failAll(this.#lost)
    this.actors.failAll(this.#lost)
    this.objects.failAll(this.#lost)
    this.placementGroups.failAll(this.#lost)
    this.functions.failAll(this.#lost)
    this.#sink?.sessionLost(this.#lost)
  }

  /** The raylet's death, if it died; every call of the session fails with it. */
  get lost(): LocalRayletDiedError | null {
    return this.#lost
  }

  /**
   * Says goodbye and nothing to those who wait: the program is about to exit, with a code of its
   * own.
   */
  leave(): void {
    if (this.#isClosed) return
    this.#send({ kind: 'goodbye' })
    this.raylet.flush()
    this.#isClosed = true
    this.raylet.socket.destroySoon()
  }

  close(): void {
    if (this.#isClosed) return
    this.unseen.flush()
    this.unseen.silence()
    this.references.flush()
    this.#send({ kind: 'goodbye' })
    this.raylet.flush()
    this.#isClosed = true
    const error = new SessionError('The session was shut down.')
    for (const waiter of this.#answers.values()) waiter.reject(error)
    this.submitter.failAll(error)
    this.actors.failAll(error)
    this.objects.failAll(error)
    this.placementGroups.failAll(error)
    this.functions.failAll(error)
    this.submitter.close()
    this.actors.close()
    this.store.close()
    this.raylet.socket.end()
  }
}

function taskErrorIn(decoded: unknown): unknown {
  return decoded instanceof Promise ? decoded.then(taskErrorOf) : taskErrorOf(decoded)
}

const diedText =
  'The raylet of this node died, and with it the session: its tasks, actors and stored ' +
  'objects are gone. ' +
  'Call ray.init() to start another.'

const later = (ms: number, run: () => void): void => void setTimeout(run, ms).unref()

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', (cause) =>
      reject(new LocalRayletDiedError('The raylet of this node does not answer.', { cause })),
    )
  })
}
