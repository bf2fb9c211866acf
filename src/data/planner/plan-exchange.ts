// Steps in which rows change blocks, as operators: what the tasks before the exchange do in
// addition, and what those behind it put together.

import { fixedSeed, fixSeeds } from './fix-seeds.js'
import { type AggregateSpec, isDecomposable } from '../aggregate/spec.js'
import { columnsOfNode, type NamedNode } from '../expression/node.js'
import { type ExchangeStep, exchangeStepName } from '../logical/exchange-step.js'
import type { Exchange } from '../physical/exchange-operators.js'
import { addTransforms } from '../physical/add-transforms.js'
import type { PartitionBy } from '../physical/exchange-transforms.js'
import type { RelationalStep } from '../relational/steps.js'
import {
  type MapOperator,
  type PhysicalPlan,
  plainResources,
  plannedBlocks,
  type TaskResources,
  type Transform,
} from '../physical/operators.js'

/** Parts that blocks are cut into at most, where nobody asked for more. */
const partsMax = 200
/** Rows of each block whose sort keys say where to cut. */
const sampleRows = 200

interface Planned {
  /** For the tasks that make the blocks. */
  readonly before: readonly Transform[]
  readonly exchange: Exchange
  /** For the tasks that put parts together. */
  readonly after?: readonly Transform[]
}

/** The plan with one more step. */
export function addExchange(
  plan: PhysicalPlan,
  step: ExchangeStep,
  { cpus, resources }: { readonly cpus: number; readonly resources: TaskResources },
): PhysicalPlan {
  const asked = 'blocks' in step ? step.blocks : undefined
  const count = asked ?? partCount([plan], cpus)
  const { before, exchange, after = [] } = planStep(step, count)
  const name = exchangeStepName(step)
  const prepared = addTransforms(plan, before, name)
  const operator = { kind: 'exchange', name, exchange, transforms: after } as const
  const { source, operators } = prepared
  if (runsByItself(resources)) {
    const exchanged = { ...operator, transforms: [], resources: plainResources }
    const map: MapOperator = { kind: 'map', name, transforms: after, resources }
    return { source, operators: [...operators, { ...exchanged, name: `${name}: exchange` }, map] }
  }
  return { source, operators: [...operators, { ...operator, resources }] }
}

/** Whether a step cannot share the tasks that put parts together: nothing counts these. */
export function runsByItself({ pool, concurrency }: TaskResources): boolean {
  return pool !== undefined || Number.isFinite(concurrency)
}

/** As many parts as there are blocks, or what the larger side of a join has. */
export function partCount(plans: readonly PhysicalPlan[], cpus: number): number {
  const counts = plans.map((plan) => plannedBlocks(plan) ?? cpus * 4)
  return Math.max(1, Math.min(partsMax, Math.max(...counts)))
}

function planStep(step: ExchangeStep, count: number): Planned {
  switch (step.kind) {
    case 'aggregate':
      return planAggregate(step.keys, step.aggregates, count)
    case 'group-map': {
      const { kind: _, ...fn } = step
      const after = { ...fn, kind: 'group-batches' } as const
      return { ...planParts({ kind: 'hash', keys: step.keys }, count), after: [after] }
    }
    case 'group-column': {
      const { keys, output } = step
      const after = { kind: 'group-column', keys, step: projectStep(output) } as const
      return { ...planParts({ kind: 'hash', keys }, count), after: [after] }
    }
    case 'sort':
      return {
        before: [{ kind: 'sample-keys', keys: step.keys, rows: sampleRows }],
        exchange: { kind: 'sort', keys: step.keys },
      }
    case 'shuffle': {
      const seed = fixedSeed(step.seed)
      const cut = { kind: 'partition', by: { kind: 'random', seed }, count } as const
      const combination = { kind: 'shuffle', seed } as const
      return { before: [cut], exchange: { kind: 'parts', count, combination } }
    }
    case 'block-order':
      return { before: [], exchange: { kind: 'block-order', seed: step.seed } }
    case 'coalesce':
      return { before: [], exchange: { kind: 'coalesce', rows: step.rows } }
    case 'repartition':
      if (step.by === 'keys') return planParts({ kind: 'hash', keys: step.keys }, count)
      if (step.by === 'rows') return { before: [], exchange: { kind: 'resize', rows: step.rows } }
      return { before: [], exchange: { kind: 'reblock', blocks: step.blocks } }
  }
}

function projectStep(output: NamedNode): RelationalStep {
  const outputs = [output]
  return fixSeeds({ kind: 'project', operator: 'withColumn', outputs, keepsOthers: true })
}

function planParts(by: PartitionBy, count: number): Planned {
  return {
    before: [{ kind: 'partition', by, count }],
    exchange: { kind: 'parts', count, combination: { kind: 'concat' } },
  }
}

function planAggregate(
  keys: readonly string[],
  aggregates: readonly AggregateSpec[],
  count: number,
): Planned {
  if (aggregates.every(isDecomposable)) {
    return {
      before: [{ kind: 'partial-aggregate', keys, aggregates }],
      exchange: { kind: 'aggregate', keys, aggregates },
    }
  }
  const kept = keptColumns(keys, aggregates)
  const keep: readonly Transform[] = kept === undefined ? [] : [{ kind: 'keep', columns: kept }]
  const combination = { kind: 'whole-aggregate', keys, aggregates } as const
  if (keys.length === 0) return { before: keep, exchange: { kind: 'gather', combination } }
  const cut = { kind: 'partition', by: { kind: 'hash', keys }, count } as const
  return { before: [...keep, cut], exchange: { kind: 'parts', count, combination } }
}

/** The columns that aggregates read; undefined where a function of the user reads them. */
function keptColumns(
  keys: readonly string[],
  aggregates: readonly AggregateSpec[],
): readonly string[] | undefined {
  const nodes = aggregates.map((spec) => (spec.kind === 'custom' ? undefined : spec.value))
  if (aggregates.some(({ kind }) => kind === 'custom')) return undefined
  const read = columnsOfNode(...nodes.flatMap((node) => node ?? []))
  return [...new Set([...keys, ...read])]
}
