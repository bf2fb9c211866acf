// One round of granting: gives what is free to those who wait, in order.
//
// A request that does not fit must not hold up others of a different shape for ever, nor be starved
// for ever by small ones that always fit. So later requests may overtake one that does not fit,
// `leaseOvertakenMax` times; from then on whatever it lacks is kept for it, until it is granted.
// Deeper requests are never held up by it: they come before it, and the task that holds what it
// lacks may be waiting for them. An actor, or a room that is kept, is held up by them no longer
// than that, if it would fit beside all tasks that wait for others: then none of these needs what
// it lacks.
//
// What actors hold is not coming back by itself: nothing is kept for a request that would have to
// wait for that.
//
// What the GCS has placed here goes before the room that it wants kept here: it counts the room of
// the one as taken and would wait for that to place the other, which the kept room would prevent.
//
// A request that fits but has no worker keeps its share for the rest of the round, so that as many
// workers are started as can be used at once and no more.

import { leaseOvertakenMax } from '../base/limits.js'
import type { Allocation, ResourcePool } from '../scheduling/resource-pool.js'
import type { ResourceSet } from '../scheduling/resources.js'
import type { LeaseQueue, PendingRequest } from './lease-queue.js'
import { isBefore } from './lease-queue.js'
import type { WorkerKind } from './worker-kind.js'
import { workerKindKey } from './worker-kind.js'
import type { WorkerRecord, WorkerTable } from './worker-table.js'

export interface Grant {
  readonly request: PendingRequest
  readonly worker: WorkerRecord
  readonly pool: ResourcePool
  readonly allocation: Allocation
}

/** The first request of a line that could not be granted. */
export interface Stuck {
  readonly request: PendingRequest
  /** The pools it could take from; none while its placement group is pending. */
  readonly pools: readonly ResourcePool[]
  /** Resources it lacks; empty when it lacks only a worker. */
  readonly lacks: readonly string[]
}

export interface WantedWorkers {
  readonly kind: WorkerKind
  count: number
}

export interface GrantRoundOptions {
  readonly queue: LeaseQueue
  readonly workers: WorkerTable
  readonly poolsOf: (request: PendingRequest) => readonly ResourcePool[]
  /** What is free in the pool, or would be if every lease were returned. */
  readonly reclaimable: (pool: ResourcePool) => ResourceSet
  /** The same but for tasks that wait for others, with the CPUs that they have lent. */
  readonly besideWaiting: (pool: ResourcePool) => ResourceSet
  /** Takes the worker into use at once; the round goes on with what is left. */
  readonly grant: (grant: Grant) => void
}

interface Line {
  readonly requests: readonly PendingRequest[]
  at: number
}

export class GrantRound {
  readonly stuck: Stuck[] = []
  readonly wanted = new Map<string, WantedWorkers>()
  readonly #options: GrantRoundOptions
  /** Shares kept for requests that wait only for a worker; given back at the end of the round. */
  readonly #kept: { readonly pool: ResourcePool; readonly allocation: Allocation }[] = []
  #wantedCount = 0
  readonly #granted: PendingRequest[] = []

  constructor(options: GrantRoundOptions) {
    this.#options = options
  }

  run(): void {
    // The lines are live: a granted request leaves its line, and the next one moves up to its
    // place.
    const lines: Line[] = this.#options.queue.lines().map((requests) => ({ requests, at: 0 }))
    const hasActors = lines.some(isActor)
    for (const line of lines) {
      const request = line.requests[0]
      if (request === undefined || !this.#isPassedOver(request)) continue
      if (hasActors && isReservation(line)) continue
      const outcome = this.#offer(request)
      if (outcome !== 'granted') line.at = outcome === 'waits' ? 1 : Infinity
    }
    for (;;) {
      const first = firstOf(lines)
      if (first === undefined) break
      const line = isReservation(first) ? (firstOf(lines.filter(isActor)) ?? first) : first
      const request = line.requests[line.at]!
      const outcome = this.#offer(request)
      if (outcome === 'waits') line.at++
      else if (outcome === 'stuck') line.at = Infinity
    }
    for (const { pool, allocation } of this.#kept) pool.release(allocation)
    this.#countDeeper()
  }

  /** Too many deeper requests came before, and none of them needs what it lacks. */
  #isPassedOver(request: PendingRequest): boolean {
    if (isTask(request) || request.overtaken < leaseOvertakenMax) return false
    const [pool] = this.#options.poolsOf(request)
    return pool !== undefined && request.need.fitsIn(this.#options.besideWaiting(pool))
  }

  #countDeeper(): void {
    if (this.#granted.length === 0) return
    for (const { request, lacks } of this.stuck) {
      if (isTask(request)) continue
      request.overtaken += this.#granted.filter(
        ({ depth, hold }) => depth > request.depth && lacks.some((name) => hold.get(name) > 0),
      ).length
    }
  }

  /**
   * Grants the request, or notes why not. When it is stuck, the rest of its line need not be looked
   * at.
   */
  #offer(request: PendingRequest): 'granted' | 'waits' | 'stuck' {
    const { workers } = this.#options
    const pools = this.#options.poolsOf(request)
    const pool = pools.find((candidate) => candidate.canAllocate(request.need))
    if (pool === undefined) return this.#stick(request, pools, lacksOf(request, pools))
    if (request.reservation !== undefined) return this.#reserve(request, pool)
    if (this.#isKeptForOthers(request, pool)) return this.#stick(request, [], [])
    const key = workerKindKey(request.workerKind)
    const worker = workers.idleOf(key)
    const hold = pool.allocate(request.hold)
    if (hold === undefined) return this.#stick(request, pools, lacksOf(request, pools))
    if (worker !== undefined) {
      this.#countOvertaken(request, pool)
      this.#options.grant({ request, worker, pool, allocation: hold })
      this.#granted.push(request)
      return 'granted'
    }
    this.#kept.push({ pool, allocation: hold })
    const wanted = this.wanted.get(key) ?? { kind: request.workerKind, count: 0 }
    wanted.count++
    this.wanted.set(key, wanted)
    this.#wantedCount++
    this.stuck.push({ request, pools, lacks: [] })
    // More than can be started or are starting are of no use in this round.
    return this.#wantedCount < workers.startRoom + workers.startingCount ? 'waits' : 'stuck'
  }

  /** What is reserved stays free, for the GCS to see, but nobody else gets it. */
  #reserve(request: PendingRequest, pool: ResourcePool): 'waits' {
    const allocation = pool.allocate(request.need)
    if (allocation !== undefined) this.#kept.push({ pool, allocation })
    return 'waits'
  }

  #stick(
    request: PendingRequest,
    pools: readonly ResourcePool[],
    lacks: readonly string[],
  ): 'stuck' {
    this.stuck.push({ request, pools, lacks })
    return 'stuck'
  }

  #countOvertaken(granted: PendingRequest, pool: ResourcePool): void {
    for (const { request, pools, lacks } of this.stuck) {
      if (pools.includes(pool) && lacks.some((name) => granted.hold.get(name) > 0)) {
        request.overtaken++
      }
    }
  }

  #isKeptForOthers(granted: PendingRequest, pool: ResourcePool): boolean {
    return this.stuck.some(
      ({ request, pools, lacks }) =>
        (request.overtaken >= leaseOvertakenMax || request.reservation !== undefined) &&
        pools.includes(pool) &&
        lacks.some((name) => granted.hold.get(name) > 0) &&
        request.need.fitsIn(this.#options.reclaimable(pool)),
    )
  }
}

function isTask({ reservation, actor }: PendingRequest): boolean {
  return reservation === undefined && actor === undefined
}

function isReservation({ requests, at }: Line): boolean {
  return requests[at]?.reservation !== undefined
}

function isActor({ requests, at }: Line): boolean {
  return requests[at]?.actor !== undefined
}

function firstOf(lines: readonly Line[]): Line | undefined {
  let first: Line | undefined
  let best: PendingRequest | undefined
  for (const line of lines) {
    const request = line.requests[line.at]
    if (request === undefined) continue
    if (best === undefined || isBefore(request, best)) {
      first = line
      best = request
    }
  }
  return first
}

function lacksOf(request: PendingRequest, pools: readonly ResourcePool[]): string[] {
  return [...new Set(pools.flatMap((pool) => pool.lacks(request.need)))]
}
