// Chooses the node of an actor: by its scheduling strategy over the nodes, or inside its placement
// group.

import { hybridPolicy } from '../scheduling/hybrid-policy.js'
import { formatSelectors, labelPolicy, whyNoLabels } from '../scheduling/label-policy.js'
import { nodeAffinityPolicy } from '../scheduling/node-affinity-policy.js'
import type { NodeView, PolicyChoice } from '../scheduling/node-view.js'
import { spreadPolicy } from '../scheduling/spread-policy.js'
import {
  addAmounts,
  amountsFit,
  formatAmounts,
  largerAmounts,
} from '../scheduling/resource-amounts.js'
import type { PlacementGroupTarget, Resources } from '../wire/messages/terms.js'
import type { ActorSpec } from '../wire/messages/raylet.js'
import type { NodeTable } from './node-table.js'
import type { PlacementGroupTable } from './placement-group-table.js'

export type Placement =
  | { readonly kind: 'node'; readonly nodeId: string }
  /** For room, or, when it says why, for a node to join. */
  | { readonly kind: 'wait'; readonly why?: string }
  | { readonly kind: 'unschedulable'; readonly why: string }
  | { readonly kind: 'groupRemoved'; readonly group: string }

export class ActorPlacement {
  readonly #nodes: NodeTable
  readonly #groups: PlacementGroupTable
  /** Nodes may join: who lacks only a node that is large enough waits for one. */
  canGrow = false
  /** Actors placed so far; spreads begin with another node each time. */
  #turn = 0

  constructor(nodes: NodeTable, groups: PlacementGroupTable) {
    this.#nodes = nodes
    this.#groups = groups
  }

  /**
   * Chooses a node, and counts what the actor takes there. Nodes in `refusedBy` have just said no.
   */
  place(spec: ActorSpec, refusedBy: ReadonlySet<string>): Placement {
    const { strategy } = spec
    const demand = largerAmounts(spec.placement, spec.resources)
    if (strategy.kind === 'placementGroup' && strategy.target !== undefined) {
      return this.#placeInGroup(strategy.target, demand, refusedBy)
    }
    // A refusal is about what is free now, so the node still counts when it is asked what it could
    // ever host.
    const nodes = this.#nodes
      .open()
      .map((node) => (refusedBy.has(node.nodeId) ? { ...node, available: {} } : node))
    const choice = this.#choose(spec, nodes, demand)
    if (choice.kind === 'infeasible') {
      const why = whyInfeasible(spec, nodes, demand)
      const isFinal = strategy.kind === 'nodeAffinity' && strategy.soft !== true
      return { kind: this.canGrow && !isFinal ? 'wait' : 'unschedulable', why }
    }
    if (choice.kind === 'node') {
      // An actor that holds less than it takes to place it gives the rest back at once.
      this.#nodes.claim(choice.nodeId, claimOf(spec), spec.resources)
      this.#turn++
    }
    return choice
  }

  /** Where it would go if the nodes had this much free; not in a group, which has its own room. */
  roomFor(spec: ActorSpec, nodes: readonly NodeView[]): ReadonlyMap<string, Resources> | undefined {
    if (spec.strategy.kind === 'placementGroup') return undefined
    const demand = largerAmounts(spec.placement, spec.resources)
    const choice = this.#choose(spec, nodes, demand)
    return choice.kind === 'node' ? new Map([[choice.nodeId, demand]]) : undefined
  }

  /** An earlier GCS has asked the node for it. */
  asked(spec: ActorSpec, nodeId: string): void {
    this.#nodes.claim(nodeId, claimOf(spec), spec.resources)
  }

  /** The node has answered, or need not any more. */
  answered(spec: ActorSpec, nodeId: string): void {
    this.#nodes.unclaim(nodeId, claimOf(spec))
  }

  #choose(spec: ActorSpec, all: readonly NodeView[], demand: Resources): PolicyChoice {
    const { kind, nodeId, soft, labels } = spec.strategy
    const nodes = labelPolicy(all, demand, labels ?? [])
    if (kind === 'spread') return spreadPolicy(nodes, demand, this.#turn)
    if (kind === 'nodeAffinity' && nodeId !== undefined) {
      return nodeAffinityPolicy(nodes, demand, { nodeId, soft: soft ?? false })
    }
    return hybridPolicy(nodes, demand)
  }

  #placeInGroup(
    target: PlacementGroupTarget,
    demand: Resources,
    refusedBy: ReadonlySet<string>,
  ): Placement {
    const row = this.#groups.row(target.group)
    // Its creation is still on the way, through another raylet.
    if (row === undefined) return { kind: 'wait' }
    if (row.state === 'removed') return { kind: 'groupRemoved', group: target.group }
    if (row.state === 'infeasible') {
      const why = row.message ?? 'its placement group is infeasible.'
      return { kind: this.canGrow ? 'wait' : 'unschedulable', why }
    }
    const bundles = row.bundles.filter(
      (bundle) =>
        (target.bundle === -1 || bundle.index === target.bundle) &&
        amountsFit(demand, bundle.resources),
    )
    if (bundles.length === 0) {
      const which = target.bundle === -1 ? 'no bundle' : `not bundle ${target.bundle}`
      const why =
        `it needs ${formatAmounts(demand)}, which ${which} of placement group ` +
        `${target.group} has.`
      return { kind: 'unschedulable', why }
    }
    if (row.state !== 'created') return { kind: 'wait' }
    // How full a bundle is only its raylet knows, so the bundles are tried in turn.
    for (let i = 0; i < bundles.length; i++) {
      const { nodeId } = bundles[(this.#turn + i) % bundles.length]!
      if (nodeId === undefined || refusedBy.has(nodeId)) continue
      this.#turn++
      return { kind: 'node', nodeId }
    }
    return { kind: 'wait' }
  }
}

const claimOf = ({ actor }: ActorSpec): string => `actor ${actor[0]}/${actor[1]}`

function whyInfeasible(spec: ActorSpec, nodes: readonly NodeView[], demand: Resources): string {
  const { strategy } = spec
  const needs = `it needs ${formatAmounts(demand)}`
  if (strategy.kind === 'nodeAffinity') {
    const node = nodes.find((each) => each.nodeId === strategy.nodeId)
    return node === undefined
      ? `it was to run on node ${strategy.nodeId}, which is not alive. Choose another node, or ` +
          `pass soft: true.`
      : `${needs} on node ${strategy.nodeId}, which has ${formatAmounts(node.total)} in all.`
  }
  const { labels = [] } = strategy
  const whyLabels = whyNoLabels(nodes, labels)
  if (whyLabels !== undefined) return `${whyLabels}. Ask for other labels, or add a node.`
  if (labels.length > 0) {
    return (
      `${needs}, and no node with labels ${formatSelectors(labels)} has that. Ask for less, or ` +
      `add a node.`
    )
  }
  const total = nodes.reduce<Resources>((sum, node) => addAmounts(sum, node.total), {})
  const missing = Object.keys(demand)
    .filter((name) => nodes.every((node) => !amountsFit({ [name]: demand[name]! }, node.total)))
    .sort()
  const lack =
    missing.length === 0
      ? 'no node has all of that together'
      : `no node has that much ${missing.join(', ')}`
  return (
    `${needs}, and ${lack}. The cluster has ${formatAmounts(total)} on ${nodes.length} ` +
    `node${nodes.length === 1 ? '' : 's'}; ask for less, or add a node.`
  )
}
