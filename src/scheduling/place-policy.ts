// Where a task runs, or waits: all policies for tasks together, in the order in which they count.
//
// Labels leave some nodes to choose from. Affinity names one. A spread takes turns; anything else
// goes to its data, and where it has none, to the node that the hybrid policy picks. When nobody
// has room the task waits where there is least to do.

import { backlogPolicy } from './backlog-policy.js'
import { hybridPolicy } from './hybrid-policy.js'
import { labelPolicy, type LabelSelector } from './label-policy.js'
import { localityPolicy } from './locality-policy.js'
import { feasibleNodes } from './node-view.js'
import type { NodeView, PolicyChoice } from './node-view.js'
import { amountsFit } from './resource-amounts.js'
import type { Amounts } from './resource-amounts.js'
import { spreadPolicy } from './spread-policy.js'

export interface PlaceRequest {
  readonly demand: Amounts
  readonly isSpread: boolean
  /** Counts the spreads of who asks. */
  readonly turn: number
  readonly affinity?: { readonly nodeId: string; readonly soft: boolean }
  readonly labels: readonly LabelSelector[]
  /** The node of who asks. */
  readonly preferred: string
  /** How much of the arguments each node has, where that is known. */
  readonly bytes?: ReadonlyMap<string, number>
}

export type Place =
  /** Without room it waits there. */
  | { readonly kind: 'node'; readonly nodeId: string; readonly hasRoom: boolean }
  | { readonly kind: 'infeasible' }

export function placePolicy(all: readonly NodeView[], request: PlaceRequest): Place {
  const { demand, affinity, labels, preferred } = request
  const nodes = labelPolicy(all, demand, labels)
  if (affinity !== undefined) {
    const node = feasibleNodes(nodes, demand).find((each) => each.nodeId === affinity.nodeId)
    if (node !== undefined) {
      const hasRoom = amountsFit(demand, node.available)
      return { kind: 'node', nodeId: node.nodeId, hasRoom }
    }
    if (!affinity.soft) return { kind: 'infeasible' }
  }
  const choice = withRoom(nodes, request)
  if (choice.kind === 'node') return { ...choice, hasRoom: true }
  if (choice.kind === 'infeasible') return choice
  const waits = backlogPolicy(nodes, demand, preferred)
  return waits.kind === 'node' ? { ...waits, hasRoom: false } : { kind: 'infeasible' }
}

function withRoom(nodes: readonly NodeView[], request: PlaceRequest): PolicyChoice {
  const { demand, isSpread, turn, preferred, bytes } = request
  if (isSpread) return spreadPolicy(nodes, demand, turn)
  if (bytes !== undefined) {
    const local = localityPolicy(nodes, demand, bytes)
    if (local.kind === 'node') return local
  }
  return hybridPolicy(nodes, demand, preferred)
}
