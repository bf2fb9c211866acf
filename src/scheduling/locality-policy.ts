// The node that already has most of what a task reads: moving the task is cheaper than moving its
// arguments. Only where it has room: waiting beside the data costs more than most transfers.

import { localityBytesMin } from '../base/limits.js'
import { feasibleNodes } from './node-view.js'
import type { NodeView, PolicyChoice } from './node-view.js'
import { amountsFit } from './resource-amounts.js'
import type { Amounts } from './resource-amounts.js'

/** `bytes` says how much of the arguments each node has. */
export function localityPolicy(
  nodes: readonly NodeView[],
  demand: Amounts,
  bytes: ReadonlyMap<string, number>,
): PolicyChoice {
  let best: NodeView | undefined
  let most = localityBytesMin - 1
  for (const node of feasibleNodes(nodes, demand)) {
    const here = bytes.get(node.nodeId) ?? 0
    if (here <= most) continue
    most = here
    best = node
  }
  if (best === undefined || !amountsFit(demand, best.available)) return { kind: 'wait' }
  return { kind: 'node', nodeId: best.nodeId }
}
