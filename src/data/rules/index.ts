// The rules in their order: limits first, because they may uncover a selection behind the source;
// fusion last, because it hides single steps from the others.

import type { LogicalPlan, Rule } from '../logical/plan.js'
import { countFromMetadata } from './count-from-metadata.js'
import { fuseMaps } from './fuse-maps.js'
import { pushLimit } from './push-limit.js'
import { pushSelect } from './push-select.js'

const rules: readonly Rule[] = [pushLimit, pushSelect, countFromMetadata, fuseMaps]

export function optimize(plan: LogicalPlan): LogicalPlan {
  return rules.reduce((rewritten, rule) => rule(rewritten), plan)
}
