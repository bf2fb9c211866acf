// Puts neighbouring steps into one task, so that a block is read, transformed and written without
// passing through the object store in between. Steps are fused unless they ask for different
// resources or different concurrency, or run in a pool of actors.

import { isExchange } from '../logical/exchange-step.js'
import { joinResources } from '../logical/function-step.js'
import {
  type BlockStep,
  type FusedStep,
  type LogicalPlan,
  resourcesOf,
  type Step,
} from '../logical/plan.js'

export function fuseMaps(plan: LogicalPlan): LogicalPlan {
  const steps: Step[] = []
  for (const step of plan.steps) {
    if (step.kind === 'limit' || isExchange(step)) {
      steps.push(step)
      continue
    }
    const last = steps.at(-1)
    const next = step.kind === 'fused' ? step : fused(step)
    const joined = last?.kind === 'fused' ? join(last, next) : undefined
    if (joined === undefined) steps.push(next)
    else steps[steps.length - 1] = joined
  }
  return { source: plan.source, steps }
}

function fused(step: BlockStep): FusedStep {
  return { kind: 'fused', steps: [step], ...resourcesOf(step) }
}

function join(a: FusedStep, b: FusedStep): FusedStep | undefined {
  // Batches are filled from the rows that a task is given, and not from what a filter leaves of
  // them.
  if (b.steps.some(hasBatchSize) && a.steps.some(dropsOrAddsRows)) return undefined
  const resources = joinResources(a, b)
  return resources && { kind: 'fused', steps: [...a.steps, ...b.steps], ...resources }
}

function hasBatchSize(step: BlockStep): boolean {
  return step.kind === 'map-batches' && step.batchSize !== undefined
}

/** A batch function may do so as well, and is taken for one that does not, as in Ray. */
function dropsOrAddsRows({ kind }: BlockStep): boolean {
  return ['where', 'sample', 'filter', 'flat-map'].includes(kind)
}
