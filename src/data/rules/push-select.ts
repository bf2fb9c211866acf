// Reads only the columns that are selected: a selection right behind files becomes part
// of it.

import type { LogicalPlan } from '../logical/plan.js'

export function pushSelect(plan: LogicalPlan): LogicalPlan {
  const [first, ...steps] = plan.steps
  const { source } = plan
  if (first?.kind !== 'select' || source.kind !== 'files') return plan
  // A column that an earlier selection dropped must stay an error, which the step itself raises.
  const { columns } = source
  if (columns !== undefined && !first.columns.every((name) => columns.includes(name))) return plan
  return pushSelect({ source: { ...source, columns: first.columns }, steps })
}
