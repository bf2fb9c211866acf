// What a policy sees of the cluster, and the arithmetic that all policies share.

import type { Amounts } from './resource-amounts.js'
import { amountsFit } from './resource-amounts.js'

export interface NodeView {
  readonly nodeId: string
  readonly alive: boolean
  readonly total: Amounts
  readonly available: Amounts
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Where to place a demand. `wait`: some node could host it when it is less full. `infeasible`: none
 * ever can, as the cluster is now.
 */
export type PolicyChoice =
  | { readonly kind: 'node'; readonly nodeId: string }
  | { readonly kind: 'wait' }
  | { readonly kind: 'infeasible' }

/**
 * Part of the node's scarcest resource that is taken once `demand` is placed on it as well, from 0
 * to 1.
 */
export function utilization(node: NodeView, demand: Amounts): number {
  let worst = 0
  for (const [name, total] of Object.entries(node.total)) {
    if (total <= 0 || name === 'memory') continue
    const used = total - (node.available[name] ?? 0) + (demand[name] ?? 0)
    worst = Math.max(worst, used / total)
  }
  return worst
}

/**
 * Alive nodes that could ever host the demand, in the order of their ids so that every caller sees
 * the same order.
 */
export function feasibleNodes(nodes: readonly NodeView[], demand: Amounts): NodeView[] {
  return nodes
    .filter((node) => node.alive && amountsFit(demand, node.total))
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
}
