// The executing half of a worker: takes tasks in order and runs them one at a time.
//
// Tasks of a lease run strictly one after the other, asynchronous ones too, so that results go back
// in order and a worker is one CPU's worth. Three things take a task back before it starts: its
// owner or this worker stops the epoch (claim-slots), the lease is recalled, or it is cancelled.
// Each leaves the owner in no doubt whether it has run.

import { RuntimeEnvSetupError } from '../base/errors.js'
import { leaseFairMs } from '../base/limits.js'
import { isSameSecret } from '../base/secret.js'
import { isAhead } from '../wire/claim-slot.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import type { ToWorker } from '../wire/messages/task.js'
import type { ActorHost } from './actor-host.js'
import { readCall, settleSent } from './call-values.js'
import { cancelContext } from './cancel-context.js'
import { CallRunner } from './call-runner.js'
import type { CoreWorker } from './core-worker.js'
import type { LiveTaskList } from './live-tasks.js'
import { LoadedFunction } from './loaded-function.js'
import { LookAhead } from './look-ahead.js'
import { IdleTimer } from './idle-timer.js'
import { type ConnectionEvents, type Incoming, OwnerConnection } from './owner-connection.js'
import { groupsOf, LazyTaskContext, type TaskPlace } from './task-context.js'
import { cancelledError } from './task-error.js'
import { showGpus } from './visible-gpus.js'

type LeaseOpened = Extract<FromRaylet, { kind: 'leaseOpened' }>

/** Results are kept back for at most this long, in ms. */
const replyDelayMs = 0.3
/** A lease that somebody wants is closed when it was idle for this long. */
const idleCloseMs = 3
/** One on which nothing came yet: its owner has to hear of it, and to connect. */
const unusedCloseMs = leaseFairMs

export class TaskExecutor implements ConnectionEvents {
  readonly #core: CoreWorker
  readonly #runner: CallRunner
  readonly #ahead: LookAhead
  readonly #connections = new Set<OwnerConnection>()
  readonly #functions = new Map<string, LoadedFunction>()
  #queue: Incoming[] = []
  #at = 0
  #isBusy = false
  #running: { task: Incoming; context: LazyTaskContext; start: number } | null = null
  #lease: LeaseOpened | null = null
  #place: TaskPlace = { actorId: undefined, resources: {}, gpus: [], ...groupsOf(undefined) }
  /** The connection whose tasks are claimed, and how many of this epoch were started. */
  #index = 0
  /** This epoch is over: its tasks are the owner's, until it says resume. */
  #isStopped = false
  #isFreedDue = false
  #isRecalled = false
  /** Its owner waits for a worker: the lease is closed when this one has been idle for a moment. */
  #isWanted = false
  /** The recalled lease has had its fair share of time, or its owner is dead. */
  #isUpAtOnce = false
  readonly #idleTimer = new IdleTimer()
  #isOwnerDead = false
  /** Tasks that came on the lease by its owner's socket. */
  #received = 0
  /** The lease is about to be closed, and its owner sends nothing more once it has noticed. */
  #isShut = false
  /** Leases up to this one are over. */
  #lastLease = -1
  #fairTimer: NodeJS.Timeout | null = null
  #isBlocked = false
  #isBlockDue = false
  #lastFlush = 0
  /** This worker runs no more tasks, and ends: its function has run as often as it may. */
  #isRetiring = false
  /** Hears that the last lease of a retiring worker is closed. */
  onRetired: (() => void) | null = null
  /** What must be done before the first task; rejects when the environment cannot be set up. */
  setup: Promise<void> | null = null
  /** Set when this worker becomes an actor. */
  actor: ActorHost | null = null

  constructor(core: CoreWorker) {
    this.#core = core
    this.#runner = new CallRunner(core)
    this.#ahead = new LookAhead(core.raylet)
  }

  accept(connection: OwnerConnection): void {
    this.#connections.add(connection)
  }

  leaseOpened(message: LeaseOpened): void {
    // A lease that its owner returned ends without a word to the worker.
    if (this.#lease !== null) this.#forgetLease(this.#lease)
    this.#lease = message
    this.#place = {
      actorId: undefined,
      resources: message.resources,
      gpus: message.gpus,
      ...groupsOf(message.placementGroup),
    }
    showGpus(message.gpus, this.#core.welcome.resources)
    this.#index = 0
    this.#isStopped = false
    this.#isFreedDue = false
    this.#isOwnerDead = false
    this.#isShut = false
    this.#received = 0
    const { claims, welcome } = this.#core
    // A young worker that has not been idle yet: without the words it could not tell, when it
    // closes this lease, whether a task is on its way.
    if (welcome.claimSlot >= 0) claims.prepare()
    claims.open(welcome.claimSlot, message.lease)
    claims.begin(welcome.claimSlot, message.lease)
    if (message.frames !== undefined) this.#carry(message)
    for (const connection of this.#connections) {
      if (!connection.isEarly || connection.lease !== message.lease) continue
      connection.begin()
      this.#announceOpen(connection)
    }
  }

  #carry(message: LeaseOpened): void {
    const { lease, owner } = message
    const relay = new OwnerConnection(null, this, (frames) => {
      const done = this.#isRelayDone
      this.#isRelayDone = false
      this.#core.raylet.send({ kind: 'relay', lease, owner, frames, done })
    })
    relay.owner = owner
    relay.lease = lease
    relay.isOpen = true
    this.#connections.add(relay)
    relay.feed(message.frames!)
  }

  #isRelayDone = false

  relayed(lease: number, frames: Uint8Array): void {
    for (const connection of this.#connections) {
      if (connection.isRelay && connection.lease === lease) connection.feed(frames)
    }
  }

  recalled(lease: number, recall: { ownerDied: boolean; idleOnly?: boolean }): void {
    if (this.#lease?.lease !== lease) return
    if (recall.idleOnly === true) {
      this.#isWanted = true
      if (this.isIdle) this.#closeSoon()
      return
    }
    this.#isRecalled = true
    if (recall.ownerDied) {
      this.#isUpAtOnce = true
      this.#isOwnerDead = true
      this.#dropQueued()
    }
    if (this.isIdle) this.#closeSoon()
    this.#fairTimer ??= setTimeout(() => {
      this.#fairTimer = null
      if (!this.#isRecalled) return
      this.#isUpAtOnce = true
      // What was sent is run: an owner that computes would not hear that it is its own again.
      if (this.isIdle && !this.#isBlocked) this.#closeWhenEmpty()
      else if (this.#core.claims.isReady) this.#shut()
    }, leaseFairMs)
  }

  // Somebody waits for this worker, and it has nothing to do. Its owner may be busy computing, or
  // only be slow to use the lease that it has just got: closing that at once would make owners take
  // turns after every single task. So it has a moment, again and again until its fair share of time
  // is over.
  #closeSoon(): void {
    if (this.#isUpAtOnce || this.#isShut) {
      this.#closeWhenEmpty()
      return
    }
    this.onWanted?.()
    const isUnused = this.#received === 0 && this.#lease?.frames === undefined
    this.#idleTimer.start(isUnused ? unusedCloseMs : idleCloseMs, this.#closeIfIdle)
  }

  readonly #closeIfIdle = (): void => {
    const isDue = this.#isWanted || this.#isRecalled
    if (isDue && this.isIdle && !this.#isBlocked) this.#closeWhenEmpty()
  }

  /** Called before an idle lease is closed: the claim words should be mapped. */
  onWanted: (() => void) | null = null

  // A task that is on its way here was sent by an owner that may have begun to compute, and would
  // not hear that it came too late. So it is run: the lease is closed when nothing is on its way.
  #closeWhenEmpty(): void {
    if (this.#lease === null) return
    const isKnown = this.#core.claims.isReady && !this.#isOwnerDead && !this.#isRetiring
    if (!isKnown || !isAhead(this.#shut(), this.#received)) this.#closeLease()
  }

  /** Returns how many tasks were sent on the lease, of which there will be no more. */
  #shut(): number {
    this.#isShut = true
    return this.#core.claims.shut(this.#core.welcome.claimSlot)
  }

  /**
   * Everything that has not started is the owner's again: it hears so with `stale`, `back` or from
   * the raylet.
   */
  #dropQueued(): void {
    this.#stopClaims()
    this.#isStopped = true
    this.#queue = this.#queue.slice(this.#at).filter((task) => task.from.isRelay)
    this.#at = 0
  }

  /** Ends the epoch. False: the owner did so before, and knows what it took back. */
  #stopClaims(): boolean {
    const { claims, welcome } = this.#core
    if (!claims.isReady || this.#lease === null) return true
    return claims.stop(welcome.claimSlot, this.#lease.lease) >= 0
  }

  #closeLease(): void {
    const lease = this.#lease
    if (lease === null) return
    this.#forgetLease(lease)
    for (const connection of this.#connections) {
      if (connection.lease !== lease.lease) continue
      connection.send({ kind: 'stale', lease: lease.lease })
      connection.end()
    }
    const isLast = this.#isRetiring ? { isLast: true } : {}
    this.#core.raylet.send({ kind: 'leaseClosed', lease: lease.lease, ...isLast })
    if (this.#isRetiring) this.onRetired?.()
  }

  /** What belongs to a lease and not to the next one. */
  #forgetLease({ lease }: LeaseOpened): void {
    this.#lease = null
    this.#lastLease = lease
    this.#isRecalled = false
    this.#isWanted = false
    this.#isUpAtOnce = false
    this.#idleTimer.stop()
    if (this.#fairTimer !== null) clearTimeout(this.#fairTimer)
    this.#fairTimer = null
    for (const connection of this.#connections) {
      if (connection.isRelay && connection.lease === lease) this.#connections.delete(connection)
    }
  }

  /**
   * The running task is the last. What has not started is its owner's again, which hears so when
   * the lease is closed.
   */
  #retire(): void {
    this.#isRetiring = true
    this.#isRecalled = true
    this.#isUpAtOnce = true
    this.#dropQueued()
  }

  /** Connections that are not closed: their owners may still have something to say. */
  get hasConnections(): boolean {
    return this.#connections.size > 0
  }

  opened(connection: OwnerConnection, message: Extract<ToWorker, { kind: 'open' }>): void {
    if (!isSameSecret(message.token, this.#core.token)) {
      connection.destroy()
      return
    }
    connection.isOpen = true
    connection.owner = message.owner
    if (message.actor !== undefined) {
      connection.isActor = true
      return
    }
    const lease = message.lease ?? -1
    connection.lease = lease
    const current = this.#lease?.lease ?? -1
    const isOver = lease <= this.#lastLease
    if (lease === current) {
      this.#announceOpen(connection)
      if (this.#isStopped)
        connection.send({ kind: 'back', started: this.#index, blocked: this.#isBlocked })
    } else if (!isOver) connection.isEarly = true
    else {
      connection.send({ kind: 'stale', lease })
      connection.end()
    }
  }

  #announceOpen(connection: OwnerConnection): void {
    connection.send({ kind: this.#core.claims.isReady ? 'claims' : 'opened' })
  }

  /** The claim words are mapped: owners may send ahead from now on. */
  claimsReady(): void {
    const carried = this.#lease?.frames === undefined ? 0 : this.#lease.lease
    this.#core.claims.carry(this.#core.welcome.claimSlot, carried)
    if (this.#lease !== null) {
      this.#core.claims.open(this.#core.welcome.claimSlot, this.#lease.lease)
      this.#core.claims.begin(this.#core.welcome.claimSlot, this.#lease.lease, this.#index)
    }
    for (const connection of this.#connections) {
      if (connection.lease === this.#lease?.lease && !connection.isRelay)
        this.#announceOpen(connection)
    }
  }

  /** Adds the task that runs, or the calls if this is an actor. */
  listRunning(list: LiveTaskList): void {
    this.actor?.listRunning(list)
    if (this.#running === null) return
    const { task, context, start } = this.#running
    const { process, isWaiting } = this.#core
    list.addRunning(task, { context, start, worker: process, isWaiting })
  }

  /** The words may be mapped only between tasks: an epoch begins with it. */
  get isIdle(): boolean {
    return !this.#isBusy && this.#at === this.#queue.length
  }

  arrived(task: Incoming): void {
    if (task.from.isActor) {
      this.actor?.arrived(task)
      return
    }
    // What comes after a lease was closed has been given back with `stale`, and must not run here
    // too.
    this.#ahead.arrived(task)
    if (task.from.isRelay) this.#queue.push(task)
    else if (task.from.lease === this.#lease?.lease) {
      this.#received++
      if (!this.#isStopped) this.#queue.push(task)
    }
  }

  resumed(connection: OwnerConnection): void {
    if (connection.lease !== this.#lease?.lease || this.#isRetiring) return
    this.#queue = this.#queue.slice(this.#at).filter((task) => task.from.isRelay)
    this.#at = 0
    this.#isStopped = false
    this.#index = 0
    this.#core.claims.begin(this.#core.welcome.claimSlot, connection.lease)
    this.#isFreedDue = true
    if (!this.#isBusy) this.#sendFreed()
  }

  #sendFreed(): void {
    if (!this.#isFreedDue || this.#isBlocked) return
    this.#isFreedDue = false
    for (const connection of this.#connections) {
      if (connection.lease === this.#lease?.lease && !connection.isRelay)
        connection.send({ kind: 'freed' })
    }
  }

  message(connection: OwnerConnection, message: ToWorker): void {
    switch (message.kind) {
      case 'cancel':
        this.#cancel(connection, message)
        break
      case 'escaped':
        this.#escaped(connection, message.sequence)
        break
      case 'credit':
        ;(connection.isActor ? this.actor : this.#runner)?.credit(
          connection,
          message.sequence,
          message.items,
        )
        break
      case 'received':
      case 'open':
        break
    }
  }

  // A ref has escaped after its task was sent. If the task has not finished, its result goes to the
  // raylet too.
  #escaped(connection: OwnerConnection, sequence: number): void {
    const sent = connection.replies.recent(sequence)
    if (sent !== undefined) settleSent(this.#core, [connection.owner, sequence], sent)
    else (connection.isActor ? this.actor : this.#runner)?.escape(connection, sequence)
  }

  #cancel(
    connection: OwnerConnection,
    { sequence, recursive }: { sequence: number; recursive: boolean },
  ): void {
    if (connection.isActor) {
      this.actor?.cancel(connection, { sequence, recursive })
      return
    }
    const running = this.#running
    if (running?.task.from === connection && running.task.sequence === sequence) {
      cancelContext(this.#core, running.context, recursive)
      return
    }
    for (let i = this.#at; i < this.#queue.length; i++) {
      const task = this.#queue[i]!
      if (task.from === connection && task.sequence === sequence) task.isCancelled = true
    }
  }

  progressed(): void {
    this.#drain()
    this.actor?.drain()
  }

  closed(connection: OwnerConnection): void {
    this.#connections.delete(connection)
    ;(connection.isActor ? this.actor : this.#runner)?.abandon(connection, this.#connections)
  }

  #drain(): void {
    if (this.#isBusy) return this.#lookAhead()
    this.#isBusy = true
    while (this.#at < this.#queue.length) {
      const task = this.#queue[this.#at]!
      if (task.from.isRelay) this.#core.claims.carry(this.#core.welcome.claimSlot, task.from.lease)
      else if (!this.#claim()) continue
      this.#queue[this.#at++] = undefined as unknown as Incoming
      const later = this.#start(task)
      if (later !== null) {
        // A rejection is a fault of ours: unhandled, it ends the worker, and the caller hears.
        void later.then(this.#next)
        return this.#lookAhead()
      }
    }
    this.#isBusy = false
    this.#lookAhead()
    this.#drained()
  }

  #lookAhead(): void {
    if (!this.#ahead.isQuiet) this.#ahead.look(this.#queue.slice(this.#at))
  }

  readonly #next = (): void => {
    this.#running = null
    this.#isBusy = false
    // It may have left a wait behind, which is nobody's now.
    this.#unblock()
    this.#drain()
  }

  /** False: the owner took the rest back, which is dropped here; it sends `resume` behind it. */
  #claim(): boolean {
    const { claims, welcome } = this.#core
    if (!this.#isStopped) {
      const lease = this.#lease?.lease ?? -1
      if (!claims.isReady || claims.claim(welcome.claimSlot, lease, this.#index)) {
        this.#index++
        return true
      }
      this.#isStopped = true
    }
    this.#queue = this.#queue.slice(this.#at).filter((task) => task.from.isRelay)
    this.#at = 0
    return false
  }

  #drained(): void {
    if (this.#at > 0 && this.#at >= this.#queue.length) {
      this.#queue = []
      this.#at = 0
    }
    this.flush()
    this.#sendFreed()
    if (this.#at === this.#queue.length) {
      if (this.#isRecalled || this.#isWanted) this.#closeSoon()
    }
    this.onIdle?.()
  }

  onIdle: (() => void) | null = null

  flush(): void {
    for (const connection of this.#connections) {
      if (!connection.replies.isEmpty) {
        if (connection.isRelay) this.#isRelayDone = true
        connection.replies.flush()
      }
    }
    this.#lastFlush = this.#core.now()
  }

  /** Resolves when all answers have left this process. */
  async written(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.written()))
  }

  /** Runs one task. Null: it has finished. */
  #start(task: Incoming): Promise<void> | null {
    const descriptor = task.from.descriptors[task.fn]
    if (descriptor === undefined) throw new Error(`typeray: task of undefined function ${task.fn}`)
    const fn = this.#functions.get(descriptor.hash)
    if (fn === undefined) return this.#load(task, descriptor.hash, descriptor.name)
    return this.#run(task, fn)
  }

  async #load(task: Incoming, hash: string, name: string): Promise<void> {
    this.flush()
    let fn: LoadedFunction
    try {
      if (this.setup !== null) await this.setup
      fn = new LoadedFunction(name, await this.#core.functions.load(hash))
    } catch (error) {
      this.#runner.fail(task, { name, error, durationUs: 0 })
      // Another worker may have more luck with its environment than this one.
      if (error instanceof RuntimeEnvSetupError) this.#retire()
      return
    }
    this.#functions.set(hash, fn)
    await this.#run(task, fn)
  }

  #run(task: Incoming, fn: LoadedFunction): Promise<void> | null {
    const now = this.#core.now()
    if (fn.isSlow || now - this.#lastFlush > replyDelayMs) this.flush()
    if (task.isCancelled) {
      const context = this.#contextOf(task, fn.name, 0)
      this.#runner.fail(task, { name: fn.name, error: cancelledError(context), durationUs: 0 })
      return null
    }
    let call
    try {
      call = readCall(this.#core, task)
    } catch (error) {
      this.#runner.fail(task, { name: fn.name, error, durationUs: 0 })
      return null
    }
    const { maxCalls } = call.extension
    if (maxCalls !== undefined && fn.isLastCall(maxCalls)) this.#retire()
    const name = call.extension.name ?? fn.name
    const context = this.#contextOf(task, name, call.extension.depth ?? 0)
    this.#running = { task, context, start: now }
    const returns = call.extension.returns ?? task.returns
    const job = { task, fn, name, context, returns, extension: call.extension }
    const done = Array.isArray(call.args)
      ? this.#runner.run(job, call.args)
      : this.#runner.runLater(job, call.args)
    if (done === null) this.#running = null
    return done
  }

  #contextOf(task: Incoming, name: string, depth: number): LazyTaskContext {
    const { from, sequence, attempt } = task
    return new LazyTaskContext(
      { owner: from.owner, sequence, attempt },
      { name, depth },
      this.#place,
    )
  }

  /**
   * The running task waits, or goes on. Its turn must have ended: a get that is ready at once
   * blocks nobody.
   */
  blocked(isBlocked: boolean): void {
    if (!isBlocked) this.#unblock()
    else if (!this.#isBlocked && !this.#isBlockDue) {
      this.#isBlockDue = true
      setImmediate(() => {
        this.#isBlockDue = false
        if (this.#core.isWaiting && this.#isBusy && !this.#isBlocked) this.#block()
      })
    }
  }

  #unblock(): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    this.#core.raylet.send({ kind: 'unblocked' })
  }

  #block(): void {
    this.#isBlocked = true
    this.flush()
    if (!this.#isStopped) {
      const started = this.#index
      const isOurs = this.#stopClaims()
      this.#dropQueued()
      if (isOurs) {
        for (const connection of this.#connections) {
          if (
            connection.lease === this.#lease?.lease &&
            !connection.isRelay &&
            !connection.isEarly
          ) {
            connection.send({ kind: 'back', started, blocked: true })
          }
        }
      }
    }
    this.#core.raylet.send({ kind: 'blocked' })
  }
}
