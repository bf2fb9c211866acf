// The links of the GCS to the raylets.
//
// A link may break and come back: the node is given a moment for that. When it is not back then,
// its address tells a dead process from a slow one, which is waited for. A machine that lost its
// power says nothing at all, which the health check of the GCS notices.

import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import { clientReconnectMs, gcsHandledMs, nodeReconnectMs } from '../base/limits.js'
import { parseHostPort } from '../wire/address.js'
import { AcceptedLinks } from '../wire/link/accepted-links.js'
import type { LinkHello } from '../wire/link/link-hello.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import { isDeserted } from './node-probe.js'

export interface GcsHubOptions {
  readonly clock: Clock
  /** Calls `handled` when what the message has changed is stored. */
  readonly receive: (message: ToGcs, handled: () => void) => void
  readonly nodeLost: (nodeId: string) => void
  /** Of a node that is alive; undefined of any other. */
  readonly node: (nodeId: string) => NodePlace | undefined
}

/** What tells how to find out whether a node is alive. */
export interface NodePlace {
  /** `host:port` */
  readonly address: string
  /** Its process is the parent of this one: while this one runs, it lives. */
  readonly isHead: boolean
  /** A program on a machine without a node. */
  readonly isClient: boolean
}

/** How far a link is: raylets keep what is not handled, for a GCS that starts anew. */
interface Progress {
  received: number
  handled: number
  /** What the raylet was told of it. */
  told: number
}

export class GcsHub {
  readonly #options: GcsHubOptions
  readonly #links: AcceptedLinks<FromGcs, ToGcs>
  /** Nodes whose connection is gone, and how to stop waiting for them. */
  readonly #absent = new Map<string, () => void>()
  readonly #progress = new Map<string, Progress>()
  /** Set while a raylet waits to be told what was handled. */
  #cancelTell: (() => void) | undefined

  constructor(options: GcsHubOptions) {
    this.#options = options
    this.#links = new AcceptedLinks<FromGcs, ToGcs>(options.clock, {
      opened: (nodeId) => {
        this.#progress.set(nodeId, { received: 0, handled: 0, told: 0 })
      },
      message: (nodeId, message) => this.#receive(nodeId, message),
      connected: (nodeId) => this.#present(nodeId),
      disconnected: (nodeId) => this.#disconnected(nodeId),
      overflowed: (nodeId) => options.nodeLost(nodeId),
    })
  }

  has(nodeId: string): boolean {
    return this.#links.has(nodeId)
  }

  send(nodeId: string, message: FromGcs): void {
    this.#links.send(nodeId, message)
  }

  /** A connection whose token was looked at. */
  accept(socket: Socket, first: { hello: LinkHello; rest: Uint8Array }): void {
    this.#links.accept(first.hello.nodeId, socket, first)
  }

  close(): void {
    this.#cancelTell?.()
    for (const stop of this.#absent.values()) stop()
    this.#absent.clear()
    this.#links.close()
  }

  #receive(nodeId: string, message: ToGcs): void {
    const progress = this.#progress.get(nodeId)
    if (progress === undefined) return
    const position = ++progress.received
    this.#options.receive(message, () => {
      progress.handled = position
      this.#cancelTell ??= this.#options.clock.timer(gcsHandledMs, () => this.#tell())
    })
  }

  #tell(): void {
    this.#cancelTell = undefined
    for (const [nodeId, progress] of this.#progress) {
      const { handled: count, told } = progress
      if (count === told) continue
      progress.told = count
      this.send(nodeId, { kind: 'gcsHandled', count })
    }
  }

  #present(nodeId: string): void {
    this.#absent.get(nodeId)?.()
    this.#absent.delete(nodeId)
  }

  #disconnected(nodeId: string): void {
    this.#present(nodeId)
    const isClient = this.#options.node(nodeId)?.isClient === true
    this.#await(nodeId, isClient ? clientReconnectMs : nodeReconnectMs)
  }

  #await(nodeId: string, ms: number): void {
    const stop = this.#options.clock.timer(ms, () => void this.#look(nodeId, stop))
    this.#absent.set(nodeId, stop)
  }

  async #look(nodeId: string, wait: () => void): Promise<void> {
    const isDead = await this.#isDead(nodeId)
    // It came back meanwhile, or this hub was closed.
    if (this.#absent.get(nodeId) !== wait) return
    if (!isDead) return this.#await(nodeId, nodeReconnectMs)
    this.#absent.delete(nodeId)
    this.#links.drop(nodeId)
    this.#progress.delete(nodeId)
    this.#options.nodeLost(nodeId)
  }

  async #isDead(nodeId: string): Promise<boolean> {
    const node = this.#options.node(nodeId)
    if (node === undefined || node.isClient) return true
    if (node.isHead) return false
    const target = parseHostPort(node.address)
    return target === undefined || isDeserted(target, this.#options.clock)
  }
}
