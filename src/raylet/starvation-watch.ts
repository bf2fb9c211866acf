// Finds who waits for what nobody will give back: requests that the node could grant, while what
// they lack is held by actors, by placement groups, or by tasks that wait themselves.
//
// They may be granted yet, when an actor ends, so it is no error. But a program that hangs for that
// reason hangs without a word, so its terminal is told once for each shape of request. Who waits
// only for running tasks to end is in a queue as usual and is not told of.

import { starvingMs, starvingToldMax } from '../base/limits.js'
import type { ResourcePool } from '../scheduling/resource-pool.js'
import type { ResourceSet } from '../scheduling/resources.js'
import type { Stuck } from './grant-round.js'
import type { PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'
import { whyQueued } from './pending-answers.js'

export interface StarvationWarning {
  readonly jobId: string
  readonly text: string
}

interface Waiting {
  stuck: Stuck
  since: number
  /** The last round in which it was seen. */
  round: number
}

export class StarvationWatch {
  readonly #tables: LeaseTables
  /** The first request of each shape that is stuck. Removed when it is not any more, or told of. */
  readonly #waiting = new Map<string, Waiting>()
  /** Shapes that were told of, by job. Removed with the job. */
  readonly #told = new Map<string, Set<string>>()
  #round = 0

  constructor(tables: LeaseTables) {
    this.#tables = tables
  }

  get deadline(): number {
    let since = Infinity
    for (const waiting of this.#waiting.values()) since = Math.min(since, waiting.since)
    return since + starvingMs
  }

  jobFinished(jobId: string): void {
    this.#told.delete(jobId)
  }

  look(stuck: readonly Stuck[], now: number): void {
    const round = ++this.#round
    for (const each of stuck) {
      const { request } = each
      const waiting = this.#waiting.get(request.shape)
      if (waiting === undefined) {
        if (this.#isTold(request)) continue
        this.#waiting.set(request.shape, { stuck: each, since: now, round })
      } else if (waiting.round !== round) {
        // Another one at the head of the line means that the line moves.
        if (waiting.stuck.request !== request) waiting.since = now
        waiting.stuck = each
        waiting.round = round
      }
    }
    for (const [shape, waiting] of this.#waiting) {
      if (waiting.round !== round) this.#waiting.delete(shape)
    }
  }

  /** Warnings for those who have waited long enough, each once. */
  take(now: number): StarvationWarning[] {
    const warnings: StarvationWarning[] = []
    for (const [shape, waiting] of this.#waiting) {
      if (now - waiting.since < starvingMs) continue
      if (!this.#isStarving(waiting.stuck)) {
        waiting.since = now
        continue
      }
      this.#waiting.delete(shape)
      const { request } = waiting.stuck
      this.#tell(request)
      warnings.push({ jobId: request.jobId, text: this.#textOf(request) })
    }
    return warnings
  }

  #isTold({ jobId, shape }: PendingRequest): boolean {
    const told = this.#told.get(jobId)
    return told !== undefined && (told.has(shape) || told.size >= starvingToldMax)
  }

  #tell({ jobId, shape }: PendingRequest): void {
    const told = this.#told.get(jobId)
    if (told === undefined) this.#told.set(jobId, new Set([shape]))
    else told.add(shape)
  }

  #isStarving({ request, pools, lacks }: Stuck): boolean {
    if (lacks.length > 0) {
      return !pools.some((pool) => request.need.fitsIn(this.#comesBack(pool)))
    }
    if (pools.length === 0) return request.target !== undefined
    const { workers } = this.#tables
    if (workers.size < workers.limit || workers.startingCount > 0) return false
    for (const worker of workers.all()) {
      if (!worker.isBlocked && worker.state !== 'actor') return false
    }
    return true
  }

  /** What is free, or will be when the tasks that run have ended. */
  #comesBack(pool: ResourcePool): ResourceSet {
    let all = pool.available
    for (const { pool: from, worker, allocation } of this.#tables.leases.values()) {
      if (from === pool && !worker.isBlocked) all = all.plus(allocation.resources)
    }
    return all
  }

  #textOf(request: PendingRequest): string {
    const { name, reservation, actor, shape } = request
    let count = 0
    for (const each of this.#tables.queue) if (each.shape === shape) count++
    const isActor = actor !== undefined || reservation?.startsWith('actor') === true
    const what = isActor ? 'Actor' : reservation === undefined ? 'Task' : 'Placement group'
    const more = count > 1 ? `, and ${count - 1} more like it,` : ''
    return (
      `Warning: ${what} ${name}${more} cannot be scheduled right now: ` +
      `it ${whyQueued(this.#tables, request)}. It starts as soon as there is room. ` +
      'If there never is: end actors that are not needed, let actors and waiting tasks hold ' +
      'less, or give the node more.'
    )
  }
}
