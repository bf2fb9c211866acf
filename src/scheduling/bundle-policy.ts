// Chooses nodes for the bundles of a placement group, all of them or none.
//
// Packing bundles into the fewest nodes is bin packing, so the answer is a good one and not the
// best: the largest bundles go first (first fit decreasing). A group that only an exhaustive search
// would fit waits, or is called infeasible, although there is room.

import { utilization } from './node-view.js'
import type { NodeView } from './node-view.js'
import { addAmounts, amountsFit, subtractAmounts } from './resource-amounts.js'
import type { Amounts } from './resource-amounts.js'

export type BundleStrategy = 'PACK' | 'SPREAD' | 'STRICT_PACK' | 'STRICT_SPREAD'

export interface BundleDemand {
  readonly index: number
  readonly resources: Amounts
}

export interface BundleRequest {
  readonly strategy: BundleStrategy
  /** Bundles to place: those of the group that have no node. */
  readonly bundles: readonly BundleDemand[]
  /**
   * Nodes that hold other bundles of the same group, with multiplicity; empty when the whole group
   * is placed.
   */
  readonly heldBy: readonly string[]
}

export type BundleChoice =
  | { readonly kind: 'nodes'; readonly nodeIds: ReadonlyMap<number, string> }
  | { readonly kind: 'wait' }
  | { readonly kind: 'infeasible' }

export function bundlePolicy(nodes: readonly NodeView[], request: BundleRequest): BundleChoice {
  const alive = nodes
    .filter((node) => node.alive)
    .sort((left, right) => (left.nodeId < right.nodeId ? -1 : 1))
  const nodeIds = assign(alive, request)
  if (nodeIds !== undefined) return { kind: 'nodes', nodeIds }
  const empty = alive.map((node) => ({ ...node, available: node.total }))
  return assign(empty, request) === undefined ? { kind: 'infeasible' } : { kind: 'wait' }
}

function assign(
  nodes: readonly NodeView[],
  request: BundleRequest,
): ReadonlyMap<number, string> | undefined {
  if (request.strategy === 'STRICT_PACK') return assignToOne(nodes, request)
  if (request.strategy === 'PACK') {
    return assignToOne(nodes, request) ?? assignEach(nodes, request)
  }
  return assignEach(nodes, request)
}

function assignToOne(
  nodes: readonly NodeView[],
  { bundles, heldBy }: BundleRequest,
): ReadonlyMap<number, string> | undefined {
  const sum = bundles.reduce<Amounts>((all, each) => addAmounts(all, each.resources), {})
  const holder = heldBy[0]
  const candidates = holder === undefined ? nodes : nodes.filter((node) => node.nodeId === holder)
  // The fullest node that still fits keeps the emptier ones whole for others.
  let best: NodeView | undefined
  for (const node of candidates) {
    if (!amountsFit(sum, node.available)) continue
    if (best === undefined || utilization(node, sum) > utilization(best, sum)) best = node
  }
  if (best === undefined) return undefined
  const nodeId = best.nodeId
  return new Map(bundles.map((bundle) => [bundle.index, nodeId]))
}

function assignEach(
  nodes: readonly NodeView[],
  { strategy, bundles, heldBy }: BundleRequest,
): ReadonlyMap<number, string> | undefined {
  const left = new Map(nodes.map((node) => [node.nodeId, node.available]))
  const held = new Map<string, number>()
  for (const nodeId of heldBy) held.set(nodeId, (held.get(nodeId) ?? 0) + 1)
  const nodeIds = new Map<number, string>()
  const largestFirst = [...bundles].sort(
    (a, b) => weight(b.resources) - weight(a.resources) || a.index - b.index,
  )
  for (const bundle of largestFirst) {
    let best: { readonly nodeId: string; readonly score: number } | undefined
    for (const node of nodes) {
      const count = held.get(node.nodeId) ?? 0
      if (strategy === 'STRICT_SPREAD' && count > 0) continue
      const available = left.get(node.nodeId)!
      if (!amountsFit(bundle.resources, available)) continue
      const used = utilization({ ...node, available }, bundle.resources)
      const score = strategy === 'PACK' ? (count > 0 ? -1 : 0) - used : count + used
      if (best === undefined || score < best.score) best = { nodeId: node.nodeId, score }
    }
    if (best === undefined) return undefined
    nodeIds.set(bundle.index, best.nodeId)
    held.set(best.nodeId, (held.get(best.nodeId) ?? 0) + 1)
    left.set(best.nodeId, subtractAmounts(left.get(best.nodeId)!, bundle.resources))
  }
  return nodeIds
}

/** Orders bundles by size. Memory is counted in gigabytes, so that bytes do not drown CPUs. */
function weight(amounts: Amounts): number {
  let sum = 0
  for (const name in amounts) sum += name === 'memory' ? amounts[name]! / 2 ** 30 : amounts[name]!
  return sum
}
