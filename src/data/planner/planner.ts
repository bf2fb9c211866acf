// Turns a logical plan, after the rules, into physical operators: decides the blocks of the source,
// and puts the steps that follow a source into the tasks that read it.

import { assert, assertNever } from '../../base/assert.js'
import { RayError } from '../../base/errors.js'
import { Prng } from '../../base/prng.js'
import { randomBytes } from '../../base/random.js'
import {
  type FileShuffle,
  type FilesDescription,
  type FilesSource,
  firstRows,
} from '../datasource/files.js'
import type { ReadTask } from '../datasource-port.js'
import type { PoolSize } from '../block/user-function.js'
import type { StepResources } from '../logical/function-step.js'
import {
  type BlockStep,
  type FusedStep,
  type LogicalPlan,
  type Source,
  sourceName,
  type Step,
  stepName,
} from '../logical/plan.js'
import { isExchange, type JoinSource, type ZipSource } from '../logical/exchange-step.js'
import { addExchange, partCount, runsByItself } from './plan-exchange.js'
import { planJoinOperator } from './plan-join.js'
import { fixSeeds } from './fix-seeds.js'
import { fillsBatches, rowsForBatches } from './plan-batches.js'
import { planPools } from './plan-pools.js'
import { piecesOfTasks } from './plan-reads.js'
import { type PlannedQuery, planWhole } from './plan-whole.js'
import {
  type MapOperator,
  type PhysicalPlan,
  plainResources,
  type SourceOperator,
  type TaskInput,
  type TaskResources,
  type Transform,
} from '../physical/operators.js'

export interface Cluster {
  /** CPUs that tasks can run on. */
  readonly cpus: number
  describe(source: FilesSource): Promise<FilesDescription>
  /** Whether blocks may fail and be left out. */
  readonly isTolerant: boolean
}

/** Blocks per CPU that a source is cut into at least, so that CPUs finish together. */
const blocksPerCpu = 4
/** Rows per block that are worth a task where a source is made of rows in memory. */
const rowsPerBlockMin = 1000

export async function planPhysical(plan: LogicalPlan, cluster: Cluster): Promise<PhysicalPlan> {
  return planPools(await planOperators(plan, describingOnce(cluster)), cluster.cpus)
}

/** Files are looked at once, whoever asks. */
function describingOnce(cluster: Cluster): Cluster {
  const { cpus, isTolerant } = cluster
  const known = new Map<FilesSource, Promise<FilesDescription>>()
  const describe = (source: FilesSource): Promise<FilesDescription> => {
    const described = known.get(source) ?? shuffled(cluster.describe(source), source.shuffle)
    known.set(source, described)
    return described
  }
  return { cpus, isTolerant, describe }
}

/** Only the order in which files are read: their columns are found in the order of their paths. */
async function shuffled(
  described: Promise<FilesDescription>,
  shuffle: FileShuffle | undefined,
): Promise<FilesDescription> {
  const description = await described
  if (shuffle === undefined) return description
  const prng = new Prng(shuffle.seed ?? randomBytes(4).readUInt32LE())
  const files = [...description.files]
  for (let i = files.length - 1; i > 0; i--) {
    const [j, last] = [prng.integer(0, i), files[i]]
    const other = files[j]
    assert(last !== undefined && other !== undefined, 'both places are in the list')
    files[i] = other
    files[j] = last
  }
  return { ...description, files }
}

async function planOperators(plan: LogicalPlan, cluster: Cluster): Promise<PhysicalPlan> {
  const whole = await planWhole(plan, cluster)
  const source =
    whole === undefined
      ? await planSource(plan.source, cluster)
      : queryOperator(whole, cluster.cpus)
  let planned: PhysicalPlan = { source, operators: [] }
  for (const step of whole?.rest ?? plan.steps) planned = addStep(planned, step, cluster.cpus)
  return planned
}

function queryOperator({ name, query, files }: PlannedQuery, threads: number): SourceOperator {
  const inputs = [{ kind: 'query', name, query, threads } as const]
  return { kind: 'source', name, inputs, files, transforms: [], resources: plainResources }
}

async function planSource(source: Source, cluster: Cluster): Promise<PhysicalPlan['source']> {
  const name = sourceName(source)
  switch (source.kind) {
    case 'blocks':
      return { kind: 'blocks', name, bundles: source.bundles }
    case 'union': {
      const inputs = source.inputs.map((input) => planOperators(input, cluster))
      return { kind: 'union', name, inputs: await Promise.all(inputs) }
    }
    case 'join':
      return planJoin(source, cluster)
    case 'zip': {
      const [left, right] = await planSides(source, cluster)
      return { kind: 'zip', name, left, right, transforms: [], resources: plainResources }
    }
    case 'files': {
      const operator = await planFiles(source, cluster)
      return { kind: 'source', name, ...operator, transforms: [], resources: plainResources }
    }
    default: {
      const inputs = await inputsOf(source, cluster)
      return { kind: 'source', name, inputs, transforms: [], resources: plainResources }
    }
  }
}

async function planSides(source: JoinSource | ZipSource, cluster: Cluster) {
  return Promise.all([planOperators(source.left, cluster), planOperators(source.right, cluster)])
}

async function planJoin(source: JoinSource, cluster: Cluster): Promise<PhysicalPlan['source']> {
  const sides = await planSides(source, cluster)
  return planJoinOperator(source, sides, partCount(sides, cluster.cpus))
}

function addStep(plan: PhysicalPlan, step: Step, cpus: number): PhysicalPlan {
  const { source, operators } = plan
  if (isExchange(step)) {
    const resources = step.kind === 'group-map' ? compileResources(step, cpus) : plainResources
    return addExchange(plan, step, { cpus, resources })
  }
  if (step.kind === 'limit') {
    const limit = { kind: 'limit', name: stepName(step), rows: step.rows } as const
    return { source, operators: [...operators, limit] }
  }
  assert(step.kind === 'fused', `step ${stepName(step)} was not fused`)
  const map = mapOperator(step, cpus)
  const last = operators.at(-1) ?? source
  // The tasks that make blocks may as well go on with them. A pool reads for itself only where it
  // has all CPUs: see planPools.
  const isEmpty = 'transforms' in last && last.kind !== 'map' && last.transforms.length === 0
  const isOpen = isEmpty && fillsBatches(last, map.rowsMin)
  const isAlone = map.resources.pool !== undefined || last.kind !== 'source'
  if (!isOpen || (isAlone && runsByItself(map.resources))) {
    return { source, operators: [...operators, map] }
  }
  const { transforms, resources } = map
  const joined = { ...last, name: `${last.name} -> ${map.name}`, transforms, resources }
  return joined.kind === 'exchange'
    ? { source, operators: [...operators.slice(0, -1), joined] }
    : { source: joined, operators }
}

function mapOperator(step: FusedStep, cpus: number): MapOperator {
  return {
    kind: 'map',
    name: stepName(step),
    rowsMin: rowsForBatches(step.steps),
    transforms: step.steps.map(transformOf),
    resources: compileResources(step, cpus),
  }
}

function compileResources(asked: StepResources, cpus: number): TaskResources {
  const { numCpus, numGpus, memory, resources, concurrency, pool } = asked
  return {
    numCpus: numCpus ?? 1,
    numGpus,
    memory,
    resources,
    concurrency: concurrency ?? Number.POSITIVE_INFINITY,
    pool: pool && compilePool(pool, cpus),
  }
}

function compilePool(pool: PoolSize, cpus: number): PoolSize {
  return Number.isFinite(pool.max) ? pool : { min: pool.min, max: Math.max(pool.min, cpus) }
}

function transformOf(step: BlockStep): Transform {
  switch (step.kind) {
    case 'map-batches':
      return { ...step, kind: 'batches' }
    case 'map':
      return { ...step, kind: 'rows' }
    case 'flat-map':
      return { ...step, kind: 'flat-rows' }
    case 'filter':
    case 'add-column':
      return step
    case 'where':
    case 'project':
    case 'sample':
    case 'keep':
    case 'partial-aggregate':
      return fixSeeds(step)
    case 'select':
    case 'drop-columns':
    case 'rename-columns':
      return step
    case 'write':
      return step
    case 'count':
      return { kind: 'discard' }
    case 'report':
      return { kind: 'report', fn: step.fn }
    default:
      return assertNever(step)
  }
}

/** Blocks per CPU that are wanted of a source at least. */
const inputsWanted = ({ cpus }: Cluster): number => cpus * blocksPerCpu

async function planFiles(
  source: FilesSource,
  cluster: Cluster,
): Promise<Pick<SourceOperator, 'inputs' | 'files'>> {
  const { files, found, columns, isSampled = false } = await cluster.describe(source)
  const wanted = firstRows(files, source.limit)
  // What tasks need no more: the paths of all files, and a function that chose among them.
  const lean = { ...source, paths: source.paths.slice(0, 1), partitionFilter: undefined }
  const inputs = piecesOfTasks(wanted, source.blocks, cluster.cpus).map((pieces) => {
    return { kind: 'files', request: { source: lean, pieces, columns, isSampled } } as const
  })
  return { inputs, files: { read: wanted.length, found } }
}

async function inputsOf(
  source: Exclude<Source, { kind: 'files' | 'blocks' | 'union' | 'join' | 'zip' }>,
  cluster: Cluster,
): Promise<readonly TaskInput[]> {
  const wanted = inputsWanted(cluster)
  switch (source.kind) {
    case 'items':
      return evenParts(source.rows.length, wanted, source.blocks).map(({ start, rows }) => {
        return { kind: 'rows', rows: source.rows.slice(start, start + rows), start }
      })
    case 'range':
      return evenParts(source.rows, wanted, source.blocks).map((part) => {
        return { kind: 'range', ...part, shape: source.shape }
      })
    case 'datasource': {
      const { datasource, parallelism } = source
      const name = sourceName(source)
      const tasks: unknown = await datasource.getReadTasks(parallelism ?? wanted)
      if (!isReadTasks(tasks)) {
        throw new RayError(
          `${name}: getReadTasks must give an array of objects with a method read().`,
        )
      }
      return tasks.map((task) => ({ kind: 'read-task', task, name: task.name ?? name }))
    }
    default:
      return assertNever(source)
  }
}

function isReadTasks(tasks: unknown): tasks is readonly ReadTask[] {
  return (
    Array.isArray(tasks) &&
    tasks.every((task: Partial<ReadTask> | null) => typeof task?.read === 'function')
  )
}

function evenParts(rows: number, wanted: number, asked: number | undefined) {
  const count = asked ?? Math.max(1, Math.min(wanted, Math.ceil(rows / rowsPerBlockMin)))
  return Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * rows) / count)
    return { start, rows: Math.floor(((i + 1) * rows) / count) - start }
  })
}
