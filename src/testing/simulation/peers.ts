// The links of a simulated raylet to those of other nodes: ordered, and nothing is lost while both
// live. Which nodes live the GCS says; what comes from one that it has given up is not heard.

import type { PeerMessage } from '../../wire/messages/peer.js'
import type { ClusterNode } from '../../wire/messages/terms.js'
import type { World } from './world.js'

export interface PeerPorts {
  readonly world: World
  readonly nodeId: string
  readonly nodeNumber: number
  readonly message: (from: number, message: PeerMessage) => void
  readonly nodeDied: (nodeNumber: number, nodeId: string) => void
}

export class SimulatedPeers {
  readonly #ports: PeerPorts
  #nodes = new Map<number, string>()
  #newest: number
  /** What was said before the first view: a node dials those that it has heard of. */
  #early: { readonly from: number; readonly message: PeerMessage }[] | undefined = []

  constructor(ports: PeerPorts) {
    this.#ports = ports
    this.#newest = ports.nodeNumber
  }

  isDead(nodeNumber: number): boolean {
    const isOld = nodeNumber <= this.#newest && !this.#nodes.has(nodeNumber)
    return isOld && nodeNumber !== this.#ports.nodeNumber
  }

  /** Ids of all nodes that live, as far as is known. */
  nodeIds(): string[] {
    return [...this.#nodes.values()]
  }

  view(nodes: readonly ClusterNode[], newest: number): void {
    const before = this.#nodes
    this.#nodes = new Map(nodes.map(({ nodeNumber, nodeId }) => [nodeNumber, nodeId]))
    this.#newest = Math.max(this.#newest, newest)
    for (const [number, nodeId] of before) {
      if (!this.#nodes.has(number)) this.#ports.nodeDied(number, nodeId)
    }
    const early = this.#early ?? []
    this.#early = undefined
    for (const { from, message } of early) this.hear(from, message)
  }

  hear(from: number, message: PeerMessage): void {
    if (this.#early !== undefined) this.#early.push({ from, message })
    else if (!this.isDead(from)) this.#ports.message(from, message)
  }

  send(to: number, message: PeerMessage): void {
    const { world, nodeId, nodeNumber } = this.#ports
    if (this.isDead(to)) return
    const nodes = [nodeId, this.#nodes.get(to) ?? ''] as const
    const connection = { from: nodeId, to: `node ${to}`, nodes }
    world.network.send(connection, () => {
      world.nodes.whenThere(to, (node) => node.fromPeer(nodeNumber, message))
    })
  }

  broadcast(message: PeerMessage): void {
    for (const number of this.#nodes.keys()) {
      if (number !== this.#ports.nodeNumber) this.send(number, message)
    }
  }
}
