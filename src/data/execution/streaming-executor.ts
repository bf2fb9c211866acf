// Runs a physical plan as a stream of blocks, in order.
//
// Each operator is a generator of blocks that are submitted but not necessarily finished: a ref can
// be passed to the next operator's task at once, and the scheduler runs that when the block is
// there. Work is bounded at the consuming end: at most `blocksAhead` blocks are submitted beyond
// the one that the consumer waits for, so a slow consumer stops the readers, and a consumer that
// stops reading cancels what is under way.

import { assertNever } from '../../base/assert.js'
import type { BlockMetadata, RefBundle } from '../block/metadata.js'
import {
  type LimitOperator,
  type MapOperator,
  type PhysicalPlan,
  plannedBlocks,
  type SourceOperator,
  type TaskResources,
  type UnionOperator,
} from '../physical/operators.js'
import { type BackpressurePolicy, blocksAhead } from './backpressure-policy.js'
import type { StatisticsCollector } from './statistics.js'
import type { PendingBlock, TaskRunner } from './task-runner.js'

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
  readonly runner: TaskRunner
  readonly cpus: number
  readonly statistics: StatisticsCollector
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

type Blocks = AsyncGenerator<PendingBlock, void, void>

/** Gives the blocks of the plan in order, each when it is finished. */
export async function* executePlan(
  plan: PhysicalPlan,
  execution: Execution,
): AsyncGenerator<RefBundle, void, void> {
  const { onProgress } = execution
  const policy = policyOf(plan, execution)
  const blocks = planBlocks(plan, execution)
  const blocksTotal = plannedBlocks(plan)
  let done = 0
  let rows = 0
  for await (const { block, metadata } of ahead(blocks, policy, execution)) {
    const finished = await metadata
    done++
    rows += finished.rows
    onProgress?.({ blocks: done, rows, blocksTotal })
    yield { block, metadata: finished }
  }
}

function policyOf(plan: PhysicalPlan, { cpus }: Execution): BackpressurePolicy {
  return { cpus, startsSmall: plan.operators.some((operator) => operator.kind === 'limit') }
}

/** The blocks of a plan, submitted as they are asked for. */
function planBlocks(plan: PhysicalPlan, execution: Execution): Blocks {
  let blocks = sourceBlocks(plan, execution)
  for (const operator of plan.operators) {
    blocks =
      operator.kind === 'limit'
        ? limitBlocks(operator, ahead(blocks, policyOf(plan, execution), execution), execution)
        : mapBlocks(operator, blocks, execution)
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
  const { name, inputs, transforms, resources } = operator
  const shared = execution.runner.share(transforms)
  const running = new RunningTasks(resources)
  for (const [index, input] of inputs.entries()) {
    await running.room()
    const options = { name, resources }
    yield running.add(name, execution, () => {
      return execution.runner.submit({ input, index }, shared, options)
    })
  }
}

async function* mapBlocks(operator: MapOperator, blocks: Blocks, execution: Execution): Blocks {
  const { name, transforms, resources } = operator
  const shared = execution.runner.share(transforms)
  const running = new RunningTasks(resources)
  let index = 0
  for await (const { block } of blocks) {
    await running.room()
    const options = { name, resources, block }
    const task = { index }
    index++
    yield running.add(name, execution, () => execution.runner.submit(task, shared, options))
  }
}

/** Ends, and with it everything upstream, as soon as it has rows enough. */
async function* limitBlocks(operator: LimitOperator, blocks: Blocks, execution: Execution): Blocks {
  let left = operator.rows
  if (left <= 0) return
  for await (const pending of blocks) {
    const { rows } = await pending.metadata
    if (rows > left) {
      const shared = execution.runner.share([{ kind: 'head', rows: left }])
      const resources = { numCpus: 1, concurrency: 1 }
      const options = { name: operator.name, resources, block: pending.block }
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
  const consumed = { blocks: 0, bytes: 0 }
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
      const { bytes } = await head.metadata
      consumed.blocks++
      consumed.bytes += bytes
    }
  } finally {
    for (const pending of queue) execution.runner.cancel(pending)
    await blocks.return()
  }
}

/** The unfinished tasks of one operator, never more than its concurrency. */
class RunningTasks {
  readonly #max: number
  /** Added by `add`, removed when the task succeeds or fails. */
  readonly #unfinished = new Set<Promise<unknown>>()

  constructor(resources: TaskResources) {
    this.#max = resources.concurrency
  }

  async room(): Promise<void> {
    while (this.#unfinished.size >= this.#max) await Promise.race(this.#unfinished)
  }

  add(name: string, execution: Execution, submit: () => PendingBlock): PendingBlock {
    const pending = submit()
    const finished: Promise<unknown> = pending.metadata
      .then(
        (metadata: BlockMetadata) => execution.statistics.add(name, metadata),
        // Whoever reads the block meets the failure; here it only makes room.
        () => undefined,
      )
      .finally(() => this.#unfinished.delete(finished))
    this.#unfinished.add(finished)
    return pending
  }
}
