// What every face of a dataset stands on: the plan, how to add to it, and how to run it.

import type { Block, SchemaField } from './block/block.js'
import { ReadableRows } from './consume/readable-rows.js'
import type { Dataset } from './dataset.js'
import type { DatasetSession, RunningPlan } from './dataset-session.js'
import type { DatasetStatistics } from './execution/statistics.js'
import type { OwnedBundle, Progress } from './execution/streaming-executor.js'
import type { LogicalPlan, Step } from './logical/plan.js'

/** A row of a dataset whose type is not known at compile time. */
export type AnyRow = Record<string, unknown>

/** Options of everything that runs a dataset. */
export interface ConsumeOptions {
  /** Called each time a block is done. */
  readonly onProgress?: (progress: Progress) => void
}

/** @internal The class that a method of a dataset makes others of. */
export type DatasetClass = new (session: DatasetSession, plan: LogicalPlan) => object

/** Rows with a plan. `Dataset` adds its methods in layers, so that each topic has its own file. */
export abstract class PlannedDataset<Row> extends ReadableRows<Row> {
  /** @internal */
  readonly session: DatasetSession
  /** @internal */
  readonly plan: LogicalPlan
  /**
   * @internal Of the last execution of this very dataset; undefined before the first.
   */
  statistics: DatasetStatistics | undefined

  /** @internal Use readParquet, fromItems or range. */
  constructor(session: DatasetSession, plan: LogicalPlan) {
    super()
    this.session = session
    this.plan = plan
  }

  /** @internal The dataset with one more step. */
  derive<Out>(step: Step): Dataset<Out> {
    const { source, steps } = this.plan
    return this.over<Out>({ source, steps: [...steps, step] })
  }

  /** @internal A dataset of another plan on the same session. */
  over<Out = Row>(plan: LogicalPlan): Dataset<Out> {
    const Class = this.constructor as DatasetClass
    return new Class(this.session, plan) as Dataset<Out>
  }

  /** @internal Plans the work, of which nothing runs before `execute` is given it. */
  prepare(options: ConsumeOptions = {}): Promise<RunningPlan> {
    return this.session.execute(this.plan, options.onProgress)
  }

  /** @internal Runs the plan; gives its blocks in order, each when it is finished. */
  async *execute(
    options: ConsumeOptions = {},
    prepared = this.prepare(options),
  ): AsyncGenerator<OwnedBundle, void, void> {
    const execution = await prepared
    try {
      yield* execution.bundles
    } finally {
      // Handing out blocks that are there already is nothing to report.
      const done = execution.statistics.result()
      if (done.operators.length > 0) this.statistics = done
    }
  }

  /** @internal The blocks themselves, in the memory of this process. */
  async *blocks(options: ConsumeOptions = {}): AsyncGenerator<Block, void, void> {
    for await (const { block, isOwned } of this.execute(options)) {
      const got = await this.session.get(block)
      if (isOwned) this.session.release(block)
      yield got
    }
  }

  /** @internal Names and types of the columns; computes the first block if it must. */
  fields(): Promise<readonly SchemaField[]> {
    return this.session.fields(this.plan)
  }
}
