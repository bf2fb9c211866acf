// Steps that are expressions: rules can move them, and tasks run them in the engine.

import type { AggregateSpec } from '../aggregate/spec.js'
import type { ExpressionNode, NamedNode } from '../expression/node.js'
import { textOfNamed, textOfNode } from '../expression/text.js'

/** Keeps the rows for which a predicate holds. */
export interface WhereStep {
  readonly kind: 'where'
  readonly predicate: ExpressionNode
}

/** Computes columns. */
export interface ProjectStep {
  readonly kind: 'project'
  readonly operator: 'withColumn' | 'select'
  readonly outputs: readonly NamedNode[]
  /** Whether the columns that are not among the outputs stay, before them. */
  readonly keepsOthers: boolean
}

/** Keeps each row with a probability. */
export interface SampleStep {
  readonly kind: 'sample'
  readonly fraction: number
  readonly seed: number | undefined
}

/** Groups each block by itself: what is left to do is to put the groups of blocks together. */
export interface PartialAggregateStep {
  readonly kind: 'partial-aggregate'
  readonly keys: readonly string[]
  readonly aggregates: readonly AggregateSpec[]
}

/** Keeps those of some columns that are there: what a rule found that later steps read. */
export interface KeepStep {
  readonly kind: 'keep'
  readonly columns: readonly string[]
}

export type RelationalStep = WhereStep | ProjectStep | SampleStep | PartialAggregateStep | KeepStep

export function relationalStepName(step: RelationalStep): string {
  switch (step.kind) {
    case 'where':
      return `filter(${textOfNode(step.predicate)})`
    case 'project':
      return `${step.operator}(${step.outputs.map(textOfNamed).join(', ')})`
    case 'sample':
      return `randomSample(${step.fraction})`
    case 'partial-aggregate':
      return `groupBy(${step.keys.join(', ')})`
    case 'keep':
      return `keep(${step.columns.join(', ')})`
  }
}

export function isRelational<Step extends { readonly kind: string }>(
  step: Step,
): step is Extract<Step, RelationalStep> {
  return ['where', 'project', 'sample', 'partial-aggregate', 'keep'].includes(step.kind)
}
