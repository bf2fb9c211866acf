// The actor that runs a dataset for the readers of a streaming split and hands out its blocks.
//
// It takes no CPU: it moves refs, not rows. Each pass over the dataset is an epoch. An epoch begins
// when a reader asks for it and all readers are through with the one before, so that one execution
// runs at a time.

import * as ray from '../../ray/index.js'
import type { SchemaField } from '../block/block.js'
import type { BlockRef } from '../block/metadata.js'
import { DatasetSession } from '../dataset-session.js'
import type { DatasetStatistics, StatisticsCollector } from '../execution/statistics.js'
import type { OwnedBundle } from '../execution/streaming-executor.js'
import { RayTaskRunner } from '../execution/ray-task-runner.js'
import type { LogicalPlan } from '../logical/plan.js'
import type { DatasetClass, PlannedDataset } from '../planned-dataset.js'
import { DataIterator } from './data-iterator.js'
import { SplitState } from './split-state.js'

/** Rows of a block, on their way to a reader. */
export interface Piece {
  readonly block: BlockRef
  readonly start: number
  readonly end: number
}

/** Blocks per reader that may wait for slower readers. */
const queuedPerReader = 2
/** Passes of a reader whose keys are remembered: a task that is retried asks again soon. */
const keysPerReader = 64

/** The passes of one reader over the dataset. */
interface Passes {
  begun: number
  /** The epoch of each pass, by what its reader calls it. */
  readonly epochs: Map<string, number>
}

interface Waiting {
  readonly reader: number
  settle(piece: Piece | undefined): void
  fail(error: unknown): void
}

interface Epoch {
  readonly number: number
  readonly state: SplitState
  readonly blocks: AsyncGenerator<OwnedBundle, void, void>
  readonly statistics: StatisticsCollector
  /** Added by `next`, removed when answered. */
  waiting: Waiting[]
  /** Readers that have read to the end, or left. */
  readonly through: Set<number>
  isPulling: boolean
  failure: { readonly error: unknown } | undefined
}

export class SplitCoordinator {
  readonly #plan: LogicalPlan
  readonly #readers: number
  readonly #equal: boolean
  readonly #session = new DatasetSession(new RayTaskRunner())
  readonly #passes = new Map<number, Passes>()
  #epoch: Promise<Epoch> | undefined
  /** Wakes who waits for the epoch to change or end. */
  #turns: (() => void)[] = []

  constructor(plan: LogicalPlan, readers: number, equal: boolean) {
    this.#plan = plan
    this.#readers = readers
    this.#equal = equal
  }

  /**
   * The epoch of a pass that a reader begins. A task that runs again since its process died goes on
   * with the epoch that it had, as `key` is the same; every other pass gets the next one, and what
   * the reader has not read of the one before is nobody's.
   */
  async begin(reader: number, key: string): Promise<number> {
    const passes = this.#passes.get(reader) ?? { begun: 0, epochs: new Map<string, number>() }
    this.#passes.set(reader, passes)
    const known = passes.epochs.get(key)
    if (known !== undefined) return known
    const number = passes.begun++
    passes.epochs.set(key, number)
    for (const oldest of passes.epochs.keys()) {
      if (passes.epochs.size <= keysPerReader) break
      passes.epochs.delete(oldest)
    }
    const epoch = await this.#epoch
    if (epoch !== undefined && epoch.number < number) await this.#through(epoch, reader)
    return number
  }

  /** The next rows for a reader; undefined when the epoch is over. */
  async next(reader: number, number: number): Promise<Piece | undefined> {
    const epoch = await this.#reach(number)
    if (epoch.number > number) return undefined
    if (epoch.failure !== undefined) throw epoch.failure.error
    return new Promise((resolve, reject) => {
      epoch.waiting.push({ reader, settle: resolve, fail: reject })
      this.#serve(epoch)
    })
  }

  /** A reader does not want the rest of the epoch. A task that runs again begins another. */
  async leave(reader: number, number: number): Promise<void> {
    const epochs = this.#passes.get(reader)?.epochs
    for (const [key, each] of epochs ?? []) if (each === number) epochs?.delete(key)
    const epoch = await this.#epoch
    if (epoch?.number === number) await this.#through(epoch, reader)
  }

  /** Names and types of the columns. */
  fields(): Promise<readonly SchemaField[]> {
    return this.#session.fields(this.#plan)
  }

  /** What the current epoch, or the last one, has done so far; undefined before the first. */
  async statistics(): Promise<DatasetStatistics | undefined> {
    return (await this.#epoch)?.statistics.result()
  }

  async #reach(number: number): Promise<Epoch> {
    for (;;) {
      const pending = (this.#epoch ??= this.#start(number))
      const epoch = await pending
      if (epoch.number >= number) return epoch
      if (epoch.through.size === this.#readers) {
        // Of several that come here, the first starts the epoch.
        if (this.#epoch === pending) this.#epoch = this.#start(number)
        continue
      }
      await new Promise<void>((resolve) => this.#turns.push(resolve))
    }
  }

  async #start(number: number): Promise<Epoch> {
    const { bundles, statistics } = await this.#session.execute(this.#plan, undefined)
    return {
      number,
      state: new SplitState(this.#readers, this.#equal),
      blocks: bundles,
      statistics,
      waiting: [],
      through: new Set(),
      isPulling: false,
      failure: undefined,
    }
  }

  #serve(epoch: Epoch): void {
    const later: Waiting[] = []
    for (const each of epoch.waiting) {
      if (epoch.failure !== undefined) {
        each.fail(epoch.failure.error)
        continue
      }
      const taken = epoch.state.take(each.reader)
      if (taken === 'later') {
        later.push(each)
      } else if (taken === 'end') {
        each.settle(undefined)
        void this.#through(epoch, each.reader)
      } else {
        each.settle({ block: taken.bundle.block, start: taken.start, end: taken.end })
      }
    }
    epoch.waiting = later
    if (later.length > 0 && !epoch.isPulling && this.#mayPull(epoch)) void this.#pull(epoch)
  }

  /** A reader that is far ahead of the others waits for them, unless they all wait. */
  #mayPull(epoch: Epoch): boolean {
    if (epoch.state.queued < queuedPerReader * this.#readers) return true
    const waiting = new Set(epoch.waiting.map(({ reader }) => reader))
    return waiting.size + epoch.through.size >= this.#readers
  }

  async #pull(epoch: Epoch): Promise<void> {
    epoch.isPulling = true
    try {
      const next = await epoch.blocks.next()
      if (next.done === true) epoch.state.end()
      else epoch.state.add(next.value)
    } catch (error) {
      epoch.failure = { error }
    }
    epoch.isPulling = false
    this.#serve(epoch)
  }

  async #through(epoch: Epoch, reader: number): Promise<void> {
    if (epoch.through.has(reader)) return
    epoch.through.add(reader)
    if (epoch.through.size === this.#readers) await epoch.blocks.return()
    for (const turn of this.#turns.splice(0)) turn()
  }
}

const coordinatorClass = ray.remote(SplitCoordinator)

/** Starts the actor, and gives the ends that readers hold. */
export function startStreamingSplit<Row>(
  dataset: PlannedDataset<Row>,
  readers: number,
  equal: boolean,
): DataIterator<Row>[] {
  const { plan } = dataset
  const datasetClass = dataset.constructor as DatasetClass
  const { nodeId } = ray.getRuntimeContext()
  const coordinator = coordinatorClass
    .options({
      numCpus: 0,
      // Every reader may wait for one piece while it asks for the next, or leaves.
      maxConcurrency: 4 * readers,
      // Where its owner is, without which it ends anyway: no other node can end it then.
      schedulingStrategy: { nodeId, soft: true },
    })
    .remote(plan, readers, equal)
  return Array.from(
    { length: readers },
    (_, i) => new DataIterator<Row>(coordinator, i, datasetClass),
  )
}
