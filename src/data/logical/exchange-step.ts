// Steps in which rows change blocks.

import type { AggregateSpec } from '../aggregate/spec.js'
import type { BatchFormat } from '../block/batch.js'
import type { DateFormat } from '../block/column.js'
import type { UserFunction } from '../block/user-function.js'
import type { NamedNode } from '../expression/node.js'
import { textOfNamed, textOfNode } from '../expression/text.js'
import type { JoinSpec } from '../physical/exchange-transforms.js'
import type { SortKey } from '../relational/sort-key.js'
import type { StepResources } from './function-step.js'
import type { LogicalPlan } from './plan.js'

/** One row per group; without keys, one row. */
export interface AggregateStep {
  readonly kind: 'aggregate'
  readonly keys: readonly string[]
  readonly aggregates: readonly AggregateSpec[]
  /** Blocks of the result, where groups are exchanged; chosen by the planner if undefined. */
  readonly blocks: number | undefined
}

/** Calls a function once per group. */
export interface GroupMapStep extends StepResources, UserFunction {
  readonly kind: 'group-map'
  readonly keys: readonly string[]
  readonly batchFormat: BatchFormat
  readonly dates: DateFormat
  readonly blocks: number | undefined
}

/** Computes a column of each group by itself. */
export interface GroupColumnStep {
  readonly kind: 'group-column'
  readonly keys: readonly string[]
  readonly output: NamedNode
  readonly blocks: number | undefined
}

export interface SortStep {
  readonly kind: 'sort'
  readonly keys: readonly SortKey[]
}

/** All rows in random order. */
export interface ShuffleStep {
  readonly kind: 'shuffle'
  readonly operator: 'randomShuffle' | 'repartition'
  readonly seed: number | undefined
  readonly blocks: number | undefined
}

/** The blocks in random order. */
export interface BlockOrderStep {
  readonly kind: 'block-order'
  readonly seed: number | undefined
}

/** Other blocks: a number of them, of a number of rows, or with equal keys in one block. */
export type RepartitionStep =
  | { readonly kind: 'repartition'; readonly by: 'blocks'; readonly blocks: number }
  | { readonly kind: 'repartition'; readonly by: 'rows'; readonly rows: number }
  | {
      readonly kind: 'repartition'
      readonly by: 'keys'
      readonly keys: readonly string[]
      readonly blocks: number | undefined
    }

/** Blocks of few rows become one, until it has enough. */
export interface CoalesceStep {
  readonly kind: 'coalesce'
  readonly rows: number
}

export type ExchangeStep =
  | CoalesceStep
  | AggregateStep
  | GroupMapStep
  | GroupColumnStep
  | SortStep
  | ShuffleStep
  | BlockOrderStep
  | RepartitionStep

/** The rows of two plans that belong together. */
export interface JoinSource {
  readonly kind: 'join'
  readonly left: LogicalPlan
  readonly right: LogicalPlan
  readonly spec: JoinSpec
  readonly blocks: number | undefined
}

/** The rows of two plans, side by side. */
export interface ZipSource {
  readonly kind: 'zip'
  readonly left: LogicalPlan
  readonly right: LogicalPlan
}

const kinds = [
  'aggregate',
  'group-map',
  'group-column',
  'sort',
  'shuffle',
  'block-order',
  'repartition',
  'coalesce',
]

export function isExchange<Step extends { readonly kind: string }>(
  step: Step,
): step is Extract<Step, ExchangeStep> {
  return kinds.includes(step.kind)
}

/** The name of a step in errors, plans and statistics. */
export function exchangeStepName(step: ExchangeStep): string {
  switch (step.kind) {
    case 'aggregate': {
      const names = step.aggregates.map(({ name }) => name).join(', ')
      return step.keys.length === 0
        ? `aggregate(${names})`
        : `groupBy(${step.keys.join(', ')}).aggregate(${names})`
    }
    case 'group-map':
      return `groupBy(${step.keys.join(', ')}).mapGroups(${step.name})`
    case 'group-column':
      return `groupBy(${step.keys.join(', ')}).withColumn(${textOfNamed(step.output)})`
    case 'sort':
      return `sort(${step.keys.map(sortKeyText).join(', ')})`
    case 'shuffle':
      return step.operator
    case 'block-order':
      return 'randomizeBlockOrder'
    case 'coalesce':
      return `coalesce(${step.rows} rows)`
    case 'repartition':
      if (step.by === 'keys') return `repartition(by ${step.keys.join(', ')})`
      return step.by === 'rows' ? `repartition(${step.rows} rows)` : `repartition(${step.blocks})`
  }
}

function sortKeyText({ value, isDescending }: SortKey): string {
  return `${textOfNode(value)}${isDescending ? ' descending' : ''}`
}
