// The rules in their order: filters first, so that limits and columns are found where they end up;
// then limits, because they may uncover a selection behind the source; exchanges are dropped before
// columns, because what an exchange moves is selected before it; fusion last, because it hides
// single steps from the others.

import type { LogicalPlan, Rule } from '../logical/plan.js'
import { countFromMetadata } from './count-from-metadata.js'
import { dropExchanges } from './drop-exchanges.js'
import { fuseMaps } from './fuse-maps.js'
import { pushIntoUnion } from './push-into-union.js'
import { pushLimit } from './push-limit.js'
import { pruneColumns } from './prune-columns.js'
import { pushSelect } from './push-select.js'
import { pushWhere } from './push-where.js'

const rules: readonly Rule[] = [
  pushWhere,
  pushLimit,
  pushIntoUnion,
  dropExchanges,
  pruneColumns,
  pushSelect,
  countFromMetadata,
  fuseMaps,
]

export function optimize(plan: LogicalPlan): LogicalPlan {
  const rewritten = rules.reduce((before, rule) => rule(before), plan)
  const { source, steps } = rewritten
  if (source.kind === 'join' || source.kind === 'zip') {
    const [left, right] = [optimize(source.left), optimize(source.right)]
    return { source: { ...source, left, right }, steps }
  }
  if (source.kind !== 'union') return rewritten
  return { source: { ...source, inputs: source.inputs.map(optimize) }, steps }
}
