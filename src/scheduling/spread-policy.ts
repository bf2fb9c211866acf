// Takes the nodes in turn. `turn` counts the placements of the caller, so the policy itself
// remembers nothing.

import { feasibleNodes } from './node-view.js'
import type { NodeView, PolicyChoice } from './node-view.js'
import { amountsFit } from './resource-amounts.js'
import type { Amounts } from './resource-amounts.js'

export function spreadPolicy(
  nodes: readonly NodeView[],
  demand: Amounts,
  turn: number,
): PolicyChoice {
  const feasible = feasibleNodes(nodes, demand)
  if (feasible.length === 0) return { kind: 'infeasible' }
  for (let i = 0; i < feasible.length; i++) {
    const node = feasible[(turn + i) % feasible.length]!
    if (amountsFit(demand, node.available)) return { kind: 'node', nodeId: node.nodeId }
  }
  return { kind: 'wait' }
}
