// One named node. A soft affinity falls back to the default policy when the node is gone or can
// never host the demand.

import { hybridPolicy } from './hybrid-policy.js'
import { feasibleNodes } from './node-view.js'
import type { NodeView, PolicyChoice } from './node-view.js'
import { amountsFit } from './resource-amounts.js'
import type { Amounts } from './resource-amounts.js'

export function nodeAffinityPolicy(
  nodes: readonly NodeView[],
  demand: Amounts,
  affinity: { readonly nodeId: string; readonly soft: boolean },
): PolicyChoice {
  const node = feasibleNodes(nodes, demand).find((each) => each.nodeId === affinity.nodeId)
  if (node === undefined) {
    return affinity.soft ? hybridPolicy(nodes, demand) : { kind: 'infeasible' }
  }
  if (!amountsFit(demand, node.available)) return { kind: 'wait' }
  return { kind: 'node', nodeId: node.nodeId }
}
