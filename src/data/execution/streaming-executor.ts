// Runs a physical plan as a stream of blocks, in order.
//
// Each operator is a generator of blocks that are submitted but not necessarily finished: a ref can
// be passed to the next operator's task at once, and the scheduler runs that when the block is
// there. Work is bounded at the consuming end: at most `blocksAhead` blocks are submitted beyond
// the one that the consumer waits for, so a slow consumer stops the readers, and a consumer that
// stops reading cancels what is under way.

import { assertNever } from '../../base/assert.js'
import type { RefBundle } from '../block/metadata.js'
import {
  type LimitOperator,
  type MapOperator,
  type PhysicalPlan,
  plainResources,
  plannedBlocks,
  type SourceOperator,
  type UnionOperator,
} from '../physical/operators.js'
import { originOf } from '../physical/row-origin.js'
import { aheadBytes, type BackpressurePolicy, blocksAhead } from './backpressure-policy.js'
import { type ErroredBlocks, unlessTolerated } from './errored-blocks.js'
import { ExecutionBlocks } from './execution-blocks.js'
import { bundleBlocks, originOfBundle, rowsOf } from './bundle-blocks.js'
import { exchangeBlocks } from './exchange.js'
import { joinBlocks } from './join-blocks.js'
import { zipBlocks } from './zip-blocks.js'
import { workersOf } from './operator-workers.js'
import { blocksPerTask } from './small-tasks.js'
import type { StatisticsCollector } from './statistics.js'
import type { BlockRunner, PendingBlock } from './task-runner.js'

/** How far an execution is. */
export interface Progress {
  /** Blocks that are done. */
  readonly blocks: number
  /** Rows in them. */
  readonly rows: number
  /** Undefined where a limit decides when the work ends. */
  readonly blocksTotal: number | undefined
}

export interface Execution {
  readonly runner: BlockRunner
  readonly cpus: number
  /** Bytes that the object store holds before it spills. */
  readonly storeBytes: number
  readonly statistics: StatisticsCollector
  /** Undefined where the first block that fails ends the execution. */
  readonly errored?: ErroredBlocks
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** A finished block; `isOwned` if whoever takes it is to let go of it. */
export interface OwnedBundle extends RefBundle {
  readonly isOwned: boolean
}

type Blocks = AsyncGenerator<PendingBlock, void, void>

/** Gives the blocks of the plan in order, each when it is finished. */
export async function* executePlan(
  plan: PhysicalPlan,
  execution: Execution,
): AsyncGenerator<OwnedBundle, void, void> {
  const { onProgress } = execution
  const policy = policyOf(plan, execution)
  const runner = new ExecutionBlocks(execution.runner)
  const within = { ...execution, runner }
  const blocksTotal = plannedBlocks(plan)
  let done = 0
  let rows = 0
  try {
    const blocks = ahead(planBlocks(plan, within), policy, within)
    for await (const { block, metadata, isOwned } of blocks) {
      const finished = await unlessTolerated(metadata, execution.errored)
      if (finished === undefined) continue
      done++
      rows += finished.rows
      onProgress?.({ blocks: done, rows, blocksTotal })
      runner.give(block)
      yield { block, metadata: finished, isOwned: isOwned === true }
    }
  } finally {
    runner.end()
  }
}

function policyOf(plan: PhysicalPlan, { cpus, storeBytes }: Execution): BackpressurePolicy {
  const { operators } = plan
  const startsSmall = operators.some((operator) => operator.kind === 'limit')
  return { cpus, startsSmall, bytesMax: aheadBytes(storeBytes, 1 + operators.length) }
}

/** The blocks of a plan, submitted as they are asked for. */
function planBlocks(plan: PhysicalPlan, execution: Execution): Blocks {
  const policy = policyOf(plan, execution)
  let blocks = sourceBlocks(plan, execution)
  for (const operator of plan.operators) {
    if (operator.kind === 'exchange') {
      // Where an exchange hands on blocks while others are made, it must not wait for each alone.
      const { kind } = operator.exchange
      const isStream = kind === 'resize' || kind === 'coalesce'
      const inputs = isStream ? ahead(blocks, policy, execution) : blocks
      blocks = exchangeBlocks(operator, inputs, execution)
    } else if (operator.kind === 'limit') {
      blocks = limitBlocks(operator, ahead(blocks, policy, execution), execution)
    } else {
      const { rowsMin, resources } = operator
      // Both wait for their inputs, which must be under way meanwhile.
      const isWaiting = resources.pool !== undefined || rowsMin !== undefined
      const inputs = isWaiting ? ahead(blocks, policy, execution) : blocks
      blocks = mapBlocks(operator, inputs, execution)
    }
  }
  return blocks
}

function sourceBlocks(plan: PhysicalPlan, execution: Execution): Blocks {
  const { source } = plan
  switch (source.kind) {
    case 'source':
      return readBlocks(source, execution)
    case 'blocks':
      return presentBlocks(source.bundles)
    case 'union':
      return unionBlocks(source, execution)
    case 'join':
      return joinBlocks(source, execution, (side) => planBlocks(side, execution))
    case 'zip':
      return zipBlocks(source, execution, (side) => planBlocks(side, execution))
    default:
      return assertNever(source)
  }
}

async function* presentBlocks(bundles: readonly RefBundle[]): Blocks {
  for (const { block, metadata } of bundles) {
    yield { block, metadata: Promise.resolve(metadata) }
  }
}

async function* unionBlocks(operator: UnionOperator, execution: Execution): Blocks {
  for (const input of operator.inputs) yield* planBlocks(input, execution)
}

async function* readBlocks(operator: SourceOperator, execution: Execution): Blocks {
  const { cpus, errored } = execution
  const workers = workersOf(operator, execution)
  const isShared = workers.canShareTasks && errored?.isTolerant !== true
  const { inputs } = operator
  let made: PendingBlock[] = []
  try {
    for (let at = 0; at < inputs.length;) {
      await workers.room()
      const { done, wallMs } = workers
      const left = inputs.length - at
      const count = isShared ? blocksPerTask({ done, wallMs, left, cpus }) : 1
      const tasks = inputs.slice(at, at + count).map((input, i) => ({ input, index: at + i }))
      at += count
      made = [...workers.submitAll(tasks)]
      for (const { input } of tasks) {
        const pending = made.shift()
        if (pending !== undefined) yield { ...pending, origin: originOf(input) }
      }
    }
    workers.finish()
  } finally {
    // Nobody will ask for these, which share a task with one that somebody did ask for.
    for (const { block } of made) execution.runner.release(block)
    workers.stop()
  }
}

async function* mapBlocks(operator: MapOperator, blocks: Blocks, execution: Execution): Blocks {
  const workers = workersOf(operator, execution)
  let index = 0
  try {
    for await (const bundle of bundleBlocks(blocks, operator.rowsMin)) {
      const [first] = bundle
      // A task may wait for its block; an actor would keep others waiting meanwhile.
      if (operator.resources.pool !== undefined && first !== undefined && !(await isMade(first))) {
        yield first
        continue
      }
      await workers.room()
      const origin = originOfBundle(bundle)
      const blocksOf = bundle.map(({ block }) => block)
      const made = workers.submit({ index, origin }, blocksOf)
      index++
      for (const input of bundle) if (input.isOwned === true) releaseAfter(made, input, execution)
      yield { ...made, origin }
    }
    workers.finish()
  } finally {
    workers.stop()
  }
}

/** False where the block failed: whoever reads it learns why. */
async function isMade(pending: PendingBlock): Promise<boolean> {
  return (await rowsOf(pending)) !== undefined
}

/** An intermediate block goes as soon as what is made of it is there. */
function releaseAfter(made: PendingBlock, input: PendingBlock, { runner }: Execution): void {
  const release = (): void => runner.release(input.block)
  made.metadata.then(release, release)
}

/** Ends, and with it everything upstream, as soon as it has rows enough. */
async function* limitBlocks(operator: LimitOperator, blocks: Blocks, execution: Execution): Blocks {
  let left = operator.rows
  if (left <= 0) return
  for await (const pending of blocks) {
    if (!(await isMade(pending))) {
      yield pending
      continue
    }
    const { rows } = await pending.metadata
    if (rows > left) {
      const shared = execution.runner.share([{ kind: 'slice', start: 0, end: left }])
      const options = { name: operator.name, resources: plainResources, block: pending.block }
      yield execution.runner.submit({ index: 0 }, shared, options)
      return
    }
    left -= rows
    yield pending
    if (left === 0) return
  }
}

/** Keeps blocks submitted ahead of whoever reads the result; cancels them if that one stops. */
async function* ahead(blocks: Blocks, policy: BackpressurePolicy, execution: Execution): Blocks {
  const queue: PendingBlock[] = []
  const consumed = { blocks: 0, bytes: 0, taskMs: 0 }
  let isDone = false
  try {
    for (;;) {
      while (!isDone && queue.length < blocksAhead(policy, consumed)) {
        const next = await blocks.next()
        if (next.done === true) isDone = true
        else queue.push(next.value)
      }
      const head = queue.shift()
      if (head === undefined) return
      yield head
      if (!(await isMade(head))) continue
      const { bytes, wallMs } = await head.metadata
      consumed.blocks++
      consumed.bytes += bytes
      consumed.taskMs += wallMs
    }
  } finally {
    for (const pending of queue) execution.runner.cancel(pending)
    await blocks.return()
  }
}
