// Methods that divide a dataset into several.

import { randomInt } from 'node:crypto'
import { RayError } from '../../base/errors.js'
import type { RefBundle } from '../block/metadata.js'
import { ConsumableDataset } from '../consumable-dataset.js'
import type { Dataset } from '../dataset.js'
import { col, type Expression, hashFraction } from '../expression/expression.js'
import { random } from '../expression/udf.js'
import { refuseUnknown, rowCount, whole } from '../step-options.js'
import { startStreamingSplit } from './coordinator.js'
import type { DataIterator } from './data-iterator.js'
import { cutAt, evenIndices } from './row-ranges.js'

/** How `split` divides. */
export interface SplitOptions {
  /** Every part gets the same number of rows, and what is left over is dropped. */
  readonly equal?: boolean
}

/** How `trainTestSplit` divides. */
export interface TrainTestSplitOptions {
  /** Shuffles the rows first. */
  readonly shuffle?: boolean
  /** The same seed shuffles alike. */
  readonly seed?: number
}

/** How `streamingTrainTestSplit` divides. */
export interface StreamingTrainTestSplitOptions {
  /** 'random', the default, or 'hash': equal values of a column go to one part. */
  readonly splitType?: 'random' | 'hash'
  /** The column whose values decide. */
  readonly hashColumn?: string
  /** Of 'random': the same seed divides alike. */
  readonly seed?: number
}

/** A dataset that can be divided. */
export abstract class DivisibleDataset<Row> extends ConsumableDataset<Row> {
  /**
   * Computes the dataset and divides it into `count` parts of consecutive rows, as equal as can be.
   *
   * @example
   * const [one, two] = await range(10).split(2)
   * console.log(await one?.count(), await two?.count()) // 5 5
   */
  async split(count: number, options: SplitOptions = {}): Promise<Dataset<Row>[]> {
    refuseUnknown('split', options, ['equal'])
    const parts = whole('split', 'the number of parts', count) ?? 1
    const { bundles, rows } = await this.#computed()
    if (options.equal !== true) return this.#cut(bundles, evenIndices(rows, parts))
    const size = Math.floor(rows / parts)
    const cut = await this.#cut(
      bundles,
      Array.from({ length: parts }, (_, i) => (i + 1) * size),
    )
    return cut.slice(0, parts)
  }

  /**
   * Computes the dataset and divides it before the rows with these numbers, which ascend.
   *
   * @example
   * const [head, body, tail] = await range(10).splitAtIndices([2, 9])
   * console.log(await tail?.takeAll()) // [{ id: 9 }]
   */
  async splitAtIndices(indices: readonly number[]): Promise<Dataset<Row>[]> {
    if (indices.length === 0) throw new RayError('splitAtIndices was given no indices.')
    for (const [i, index] of indices.entries()) {
      rowCount('splitAtIndices', index)
      const before = indices[i - 1] ?? 0
      if (index >= before) continue
      throw new RayError(`splitAtIndices: indices must ascend, and ${index} follows ${before}.`)
    }
    const { bundles } = await this.#computed()
    return this.#cut(bundles, indices)
  }

  /**
   * Computes the dataset and divides it into parts with these shares of the rows, and one with the
   * rest. Each part gets a row at least, off the share of the part before it.
   *
   * @throws RayError if there are too few rows for that.
   * @example
   * const [most, some, rest] = await range(10).splitProportionately([0.5, 0.3])
   * console.log(await rest?.count()) // 2
   */
  async splitProportionately(proportions: readonly number[]): Promise<Dataset<Row>[]> {
    const sum = proportions.reduce((total, share) => total + share, 0)
    if (proportions.length === 0 || proportions.some((share) => !(share > 0)) || !(sum < 1)) {
      throw new RayError(
        'splitProportionately takes shares above 0 that are less than 1 together, not ' +
          `${proportions.join(', ')}.`,
      )
    }
    const { bundles, rows } = await this.#computed()
    let share = 0
    const indices = proportions.map((each) => {
      share += each
      // Rounding must not turn 0.3 of 10 rows into 2.
      return Math.floor(rows * share + 1e-9)
    })
    let next = rows
    for (let i = indices.length - 1; i >= 0; i--) {
      next = Math.min(indices[i] ?? 0, next - 1)
      indices[i] = next
    }
    if (next < 1) {
      throw new RayError(
        `splitProportionately: of ${rows} rows the first of ${indices.length + 1} parts, ` +
          `${proportions[0]} of them, would get none.`,
      )
    }
    return this.#cut(bundles, indices)
  }

  /**
   * Divides the dataset into rows to train with and rows to test with. `testSize` is a share of the
   * rows below 1, or a number of rows.
   *
   * @example
   * const { train, test } = await range(8).trainTestSplit(0.25)
   * console.log(await train.count(), await test.count()) // 6 2
   */
  async trainTestSplit(
    testSize: number,
    options: TrainTestSplitOptions = {},
  ): Promise<{ readonly train: Dataset<Row>; readonly test: Dataset<Row> }> {
    refuseUnknown('trainTestSplit', options, ['shuffle', 'seed'])
    const { shuffle = false, seed } = options
    const source = shuffle ? shuffled(this, seed) : this
    const { bundles, rows } = await computed(source)
    const tested = testSize < 1 ? Math.floor(rows * testSize) : testSize
    if (!(testSize > 0) || !Number.isInteger(tested) || tested >= rows) {
      throw new RayError(
        `trainTestSplit: testSize must be a share between 0 and 1, or a whole number below the ` +
          `${rows} rows there are, not ${testSize}.`,
      )
    }
    const [train, test] = await this.#cut(bundles, [rows - tested])
    if (train === undefined || test === undefined) throw new RayError('A split has two parts.')
    return { train, test }
  }

  /**
   * Divides the dataset into rows to train with and rows to test with, without computing it: each
   * row goes by chance to either, or by the hash of a column. Either part is computed by itself,
   * from the same rows.
   *
   * @example
   * const { train, test } = range(1000).streamingTrainTestSplit(0.2, { seed: 7 })
   * console.log((await train.count()) + (await test.count())) // 1000
   */
  streamingTrainTestSplit(
    testSize: number,
    options: StreamingTrainTestSplitOptions = {},
  ): { readonly train: Dataset<Row>; readonly test: Dataset<Row> } {
    const chance = chanceOf(testSize, options)
    const part = (predicate: Expression): Dataset<Row> => {
      return this.derive({ kind: 'where', predicate: predicate.node })
    }
    return { train: part(chance.gte(testSize)), test: part(chance.lt(testSize)) }
  }

  /**
   * Divides the dataset while it is computed: `count` iterators, each to be read by one of as many
   * tasks, actors or loops at the same time. Nobody gets a row that another gets. Reading an
   * iterator again computes the dataset again, once all have finished with the time before.
   *
   * @example
   * const [one, two] = range(1000).streamingSplit(2, { equal: true })
   * const countRows = ray.remote(async (rows: DataIterator) => {
   *   let count = 0
   *   for await (const batch of rows.iterBatches({ batchFormat: 'rows' })) count += batch.length
   *   return count
   * })
   * console.log(await ray.get([one, two].map((rows) => countRows.remote(rows)))) // [500, 500]
   */
  streamingSplit(count: number, options: SplitOptions = {}): DataIterator<Row>[] {
    refuseUnknown('streamingSplit', options, ['equal'])
    const splits = whole('streamingSplit', 'the number of parts', count) ?? 1
    return startStreamingSplit<Row>(this, splits, options.equal === true)
  }

  async #computed(): Promise<Computed> {
    return computed(this)
  }

  async #cut(bundles: readonly RefBundle[], indices: readonly number[]): Promise<Dataset<Row>[]> {
    const parts = await Promise.all(
      cutAt(bundles, indices).map((part) => this.session.sliceBlocks(part)),
    )
    return parts.map((part) => this.over({ source: { kind: 'blocks', bundles: part }, steps: [] }))
  }
}

/** A number from 0 to 1 for each row. Both parts must see the same, so chance has a seed. */
function chanceOf(testSize: number, options: StreamingTrainTestSplitOptions): Expression<number> {
  const operator = 'streamingTrainTestSplit'
  refuseUnknown(operator, options, ['splitType', 'hashColumn', 'seed'])
  const { splitType = 'random', hashColumn, seed } = options
  if (!(testSize > 0 && testSize < 1)) {
    throw new RayError(`${operator}: testSize must be a share between 0 and 1, not ${testSize}.`)
  }
  if (splitType !== 'random' && splitType !== 'hash') {
    throw new RayError(`${operator}: splitType must be 'random' or 'hash'.`)
  }
  const isHash = splitType === 'hash'
  if (isHash !== (hashColumn !== undefined) || (isHash && seed !== undefined)) {
    throw new RayError(`${operator}: 'hash' takes a hashColumn, and 'random' may have a seed.`)
  }
  return hashColumn === undefined
    ? random(seed ?? randomInt(2 ** 31))
    : hashFraction(col(hashColumn))
}

interface Computed {
  readonly bundles: readonly RefBundle[]
  readonly rows: number
}

interface Shuffled<Row> {
  randomShuffle(options: { readonly seed?: number }): ConsumableDataset<Row>
}

/** `Dataset` is built on this class and not the other way round, so that it is asked by shape. */
function shuffled<Row>(
  dataset: ConsumableDataset<Row>,
  seed: number | undefined,
): ConsumableDataset<Row> {
  const { randomShuffle } = dataset as unknown as Shuffled<Row>
  return randomShuffle.call(dataset, seed === undefined ? {} : { seed })
}

async function computed<Row>(dataset: ConsumableDataset<Row>): Promise<Computed> {
  const { plan } = await dataset.materialize()
  const bundles = plan.source.kind === 'blocks' ? plan.source.bundles : []
  return { bundles, rows: bundles.reduce((sum, { metadata }) => sum + metadata.rows, 0) }
}
