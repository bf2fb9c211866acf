// The bulk connections of this node, one for each other node that it reads from.
//
// Whoever reads dials, so that nobody has to agree on anything. A client cannot be dialed: it is
// asked to come, and what it made is used in both directions.

import type { Socket } from 'node:net'
import { newId } from '../../base/ids.js'
import { packageVersion, wireVersion } from '../../base/version.js'
import { connectTo } from '../../wire/address.js'
import { packMessage } from '../../wire/control-channel.js'
import { controlFrame } from '../../wire/frame.js'
import type { LinkHello } from '../../wire/link/link-hello.js'
import type { ClusterNode } from '../../wire/messages/terms.js'
import { BulkConnection } from './bulk-connection.js'
import type { BulkHead } from './bulk-frame.js'

export interface BulkOptions {
  readonly token: string
  readonly nodeId: string
  readonly nodeNumber: number
  /** Undefined: it is dead, or not known yet. */
  readonly node: (nodeNumber: number) => ClusterNode | undefined
  readonly askToDial: (nodeNumber: number) => void
  readonly asked: (head: BulkHead, connection: BulkConnection) => void
  readonly closed: (connection: BulkConnection) => void
  /** For the log of the node. */
  readonly note: (text: string) => void
}

export class BulkLinks {
  readonly #options: BulkOptions
  /** That this node reads from, by node. Removed when they close. */
  readonly #links = new Map<number, BulkConnection>()
  /** All, with the node at the other end. */
  readonly #all = new Map<BulkConnection, number>()

  constructor(options: BulkOptions) {
    this.#options = options
  }

  /** Undefined: the node cannot be reached now. */
  to(nodeNumber: number): BulkConnection | undefined {
    const known = this.#links.get(nodeNumber)
    if (known !== undefined) return known
    const node = this.#options.node(nodeNumber)
    if (node === undefined) return undefined
    if (node.isClient !== true) return this.dial(node)
    this.#options.askToDial(nodeNumber)
    return undefined
  }

  dial(node: ClusterNode): BulkConnection {
    const connection = this.#connection(node.nodeNumber)
    this.#links.set(node.nodeNumber, connection)
    const socket = connectTo(node.address, {
      buffer: () => connection.nextView(),
      callback: (count) => {
        connection.arrived(count)
        return true
      },
    })
    connection.attach(socket)
    const { token, nodeId, nodeNumber } = this.#options
    const hello: LinkHello = {
      kind: 'linkHello',
      token,
      version: packageVersion,
      wireVersion,
      role: 'bulk',
      nodeId,
      nodeNumber,
      link: newId(),
      received: 0,
    }
    socket.write(controlFrame(packMessage(hello)))
    return connection
  }

  /** A connection whose token was looked at. */
  accept(socket: Socket, { hello, rest }: { hello: LinkHello; rest: Uint8Array }): void {
    const { nodeNumber } = hello
    const connection = this.#connection(nodeNumber)
    if (this.#options.node(nodeNumber)?.isClient === true) this.#links.set(nodeNumber, connection)
    connection.attach(socket)
    if (rest.length > 0) connection.push(rest)
    socket.resume()
  }

  /** The node is dead. */
  drop(nodeNumber: number): void {
    for (const [connection, node] of this.#all) if (node === nodeNumber) connection.close()
  }

  close(): void {
    for (const connection of this.#all.keys()) connection.close()
  }

  #connection(nodeNumber: number): BulkConnection {
    const connection: BulkConnection = new BulkConnection({
      asked: (head) => this.#options.asked(head, connection),
      closed: () => {
        this.#all.delete(connection)
        if (this.#links.get(nodeNumber) === connection) this.#links.delete(nodeNumber)
        this.#options.closed(connection)
      },
      refused: (why) => this.#options.note(`refused the bytes of node ${nodeNumber}: ${why}`),
    })
    this.#all.set(connection, nodeNumber)
    return connection
  }
}
