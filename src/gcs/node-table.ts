// The nodes of the cluster: who is alive, what each has and what is free, as far as is known here.
//
// A node says what is free when that changes. What the GCS has placed there and has no answer to
// yet is taken off, so that a burst of actors does not all go to the node that was empty a moment
// ago. With the answer the claim is over, although the report that counts it may come a little
// later: too high an estimate costs a refusal by the raylet, which has the last word, but one that
// stays too low would let somebody wait for ever beside a free node.
//
// Nodes that an earlier GCS has stored are away until they say what they hold: they count in what
// the cluster has, and have nothing free. One that does not come back in time is dead.
//
// Invariants, checked by validate(): a dead node never comes back under its id, and nothing is
// placed on it.

import { assert } from '../base/assert.js'
import { firstNodeNumber, nodeNumbersEnd } from '../base/ids.js'
import { parseHostPort } from '../wire/address.js'
import type { StateRow } from '../wire/messages/state.js'
import type { InfeasibleDemand, Resources } from '../wire/messages/terms.js'
import { ChangedRows } from './changed-rows.js'
import type { StorageChange } from './storage/gcs-storage.js'
import type { NodeView } from '../scheduling/node-view.js'
import { sameAmounts, subtractAmounts } from '../scheduling/resource-amounts.js'

export type NodeEvent =
  | {
      readonly kind: 'registered'
      readonly nodeId: string
      readonly address: string
      readonly resources: Resources
      readonly labels: Readonly<Record<string, string>>
      readonly isHead: boolean
      readonly isClient?: boolean
    }
  | {
      readonly kind: 'reported'
      readonly nodeId: string
      readonly available: Resources
      readonly total: Resources
      readonly waiting?: Resources
      readonly infeasible?: readonly InfeasibleDemand[]
      readonly reclaimable?: Resources
      readonly wantedGroups?: readonly string[]
    }
  | { readonly kind: 'lost'; readonly nodeId: string }
  /** Nothing new is to be placed there. */
  | { readonly kind: 'draining'; readonly nodeId: string }
  /** A node that was away has said what it holds. */
  | {
      readonly kind: 'returned'
      readonly nodeId: string
      readonly available: Resources
      readonly total: Resources
    }
  /** Whoever is still away will not come. */
  | { readonly kind: 'reconciled' }
  /**
   * Declares nodes dead that were not heard of for `deadlineMs`; to be sent several times per
   * deadline.
   */
  | { readonly kind: 'healthCheck'; readonly deadlineMs: number }

export type NodeEffect =
  /** A node came, or has other resources than before. */
  | { readonly kind: 'clusterChanged' }
  | { readonly kind: 'nodeDied'; readonly nodeId: string }
  /** Only what is free has changed. */
  | { readonly kind: 'availableChanged'; readonly nodeId: string }

interface NodeRecord {
  readonly nodeId: string
  readonly address: string
  readonly labels: Readonly<Record<string, string>>
  readonly isHead: boolean
  readonly isClient: boolean
  readonly nodeNumber: number
  alive: boolean
  /** It takes nothing new, and will end. */
  isDraining: boolean
  /** True from the start of this GCS until the node has said what it holds. */
  isAway: boolean
  total: Resources
  /** As the node said last. */
  reported: Resources
  /** What is placed there without an answer, by a name that the placer chose. */
  readonly claims: Map<string, Resources>
  /** What was reported without what is claimed. */
  available: Resources
  /** What waits in its queue, as it said last. */
  waiting: Resources
  /** Placement groups of which any bundle is waited for there. */
  wantedGroups: readonly string[]
  /** What waits there for nodes to join, as it said last. */
  infeasible: readonly InfeasibleDemand[]
  /** What would be free without tasks, as it said last. */
  reclaimable: Resources
  /** When the node was last heard of, or last forgiven for the silence of this process. */
  heardAt: number
}

export interface NodeRow {
  readonly nodeId: string
  readonly alive: boolean
  readonly isDraining: boolean
  readonly address: string
  readonly resources: Resources
  /** Of them, what is free as far as is known; empty for a dead node. */
  readonly available: Resources
  /** What requests wait for there, in all. */
  readonly waiting: Resources
  readonly labels: Readonly<Record<string, string>>
}

type Kept =
  | 'nodeId'
  | 'address'
  | 'labels'
  | 'isHead'
  | 'isClient'
  | 'nodeNumber'
  | 'alive'
  | 'isDraining'
  | 'total'

export type StoredNode = Readonly<Pick<NodeRecord, Kept>>

/** Rows of dead nodes that `ray.nodes()` still shows. */
const deadNodesKept = 1000

export class NodeTable {
  readonly #nodes = new Map<string, NodeRecord>()
  readonly #changed = new ChangedRows('nodes')
  #checkedAt: number | undefined
  /** Numbers are never given out again. That of the head is known beforehand. */
  #newest = firstNodeNumber

  handle(event: NodeEvent, now: number): NodeEffect[] {
    switch (event.kind) {
      case 'registered':
        return this.#registered(event, now)
      case 'reported':
        return this.#reported(event, now)
      case 'lost':
        return this.#lost(event.nodeId)
      case 'draining':
        return this.#drain(event.nodeId)
      case 'returned':
        return this.#returned(event, now)
      case 'reconciled':
        return [...this.#nodes.values()]
          .filter((node) => node.alive && node.isAway)
          .flatMap((node) => this.#lost(node.nodeId))
      case 'healthCheck':
        return this.#healthCheck(event.deadlineMs, now)
    }
  }

  /** Begins with what an earlier GCS has stored. Returns whether any of the nodes may come back. */
  load(rows: readonly StoredNode[], now: number): boolean {
    for (const row of [...rows].sort((a, b) => a.nodeNumber - b.nodeNumber)) {
      const amounts = { reported: {}, available: {}, waiting: {}, reclaimable: {} }
      const nothing = { claims: new Map(), ...amounts, infeasible: [], wantedGroups: [] }
      this.#nodes.set(row.nodeId, { ...row, ...nothing, isAway: row.alive, heardAt: now })
      this.#newest = Math.max(this.#newest, row.nodeNumber)
    }
    return rows.some((row) => row.alive)
  }

  /** What is to be stored since the last call. */
  takeChanges(): StorageChange[] {
    return this.#changed.take((nodeId) => storedNode(this.#nodes.get(nodeId)))
  }

  forgetChanges(): void {
    this.#changed.forget()
  }

  isAlive(nodeId: string): boolean {
    return this.#nodes.get(nodeId)?.alive ?? false
  }

  /** Alive nodes. */
  alive(): NodeRecordView[] {
    return [...this.#nodes.values()].filter((node) => node.alive)
  }

  /** Alive nodes that run something. */
  view(): NodeRecordView[] {
    return this.alive().filter((node) => !node.isClient)
  }

  /** Alive nodes on which something new may be placed. */
  open(): NodeRecordView[] {
    return this.view().filter((node) => !node.isDraining)
  }

  /** The same, as if no task ran there. */
  withoutTasks(): NodeView[] {
    return [...this.#nodes.values()]
      .filter((node) => node.alive && !node.isClient && !node.isDraining)
      .map((node) => ({ ...node, available: unclaimed(node, node.reclaimable) }))
  }

  /** The highest number that was ever given out. */
  get newest(): number {
    return this.#newest
  }

  /** Undefined when the node is unknown. */
  numberOf(nodeId: string): number | undefined {
    return this.#nodes.get(nodeId)?.nodeNumber
  }

  /** It was here, and is dead. */
  isDead(nodeId: string): boolean {
    return this.#nodes.get(nodeId)?.alive === false
  }

  /** All nodes, the dead ones too. */
  rows(): NodeRow[] {
    return [...this.#nodes.values()].map((node) => {
      const { nodeId, alive, isDraining, address, total, available, waiting, labels } = node
      return { nodeId, alive, isDraining, address, resources: total, available, waiting, labels }
    })
  }

  /** As `listNodes` shows them. */
  stateRows(): StateRow[] {
    return [...this.#nodes.values()].map((node) => ({
      nodeId: node.nodeId,
      nodeIp: hostOf(node.address),
      isHeadNode: node.isHead,
      state: node.alive ? 'ALIVE' : 'DEAD',
      isDraining: node.isDraining,
      resourcesTotal: node.total,
      resourcesAvailable: node.available,
      labels: node.labels,
    }))
  }

  /** What tasks wait for at any node that no node has. */
  infeasible(): InfeasibleDemand[] {
    return this.alive().flatMap((node) => node.infeasible)
  }

  /** Counts a placement that the node has not answered yet. */
  claim(nodeId: string, name: string, demand: Resources): void {
    const node = this.#nodes.get(nodeId)
    assert(node?.alive, 'a placement is on an alive node')
    node.claims.set(name, demand)
    node.available = subtractAmounts(node.available, demand)
  }

  /** The placement is answered, or given up. */
  unclaim(nodeId: string, name: string): void {
    const node = this.#nodes.get(nodeId)
    if (node?.claims.delete(name) === true) updateAvailable(node)
  }

  validate(): void {
    for (const node of this.#nodes.values()) {
      for (const name in node.available) {
        const isKnown = name in node.total || node.available[name]! <= 0
        assert(isKnown, 'a node has in total what it has free')
      }
    }
  }

  #registered(event: NodeEvent & { kind: 'registered' }, now: number): NodeEffect[] {
    const known = this.#nodes.get(event.nodeId)
    if (known !== undefined) {
      // A dead node that comes back has lost its actors to others: it must start again under a new
      // id.
      if (known.alive) known.heardAt = now
      return []
    }
    const { nodeId, address, resources, labels, isHead, isClient = false } = event
    // The first head has its number before it asks. One that takes over the tables of another is a
    // node like any other, and that other one is gone.
    const isFirst = isHead && this.#nodes.size === 0
    const nodeNumber = isFirst ? firstNodeNumber : ++this.#newest
    assert(nodeNumber < nodeNumbersEnd, 'there are numbers left')
    this.#changed.mark(nodeId)
    const replaced = [...this.#nodes.values()].filter((node) => isHead && node.isHead)
    this.#nodes.set(nodeId, {
      nodeId,
      address,
      labels,
      isHead,
      isClient,
      nodeNumber,
      alive: true,
      isDraining: false,
      isAway: false,
      total: resources,
      reported: resources,
      claims: new Map(),
      available: resources,
      waiting: {},
      wantedGroups: [],
      infeasible: [],
      reclaimable: resources,
      heardAt: now,
    })
    const lost = replaced.flatMap((node) => this.#lost(node.nodeId))
    return [{ kind: 'clusterChanged' }, ...lost]
  }

  #drain(nodeId: string): NodeEffect[] {
    const node = this.#nodes.get(nodeId)
    if (node === undefined || !node.alive || node.isDraining) return []
    node.isDraining = true
    this.#changed.mark(nodeId)
    return [{ kind: 'clusterChanged' }]
  }

  #returned(event: NodeEvent & { kind: 'returned' }, now: number): NodeEffect[] {
    const node = this.#nodes.get(event.nodeId)
    if (node === undefined || !node.alive) return []
    node.isAway = false
    this.#reported({ ...event, kind: 'reported' }, now)
    return [{ kind: 'clusterChanged' }]
  }

  #reported(event: NodeEvent & { kind: 'reported' }, now: number): NodeEffect[] {
    const node = this.#nodes.get(event.nodeId)
    if (node === undefined || !node.alive) return []
    node.heardAt = now
    if (node.isAway) return []
    const isSameTotal = sameAmounts(node.total, event.total)
    node.total = event.total
    node.reported = event.available
    node.waiting = event.waiting ?? {}
    node.wantedGroups = event.wantedGroups ?? []
    node.infeasible = event.infeasible ?? []
    node.reclaimable = event.reclaimable ?? event.available
    updateAvailable(node)
    if (!isSameTotal) {
      this.#changed.mark(event.nodeId)
      return [{ kind: 'clusterChanged' }]
    }
    // Said even when the amounts are those expected: whoever was refused tries again after the next
    // report.
    return [{ kind: 'availableChanged', nodeId: event.nodeId }]
  }

  #lost(nodeId: string): NodeEffect[] {
    const node = this.#nodes.get(nodeId)
    if (node === undefined || !node.alive) return []
    this.#changed.mark(nodeId)
    node.alive = false
    node.isDraining = false
    node.isAway = false
    node.reported = {}
    node.available = {}
    node.reclaimable = {}
    node.claims.clear()
    const dead = [...this.#nodes.values()].filter((each) => !each.alive)
    for (const old of dead.slice(0, -deadNodesKept)) {
      this.#nodes.delete(old.nodeId)
      this.#changed.mark(old.nodeId)
    }
    return [{ kind: 'nodeDied', nodeId }]
  }

  #healthCheck(deadlineMs: number, now: number): NodeEffect[] {
    const sinceCheck = now - (this.#checkedAt ?? now)
    this.#checkedAt = now
    // When this process itself was stopped, the silence was its own: reports wait in its sockets,
    // unread.
    const wasAsleep = sinceCheck > deadlineMs / 2
    const effects: NodeEffect[] = []
    for (const node of [...this.#nodes.values()]) {
      if (!node.alive) continue
      if (wasAsleep) node.heardAt = now
      else if (now - node.heardAt > deadlineMs) effects.push(...this.#lost(node.nodeId))
    }
    return effects
  }
}

function storedNode(node: NodeRecord | undefined): StoredNode | undefined {
  if (node === undefined) return undefined
  const { nodeId, address, labels, isHead, isClient, nodeNumber, alive, total, isDraining } = node
  return { nodeId, address, labels, isHead, isClient, nodeNumber, alive, total, isDraining }
}

/** What a placement and the raylets are told. */
export type NodeRecordView = NodeView & {
  readonly nodeNumber: number
  readonly address: string
  readonly isHead: boolean
  readonly isClient: boolean
  readonly isDraining: boolean
  readonly waiting: Resources
  readonly wantedGroups: readonly string[]
  readonly infeasible: readonly InfeasibleDemand[]
}

/** A node that is alone has no address for others. */
function hostOf(address: string): string {
  return parseHostPort(address)?.host ?? '127.0.0.1'
}

function updateAvailable(node: NodeRecord): void {
  node.available = unclaimed(node, node.reported)
}

function unclaimed({ claims }: NodeRecord, amounts: Resources): Resources {
  let left = amounts
  for (const demand of claims.values()) left = subtractAmounts(left, demand)
  return left
}
