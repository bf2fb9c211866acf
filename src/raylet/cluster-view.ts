// The other nodes as this raylet sees them: what the GCS said last, without what was sent there
// since.
//
// A view is up to `clusterViewMs` old. A claim counts until a view has come that must know of it; a
// moment in which both count makes a node look fuller than it is, which costs little.

import { claimMs } from '../base/limits.js'
import type { NodeView } from '../scheduling/node-view.js'
import { subtractAmounts } from '../scheduling/resource-amounts.js'
import type { ClusterNode, Resources } from '../wire/messages/terms.js'

interface Claim {
  readonly nodeNumber: number
  readonly demand: Resources
  readonly at: number
}

export class ClusterView {
  readonly #nodeId: string
  /** As the GCS said last, this node among them; empty until it has. */
  nodes: readonly ClusterNode[] = []
  /** What was sent to other nodes lately, in order. */
  #claims: Claim[] = []
  /** Resources that somebody waits for at another node. */
  readonly #wanted = new Set<string>()
  /** Nodes at which any bundle of a placement group is waited for, by group. */
  readonly wantedGroups = new Map<string, readonly number[]>()
  /** What is known of the others; made when somebody asks. */
  #others: NodeView[] | undefined

  constructor(nodeId: string) {
    this.#nodeId = nodeId
  }

  update(nodes: readonly ClusterNode[], now: number): void {
    this.nodes = nodes
    this.#claims = this.#claims.filter(({ at }) => now - at < claimMs)
    this.#others = undefined
    this.#wanted.clear()
    this.wantedGroups.clear()
    for (const { nodeId, nodeNumber, waiting = {}, wantedGroups = [] } of nodes) {
      if (nodeId === this.#nodeId) continue
      for (const group of wantedGroups) {
        this.wantedGroups.set(group, [...(this.wantedGroups.get(group) ?? []), nodeNumber])
      }
      for (const name in waiting) if ((waiting[name] ?? 0) > 0) this.#wanted.add(name)
    }
  }

  /** So much goes to the node now. */
  claim(nodeNumber: number, demand: Resources, at: number): void {
    this.#claims.push({ nodeNumber, demand, at })
    this.#others = undefined
  }

  /** The node has just said what is free there. */
  correct(nodeNumber: number, said: { available: Resources; waiting: Resources }): void {
    this.#claims = this.#claims.filter((claim) => claim.nodeNumber !== nodeNumber)
    this.nodes = this.nodes.map((node) =>
      node.nodeNumber === nodeNumber ? { ...node, ...said } : node,
    )
    this.#others = undefined
  }

  /** Is there no other node that could run anything? */
  get isAlone(): boolean {
    return this.nodes.every((node) => !this.#isOther(node))
  }

  /** May anything new run on this node? */
  get isUsable(): boolean {
    const own = this.nodes.find((node) => node.nodeId === this.#nodeId)
    return own === undefined || (own.isClient !== true && own.isDraining !== true)
  }

  /** Does something wait at another node that needs one of these resources? */
  isWantedElsewhere(names: Iterable<string>): boolean {
    for (const name of names) if (this.#wanted.has(name)) return true
    return false
  }

  get hasDemandElsewhere(): boolean {
    return this.#wanted.size > 0
  }

  /** The other nodes that take tasks, with what is free but for those that wait there. */
  others(): readonly NodeView[] {
    this.#others ??= this.nodes.filter((node) => this.#isOther(node)).map((node) => this.#see(node))
    return this.#others
  }

  numberOf(nodeId: string): number | undefined {
    return this.nodes.find((node) => node.nodeId === nodeId)?.nodeNumber
  }

  byNumber(nodeNumber: number): ClusterNode | undefined {
    return this.nodes.find((node) => node.nodeNumber === nodeNumber)
  }

  #isOther(node: ClusterNode): boolean {
    const takes = node.alive && node.isClient !== true && node.isDraining !== true
    return takes && node.nodeId !== this.#nodeId
  }

  #see(node: ClusterNode): NodeView {
    let available = subtractAmounts(node.available, node.waiting ?? {})
    for (const { nodeNumber, demand } of this.#claims) {
      if (nodeNumber === node.nodeNumber) available = subtractAmounts(available, demand)
    }
    const { nodeId, alive, total, labels } = node
    return { nodeId, alive, total, available, labels }
  }
}
