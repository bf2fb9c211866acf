// Runs steps inside the inputs of a union, where they share tasks with what makes the blocks. A
// step that bounds its concurrency stays behind the union, because the bound is one for all rows;
// so does one that writes, because it numbers its files.

import type { BlockStep, LogicalPlan, Step } from '../logical/plan.js'

export function pushIntoUnion(plan: LogicalPlan): LogicalPlan {
  const { source, steps } = plan
  if (source.kind !== 'union') return plan
  const movable: Step[] = []
  for (const step of steps) {
    if (!isMovable(step)) break
    movable.push(step)
  }
  // No input needs to make more rows than are wanted of all.
  const next = steps[movable.length]
  const repeated = next?.kind === 'limit' ? [...movable, next] : movable
  const inputs = source.inputs.map((input) => {
    return { source: input.source, steps: [...input.steps, ...repeated] }
  })
  return { source: { ...source, inputs }, steps: steps.slice(movable.length) }
}

function isMovable(step: Step): step is BlockStep {
  switch (step.kind) {
    case 'map-batches':
      // A batch may be filled from two inputs.
      return step.concurrency === undefined && step.batchSize === undefined
    case 'map':
    case 'filter':
      return step.concurrency === undefined
    case 'where':
    case 'project':
    case 'keep':
    case 'select':
    case 'count':
      return true
    default:
      return false
  }
}
