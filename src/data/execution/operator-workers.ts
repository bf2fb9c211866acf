// Who works for an operator: tasks, no more at once than its concurrency, or a pool of actors.

import type { BlockMetadata, BlockRef } from '../block/metadata.js'
import type { BlockTask } from '../physical/block-task.js'
import type { MapOperator, SourceOperator } from '../physical/operators.js'
import { partsOf } from '../physical/exchange-transforms.js'
import { CutBytes } from './cut-bytes.js'
import type { StatisticsCollector } from './statistics.js'
import type { BlockPool, BlockRunner, PendingBlock, SharedTransforms } from './task-runner.js'

interface Hiring {
  readonly runner: BlockRunner
  readonly statistics: StatisticsCollector
}

/** A pool, or tasks, of which some may make several blocks. */
export interface Workers extends BlockPool {
  /** Blocks that are done, and the time that they took. */
  readonly done: number
  readonly wallMs: number
  /** Whether `submitAll` saves anything. */
  readonly canShareTasks: boolean
  submitAll(tasks: readonly BlockTask[]): readonly PendingBlock[]
}

export function workersOf(operator: SourceOperator | MapOperator, hiring: Hiring): Workers {
  const { name, transforms, resources } = operator
  const { runner, statistics } = hiring
  const shared = runner.share(transforms)
  if (resources.pool !== undefined) {
    const pool = runner.startPool(shared, { name, resources })
    return new CountedWorkers(name, pool, { statistics })
  }
  const isPlain = partsOf(transforms) === undefined && !Number.isFinite(resources.concurrency)
  const several = (tasks: readonly BlockTask[]): readonly PendingBlock[] =>
    runner.submitAll(tasks, shared, { name, resources })
  const bounded = new BoundedTasks(operator, runner, shared)
  return new CountedWorkers(name, bounded, { statistics, ...(isPlain && { several }) })
}

interface Counting {
  readonly statistics: StatisticsCollector
  /** Submits several tasks as one; absent where each must be its own. */
  readonly several?: (tasks: readonly BlockTask[]) => readonly PendingBlock[]
}

/** Tells the statistics of every block that is done. */
class CountedWorkers implements Workers {
  done = 0
  wallMs = 0
  readonly #name: string
  readonly #workers: BlockPool
  readonly #counting: Counting

  constructor(name: string, workers: BlockPool, counting: Counting) {
    this.#name = name
    this.#workers = workers
    this.#counting = counting
  }

  get canShareTasks(): boolean {
    return this.#counting.several !== undefined
  }

  room(): Promise<void> {
    return this.#workers.room()
  }

  submit(task: BlockTask, blocks: readonly BlockRef[]): PendingBlock {
    return this.#counted(this.#workers.submit(task, blocks))
  }

  submitAll(tasks: readonly BlockTask[]): readonly PendingBlock[] {
    const { several } = this.#counting
    if (several === undefined || tasks.length === 1) {
      return tasks.map((task) => this.submit(task, []))
    }
    return several(tasks).map((pending) => this.#counted(pending))
  }

  #counted(pending: PendingBlock): PendingBlock {
    pending.metadata.then(
      (metadata: BlockMetadata) => {
        this.done++
        this.wallMs += metadata.wallMs
        this.#counting.statistics.add(this.#name, metadata)
      },
      // Whoever reads the block meets the failure.
      () => undefined,
    )
    return pending
  }

  finish(): void {
    this.#workers.finish()
  }

  stop(): void {
    this.#workers.stop()
  }
}

class BoundedTasks implements BlockPool {
  readonly #operator: SourceOperator | MapOperator
  readonly #runner: BlockRunner
  readonly #shared: SharedTransforms
  readonly #cut = new CutBytes()
  /** Added by `submit`, removed when the task succeeds or fails. */
  readonly #unfinished = new Set<Promise<unknown>>()

  constructor(
    operator: SourceOperator | MapOperator,
    runner: BlockRunner,
    shared: SharedTransforms,
  ) {
    this.#operator = operator
    this.#runner = runner
    this.#shared = shared
  }

  async room(): Promise<void> {
    const { concurrency } = this.#operator.resources
    while (this.#unfinished.size >= concurrency) await Promise.race(this.#unfinished)
  }

  submit(task: BlockTask, blocks: readonly BlockRef[]): PendingBlock {
    const { name, resources, transforms } = this.#operator
    const parts = partsOf(transforms)
    const options = { name, resources, parts, blocks }
    const pending = this.#runner.submit(this.#cut.next(task), this.#shared, options)
    if (parts !== undefined) this.#cut.add(pending)
    if (!Number.isFinite(resources.concurrency)) return pending
    const finished: Promise<unknown> = pending.metadata
      .catch(() => undefined)
      .finally(() => this.#unfinished.delete(finished))
    this.#unfinished.add(finished)
    return pending
  }

  /** Tasks end by themselves, or are cancelled with their blocks. */
  finish(): void {
    this.#unfinished.clear()
  }

  stop(): void {
    this.#unfinished.clear()
  }
}
