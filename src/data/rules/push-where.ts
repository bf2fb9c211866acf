// Drops rows as early as it can: a filter by expression moves towards the source, past columns that
// are computed (it is then written over what they are computed from), past selections, sorts and
// other exchanges that keep rows as they are, and past groups if it looks at their keys only.
//
// Behind files, what the filters say is also noted in the source, for readers that can rule out
// files or parts of them by it.

import { allOf, columnsOfNode, isPure, substitute } from '../expression/node.js'
import type { LogicalPlan, Step } from '../logical/plan.js'
import type { WhereStep } from '../relational/steps.js'

export function pushWhere(plan: LogicalPlan): LogicalPlan {
  const steps: Step[] = []
  for (const step of plan.steps) {
    if (step.kind === 'where' && isPure(step.predicate)) insert(steps, step)
    else steps.push(step)
  }
  return hint({ source: plan.source, steps })
}

/** Puts a filter as far to the front as it may go. */
function insert(steps: Step[], where: WhereStep): void {
  let filter = where
  let at = steps.length
  while (at > 0) {
    const moved = past(steps[at - 1], filter)
    if (moved === undefined) break
    filter = moved
    at--
  }
  steps.splice(at, 0, filter)
}

/** The filter as it is before a step; undefined if it must stay behind. */
function past(step: Step | undefined, where: WhereStep): WhereStep | undefined {
  const columns = columnsOfNode(where.predicate)
  switch (step?.kind) {
    case 'sort':
    case 'shuffle':
    case 'block-order':
      return where
    case 'repartition':
      return step.by === 'keys' ? where : undefined
    case 'select':
      return columns.every((name) => step.columns.includes(name)) ? where : undefined
    case 'aggregate': {
      const isOfKeys = columns.length > 0 && columns.every((name) => step.keys.includes(name))
      return isOfKeys ? where : undefined
    }
    case 'project': {
      if (!step.outputs.every(({ value }) => isPure(value))) return undefined
      const made = new Map(step.outputs.map(({ name, value }) => [name, value]))
      if (!step.keepsOthers && !columns.every((name) => made.has(name))) return undefined
      return { ...where, predicate: substitute(where.predicate, made) }
    }
    default:
      return undefined
  }
}

function hint(plan: LogicalPlan): LogicalPlan {
  const { source, steps } = plan
  if (source.kind !== 'files') return plan
  const end = steps.findIndex((step) => step.kind !== 'where')
  const first = (end < 0 ? steps : steps.slice(0, end)) as readonly WhereStep[]
  const predicate = allOf(first.map((step) => step.predicate).filter(isPure))
  return predicate === undefined ? plan : { source: { ...source, predicate }, steps }
}
