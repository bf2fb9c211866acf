// The links of a raylet to those of other nodes.
//
// There is one link for two nodes. The node with the higher number dials, because it joined later
// and has heard of the other. A client, which no other machine can reach, dials everybody. What is
// meant for a node that has still to dial waits here.
//
// Which nodes live the GCS says. Numbers are given out in order, so one that is not above the
// newest of a view and not in it belongs to a dead node.

import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import { nodeNumberOf } from '../base/ids.js'
import { peerWaitingMax } from '../base/limits.js'
import { AcceptedLinks } from '../wire/link/accepted-links.js'
import { DialedLink } from '../wire/link/dialed-link.js'
import type { LinkHello } from '../wire/link/link-hello.js'
import type { PeerMessage } from '../wire/messages/peer.js'
import type { ClusterNode } from '../wire/messages/terms.js'

export interface PeerOptions {
  readonly clock: Clock
  readonly token: string
  readonly nodeId: string
  readonly nodeNumber: number
  readonly isClient: boolean
  readonly message: (from: number, message: PeerMessage) => void
  /** Everything that it had sent was handled, or will never be. */
  readonly nodeDied: (nodeNumber: number, nodeId: string) => void
  readonly note: (text: string) => void
}

export class PeerLinks {
  readonly #options: PeerOptions
  readonly #dialed = new Map<number, DialedLink<PeerMessage, PeerMessage>>()
  readonly #accepted: AcceptedLinks<PeerMessage, PeerMessage>
  /** For nodes that have not dialed yet. Emptied when they do, or are known to be dead. */
  readonly #waiting = new Map<number, PeerMessage[]>()
  #nodes = new Map<number, ClusterNode>()
  #newest = 0

  constructor(options: PeerOptions) {
    this.#options = options
    const { nodeNumber } = options
    this.#accepted = new AcceptedLinks<PeerMessage, PeerMessage>(options.clock, {
      opened: (key) => this.#opened(Number(key)),
      message: (key, message) => options.message(Number(key), message),
      connected: () => undefined,
      disconnected: (key) => options.note(`the connection of node ${key} is closed`),
      overflowed: (key) => options.note(`too much waits for node ${key}: it is given up`),
    })
    this.#newest = nodeNumber
  }

  /** The node that the process is on. */
  node(process: number): ClusterNode | undefined {
    return this.#nodes.get(nodeNumberOf(process))
  }

  nodeOf(nodeNumber: number): ClusterNode | undefined {
    return this.#nodes.get(nodeNumber)
  }

  isDead(nodeNumber: number): boolean {
    return nodeNumber <= this.#newest && nodeNumber !== this.#options.nodeNumber &&
      !this.#nodes.has(nodeNumber) // prettier-ignore
  }

  /** Numbers of the other nodes that live. */
  others(): number[] {
    return [...this.#nodes.keys()].filter((number) => number !== this.#options.nodeNumber)
  }

  /** What the GCS says of the cluster. */
  view(nodes: readonly ClusterNode[], newest: number): void {
    const before = this.#nodes
    this.#nodes = new Map(nodes.map((node) => [node.nodeNumber, node]))
    this.#newest = Math.max(this.#newest, newest)
    for (const node of nodes) if (this.#dials(node)) this.#dial(node)
    for (const [number, { nodeId }] of before) {
      if (!this.#nodes.has(number)) this.#died(number, nodeId)
    }
    for (const number of this.#waiting.keys()) {
      if (this.isDead(number)) this.#waiting.delete(number)
    }
  }

  send(to: number, message: PeerMessage): void {
    const dialed = this.#dialed.get(to)
    if (dialed !== undefined) dialed.send(message)
    else if (this.#accepted.has(String(to))) this.#accepted.send(String(to), message)
    else if (!this.isDead(to)) this.#wait(to, message)
  }

  broadcast(message: PeerMessage): void {
    for (const number of this.others()) this.send(number, message)
  }

  /** A connection whose token was looked at. */
  accept(socket: Socket, first: { hello: LinkHello; rest: Uint8Array }): void {
    const { nodeNumber } = first.hello
    if (nodeNumber === 0 || this.isDead(nodeNumber)) socket.destroy()
    else this.#accepted.accept(String(nodeNumber), socket, first)
  }

  close(): void {
    for (const link of this.#dialed.values()) link.close()
    this.#accepted.close()
    this.#waiting.clear()
  }

  #dials(node: ClusterNode): boolean {
    const { nodeNumber, isClient } = this.#options
    if (node.nodeNumber === nodeNumber || node.isClient === true) return false
    return isClient || node.nodeNumber < nodeNumber
  }

  #dial(node: ClusterNode): void {
    if (this.#dialed.has(node.nodeNumber)) return
    const { clock, token, nodeId, nodeNumber } = this.#options
    const caller = { token, nodeId, nodeNumber, role: 'peer' as const }
    const dial = { clock, address: node.address, caller: () => caller }
    const link = new DialedLink<PeerMessage, PeerMessage>(dial, {
      message: (message) => this.#options.message(node.nodeNumber, message),
      disconnected: () => this.#options.note(`the connection to node ${node.nodeId} is closed`),
      refused: ({ message }) => this.#options.note(`node ${node.nodeId} refuses: ${message}`),
    })
    this.#dialed.set(node.nodeNumber, link)
    const waiting = this.#waiting.get(node.nodeNumber) ?? []
    this.#waiting.delete(node.nodeNumber)
    for (const message of waiting) link.send(message)
  }

  #opened(nodeNumber: number): void {
    const waiting = this.#waiting.get(nodeNumber) ?? []
    this.#waiting.delete(nodeNumber)
    for (const message of waiting) this.#accepted.send(String(nodeNumber), message)
  }

  #wait(to: number, message: PeerMessage): void {
    const waiting = this.#waiting.get(to) ?? []
    this.#waiting.set(to, waiting)
    // Somebody who can never be reached must not cost all memory.
    if (waiting.length < peerWaitingMax) waiting.push(message)
  }

  #died(nodeNumber: number, nodeId: string): void {
    this.#dialed.get(nodeNumber)?.close()
    this.#dialed.delete(nodeNumber)
    this.#accepted.drop(String(nodeNumber))
    this.#options.nodeDied(nodeNumber, nodeId)
  }
}
