// Who works for an operator: tasks, no more at once than its concurrency, or a pool of actors.

import type { BlockMetadata, BlockRef } from '../block/metadata.js'
import type { BlockTask } from '../physical/block-task.js'
import type { MapOperator, SourceOperator } from '../physical/operators.js'
import { partsOf } from '../physical/exchange-transforms.js'
import type { StatisticsCollector } from './statistics.js'
import type { BlockPool, PendingBlock, SharedTransforms, TaskRunner } from './task-runner.js'

interface Hiring {
  readonly runner: TaskRunner
  readonly statistics: StatisticsCollector
}

export function workersOf(operator: SourceOperator | MapOperator, hiring: Hiring): BlockPool {
  const { name, transforms, resources } = operator
  const { runner, statistics } = hiring
  const shared = runner.share(transforms)
  const workers =
    resources.pool === undefined
      ? new BoundedTasks(operator, runner, shared)
      : runner.startPool(shared, { name, resources })
  return new CountedWorkers(name, workers, statistics)
}

/** Tells the statistics of every block that is done. */
class CountedWorkers implements BlockPool {
  readonly #name: string
  readonly #workers: BlockPool
  readonly #statistics: StatisticsCollector

  constructor(name: string, workers: BlockPool, statistics: StatisticsCollector) {
    this.#name = name
    this.#workers = workers
    this.#statistics = statistics
  }

  room(): Promise<void> {
    return this.#workers.room()
  }

  submit(task: BlockTask, blocks: readonly BlockRef[]): PendingBlock {
    const pending = this.#workers.submit(task, blocks)
    pending.metadata.then(
      (metadata: BlockMetadata) => this.#statistics.add(this.#name, metadata),
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
  readonly #runner: TaskRunner
  readonly #shared: SharedTransforms
  /** Added by `submit`, removed when the task succeeds or fails. */
  readonly #unfinished = new Set<Promise<unknown>>()

  constructor(
    operator: SourceOperator | MapOperator,
    runner: TaskRunner,
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
    const pending = this.#runner.submit(task, this.#shared, options)
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
