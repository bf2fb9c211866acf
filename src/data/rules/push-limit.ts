// Reads only the rows that are wanted: limits move towards the source past steps that neither drop
// nor add rows, limits that meet become the smaller one, and one that reaches a source shortens it.
//
// A batch function may return any number of rows, and a filter drops some, so a limit stays behind
// them; there the executor stops early instead.

import { isPure } from '../expression/node.js'
import type { LogicalPlan, Source, Step } from '../logical/plan.js'

export function pushLimit(plan: LogicalPlan): LogicalPlan {
  const steps: Step[] = []
  for (const step of plan.steps) {
    if (step.kind !== 'limit') {
      steps.push(step)
      continue
    }
    let at = steps.length
    while (at > 0 && keepsRows(steps[at - 1])) at--
    const before = steps[at - 1]
    if (before?.kind === 'limit') {
      steps[at - 1] = { kind: 'limit', rows: Math.min(before.rows, step.rows) }
    } else {
      steps.splice(at, 0, step)
    }
  }
  const [first, ...rest] = steps
  if (first?.kind !== 'limit') return { source: plan.source, steps }
  const source = shorten(plan.source, first.rows)
  if (source === undefined) return { source: plan.source, steps }
  // Of other files each task reads so many rows at most, and only the step behind them counts.
  const isExact = source.kind !== 'files' || source.format.kind === 'parquet'
  return { source, steps: isExact ? rest : steps }
}

function keepsRows(step: Step | undefined): boolean {
  if (step?.kind === 'project') return step.outputs.every(({ value }) => isPure(value))
  return step?.kind === 'map' || step?.kind === 'select' || step?.kind === 'keep'
}

/** The source with at most `rows` rows; undefined if it cannot tell. */
function shorten(source: Source, rows: number): Source | undefined {
  switch (source.kind) {
    case 'files': {
      return { ...source, limit: Math.min(source.limit, rows) }
    }
    case 'items':
      return { ...source, rows: source.rows.slice(0, rows) }
    case 'range':
      return { ...source, rows: Math.min(source.rows, rows) }
    case 'blocks':
    case 'union':
    case 'datasource':
    case 'join':
    case 'zip':
      return undefined
  }
}
