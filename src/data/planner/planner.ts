// Turns a logical plan, after the rules, into physical operators: decides the blocks of the source,
// and puts the steps that follow a source into the tasks that read it.

import { assert, assertNever } from '../../base/assert.js'
import { dataBlockBytes, dataBlockBytesMin } from '../../base/limits.js'
import {
  type FilesDescription,
  type FilesSource,
  firstRows,
  groupPieces,
} from '../datasource/files.js'
import type { PoolSize } from '../block/user-function.js'
import type { StepResources } from '../logical/function-step.js'
import {
  type BlockStep,
  type FusedStep,
  type LogicalPlan,
  type Source,
  sourceName,
  stepName,
} from '../logical/plan.js'
import { planPools } from './plan-pools.js'
import {
  type LimitOperator,
  type MapOperator,
  type PhysicalPlan,
  plainResources,
  type TaskInput,
  type TaskResources,
  type Transform,
} from '../physical/operators.js'

export interface Cluster {
  /** CPUs that tasks can run on. */
  readonly cpus: number
  describe(source: FilesSource): Promise<FilesDescription>
}

/** Blocks per CPU that a source is cut into at least, so that CPUs finish together. */
const blocksPerCpu = 4
/** Rows per block that are worth a task where a source is made of rows in memory. */
const rowsPerBlockMin = 1000

export async function planPhysical(plan: LogicalPlan, cluster: Cluster): Promise<PhysicalPlan> {
  return planPools(await planOperators(plan, cluster), cluster.cpus)
}

async function planOperators(plan: LogicalPlan, cluster: Cluster): Promise<PhysicalPlan> {
  const operators = plan.steps.map((step): MapOperator | LimitOperator => {
    if (step.kind === 'limit') return { kind: 'limit', name: stepName(step), rows: step.rows }
    assert(step.kind === 'fused', `step ${stepName(step)} was not fused`)
    return mapOperator(step, cluster.cpus)
  })
  const name = sourceName(plan.source)
  if (plan.source.kind === 'blocks') {
    return { source: { kind: 'blocks', name, bundles: plan.source.bundles }, operators }
  }
  if (plan.source.kind === 'union') {
    const { inputs } = plan.source
    const planned = await Promise.all(inputs.map((input) => planPhysical(input, cluster)))
    return { source: { kind: 'union', name, inputs: planned }, operators }
  }
  const inputs = await inputsOf(plan.source, cluster)
  const [first, ...rest] = operators
  const source = { kind: 'source', name, inputs } as const
  // A pool reads for itself only where it has all CPUs: see planPools.
  if (first?.kind !== 'map' || first.resources.pool !== undefined) {
    return { source: { ...source, transforms: [], resources: plainResources }, operators }
  }
  const { transforms, resources } = first
  const fusedName = `${name} -> ${first.name}`
  return { source: { ...source, name: fusedName, transforms, resources }, operators: rest }
}

function mapOperator(step: FusedStep, cpus: number): MapOperator {
  return {
    kind: 'map',
    name: stepName(step),
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
    case 'select':
    case 'drop-columns':
    case 'rename-columns':
      return step
    case 'write-parquet':
      return { kind: 'write', folder: step.folder }
    case 'count':
      return { kind: 'discard' }
    case 'report':
      return { kind: 'report', fn: step.fn }
    default:
      return assertNever(step)
  }
}

async function inputsOf(
  source: Exclude<Source, { kind: 'blocks' | 'union' }>,
  cluster: Cluster,
): Promise<readonly TaskInput[]> {
  const wanted = cluster.cpus * blocksPerCpu
  switch (source.kind) {
    case 'files': {
      const { files, columns } = await cluster.describe(source)
      const total = files.flatMap((file) => file.pieces).reduce((sum, p) => sum + p.bytes, 0)
      const bytes = Math.max(dataBlockBytesMin, Math.min(dataBlockBytes, total / wanted))
      const groups = groupPieces(firstRows(files, source.limit), bytes)
      return groups.map((pieces) => ({ kind: 'files', request: { source, pieces, columns } }))
    }
    case 'items':
      return evenParts(source.rows.length, wanted, source.blocks).map(({ start, rows }) => {
        return { kind: 'rows', rows: source.rows.slice(start, start + rows), start }
      })
    case 'range':
      return evenParts(source.rows, wanted, source.blocks).map((part) => ({
        kind: 'range',
        ...part,
      }))
    default:
      return assertNever(source)
  }
}

function evenParts(rows: number, wanted: number, asked: number | undefined) {
  const count = asked ?? Math.max(1, Math.min(wanted, Math.ceil(rows / rowsPerBlockMin)))
  return Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * rows) / count)
    return { start, rows: Math.floor(((i + 1) * rows) / count) - start }
  })
}
