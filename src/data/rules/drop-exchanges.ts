// Leaves out an exchange of rows that the next step undoes: rows need not be sorted, shuffled or
// cut into other blocks twice, nor to be summed up or counted. Follows Ray's CombineShuffles, and
// goes no further than what keeps the result: sorts keep the order of equal rows, so a sort goes
// only before one that looks at all of its keys; repartitions before sorts, joins and functions
// stay, for they say how many tasks there are.

import { type AggregateKind, type AggregateSpec } from '../aggregate/spec.js'
import { textOfNode } from '../expression/text.js'
import type { RepartitionStep, SortStep } from '../logical/exchange-step.js'
import type { LogicalPlan, Step } from '../logical/plan.js'

/** Aggregates that are the same of rows in any order. */
const ofAnyOrder: ReadonlySet<AggregateKind | 'custom'> = new Set<AggregateKind>([
  'count',
  'sum',
  'min',
  'max',
  'mean',
  'std',
  'absMax',
  'missingValuePercentage',
  'zeroPercentage',
  'quantile',
  'countDistinct',
])

export function dropExchanges(plan: LogicalPlan): LogicalPlan {
  const steps: Step[] = []
  for (const step of plan.steps) {
    for (let last = steps.at(-1); last !== undefined; last = steps.at(-1)) {
      if (!isUndone(last, step)) break
      steps.pop()
    }
    steps.push(step)
  }
  return { source: plan.source, steps }
}

/** Whether a step gives the same with and without the one before it. */
function isUndone(before: Step, step: Step): boolean {
  switch (step.kind) {
    case 'count':
      return isCut(before) || isMixed(before)
    case 'aggregate':
      return (
        step.aggregates.every(isOfAnyOrder) && (before.kind === 'repartition' || isMixed(before))
      )
    case 'sort':
      return before.kind === 'sort' && looksAtAll(step, before)
    case 'shuffle':
      if (before.kind === 'block-order') return true
      if (before.kind === 'repartition') return step.blocks !== undefined
      return before.kind === 'shuffle' && decidesBlocks(step, before)
    case 'block-order':
      return before.kind === 'block-order'
    case 'repartition':
      return isRepartitioned(before, step)
    default:
      return false
  }
}

function isRepartitioned(before: Step, step: RepartitionStep): boolean {
  if (step.by !== 'keys') return isCut(before)
  if (before.kind === 'repartition' && before.by === 'keys') return decidesBlocks(step, before)
  return isCut(before) && step.blocks !== undefined
}

/** Whether a step changes the blocks only, not the order of the rows. */
function isCut(step: Step): boolean {
  return step.kind === 'coalesce' || (step.kind === 'repartition' && step.by !== 'keys')
}

function isMixed(step: Step): boolean {
  return step.kind === 'shuffle' || step.kind === 'block-order'
}

function isOfAnyOrder({ kind }: AggregateSpec): boolean {
  return ofAnyOrder.has(kind)
}

interface HasBlocks {
  readonly blocks: number | undefined
}

/** Whether the number of blocks is the same without the step before. */
function decidesBlocks(step: HasBlocks, before: HasBlocks): boolean {
  return step.blocks !== undefined || before.blocks === undefined
}

/** Whether rows that are equal for a sort are equal for the one before it too. */
function looksAtAll(step: SortStep, before: SortStep): boolean {
  const keys = new Set(step.keys.map(({ value }) => textOfNode(value)))
  return before.keys.every(({ value }) => keys.has(textOfNode(value)))
}
