// What datasets need to run: rules, planner, executor and a task runner, in one place.

import { RayError } from '../base/errors.js'
import type { Block, SchemaField } from './block/block.js'
import type { BlockRef, RefBundle } from './block/metadata.js'
import { unifySchemas } from './block/unify-schemas.js'
import { DataContext } from './data-context.js'
import { type FilesDescription, type FilesSource, rowsIn } from './datasource/files.js'
import { mayFindBelow } from './datasource/overlap.js'
import { ErroredBlocks } from './execution/errored-blocks.js'
import { ProgressBars } from './execution/progress-bars.js'
import { StatisticsCollector } from './execution/statistics.js'
import { executePlan, type OwnedBundle, type Progress } from './execution/streaming-executor.js'
import type { TaskRunner } from './execution/task-runner.js'
import { callsFunctions, inputsOf, type LogicalPlan } from './logical/plan.js'
import {
  addUp,
  type PhysicalPlan,
  plainResources,
  plannedBlocks,
  readsOf,
} from './physical/operators.js'
import { planPhysical } from './planner/planner.js'
import { optimize } from './rules/index.js'
import { isWhole, type RowRange } from './split/row-ranges.js'

export interface RunningPlan {
  readonly bundles: AsyncGenerator<OwnedBundle, void, void>
  readonly statistics: StatisticsCollector
}

export class DatasetSession {
  readonly #runner: TaskRunner

  constructor(runner: TaskRunner) {
    this.#runner = runner
  }

  async execute(
    plan: LogicalPlan,
    onProgress: ((progress: Progress) => void) | undefined,
  ): Promise<RunningPlan> {
    const runner = this.#runner
    const asked = runner.cpus()
    const [physical, cpus, storeBytes] = await Promise.all([
      this.#physical(plan, asked),
      asked,
      runner.storeBytes(),
    ])
    const { maxErroredBlocks, enableProgressBars } = DataContext.getCurrent()
    const isShown = enableProgressBars && process.stderr.isTTY
    const bars = isShown ? new ProgressBars(physical, process.stderr) : undefined
    const statistics = new StatisticsCollector(bars)
    for (const { name, files } of readsOf(physical)) statistics.addFiles(name, files)
    const errored = new ErroredBlocks(maxErroredBlocks)
    const execution = { runner, cpus, storeBytes, statistics, errored, onProgress }
    const bundles = ending(executePlan(physical, execution), () => bars?.end())
    return { bundles, statistics }
  }

  get(block: BlockRef): Promise<Block> {
    return this.#runner.get(block)
  }

  /** Blocks of their own for parts of blocks; those that are wanted whole stay what they are. */
  async sliceBlocks(ranges: readonly RowRange[]): Promise<readonly RefBundle[]> {
    const runner = this.#runner
    return Promise.all(
      ranges.map(async (range) => {
        if (isWhole(range)) return range.bundle
        const { start, end } = range
        const shared = runner.share([{ kind: 'slice', start, end }])
        const options = { name: 'split', resources: plainResources, block: range.bundle.block }
        const { block, metadata } = runner.submit({ index: 0 }, shared, options)
        return { block, metadata: await metadata }
      }),
    )
  }

  /** Lets go of a block that nobody else holds. */
  release(block: BlockRef): void {
    this.#runner.release(block)
  }

  /** The number of rows, if the plan's source knows it and nothing else is asked of the plan. */
  countFromMetadata(plan: LogicalPlan): Promise<number | undefined> {
    return this.#countKnown(optimize(plan))
  }

  async #countKnown({ source, steps }: LogicalPlan): Promise<number | undefined> {
    // A union has its count in each of its inputs.
    if (source.kind === 'union') {
      if (steps.length > 0) return undefined
      return addUp(await Promise.all(source.inputs.map((input) => this.#countKnown(input))))
    }
    const [only] = steps
    const isCount = only?.kind === 'fused' && only.steps.every((step) => step.kind === 'count')
    if (steps.length !== 1 || !isCount) return undefined
    switch (source.kind) {
      case 'files': {
        if (!knowsRows(source)) return undefined
        const rows = rowsIn((await this.#runner.describe(source)).files)
        return rows === undefined ? undefined : Math.min(rows, source.limit)
      }
      case 'items':
        return source.rows.length
      case 'range':
        return source.rows
      case 'blocks':
        return source.bundles.reduce((sum, bundle) => sum + bundle.metadata.rows, 0)
      case 'join':
      case 'zip':
      case 'datasource':
        return undefined
    }
  }

  /**
   * Names and types of the columns; computes the first block if it must. Functions are not called
   * for a block without rows, which so does not say what they make.
   */
  async fields(plan: LogicalPlan): Promise<readonly SchemaField[]> {
    const known = await this.schemaFromMetadata(plan)
    if (known !== undefined) return known
    const first = {
      source: plan.source,
      steps: [...plan.steps, { kind: 'limit', rows: 1 } as const],
    }
    const { bundles } = await this.execute(first, undefined)
    let fields: readonly SchemaField[] = []
    for await (const { metadata } of bundles) {
      if (fields.length === 0 || metadata.rows > 0) fields = metadata.schema
      if (fields.length > 0 && (metadata.rows > 0 || !callsFunctions(plan))) break
    }
    return fields
  }

  /** The columns, if no function of the user decides them. */
  schemaFromMetadata(plan: LogicalPlan): Promise<readonly SchemaField[] | undefined> {
    return this.#schemaKnown(optimize(plan))
  }

  async #schemaKnown({ source, steps }: LogicalPlan): Promise<readonly SchemaField[] | undefined> {
    if (steps.length > 0) return undefined
    switch (source.kind) {
      case 'files':
        return (await this.#runner.describe(source)).schema
      case 'blocks':
        return unifySchemas(source.bundles.map(({ metadata }) => metadata.schema))
      case 'union': {
        const known = await Promise.all(source.inputs.map((input) => this.#schemaKnown(input)))
        const schemas = known.filter((schema) => schema !== undefined)
        return schemas.length < known.length ? undefined : unifySchemas(schemas)
      }
      default:
        return undefined
    }
  }

  /** The size of the blocks, if they are there already. */
  async bytesFromMetadata(plan: LogicalPlan): Promise<number | undefined> {
    const { source, steps } = optimize(plan)
    if (steps.length > 0) return undefined
    if (source.kind === 'blocks') {
      return source.bundles.reduce((sum, { metadata }) => sum + metadata.bytes, 0)
    }
    if (source.kind !== 'union') return undefined
    return addUp(await Promise.all(source.inputs.map((input) => this.bytesFromMetadata(input))))
  }

  /** The plan before and after the rules, and what runs, as text. */
  async explain(plan: LogicalPlan): Promise<string> {
    const { explainPlan } = await import('./explain.js')
    const physical = await this.#physical(plan)
    return explainPlan({ logical: plan, optimized: optimize(plan), physical })
  }

  async countBlocks(plan: LogicalPlan): Promise<number> {
    const blocks = plannedBlocks(await this.#physical(plan))
    if (blocks !== undefined) return blocks
    throw new RayError(
      'numBlocks: a limit, a join or a batchSize decides the number of blocks while the plan ' +
        'runs; call materialize() first.',
    )
  }

  /** Paths of the files that sources of the plan read. */
  async inputFiles({ source }: LogicalPlan): Promise<readonly string[]> {
    if (source.kind === 'files') {
      return (await this.#runner.describe(source)).files.map(({ path }) => path)
    }
    const inputs = inputsOf(source)
    return (await Promise.all(inputs.map((input) => this.inputFiles(input)))).flat()
  }

  /**
   * Writing parts over the files that the same plan reads would destroy what is still to be read.
   */
  async refuseOverwrite(
    plan: LogicalPlan,
    target: { readonly name: string; readonly folder: string },
  ): Promise<void> {
    const { name, folder } = target
    const { source } = plan
    for (const input of inputsOf(source)) await this.refuseOverwrite(input, target)
    if (source.kind !== 'files') return
    if (!source.paths.some((given) => mayFindBelow(given, folder))) return
    const { files } = await this.#runner.describe(source)
    if (!files.some((file) => file.path.startsWith(`${folder}/`))) return
    throw new RayError(`${name}: the dataset is read from ${folder}; write to another folder.`)
  }

  /** What begins and ends writes. */
  get writes(): Pick<TaskRunner, 'beginWrite' | 'publishWrite' | 'endWrite'> {
    return this.#runner
  }

  async #physical(plan: LogicalPlan, cpus = this.#runner.cpus()): Promise<PhysicalPlan> {
    const isTolerant = DataContext.getCurrent().maxErroredBlocks !== 0
    const optimized = optimize(plan)
    const { source } = optimized
    // Files are looked at while the cluster is asked what it has.
    const first = source.kind === 'files' ? this.#runner.describe(source) : undefined
    first?.catch(() => undefined)
    const describe = (wanted: FilesSource): Promise<FilesDescription> => {
      return wanted === source && first !== undefined ? first : this.#runner.describe(wanted)
    }
    return planPhysical(optimized, { cpus: await cpus, describe, isTolerant })
  }
}

/** Calls `end` when the blocks have been read, or nobody wants more. */
async function* ending<T>(
  items: AsyncGenerator<T, void, void>,
  end: () => void,
): AsyncGenerator<T, void, void> {
  try {
    yield* items
  } finally {
    end()
  }
}

/** Whether files of the format say how many rows they have before they are read. */
function knowsRows({ format }: FilesSource): boolean {
  return format.kind !== 'csv' && format.kind !== 'json' && format.kind !== 'text'
}
