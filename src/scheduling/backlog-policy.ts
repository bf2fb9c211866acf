// Where to wait when no node has room now: at the one with the least to do, measured against what
// it has. What waits at a node counts as used there, so `available` may be below zero.

import { feasibleNodes, utilization } from './node-view.js'
import type { NodeView, PolicyChoice } from './node-view.js'
import type { Amounts } from './resource-amounts.js'

/** Among equals the preferred node wins, then the first by id. */
export function backlogPolicy(
  nodes: readonly NodeView[],
  demand: Amounts,
  preferred?: string,
): PolicyChoice {
  let best: { readonly nodeId: string; readonly used: number } | undefined
  for (const node of feasibleNodes(nodes, demand)) {
    const used = utilization(node, demand)
    const isBetter =
      best === undefined || used < best.used || (used === best.used && node.nodeId === preferred)
    if (isBetter) best = { nodeId: node.nodeId, used }
  }
  return best === undefined ? { kind: 'infeasible' } : { kind: 'node', nodeId: best.nodeId }
}
