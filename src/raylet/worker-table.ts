// The workers of a node: starting, idle, in use, ending.
//
// A worker belongs to a job and an environment, and has or has not had a GPU: they are never mixed.
// Starting one takes a tenth of a second of CPU, so as many as the node has CPUs are kept ahead of
// need, and no more than that start at a time. Idle ones beyond that number end after a while.

import { assert } from '../base/assert.js'
import type { ProcessId } from '../base/ids.js'
import { finishedJobsMax, workerIdleMs, workerSpareMs, workerStartMs } from '../base/limits.js'
import type { Allocation, ResourcePool } from '../scheduling/resource-pool.js'
import type { OrderlyExit } from '../wire/messages/terms.js'
import type { PendingActor } from './lease-queue.js'
import type { WorkerKind } from './worker-kind.js'
import { workerKindKey } from './worker-kind.js'

export interface Lease {
  readonly lease: number
  readonly owner: ProcessId
  readonly name: string
  readonly depth: number
  readonly shape: string
  readonly worker: WorkerRecord
  readonly pool: ResourcePool
  readonly allocation: Allocation
  readonly grantedAt: number
  /** The task that it was asked for may not run twice. */
  readonly isOnce: boolean
  /** Its owner, on another node, works for a detached actor. */
  readonly outlivesJob: boolean
  /**
   * Whether its worker was asked to close it: when idle, or soon in any case. One request of each
   * is enough.
   */
  recall: 'none' | 'idle' | 'full' | 'ownerDied'
}

export interface ActorHold {
  readonly actor: PendingActor
  /** Its constructor has returned. */
  isStarted: boolean
  readonly pool: ResourcePool
  readonly allocation: Allocation
}

export interface WorkerRecord {
  readonly start: string
  readonly kind: WorkerKind
  readonly kindKey: string
  state: 'starting' | 'idle' | 'leased' | 'actor' | 'ending'
  process: ProcessId
  pid: number
  address: string
  claimSlot: number
  lease: Lease | undefined
  actor: ActorHold | undefined
  /** True between `blocked` and `unblocked` of its task: its CPUs are lent out. */
  isBlocked: boolean
  /** Since when it is in its state. */
  since: number
  /** When it is killed unless it has done what it was asked to; Infinity when nothing was asked. */
  killAt: number
  killReason: string
  /** How the actor in it ends, in order, from when that was said; '' before. */
  selfExit: OrderlyExit | ''
  /**
   * It was sent SIGKILL and has not died yet. Messages that it wrote before may still say that it
   * is free; nobody may get it any more.
   */
  isDoomed: boolean
  /**
   * It was sent SIGINT, and nobody has said that it stopped the task that it was for. It may stop
   * whatever runs there next, so that is nothing.
   */
  isSpoiled: boolean
}

export class WorkerTable {
  /** How many to keep ahead of need, and how many may start at a time. */
  readonly #ahead: number
  /** How many there may be. */
  readonly limit: number
  /** The last jobs that have ended: an actor placed just before may start a worker after it. */
  readonly #finishedJobs = new Set<string>()
  readonly #byStart = new Map<string, WorkerRecord>()
  readonly #byProcess = new Map<ProcessId, WorkerRecord>()
  /** Idle workers by kind; the one that became idle last is used first, as its caches are warm. */
  readonly #idle = new Map<string, WorkerRecord[]>()
  readonly #starting = new Map<string, number>()
  #count = 0

  constructor(cpus: number, { limit, aheadMax }: { limit: number; aheadMax: number }) {
    this.#ahead = Math.max(1, Math.min(Math.ceil(cpus), aheadMax))
    this.limit = limit
  }

  get size(): number {
    return this.#byStart.size
  }

  get startingCount(): number {
    let count = 0
    for (const n of this.#starting.values()) count += n
    return count
  }

  startingOf(kindKey: string): number {
    return this.#starting.get(kindKey) ?? 0
  }

  /** How many more may be started now. */
  get startRoom(): number {
    return Math.max(0, Math.min(this.#ahead - this.startingCount, this.limit - this.size))
  }

  get(start: string): WorkerRecord | undefined {
    return this.#byStart.get(start)
  }

  ofProcess(process: ProcessId): WorkerRecord | undefined {
    return this.#byProcess.get(process)
  }

  all(): IterableIterator<WorkerRecord> {
    return this.#byStart.values()
  }

  /** How many of the kind are missing from those to be kept ahead of need. */
  missingAhead(kindKey: string): number {
    let there = 0
    for (const worker of this.#byStart.values()) {
      const counts =
        worker.state === 'starting' || worker.state === 'idle' || this.#isRunning(worker)
      if (worker.kindKey === kindKey && counts) there++
    }
    return Math.max(0, this.#ahead - there)
  }

  add(kind: WorkerKind, now: number): WorkerRecord {
    const worker: WorkerRecord = {
      start: String(++this.#count),
      kind,
      kindKey: workerKindKey(kind),
      state: 'starting',
      process: 0,
      pid: 0,
      address: '',
      claimSlot: -1,
      lease: undefined,
      actor: undefined,
      isBlocked: false,
      since: now,
      killAt: now + workerStartMs,
      isDoomed: false,
      isSpoiled: false,
      selfExit: '',
      killReason: `did not start within ${workerStartMs / 1000} s`,
    }
    this.#byStart.set(worker.start, worker)
    this.#starting.set(worker.kindKey, this.startingOf(worker.kindKey) + 1)
    return worker
  }

  joined(worker: WorkerRecord, process: ProcessId, now: number): void {
    assert(worker.state === 'starting', 'a worker joins once')
    worker.process = process
    this.#byProcess.set(process, worker)
    this.setIdle(worker, now)
  }

  /** Moves a worker to a state; keeps the lists of idle and starting ones. */
  setState(worker: WorkerRecord, state: WorkerRecord['state'], now: number): void {
    if (worker.state === 'idle') {
      const list = this.#idle.get(worker.kindKey) ?? []
      const at = list.indexOf(worker)
      if (at >= 0) list.splice(at, 1)
      if (list.length === 0) this.#idle.delete(worker.kindKey)
    } else if (worker.state === 'starting') {
      const left = this.startingOf(worker.kindKey) - 1
      if (left === 0) this.#starting.delete(worker.kindKey)
      else this.#starting.set(worker.kindKey, left)
    }
    worker.state = state
    worker.since = now
    worker.killAt = Infinity
  }

  /** The SIGINT that it was sent has stopped the task that it was for. */
  interrupted(process: ProcessId): void {
    const worker = this.ofProcess(process)
    if (worker !== undefined) worker.isSpoiled = false
  }

  setIdle(worker: WorkerRecord, now: number): void {
    worker.isBlocked = false
    if (worker.isDoomed) {
      this.setState(worker, 'ending', now)
      return
    }
    this.setState(worker, 'idle', now)
    const list = this.#idle.get(worker.kindKey)
    if (list === undefined) this.#idle.set(worker.kindKey, [worker])
    else list.push(worker)
  }

  idleOf(kindKey: string): WorkerRecord | undefined {
    return this.#idle.get(kindKey)?.at(-1)
  }

  /** An idle worker of another kind, the longest idle one, to make room. */
  idleNotOf(kindKey: string): WorkerRecord | undefined {
    let oldest: WorkerRecord | undefined
    for (const [key, list] of this.#idle) {
      const first = list[0]
      if (key === kindKey || first === undefined) continue
      if (oldest === undefined || first.since < oldest.since) oldest = first
    }
    return oldest
  }

  remove(worker: WorkerRecord, now: number): void {
    this.setState(worker, 'ending', now)
    this.#byStart.delete(worker.start)
    if (worker.process !== 0) this.#byProcess.delete(worker.process)
  }

  /** Idle workers beyond those kept ahead, that have been so for a while. */
  surplus(now: number): WorkerRecord[] {
    const surplus: WorkerRecord[] = []
    for (const list of this.#idle.values()) {
      let ended = 0
      const spare = Math.max(0, list.length - this.#aheadOf(list))
      for (const worker of list.slice(0, spare)) {
        if (now < worker.since + this.#idleMs(list, ended)) break
        surplus.push(worker)
        ended++
      }
    }
    return surplus
  }

  /** How many idle ones to keep: none of a job that is over, which may have had one started. */
  #aheadOf([first]: readonly WorkerRecord[]): number {
    return first === undefined || this.#finishedJobs.has(first.kind.jobId) ? 0 : this.#ahead
  }

  /** How long the oldest of `list` may be idle when so many of the list end before it. */
  #idleMs(list: readonly WorkerRecord[], ended: number): number {
    return list.length - ended > 2 * this.#ahead ? workerIdleMs : workerSpareMs
  }

  /** Workers of the job are not kept any more. */
  jobFinished(jobId: string): void {
    this.#finishedJobs.add(jobId)
    const [oldest] = this.#finishedJobs
    if (this.#finishedJobs.size > finishedJobsMax && oldest !== undefined) {
      this.#finishedJobs.delete(oldest)
    }
  }

  hasFinished(jobId: string): boolean {
    return this.#finishedJobs.has(jobId)
  }

  /** When `surplus` or a `killAt` has something next. */
  deadline(): number {
    let at = Infinity
    for (const worker of this.#byStart.values()) at = Math.min(at, worker.killAt)
    for (const list of this.#idle.values()) {
      const oldest = list[0]
      if (oldest !== undefined && list.length > this.#aheadOf(list)) {
        at = Math.min(at, oldest.since + this.#idleMs(list, 0))
      }
    }
    return at
  }

  validate(): void {
    for (const worker of this.#byStart.values()) {
      const isListed = this.#idle.get(worker.kindKey)?.includes(worker) ?? false
      assert(isListed === (worker.state === 'idle'), 'exactly the idle workers are listed as idle')
      assert((worker.lease !== undefined) === (worker.state === 'leased'), 'leased means a lease')
      assert(worker.actor === undefined || worker.lease === undefined, 'an actor is not leased')
      assert(!worker.isBlocked || worker.state === 'leased', 'only tasks lend their CPUs')
    }
    assert(this.size <= this.limit, 'the number of workers is bounded')
  }

  #isRunning(worker: WorkerRecord): boolean {
    return worker.state === 'leased' && !worker.isBlocked
  }
}
