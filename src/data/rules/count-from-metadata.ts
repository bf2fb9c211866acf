// Counts without reading where the source knows its rows: selections change no count, so they go;
// when nothing else is left before the count, the planner answers from metadata. Functions of the
// user are never skipped: they may have effects.

import type { LogicalPlan } from '../logical/plan.js'

export function countFromMetadata(plan: LogicalPlan): LogicalPlan {
  if (plan.steps.at(-1)?.kind !== 'count') return plan
  const { source } = plan
  const steps = plan.steps.filter((step) => step.kind !== 'select')
  if (steps.length > 1) return plan
  return { source, steps }
}
