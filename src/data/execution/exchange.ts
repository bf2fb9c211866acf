// Exchanges: rows change blocks.
//
// Where the parts are known beforehand (hash, random), the tasks that make the blocks cut them as
// well, and nothing is stored whole. Where they are not (the boundaries of a sort, the size of an
// aggregate's partial results), blocks are stored first, and cut by tasks of their own if they
// must. The tasks that put parts together are submitted as their blocks are asked for, so that a
// consumer that stops early, or is slow, costs nothing.

import { dataBlockBytes } from '../../base/limits.js'
import type { BlockRef, KeySample } from '../block/metadata.js'
import { type ExchangeOperator, sortedBlocksMax } from '../physical/exchange-operators.js'
import {
  type Combination,
  type CombineInputs,
  partsOf,
  type PartitionTransform,
  type RowRange,
} from '../physical/exchange-transforms.js'
import { plainResources } from '../physical/operators.js'
import { permutation } from '../relational/sample.js'
import { CutBytes } from './cut-bytes.js'
import { type DrainedBlock, drain, rowsBetween } from './drain.js'
import { unlessTolerated } from './errored-blocks.js'
import { areAlike, compareKeys } from './mixed-keys.js'
import { sortCuts } from './sort-cuts.js'
import type { Execution } from './streaming-executor.js'
import type { PendingBlock, SharedTransforms } from './task-runner.js'

type Blocks = AsyncGenerator<PendingBlock, void, void>

/** Partial results of aggregates that one task puts together faster than several would. */
const gatheredBytesMax = 32_000_000

export async function* exchangeBlocks(
  operator: ExchangeOperator,
  blocks: Blocks,
  execution: Execution,
): Blocks {
  const { exchange } = operator
  const combiner = new Combiner(operator, execution)
  switch (exchange.kind) {
    case 'resize':
      yield* resize(blocks, exchange.rows, combiner)
      return
    case 'coalesce':
      yield* coalesce(blocks, exchange.rows, combiner)
      return
    case 'parts':
      yield* combineParts(await drain(blocks, execution), exchange, combiner)
      return
    case 'gather':
      yield combiner.submit(exchange.combination, await drain(blocks, execution))
      return
    case 'block-order': {
      const drained = await drain(blocks, execution)
      const order = permutation(drained.length, { seed: exchange.seed, index: 0 })
      for (const i of order) yield combiner.pass(drained[i])
      return
    }
    case 'reblock':
      yield* reblock(await drain(blocks, execution), exchange.blocks, combiner)
      return
    case 'aggregate':
      yield* aggregate(await drain(blocks, execution), exchange, { combiner, execution })
      return
    case 'sort':
      yield* sort(await drain(blocks, execution), exchange, { combiner, execution })
  }
}

type Of<Kind> = Extract<ExchangeOperator['exchange'], { kind: Kind }>

interface Work {
  readonly combiner: Combiner
  readonly execution: Execution
}

function* combineParts(
  drained: readonly DrainedBlock[],
  { count, combination }: { readonly count: number; readonly combination: Combination },
  combiner: Combiner,
): Generator<PendingBlock> {
  for (let part = 0; part < count; part++) yield combiner.submit(combination, partOf(drained, part))
}

/** What blocks have of a part. */
function partOf(drained: readonly DrainedBlock[], part: number): readonly DrainedBlock[] {
  return drained.flatMap(({ parts, isOwned, metadata }) => {
    const block = parts[part]
    const rows = metadata.partRows?.[part] ?? 0
    return block === undefined ? [] : { block, parts: [], isOwned, metadata: { ...metadata, rows } }
  })
}

async function* aggregate(
  drained: readonly DrainedBlock[],
  { keys, aggregates }: Of<'aggregate'>,
  { combiner, execution }: Work,
): Blocks {
  const combination = { kind: 'final-aggregate', keys, aggregates } as const
  const bytes = drained.reduce((sum, { metadata }) => sum + metadata.bytes, 0)
  if (keys.length === 0 || bytes <= gatheredBytesMax || drained.length === 1) {
    yield combiner.submit(combination, drained)
    return
  }
  const count = Math.max(execution.cpus, Math.ceil(bytes / dataBlockBytes))
  const cut = { kind: 'partition', by: { kind: 'hash', keys }, count } as const
  yield* combineParts(await partitionAll(drained, cut, combiner), { count, combination }, combiner)
}

async function* sort(
  drained: readonly DrainedBlock[],
  { keys }: Of<'sort'>,
  { combiner }: Work,
): Blocks {
  const full = drained.filter(({ metadata }) => metadata.rows > 0)
  const schemas = full.map(({ metadata }) => metadata.schema)
  const isMixed = !areAlike(schemas)
  const taken = isMixed ? withoutEmpty(drained, combiner) : drained
  const combination = { kind: 'sort', keys, isMixed } as const
  const bytes = full.reduce((sum, { metadata }) => sum + metadata.bytes, 0)
  const count = Math.max(
    Math.min(drained.length, sortedBlocksMax),
    Math.ceil(bytes / dataBlockBytes),
  )
  const comparison = isMixed ? compareKeys(keys, schemas) : 'plain'
  // Keys that do not compare meet in one task, which says what is wrong with them.
  if (count <= 1 || comparison === 'none') {
    yield combiner.submit(combination, taken)
    return
  }
  const isWide = comparison === 'wide'
  const sample = full.flatMap(({ metadata }) => metadata.sample ?? [])
  const { parts, ...cuts } = sortCuts(isWide ? sample.map(wideKey) : sample, count)
  const by = { kind: 'range', keys, ...cuts, isWide } as const
  const cut = { kind: 'partition', by, count: parts.length } as const
  const partitioned = await partitionAll(taken, cut, combiner)
  for (const [part, { isEqual, blocks }] of parts.entries()) {
    const inputs = partOf(partitioned, part)
    // Wide keys may be equal where the keys are not, and blocks of one type must be made.
    if (isEqual && !isMixed) yield* reblock(inputs, blocks, combiner)
    else yield combiner.submit(combination, inputs)
  }
}

/** The blocks that have rows: what others have no rows of must not decide about types. */
function withoutEmpty(
  drained: readonly DrainedBlock[],
  { execution }: Combiner,
): readonly DrainedBlock[] {
  return drained.filter(({ block, isOwned, metadata }) => {
    if (metadata.rows > 0) return true
    if (isOwned) execution.runner.release(block)
    return false
  })
}

/** Numbers of one type do not tell keys of several apart. */
function wideKey({ key, wide = key }: KeySample): KeySample {
  return { key: wide, first: null }
}

/** Cuts blocks that are stored whole. */
export async function partitionAll(
  drained: readonly DrainedBlock[],
  cut: PartitionTransform,
  combiner: Combiner,
): Promise<readonly DrainedBlock[]> {
  return drain(combiner.partition(drained, cut), combiner.execution)
}

/** The rows of all blocks in `count` blocks of equal length. */
function* reblock(
  drained: readonly DrainedBlock[],
  count: number,
  combiner: Combiner,
): Generator<PendingBlock> {
  const rows = drained.reduce((sum, { metadata }) => sum + metadata.rows, 0)
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * rows) / count)
    const to = Math.floor(((i + 1) * rows) / count)
    yield combiner.slice(drained, [from, to])
  }
}

/** Blocks of `rows` rows, each as soon as its rows are there; the last one is shorter. */
async function* resize(blocks: Blocks, rows: number, combiner: Combiner): Blocks {
  let waiting: DrainedBlock[] = []
  let skipped = 0
  let known = 0
  for await (const pending of blocks) {
    const { block, isOwned = false } = pending
    const metadata = await unlessTolerated(pending.metadata, combiner.execution.errored)
    if (metadata === undefined) continue
    waiting.push({ block, parts: [], isOwned, metadata })
    known += metadata.rows
    while (known - skipped >= rows) {
      yield combiner.slice(waiting, [skipped, skipped + rows])
      skipped += rows
      // Blocks that lie before what is still to come are done with.
      while (waiting[0] !== undefined && waiting[0].metadata.rows <= skipped) {
        skipped -= waiting[0].metadata.rows
        known -= waiting[0].metadata.rows
        waiting = waiting.slice(1)
      }
    }
  }
  if (known > skipped) yield combiner.slice(waiting, [skipped, known])
}

/** Blocks of at least `rows` rows, but for the last one, each as soon as its rows are there. */
async function* coalesce(blocks: Blocks, rows: number, combiner: Combiner): Blocks {
  let waiting: DrainedBlock[] = []
  let known = 0
  const take = (): PendingBlock => {
    const [first] = waiting
    const made =
      waiting.length === 1 ? combiner.pass(first) : combiner.submit({ kind: 'concat' }, waiting)
    waiting = []
    known = 0
    return made
  }
  for await (const pending of blocks) {
    const { block, isOwned = false } = pending
    const metadata = await unlessTolerated(pending.metadata, combiner.execution.errored)
    if (metadata === undefined) continue
    waiting.push({ block, parts: [], isOwned, metadata })
    known += metadata.rows
    if (known >= rows) yield take()
  }
  if (waiting.length > 0) yield take()
}

/** A block that goes into others; what is known of it matters only where some of it is taken. */
export type CombinedBlock = Pick<DrainedBlock, 'block' | 'isOwned'> & Partial<DrainedBlock>

/** Submits the tasks that combine blocks, and lets go of their inputs when all are used. */
export class Combiner {
  readonly execution: Execution
  readonly #operator: Pick<ExchangeOperator, 'name' | 'transforms' | 'resources'>
  readonly #shared = new Map<string, SharedTransforms>()
  /** Tasks that use a block and have not ended. Added by `submit`, removed when they end. */
  readonly #uses = new Map<BlockRef, number>()
  /** Blocks that no further task will use. */
  readonly #finished = new Set<BlockRef>()
  #index = 0

  constructor(
    operator: Pick<ExchangeOperator, 'name' | 'transforms' | 'resources'>,
    execution: Execution,
  ) {
    this.#operator = operator
    this.execution = execution
  }

  /** One block of several. */
  submit(
    combination: Combination,
    inputs: readonly CombinedBlock[],
    combine: CombineInputs = {},
  ): PendingBlock {
    const { runner, statistics } = this.execution
    const { name, resources, transforms } = this.#operator
    const blocks = inputs.map(({ block }) => block)
    const task = { index: this.#index++, combine }
    const shared = this.#transforms(combination)
    const parts = partsOf(transforms)
    const made = runner.submit(task, shared, { name, resources, blocks, parts })
    made.metadata.then(
      (metadata) => statistics.add(name, metadata),
      // Whoever reads the block meets the failure.
      () => undefined,
    )
    const { ranges } = combine
    const isLast = ({ metadata }: CombinedBlock, i: number): boolean => {
      return ranges === undefined || metadata === undefined || ranges[i]?.[1] === metadata.rows
    }
    this.#releaseAfter(made, inputs, isLast)
    return made
  }

  /** Some of the rows of blocks that lie one behind the other. */
  slice(inputs: readonly DrainedBlock[], [from, to]: RowRange): PendingBlock {
    const { inputs: taken, ranges } = rowsBetween(inputs, [from, to])
    return this.submit({ kind: 'concat' }, taken, { ranges })
  }

  /** A block as it is, or with the operator's transforms. */
  pass(input: DrainedBlock | undefined): PendingBlock {
    if (input === undefined) return this.submit({ kind: 'concat' }, [])
    if (this.#operator.transforms.length > 0) return this.submit({ kind: 'concat' }, [input])
    const { block, metadata, isOwned } = input
    return { block, metadata: Promise.resolve(metadata), isOwned }
  }

  /** Cuts blocks into parts. */
  async *partition(inputs: readonly DrainedBlock[], cut: PartitionTransform): Blocks {
    const { runner, statistics } = this.execution
    const name = `${this.#operator.name}: partition`
    const shared = runner.share([cut])
    const cutBytes = new CutBytes()
    for (const [index, input] of inputs.entries()) {
      const { block } = input
      const options = { name, resources: plainResources, block, parts: cut.count }
      const made = runner.submit(cutBytes.next({ index }), shared, options)
      cutBytes.add(made)
      made.metadata.then(
        (metadata) => statistics.add(name, metadata),
        () => undefined,
      )
      this.#releaseAfter(made, [input], () => true)
      yield made
    }
  }

  #transforms(combination: Combination): SharedTransforms {
    const { name, transforms } = this.#operator
    const known = this.#shared.get(combination.kind)
    if (known !== undefined) return known
    const combine = { kind: 'combine', name, combination } as const
    const shared = this.execution.runner.share([combine, ...transforms])
    this.#shared.set(combination.kind, shared)
    return shared
  }

  /** Several tasks may use a block: it goes when those have ended and no other will come. */
  #releaseAfter(
    made: PendingBlock,
    inputs: readonly CombinedBlock[],
    isLast: (input: CombinedBlock, index: number) => boolean,
  ): void {
    const { runner } = this.execution
    const owned = inputs.filter(({ isOwned }) => isOwned).map(({ block }) => block)
    for (const block of owned) this.#uses.set(block, (this.#uses.get(block) ?? 0) + 1)
    inputs.forEach((input, i) => {
      if (isLast(input, i)) this.#finished.add(input.block)
    })
    const release = (): void => {
      for (const block of owned) {
        const uses = (this.#uses.get(block) ?? 1) - 1
        this.#uses.set(block, uses)
        if (uses === 0 && this.#finished.has(block)) runner.release(block)
      }
    }
    made.metadata.then(release, release)
  }
}
