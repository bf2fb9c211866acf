// Who may use which worker of this node.
//
// Owners ask for leases, not for tasks: with a lease in hand an owner pushes as many tasks as it
// likes directly to the worker. A request may carry its first task, which the raylet hands to the
// worker with the grant, so that it runs although its owner is busy computing. That makes leases
// sticky: an owner that computes does not return them. So when others wait, the raylet recalls
// leases and the worker, which knows whether it is idle, closes them.
//
// Pure: events in, effects out. Time comes with the event; `deadline()` says when the next tick is
// due. See docs/internals/leases.md for the rules and their reasons.

import { assertNever } from '../base/assert.js'
import { nodeNumberOf, type ProcessId } from '../base/ids.js'
import { leaseOwnerDiedMs, shutdownMs } from '../base/limits.js'
import { devicesOf } from '../scheduling/resource-pool.js'
import type { ResourceSet } from '../scheduling/resources.js'
import { groupRemovedReason, type ProcessExit, type WireError } from '../wire/messages/terms.js'
import { roomKey } from '../wire/messages/gcs.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import { ActorPlacement } from './actor-placement.js'
import { Admission } from './admission.js'
import { ForeignRequests } from './foreign-requests.js'
import { GrantRound, type Grant } from './grant-round.js'
import { GroupMoves } from './group-moves.js'
import type { LeaseEffect, LeaseEvent } from './lease-events.js'
import type { PendingRequest } from './lease-queue.js'
import { recallLeases } from './lease-recall.js'
import { leaseRequest } from './lease-request.js'
import { LeaseTables, type LeaseTablesOptions } from './lease-tables.js'
import { validateLeases } from './lease-validation.js'
import { outlivesJob } from './outlives-job.js'
import { ReservedRooms } from './reserved-rooms.js'
import { RunawayWatch } from './runaway-watch.js'
import { nodeDeath, Spillback, type SpillbackPorts } from './spillback.js'
import { StartFailures } from './start-failures.js'
import { StarvationWatch } from './starvation-watch.js'
import { workerKindKey, type WorkerKind } from './worker-kind.js'
import type { Lease, WorkerRecord } from './worker-table.js'

type EventOf<Kind extends LeaseEvent['kind']> = Extract<LeaseEvent, { kind: Kind }>

type NewsKind =
  | 'clusterView'
  | 'requestReturned'
  | 'recallRequest'
  | 'bundleFree'
  | 'requestAnswered'
  | 'nodeDied'
  | 'groupLocated'
  | 'groupGone'

export class LeaseState {
  readonly tables: LeaseTables
  readonly spillback: Spillback
  readonly #actors: ActorPlacement
  readonly #admission: Admission
  readonly #foreign: ForeignRequests
  readonly #moves: GroupMoves
  readonly #rooms: ReservedRooms
  readonly #runaway: RunawayWatch
  readonly #starvation: StarvationWatch
  /** Jobs for which workers are kept ahead of need. */
  readonly #jobs = new Set<string>()
  readonly #startFailures = new StartFailures()
  /** When leases that are too young now may be recalled. */
  #recallAt = Infinity
  #leaseCount = 0
  #effects: LeaseEffect[] = []

  constructor(options: LeaseTablesOptions & Partial<SpillbackPorts>) {
    this.tables = new LeaseTables(options)
    const emit = (effect: LeaseEffect): void => void this.#effects.push(effect)
    const { bytesOn = () => undefined } = options
    this.spillback = new Spillback({ tables: this.tables, emit, bytesOn })
    this.#rooms = new ReservedRooms(this.tables)
    this.#runaway = new RunawayWatch(this.tables)
    this.#starvation = new StarvationWatch(this.tables)
    this.#actors = new ActorPlacement(this.tables, emit)
    const foreign = new ForeignRequests(this.tables, emit)
    this.#foreign = foreign
    this.#moves = new GroupMoves({ tables: this.tables, foreign, spillback: this.spillback, emit })
    const refuse = (request: PendingRequest, error?: WireError): void =>
      this.#refuse(request, error)
    this.#admission = new Admission({ tables: this.tables, refuse })
  }

  handle(event: LeaseEvent, now: number): LeaseEffect[] {
    this.#effects = []
    if (this.#apply(event, now)) this.#grantRound(now)
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** When the next tick is due; Infinity when nothing waits for time to pass. */
  deadline(): number {
    const { infeasible } = this.tables
    const told = Math.min(this.#starvation.deadline, infeasible.deadline)
    const watches = Math.min(this.#runaway.deadline, told)
    return Math.min(this.tables.workers.deadline(), watches, this.#recallAt)
  }

  get available(): ResourceSet {
    return this.tables.pool.available
  }

  validate(): void {
    validateLeases(this.tables)
  }

  /** Whether a round of granting must follow. */
  #apply(event: LeaseEvent, now: number): boolean {
    switch (event.kind) {
      case 'requestLease':
        return this.#request(event, now)
      case 'cancelLeaseRequest':
        return this.#cancelRequest(event)
      case 'returnLease':
        return this.#returned(event, now)
      case 'leaseClosed':
        return this.#closed(event, now)
      case 'blocked':
        return this.#blocked(event.from)
      case 'unblocked':
        return this.#unblocked(event.from)
      case 'relay':
        return this.#relay(event)
      case 'relayToWorker':
        return this.#relayToWorker(event)
      case 'signalWorker':
        return this.#signalWorker(event)
      case 'interrupted':
        this.tables.workers.interrupted(event.from)
        return false
      case 'lineBroken':
        return this.#lineBroken(event)
      case 'actorStarted':
        this.#actors.started(event, now)
        return false
      case 'actorExiting':
        this.#actors.exiting(event, now)
        return false
      case 'placeActor':
        return this.#placeActor(event)
      case 'endActor':
        return this.#actors.end(event)
      case 'reserveRoom':
        return this.#rooms.reserve(event.rooms)
      case 'reserveBundles':
        this.#rooms.end(roomKey('group', event.group))
        return this.#reserveBundles(event)
      case 'returnBundles':
        return this.#returnBundles(event)
      case 'memoryShort':
        return this.#memoryShort(event, now)
      case 'workerJoined':
        return this.#workerJoined(event, now)
      case 'workerDied':
        return this.#workerDied(event, now)
      case 'processDied':
        this.#dropOwner(event.process, now)
        return true
      case 'jobStarted':
        this.#jobs.add(event.jobId)
        return true
      case 'jobFinished':
        return this.#jobFinished(event.jobId, now)
      case 'tick':
        return this.#tick(now)
      default:
        return this.#applyNews(event, now)
    }
  }

  /** What is said of other nodes, and by them. */
  #applyNews(event: EventOf<NewsKind>, now: number): boolean {
    switch (event.kind) {
      case 'clusterView':
        this.spillback.viewChanged(event.nodes, now)
        this.#moves.viewChanged()
        for (const request of this.#admission.takePossible()) this.#place(request, now)
        return true
      case 'requestReturned':
        return this.#requestReturned(event, now)
      case 'recallRequest':
        return this.#foreign.recall(event)
      case 'bundleFree':
        return this.#moves.received(event, now)
      case 'requestAnswered':
        this.spillback.answered(event.owner, event.request)
        return false
      case 'nodeDied':
        return this.#nodeDied(event, now)
      case 'groupLocated':
        this.spillback.groupLocated(event, now)
        return true
      case 'groupGone':
        this.tables.bundles.markGone(event.group, event.message, event.isRemoved)
        return true
      default:
        return assertNever(event)
    }
  }

  #request(event: EventOf<'requestLease'>, now: number): boolean {
    const request = leaseRequest(event)
    if (event.passed === undefined) return this.#place(request, now)
    if (!this.#foreign.receive(request, event)) return false
    // Workers for the job are kept ahead here from now on.
    if (!this.tables.workers.hasFinished(event.jobId)) this.#jobs.add(event.jobId)
    return true
  }

  /** Refuses it, passes it on, or queues it here. */
  #place(request: PendingRequest, now: number): boolean {
    if (!this.#admission.admits(request, now) || !this.spillback.stays(request, now)) return false
    this.tables.queue.add(request)
    return true
  }

  #requestReturned(event: EventOf<'requestReturned'>, now: number): boolean {
    const passed = this.spillback.returned(event)
    if (passed === undefined) return false
    if (!passed.isCancelled) return this.#place(passed.request, now)
    this.#refuseCancelled(passed.request)
    return false
  }

  #nodeDied({ nodeNumber, nodeId }: EventOf<'nodeDied'>, now: number): boolean {
    const owners = this.#foreign.ownersOn((owner) => nodeNumberOf(owner) === nodeNumber)
    for (const owner of owners) this.#dropOwner(owner, now)
    for (const request of this.spillback.nodeDied(nodeNumber, nodeDeath(nodeId))) {
      this.#place(request, now)
    }
    return true
  }

  /** What the worker has run without its owner hearing of it nobody knows, unless it ends. */
  #lineBroken(event: EventOf<'lineBroken'>): boolean {
    const lease = this.tables.leases.get(event.lease)
    if (lease === undefined || lease.owner !== event.from) return false
    this.#kill(lease.worker, 'its connection to its owner broke')
    return false
  }

  #cancelRequest(event: EventOf<'cancelLeaseRequest'>): boolean {
    const cancelled = this.tables.takeWaiting(
      ({ owner, request }) => owner === event.from && request === event.request,
    )
    for (const request of cancelled) this.#refuseCancelled(request)
    if (cancelled.length === 0) this.spillback.cancel(event)
    return cancelled.length > 0
  }

  /** The answer tells the owner that a carried task was not handed over. */
  #refuseCancelled(request: PendingRequest): void {
    const message = 'The lease request was cancelled.'
    this.#refuse(request, { code: 'RAY_TASK_CANCELLED', message })
  }

  #refuse(request: PendingRequest, error?: WireError): void {
    if (request.reservation !== undefined) return
    if (request.actor !== undefined) this.#actors.refuse(request.actor, error)
    else if (error !== undefined) {
      this.#send(request.owner, { kind: 'leaseRefused', request: request.request, error })
    }
  }

  #grant({ request, worker, pool, allocation }: Grant, now: number): void {
    this.tables.queue.remove(request)
    const name = request.name
    this.#effects.push({ kind: 'nameWorker', start: worker.start, name, jobId: request.jobId })
    if (request.actor !== undefined) {
      this.tables.workers.setState(worker, 'actor', now)
      worker.actor = { actor: request.actor, isStarted: false, pool, allocation }
      this.#actors.handOver(worker, worker.actor)
      return
    }
    const { owner, depth, shape, task, isOnce } = request
    const lease = this.tables.firstLease + ++this.#leaseCount
    const entry: Lease = {
      lease, owner, name, depth, shape, worker, pool, allocation, grantedAt: now, recall: 'none',
      isOnce, outlivesJob: request.asked?.passed?.outlivesJob === true,
    } // prettier-ignore
    this.tables.leases.set(lease, entry)
    this.tables.workers.setState(worker, 'leased', now)
    worker.lease = entry
    if (task !== undefined && task.nested.length > 0) {
      this.#effects.push({ kind: 'lend', to: worker.process, objects: task.nested })
    }
    this.#send(worker.process, {
      kind: 'leaseOpened',
      lease,
      owner,
      resources: allocation.resources.toResources(),
      gpus: devicesOf(allocation, 'GPU'),
      jobId: request.jobId,
      ...(request.target === undefined ? {} : { placementGroup: request.target }),
      ...(task === undefined ? {} : { frames: task.frames }),
    })
    this.#send(owner, {
      kind: 'leaseGranted',
      request: request.request,
      lease,
      worker: worker.process,
      pid: worker.pid,
      address: worker.address,
      claimSlot: worker.claimSlot,
      carried: task !== undefined,
    })
  }

  /** Takes the lease off its worker and gives its resources back. */
  #close(lease: Lease): void {
    this.tables.leases.delete(lease.lease)
    const { worker, pool, allocation } = lease
    if (worker.isBlocked) pool.retake(allocation.resources.only('CPU'))
    pool.release(allocation)
    this.tables.bundles.settle()
    worker.lease = undefined
    worker.isBlocked = false
  }

  #returned(event: EventOf<'returnLease'>, now: number): boolean {
    const lease = this.tables.leases.get(event.lease)
    if (lease === undefined || lease.owner !== event.from) return false
    this.#close(lease)
    this.#free(lease.worker, now)
    return true
  }

  #free(worker: WorkerRecord, now: number): void {
    if (worker.isSpoiled) this.#endIdle(worker, now)
    else this.tables.workers.setIdle(worker, now)
  }

  #closed(event: EventOf<'leaseClosed'>, now: number): boolean {
    const lease = this.tables.leases.get(event.lease)
    // An owner that returned the lease was faster than its worker that closed it.
    if (lease === undefined || lease.worker.process !== event.from) return false
    this.#close(lease)
    if (event.isLast === true) this.tables.workers.setState(lease.worker, 'ending', now)
    else this.#free(lease.worker, now)
    this.#send(lease.owner, { kind: 'leaseEnded', lease: lease.lease })
    return true
  }

  #blocked(process: ProcessId): boolean {
    const worker = this.tables.workers.ofProcess(process)
    if (worker?.lease === undefined || worker.isBlocked) return false
    worker.isBlocked = true
    worker.lease.pool.lend(worker.lease.allocation.resources.only('CPU'))
    // Its bundle may have been removed, and its end may be on the way.
    this.tables.bundles.settle()
    return true
  }

  #unblocked(process: ProcessId): boolean {
    const worker = this.tables.workers.ofProcess(process)
    if (worker?.lease === undefined || !worker.isBlocked) return false
    worker.isBlocked = false
    worker.lease.pool.retake(worker.lease.allocation.resources.only('CPU'))
    this.#runaway.reset()
    return false
  }

  #relay({ owner, lease, frames, done }: EventOf<'relay'>): boolean {
    this.#send(owner, { kind: 'relayed', lease, frames, done })
    return false
  }

  #relayToWorker(event: EventOf<'relayToWorker'>): boolean {
    const lease = this.tables.leases.get(event.lease)
    if (lease === undefined || lease.owner !== event.from) return false
    const { lease: number, frames } = event
    this.#send(lease.worker.process, { kind: 'relayedToWorker', lease: number, frames })
    return false
  }

  /** Only the owner of the lease may: the worker may be somebody else's by now. */
  #signalWorker(event: EventOf<'signalWorker'>): boolean {
    // By now the worker may have another lease, of the same owner too.
    const lease = this.tables.leases.get(event.lease)
    if (lease === undefined || lease.owner !== event.from) return false
    const { signal, reason } = event
    const { worker } = lease
    if (signal === 'SIGKILL') worker.isDoomed = true
    else worker.isSpoiled = true
    this.#effects.push({ kind: 'signalWorker', start: worker.start, signal, reason })
    return false
  }

  /** The actor takes the place in the queue that was kept for it. */
  #placeActor(event: EventOf<'placeActor'>): boolean {
    const kept = this.#rooms.end(roomKey('actor', event.spec.actor))
    return this.#actors.place(event, kept) || kept !== undefined
  }

  #reserveBundles(event: EventOf<'reserveBundles'>): boolean {
    const { group, attempt, bundles } = event
    const ok = this.tables.bundles.reserve(group, bundles)
    const { nodeId } = this.tables
    this.#effects.push({
      kind: 'gcs',
      message: { kind: 'bundlesReserved', nodeId, group, attempt, ok },
    })
    return ok
  }

  #returnBundles(event: EventOf<'returnBundles'>): boolean {
    const pools = this.tables.bundles.giveBack(event.group, event.indexes, event.removed)
    for (const worker of this.tables.workers.all()) {
      const hold = worker.lease ?? worker.actor
      if (hold !== undefined && pools.includes(hold.pool)) {
        this.#kill(worker, groupRemovedReason)
      }
    }
    return true
  }

  #kill(worker: WorkerRecord, reason: string): void {
    worker.isDoomed = true
    this.#effects.push({ kind: 'signalWorker', start: worker.start, signal: 'SIGKILL', reason })
  }

  #memoryShort({ start, report }: EventOf<'memoryShort'>, now: number): boolean {
    const worker = this.tables.workers.get(start)
    if (worker === undefined) return false
    // Nobody gets it any more; one in use is closed when it has died.
    if (worker.state === 'idle') this.tables.workers.setState(worker, 'ending', now)
    this.#kill(worker, report)
    return false
  }

  #startWorker(kind: WorkerKind, now: number): void {
    const { start } = this.tables.workers.add(kind, now)
    const { jobId, environment } = kind
    this.#effects.push({ kind: 'startWorker', start, jobId, environment })
  }

  #workerJoined(event: EventOf<'workerJoined'>, now: number): boolean {
    const worker = this.tables.workers.get(event.start)
    // It was sent away while it was on its way here.
    if (worker?.state === 'ending') this.#kill(worker, 'not needed any more')
    if (worker?.state !== 'starting') return false
    worker.pid = event.pid
    worker.address = event.address
    worker.claimSlot = event.claimSlot
    this.tables.workers.joined(worker, event.process, now)
    this.#startFailures.started(worker.kindKey)
    return true
  }

  #workerDied(event: EventOf<'workerDied'>, now: number): boolean {
    const worker = this.tables.workers.get(event.start)
    if (worker === undefined) return false
    const { exit } = event
    if (worker.state === 'starting') this.#startFailed(worker, exit)
    const { lease, actor } = worker
    if (lease !== undefined) {
      this.#close(lease)
      this.#send(lease.owner, { kind: 'leaseEnded', lease: lease.lease, exit })
    }
    if (actor !== undefined) {
      actor.pool.release(actor.allocation)
      this.tables.bundles.settle()
      this.#actors.died(
        actor.actor,
        worker.selfExit === '' ? exit : { ...exit, reason: worker.selfExit },
      )
      worker.actor = undefined
    }
    this.tables.workers.remove(worker, now)
    if (worker.process !== 0) this.#dropOwner(worker.process, now)
    return true
  }

  #startFailed(worker: WorkerRecord, exit: ProcessExit): void {
    const error = this.#startFailures.failed(worker.kindKey, exit)
    if (error === undefined) return
    const refused = this.tables.queue.take(
      ({ workerKind, reservation }) =>
        reservation === undefined && workerKindKey(workerKind) === worker.kindKey,
    )
    for (const request of refused) this.#refuse(request, error)
    // Keep none ahead either: the next request tries again.
    this.#jobs.delete(worker.kind.jobId)
  }

  /** Ends its workers, but for actors: the GCS knows which of those are detached. */
  #jobFinished(jobId: string, now: number): boolean {
    this.#jobs.delete(jobId)
    this.#starvation.jobFinished(jobId)
    this.tables.workers.jobFinished(jobId)
    this.tables.takeWaiting(
      ({ actor, reservation, jobId: of, owner }) =>
        actor === undefined &&
        reservation === undefined &&
        of === jobId &&
        !outlivesJob(this.tables, this.tables.workers.ofProcess(owner)),
    )
    for (const worker of [...this.tables.workers.all()]) {
      if (worker.kind.jobId !== jobId || worker.state === 'actor') continue
      if (outlivesJob(this.tables, worker)) continue
      // Nobody gets it any more; a leased one is closed when it has died.
      if (worker.state !== 'leased') this.tables.workers.setState(worker, 'ending', now)
      this.#kill(worker, 'job finished')
    }
    return true
  }

  #dropOwner(process: ProcessId, now: number): void {
    this.spillback.ownerDied(process)
    this.tables.takeWaiting(({ owner }) => owner === process)
    for (const lease of this.tables.leases.values()) {
      if (lease.owner !== process || lease.recall === 'ownerDied') continue
      lease.recall = 'ownerDied'
      lease.worker.killAt = now + leaseOwnerDiedMs
      lease.worker.killReason = 'owner died'
      this.#send(lease.worker.process, {
        kind: 'recallLease', lease: lease.lease, ownerDied: true,
      }) // prettier-ignore
    }
  }

  #tick(now: number): boolean {
    for (const worker of [...this.tables.workers.all()]) {
      if (worker.killAt > now) continue
      worker.killAt = Infinity
      this.#kill(worker, worker.killReason)
    }
    for (const worker of this.tables.workers.surplus(now)) this.#endIdle(worker, now)
    for (const request of this.#runaway.take(now)) {
      this.#refuse(request, this.#runaway.refusal(request))
    }
    const warnings = [...this.#starvation.take(now), ...this.tables.infeasible.warnings(now)]
    for (const { jobId, text } of warnings) {
      this.#effects.push({ kind: 'warn', jobId, text })
    }
    return true
  }

  #endIdle(worker: WorkerRecord, now: number): void {
    this.tables.workers.setState(worker, 'ending', now)
    worker.killAt = now + shutdownMs
    worker.killReason = 'did not end when asked to'
    this.#send(worker.process, { kind: 'exit', reason: 'idle' })
  }

  #grantRound(now: number): void {
    const round = new GrantRound({
      queue: this.tables.queue,
      workers: this.tables.workers,
      poolsOf: (request) => this.tables.poolsOf(request),
      reclaimable: (pool) => this.tables.reclaimable(pool),
      besideWaiting: (pool) => this.tables.besideWaiting(pool),
      grant: (grant) => this.#grant(grant, now),
    })
    if (!this.tables.queue.isQuiet(this.tables.pool.available)) {
      if (!this.tables.isAlone) this.#foreign.sendBackImpossible()
      this.#admission.sift(now)
      round.run()
    }
    for (const { kind, count } of round.wanted.values()) {
      const missing = count - this.tables.workers.startingOf(workerKindKey(kind))
      for (let n = 0; n < missing && this.#hasRoom(kind, now); n++) this.#startWorker(kind, now)
    }
    for (const jobId of this.#jobs) {
      const kind: WorkerKind = { jobId, environment: '', usesGpu: false }
      const missing = Math.min(
        this.tables.workers.missingAhead(workerKindKey(kind)),
        this.tables.workers.startRoom,
      )
      for (let n = 0; n < missing; n++) this.#startWorker(kind, now)
    }
    this.#actors.sendAway(round.stuck)
    this.spillback.balance(now)
    this.#moves.look()
    const send = (to: ProcessId, message: FromRaylet): void => this.#send(to, message)
    this.#recallAt = recallLeases(round.stuck, { tables: this.tables, send, now })
    this.#runaway.look(round.stuck, now)
    this.#starvation.look(round.stuck, now)
  }

  #hasRoom(kind: WorkerKind, now: number): boolean {
    if (this.tables.workers.startRoom > 0) return true
    if (this.tables.workers.size < this.tables.workers.limit) return false
    const other = this.tables.workers.idleNotOf(workerKindKey(kind))
    if (other !== undefined) this.#endIdle(other, now)
    return false
  }

  #send(to: ProcessId, message: FromRaylet): void {
    this.#effects.push({ kind: 'send', to, message })
  }
}
