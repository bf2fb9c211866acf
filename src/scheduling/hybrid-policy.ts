// Ray's default policy: fill a node to half, then spread. Packing leaves whole nodes free for what
// needs a whole node; beyond half, neighbours begin to compete for the memory and the caches that
// no resource counts.

import { feasibleNodes, utilization } from './node-view.js'
import type { NodeView, PolicyChoice } from './node-view.js'
import { amountsFit } from './resource-amounts.js'
import type { Amounts } from './resource-amounts.js'

/** Nodes less used than this look equally empty. */
const packedFraction = 0.5

/** Among equals the preferred node wins (that of the caller), then the first by id. */
export function hybridPolicy(
  nodes: readonly NodeView[],
  demand: Amounts,
  preferred?: string,
): PolicyChoice {
  const feasible = feasibleNodes(nodes, demand)
  if (feasible.length === 0) return { kind: 'infeasible' }
  let best: { readonly nodeId: string; readonly score: number } | undefined
  for (const node of feasible) {
    if (!amountsFit(demand, node.available)) continue
    const used = utilization(node, demand)
    const score = used <= packedFraction ? 0 : used
    const isBetter =
      best === undefined ||
      score < best.score ||
      (score === best.score && node.nodeId === preferred)
    if (isBetter) best = { nodeId: node.nodeId, score }
  }
  return best === undefined ? { kind: 'wait' } : { kind: 'node', nodeId: best.nodeId }
}
