// One reader's end of a streaming split. It travels to the task or actor that reads.

import * as ray from '../../ray/index.js'
import { RayError } from '../../base/errors.js'
import { type Block, type Schema, schemaOf, sliceBlock } from '../block/block.js'
import type { RefBundle } from '../block/metadata.js'
import { ReadableRows } from '../consume/readable-rows.js'
import type { Dataset } from '../dataset.js'
import { DatasetSession } from '../dataset-session.js'
import { unwrapped } from '../execution/ray-task-options.js'
import { DatasetStatistics } from '../execution/statistics.js'
import { RayTaskRunner } from '../execution/ray-task-runner.js'
import type { AnyRow, ConsumeOptions, DatasetClass } from '../planned-dataset.js'
import { refuseUnknown } from '../step-options.js'
import { storeBlock } from '../store-block.js'
import type { SplitCoordinator } from './coordinator.js'

/**
 * The rows that one reader of `streamingSplit` gets. It can be passed to a task or an actor, and
 * read there.
 *
 * @example
 * const [rows] = range(100).streamingSplit(1)
 * for await (const { id } of rows?.iterBatches({ batchSize: 10 }) ?? []) console.log(id)
 */
export class DataIterator<Row = AnyRow> extends ReadableRows<Row> {
  // Plain fields, because private ones do not travel.
  /** @internal */
  readonly coordinator: ray.ActorHandle<SplitCoordinator>
  /** @internal Which of the readers this is. */
  readonly reader: number
  /** @internal What `materialize` makes: the class that makes iterators cannot be imported here. */
  readonly datasetClass: DatasetClass
  /** @internal Passes over the dataset that this very object has begun. */
  epochs = 0

  /** @internal Use `streamingSplit`. */
  constructor(
    coordinator: ray.ActorHandle<SplitCoordinator>,
    reader: number,
    datasetClass: DatasetClass,
  ) {
    super()
    this.coordinator = coordinator
    this.reader = reader
    this.datasetClass = datasetClass
  }

  /** Names and types of the columns, as `Dataset.schema`. */
  async schema(): Promise<Schema> {
    return schemaOf(await unwrapped(ray.get(this.coordinator.fields.remote())))
  }

  /**
   * What computing the dataset, for all readers together, has done in the current pass, or did in
   * the last one.
   *
   * @throws RayError if nobody has begun to read.
   */
  async stats(): Promise<DatasetStatistics> {
    const done = await unwrapped(ray.get(this.coordinator.statistics.remote()))
    if (done === undefined) {
      throw new RayError('stats() describes an execution, and nobody has begun to read yet.')
    }
    return new DatasetStatistics(done.wallMs, done.operators, done.workers)
  }

  /**
   * Reads the rows of this reader, as one pass over them, into the object store: a dataset of their
   * own, which lives on without the others.
   *
   * @example
   * const [one, two] = range(1000).streamingSplit(2, { equal: true })
   * const parts = await Promise.all([one, two].map((rows) => rows?.materialize()))
   * console.log(await parts[0]?.count()) // 500
   */
  async materialize(): Promise<Dataset<Row>> {
    const bundles: RefBundle[] = []
    let startedMs = performance.now()
    for await (const block of this.blocks()) {
      // The block itself goes with the coordinator, which made it.
      bundles.push(storeBlock(block, startedMs))
      startedMs = performance.now()
    }
    const session = new DatasetSession(new RayTaskRunner())
    const plan = { source: { kind: 'blocks', bundles }, steps: [] } as const
    return new this.datasetClass(session, plan) as Dataset<Row>
  }

  /** @internal */
  async *blocks(options: ConsumeOptions = {}): AsyncGenerator<Block, void, void> {
    // The coordinator sees what is computed, and not its readers.
    refuseUnknown('an iterator of streamingSplit', options, [])
    const task = ray.getRuntimeContext().taskId ?? 'driver'
    const begun = this.coordinator.begin.remote(this.reader, `${task} ${this.epochs++}`)
    const epoch = await unwrapped(ray.get(begun))
    let isOver = false
    try {
      for (;;) {
        const asked = this.coordinator.next.remote(this.reader, epoch)
        const piece = await unwrapped(ray.get(asked))
        if (piece === undefined) {
          isOver = true
          return
        }
        const block = await ray.get(piece.block)
        piece.block[Symbol.dispose]()
        yield sliceBlock(block, piece.start, piece.end)
      }
    } finally {
      if (!isOver) this.coordinator.leave.remote(this.reader, epoch)
    }
  }
}
