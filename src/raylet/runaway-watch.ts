// Finds recursion that can never end well: every worker that the node may have waits for tasks that
// would need yet another one.
//
// Whether a task that waits will ever go on cannot be known: it may wait for an actor. So a request
// counts only when its owner is itself a task that waits, and only after nothing has moved for a
// while.

import { workersFullMs } from '../base/limits.js'
import type { WireError } from '../wire/messages/terms.js'
import type { Stuck } from './grant-round.js'
import type { PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'
import type { WorkerRecord } from './worker-table.js'

export class RunawayWatch {
  readonly #tables: LeaseTables
  /** Since when all workers have been held up; Infinity while one is not. */
  #since = Infinity

  constructor(tables: LeaseTables) {
    this.#tables = tables
  }

  get deadline(): number {
    return this.#since + workersFullMs
  }

  /** Something moved. */
  reset(): void {
    this.#since = Infinity
  }

  look(stuck: readonly Stuck[], now: number): void {
    const { workers } = this.#tables
    const isFull = workers.size >= workers.limit && workers.startingCount === 0
    const isRunaway =
      isFull &&
      stuck.some(({ request }) => this.#isOfBlockedTask(request)) &&
      [...workers.all()].every(isHeldUp)
    if (!isRunaway) this.#since = Infinity
    else if (this.#since === Infinity) this.#since = now
  }

  /**
   * When it has lasted: takes the requests of the innermost tasks out of the queue, to be refused.
   */
  take(now: number): PendingRequest[] {
    if (now < this.deadline) return []
    this.#since = Infinity
    return this.#tables.queue.take((request) => this.#isOfBlockedTask(request))
  }

  refusal({ name, depth }: PendingRequest): WireError {
    const { limit } = this.#tables.workers
    return {
      code: 'RAY_TASK_UNSCHEDULABLE',
      message:
        `Task ${name} cannot run: all ${limit} workers that this node may have (workersMax) ` +
        `are held by ` +
        `actors and by tasks that wait for other tasks, ${depth} deep. ` +
        'Let tasks wait for fewer levels of other tasks.',
      fields: { limit, depth },
    }
  }

  #isOfBlockedTask(request: PendingRequest): boolean {
    return this.#tables.workers.ofProcess(request.owner)?.isBlocked ?? false
  }
}

function isHeldUp(worker: WorkerRecord): boolean {
  return worker.isBlocked || worker.state === 'actor'
}
