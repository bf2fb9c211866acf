// Sends tasks to leased workers.
//
// The raylet is asked for leases, not for tasks: a lease is the right to push tasks to one worker
// until it is returned, and is used again for every task of the same scheduling key. A request
// carries a task, which the raylet hands to the worker that it grants, so that work starts although
// this process goes on computing and never reads the grant.
//
// How much is in flight to one worker follows from what its functions were measured to take:
// nothing waits behind a task that is long, and short ones are kept coming. What waits behind a
// task that blocks, or turns out to run long, comes back.

import type { RayError } from '../base/errors.js'
import { nodeNumberOf, type ProcessId } from '../base/ids.js'
import {
  leaseRequestsLongMax,
  leaseRequestsUnknownMax,
  windowTasksMax,
  windowWorkUs,
} from '../base/limits.js'
import type { ProcessExit, Resources, WireError } from '../wire/messages/terms.js'
import { pushFlag } from '../wire/frame.js'
import type { FromRaylet, LeaseKey } from '../wire/messages/raylet.js'
import { carriedTask } from './carried-task.js'
import type { ClaimSlots } from './claim-slots.js'
import { LeaseLine, type LineEvents } from './lease-line.js'
import { LineWatch } from './line-watch.js'
import type { LiveTaskList } from './live-tasks.js'
import type { RayletSender, ReferenceHolder } from './reference-holder.js'
import { nextAverage } from './running-average.js'
import type { SchedulingKey } from './scheduling-key.js'
import { SchedulingKeys } from './scheduling-keys.js'
import { type FunctionEntry, type Task, taskStatus } from './task.js'

/** A task whose measured functions take longer than this is long: nothing is sent behind it. */
const longTaskUs = windowWorkUs
/** So long that a request for every task costs nothing beside it. */
const veryLongTaskUs = 20_000
/** Results to have seen before the average of a function is believed. */
const measuredMin = 4
/** Tasks of one turn that are sent one by one; a write costs some microseconds. */
const promptTasksMax = 8

type Granted = Extract<FromRaylet, { kind: 'leaseGranted' }>

/** What the submitter does with outcomes; the core worker settles refs. */
export interface TaskOutcomes {
  taskAnswered(task: Task, body: Uint8Array): void
  itemArrived(task: Task, index: number, body: Uint8Array): void
  /** The worker of the task died while it ran, or may have. */
  workerLost(task: Task, exit: ProcessExit): void
  leaseRefused(task: Task, error: WireError): void
  /** A cancelled task came back unrun. */
  cancelled(task: Task): void
  sessionLost(task: Task, error: RayError): void
  /** A carried task was cancelled while it was handed to its worker. */
  cancelledOnTheWay(task: Task): void
}

export class TaskSubmitter {
  readonly #process: ProcessId
  readonly #token: string
  readonly #raylet: RayletSender
  readonly #references: ReferenceHolder
  readonly #claims: ClaimSlots
  readonly #outcomes: TaskOutcomes
  readonly #now: () => number
  readonly #keys: SchedulingKeys
  readonly #requests = new Map<number, SchedulingKey>()
  /** Requests that we took back and that the raylet has not answered. */
  readonly #trimmed = new Set<number>()
  readonly #lines = new Map<number, LeaseLine>()
  readonly #keyOfLine = new Map<LeaseLine, SchedulingKey>()
  readonly #dirty: SchedulingKey[] = []
  #isPumping = false
  #requestCount = 0
  readonly #watch: LineWatch
  readonly #events: LineEvents

  constructor(options: {
    process: ProcessId
    token: string
    raylet: RayletSender
    references: ReferenceHolder
    claims: ClaimSlots
    outcomes: TaskOutcomes
    now: () => number
    total: Resources
  }) {
    this.#process = options.process
    this.#token = options.token
    this.#raylet = options.raylet
    this.#references = options.references
    this.#claims = options.claims
    this.#outcomes = options.outcomes
    this.#now = options.now
    this.#keys = new SchedulingKeys(options.total)
    this.#events = this.#makeEvents()
    this.#watch = new LineWatch({
      lines: this.#lines,
      keys: this.#keys,
      isWanted: (line) => (this.#keyOfLine.get(line)?.length ?? 0) > 0 && !line.isClosing,
      giveBack: (line) => this.#giveBack(line),
      stop: (line) => this.#stop(line),
      now: this.#now,
    })
  }

  key(lease: LeaseKey): SchedulingKey {
    return this.#keys.of(lease)
  }

  /** How many kinds of tasks this process remembers. */
  get knownKeys(): number {
    return this.#keys.known
  }

  /** What the cluster has, with all its nodes. */
  set total(total: Resources) {
    this.#keys.total = total
  }

  /**
   * Queues a task whose frame is written, and starts it at once if a worker is free or none is
   * leased yet.
   */
  submit(task: Task, key: SchedulingKey): void {
    task.key = key
    if (mayRetryThrown(task)) task.slab![task.start + 5]! |= pushFlag.retried
    key.append(task)
    if (!key.isUsed) this.#keys.use(key)
    if (!key.isDirty) {
      key.isDirty = true
      this.#dirty.push(key)
      if (!this.#isPumping) {
        this.#isPumping = true
        queueMicrotask(this.#pumpAll)
      }
      this.#pump(key)
    } else if (this.#isPrompt(key)) this.#pump(key)
    // What no worker has room for goes to the raylet, which starts it also while we compute.
    const isFirst = key.submittedInTurn <= promptTasksMax
    if (isFirst && key.wantsMore && key.requests.size < leaseRequestsUnknownMax) {
      this.#requestLease(key)
    }
  }

  // The first tasks of a turn go out at once, because we may compute for long before it ends; only
  // a flood is joined.
  #isPrompt(key: SchedulingKey): boolean {
    if (key.submittedInTurn++ < promptTasksMax || (key.length & 63) === 0) return true
    return this.#hasIdleLine(key) || this.#mayRequest(key)
  }

  readonly #pumpAll = (): void => {
    this.#isPumping = false
    for (let i = 0; i < this.#dirty.length; i++) {
      const key = this.#dirty[i]!
      key.isDirty = false
      key.submittedInTurn = 0
      this.#pump(key)
    }
    this.#dirty.length = 0
  }

  #hasIdleLine(key: SchedulingKey): boolean {
    return key.lines.some(
      (line) =>
        line.inFlight === 0 &&
        line.isOpen &&
        !line.isSuspended &&
        !line.isClosing &&
        line.carried === null,
    )
  }

  // How many lease requests the key may have open. Unknown and long functions have one per task, up
  // to a bound, because the request is what starts them while we compute; short ones share the
  // leases that the cluster has room for, once there are any.
  #requestsWanted(key: SchedulingKey): number {
    const fn = key.head!.fn
    if (fn.measured < 2) return leaseRequestsUnknownMax
    if (fn.averageUs > veryLongTaskUs) return leaseRequestsLongMax
    if (fn.averageUs > longTaskUs) return leaseRequestsUnknownMax
    if (!key.hasTaker) return leaseRequestsUnknownMax
    return Math.max(0, key.capacity - key.holdingLines)
  }

  #mayRequest(key: SchedulingKey): boolean {
    return key.wantsMore && key.requests.size < this.#requestsWanted(key)
  }

  #windowOf(task: Task, line: LeaseLine): number {
    if (line.tail !== null && !isShort(line.tail.fn)) return 0
    if (!line.hasClaims || !isShort(task.fn)) return 1
    const { measured, averageUs } = task.fn
    if (measured < measuredMin) return 2
    return Math.max(2, Math.min(windowTasksMax, (windowWorkUs / Math.max(averageUs, 1)) | 0))
  }

  #pump(key: SchedulingKey): void {
    if (key.length === 0) return
    const lines = key.lines
    // Workers with nothing to do come first: only what they cannot take waits behind something.
    if (lines.length > 1) {
      for (let i = 0; i < lines.length && key.length > 0; i++) {
        if (lines[i]!.inFlight === 0) this.#fill(key, lines[i]!)
      }
    }
    for (let i = 0; i < lines.length && key.length > 0; i++) this.#fill(key, lines[i]!)
    while (this.#mayRequest(key)) this.#requestLease(key)
  }

  #fill(key: SchedulingKey, line: LeaseLine): void {
    if (line.isSuspended || line.isClosing || !line.isOpen || line.carried !== null) return
    const window = this.#windowOf(key.head!, line)
    let room = window - line.inFlight
    if (room <= 0 || (room < window >> 2 && line.inFlight > 0)) return
    if (key.lines.length > 1)
      room = Math.min(room, Math.max(1, Math.ceil(key.length / key.usableLines)))
    const last = line.tail
    const parts: Uint8Array[] = []
    let slab: Uint8Array | null = null
    let start = 0
    let end = 0
    while (room-- > 0 && key.head !== null) {
      const fn = key.head.fn
      if (line.tail !== null && !(isShort(fn) && isShort(line.tail.fn))) break
      const task = key.shift()!
      if (line.defined[fn.number] !== true) {
        line.defined[fn.number] = true
        if (slab !== null) parts.push(slab.subarray(start, end))
        slab = null
        parts.push(fn.define!)
      }
      if (task.slab === slab && task.start === end) end = task.end
      else {
        if (slab !== null) parts.push(slab.subarray(start, end))
        slab = task.slab
        start = task.start
        end = task.end
      }
      line.add(task)
      if (task.nested !== null) this.#references.lend(line.worker, task.nested)
    }
    if (slab !== null) parts.push(slab.subarray(start, end))
    if (!this.#announce(line)) {
      line.isClosing = true
      this.#requeue(line, line.unadd(last))
      return
    }
    line.lastActive = this.#now()
    line.socket().write(parts.length === 1 ? parts[0]! : Buffer.concat(parts))
    if (line.inFlight > 1) this.#watch.forStealing()
  }

  /** False: the lease is closed. Of another node's worker nobody here knows; it says `stale`. */
  #announce({ hasClaims, isRemote, claimSlot, lease, sent }: LeaseLine): boolean {
    return !hasClaims || isRemote || this.#claims.announce(claimSlot, lease, sent)
  }

  #requestLease(key: SchedulingKey): void {
    const task = key.shift()
    if (task === null) return
    const request = ++this.#requestCount
    task.status = taskStatus.carried
    task.request = request
    key.requests.set(request, task)
    this.#requests.set(request, key)
    this.#raylet.send({
      kind: 'requestLease',
      request,
      key: key.lease,
      name: task.fn.name,
      depth: task.depth,
      ...(task.retriesLeft === 0 && { isOnce: true }),
      task: carriedTask(task),
    })
  }

  granted(message: Granted): void {
    const key = this.#requests.get(message.request)
    if (key === undefined) {
      this.#raylet.send({ kind: 'returnLease', lease: message.lease })
      return
    }
    this.#requests.delete(message.request)
    this.#trimmed.delete(message.request)
    const task = key.requests.get(message.request) ?? null
    key.requests.delete(message.request)
    const line = new LeaseLine(
      { ...message, owner: this.#process, token: this.#token },
      this.#events,
      this.#now,
    )
    this.#lines.set(line.lease, line)
    this.#keyOfLine.set(line, key)
    key.lines.push(line)
    this.#keys.use(key)
    if (task !== null) {
      if (message.carried) {
        line.carried = task
        task.line = line
        task.status = taskStatus.inFlight
        line.headSince = this.#now()
        if (task.isCancelled) this.#outcomes.cancelledOnTheWay(task)
      } else if (!task.isCancelled) {
        key.prepend([task])
        key.opening++
      }
    }
    line.socket()
    this.#pump(key)
    this.#watch.forIdle()
  }

  refused(request: number, error: WireError): void {
    const key = this.#requests.get(request)
    this.#requests.delete(request)
    const task = key?.requests.get(request)
    key?.requests.delete(request)
    if (key === undefined || task === null || task === undefined) return
    if (this.#trimmed.delete(request) && !task.isCancelled) {
      key.prepend([task])
      this.#pump(key)
      return
    }
    if (task.isCancelled) {
      this.#outcomes.leaseRefused(task, error)
      this.#keys.dropIfUnused(key)
      return
    }
    // Whatever else is queued under this key can be placed no better.
    const tasks = [task]
    for (let next = key.shift(); next !== null; next = key.shift()) tasks.push(next)
    this.#keys.dropIfUnused(key)
    for (const each of tasks) this.#outcomes.leaseRefused(each, error)
  }

  leaseEnded(lease: number, exit: ProcessExit | undefined): void {
    const line = this.#lines.get(lease)
    if (line === undefined) return
    this.#lines.delete(lease)
    this.#unlist(line)
    line.ended(exit)
  }

  leaseStopped(lease: number, started: number): void {
    const line = this.#lines.get(lease)
    line?.stopped(started)
    const key = line === undefined ? undefined : this.#keyOfLine.get(line)
    if (key !== undefined) this.#pump(key)
  }

  /** The node to which the request was passed on is dead, and may have run its task. */
  requestLost(request: number, exit: ProcessExit): void {
    const key = this.#requests.get(request)
    const task = key?.requests.get(request)
    this.#requests.delete(request)
    this.#trimmed.delete(request)
    key?.requests.delete(request)
    if (key === undefined) return
    if (task !== null && task !== undefined) this.#outcomes.workerLost(task, exit)
    this.#pump(key)
    this.#keys.dropIfUnused(key)
  }

  nodeDied(nodeNumber: number, exit: ProcessExit): void {
    for (const line of [...this.#lines.values()]) {
      if (nodeNumberOf(line.worker) !== nodeNumber) continue
      this.#lines.delete(line.lease)
      line.nodeDied(exit)
    }
  }

  relayed(lease: number, frames: Uint8Array): void {
    this.#lines.get(lease)?.relayed(frames)
  }

  // Requests that were made while nobody knew how short the function is are taken back when it is
  // known: their tasks go to the workers that we have. The raylet refuses them as cancelled, or has
  // handed them over already.
  #trimRequests(key: SchedulingKey): void {
    if (!key.hasTaker) return
    let excess = key.requests.size - Math.max(0, key.capacity - key.holdingLines)
    if (excess <= 0) return
    for (const [request, task] of key.requests) {
      if (excess <= 0) return
      excess--
      if (task === null || task.fn.measured < 2 || task.fn.averageUs > longTaskUs) continue
      if (this.#trimmed.has(request)) continue
      this.#trimmed.add(request)
      this.#raylet.send({ kind: 'cancelLeaseRequest', request })
    }
  }

  #unlist(line: LeaseLine): void {
    const key = this.#keyOfLine.get(line)
    if (key === undefined) return
    const index = key.lines.indexOf(line)
    if (index >= 0) key.lines.splice(index, 1)
    this.#keys.dropIfUnused(key)
  }

  #makeEvents(): LineEvents {
    return {
      taskAnswered: (task, body, durationUs) => {
        const fn = task.fn
        fn.averageUs = nextAverage(fn.averageUs, fn.measured++, durationUs)
        if (fn.endsWorkers === true && task.line !== null) task.line.mayRetire = true
        task.status = taskStatus.finished
        task.line = null
        this.#outcomes.taskAnswered(task, body)
      },
      relayEnded: (task) => {
        if (task.returns === null) this.#references.forgetResult(task.ref)
        else for (const ref of task.returns) this.#references.forgetResult(ref)
      },
      itemArrived: (task, index, body) => this.#outcomes.itemArrived(task, index, body),
      tasksReturned: (line, tasks) => this.#requeue(line, tasks),
      progressed: (line) => {
        line.lastActive = this.#now()
        if (line.head !== null && line.headSince === 0) line.headSince = line.lastActive
        const key = this.#keyOfLine.get(line)
        if (line.isLast && line.isIdle && !line.isEnded) this.#giveBack(line)
        if (key === undefined) return
        if (key.requests.size > 0) this.#trimRequests(key)
        this.#pump(key)
        if (key.requests.size > 0 && isInTheWay(line, key)) this.#giveBack(line)
      },
      lost: (line, tasks, exit) => this.#lineLost(line, tasks, exit),
      broken: (line) => this.#raylet.send({ kind: 'lineBroken', lease: line.lease }),
      closed: (line) => {
        this.#unlist(line)
        const key = this.#keyOfLine.get(line)
        this.#keyOfLine.delete(line)
        if (key !== undefined) this.#pump(key)
      },
    }
  }

  #requeue(line: LeaseLine, tasks: Task[]): void {
    // The worker may say that the lease is over before the raylet does.
    if (line.isEnded) this.#unlist(line)
    const key = this.#keyOfLine.get(line)
    if (key === undefined) return
    for (const task of tasks)
      if (task.nested !== null) this.#references.unlend(line.worker, task.nested)
    this.#putBack(key, tasks)
    this.#pump(key)
  }

  /** These have not run. Those that were cancelled meanwhile never will. */
  #putBack(key: SchedulingKey, tasks: readonly Task[]): void {
    const open = tasks.filter((task) => task.status !== taskStatus.finished)
    this.#keys.use(key)
    key.prepend(open.filter((task) => !task.isCancelled))
    for (const task of open) if (task.isCancelled) this.#outcomes.cancelled(task)
  }

  #lineLost(
    line: LeaseLine,
    tasks: { started: Task[]; unstarted: Task[] },
    exit: ProcessExit,
  ): void {
    this.#unlist(line)
    const key = this.#keyOfLine.get(line)
    this.#keyOfLine.delete(line)
    if (key !== undefined) this.#putBack(key, tasks.unstarted)
    for (const task of tasks.started) {
      task.stream?.lost(line.worker)
      this.#outcomes.workerLost(task, exit)
    }
    if (key !== undefined) this.#pump(key)
  }

  /** Sends a task again, ahead of the queue. */
  resubmit(task: Task): void {
    const key = task.key!
    task.slab![task.start + 6]!++
    // The worker of the last attempt settles its error for those who borrow the ref.
    if (!mayRetryThrown(task)) task.slab![task.start + 5]! &= ~pushFlag.retried
    task.line = null
    this.#keys.use(key)
    key.prepend([task])
    this.#pump(key)
  }

  /** Takes a carried task back from the raylet, if it has not handed it over; `refused` says so. */
  cancelCarried(task: Task): void {
    this.#raylet.send({ kind: 'cancelLeaseRequest', request: task.request })
  }

  /**
   * Takes a task that has not been sent out of the queue; false when the raylet or a worker has it.
   */
  unqueue(task: Task): boolean {
    const key = task.key
    if (key === null) return false
    if (task.status === taskStatus.queued) return key.remove(task)
    return false
  }

  #giveBack(line: LeaseLine): void {
    this.#lines.delete(line.lease)
    this.#unlist(line)
    this.#keyOfLine.delete(line)
    line.close()
    this.#raylet.send({ kind: 'returnLease', lease: line.lease })
  }

  /**
   * Signals the worker if it runs this task and is sure to run no other until the signal is there:
   * nothing more is sent on the line, what waits behind the task is taken back, and the lease is
   * returned after it. False: that is not so yet, or the task is over.
   */
  signal(task: Task, signal: 'SIGINT' | 'SIGKILL'): boolean {
    const { line } = task
    if (line === null || (line.carried ?? line.head) !== task) return false
    line.isClosing = true
    line.isLast = true
    if (line.inFlight > 1 && !line.isStopping) this.#stop(line)
    if (line.inFlight > (line.carried === null ? 1 : 0)) return false
    this.#raylet.send({ kind: 'signalWorker', lease: line.lease, signal, reason: 'cancelled' })
    return true
  }

  #stop(line: LeaseLine): void {
    if (line.isRemote) {
      line.stopping()
      this.#raylet.send({ kind: 'stopLease', lease: line.lease })
      return
    }
    const started = this.#claims.stop(line.claimSlot, line.lease)
    if (started >= 0) line.takeBack(started)
  }

  /** Fails every task that is not finished; the session is over. */
  failAll(error: RayError): void {
    const tasks: Task[] = []
    for (const key of this.#keys) {
      for (let task = key.shift(); task !== null; task = key.shift()) tasks.push(task)
      for (const carried of key.requests.values()) if (carried !== null) tasks.push(carried)
      key.requests.clear()
      for (const line of key.lines) tasks.push(...line.abandon())
      key.lines = []
    }
    for (const task of tasks) this.#outcomes.sessionLost(task, error)
  }

  /** All that it has tasks under. */
  get keys(): Iterable<SchedulingKey> {
    return this.#keys
  }

  /** Adds the tasks that are not over. */
  listLive(list: LiveTaskList): void {
    for (const key of this.#keys) list.addKey(key)
  }

  /** Is any task not finished that has its arguments? */
  get isBusy(): boolean {
    for (const key of this.#keys) {
      if (key.length > 0) return true
      for (const carried of key.requests.values()) if (carried !== null) return true
    }
    for (const line of this.#lines.values()) if (!line.isIdle) return true
    return false
  }

  /** The lines of all keys, for cancel and shutdown. */
  close(): void {
    this.#watch.close()
    for (const line of this.#lines.values()) line.close()
    this.#lines.clear()
  }
}

/** An error that it throws is not the last word: its owner decides. */
function mayRetryThrown(task: Task): boolean {
  return task.retryExceptions !== false && task.retriesLeft !== 0
}

/**
 * The raylet has long tasks of ours that wait for a worker, and this one has nothing to do:
 * returned at once it is theirs. A worker that may be about to end has to say so to the raylet
 * first.
 */
function isInTheWay(line: LeaseLine, key: SchedulingKey): boolean {
  if (key.length > 0 || !line.isIdle || line.isSuspended || line.isClosing) return false
  if (line.mayRetire) return false
  for (const task of key.requests.values()) {
    if (task !== null && task.fn.measured > 0 && task.fn.averageUs > longTaskUs) return true
  }
  return false
}

/** Nothing waits behind a task of another kind: a new function may be long, or never end. */
function isShort(fn: FunctionEntry): boolean {
  return fn.measured >= 2 && fn.averageUs <= longTaskUs
}
