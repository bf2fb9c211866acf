// The links of the GCS to the raylets.
//
// A link may break and come back: the node is given a moment for that. A machine that lost its
// power says nothing at all, which the health check of the GCS notices.

import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import { nodeReconnectMs } from '../base/limits.js'
import { AcceptedLinks } from '../wire/link/accepted-links.js'
import type { LinkHello } from '../wire/link/link-hello.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'

export interface GcsHubOptions {
  readonly clock: Clock
  readonly receive: (message: ToGcs) => void
  readonly nodeLost: (nodeId: string) => void
}

export class GcsHub {
  readonly #options: GcsHubOptions
  readonly #links: AcceptedLinks<FromGcs, ToGcs>
  /** Nodes whose connection is gone, and how to stop waiting for them. */
  readonly #absent = new Map<string, () => void>()

  constructor(options: GcsHubOptions) {
    this.#options = options
    this.#links = new AcceptedLinks<FromGcs, ToGcs>(options.clock, {
      opened: () => undefined,
      message: (_nodeId, message) => options.receive(message),
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
    for (const stop of this.#absent.values()) stop()
    this.#absent.clear()
    this.#links.close()
  }

  #present(nodeId: string): void {
    this.#absent.get(nodeId)?.()
    this.#absent.delete(nodeId)
  }

  #disconnected(nodeId: string): void {
    this.#present(nodeId)
    const stop = this.#options.clock.timer(nodeReconnectMs, () => {
      this.#absent.delete(nodeId)
      this.#links.drop(nodeId)
      this.#options.nodeLost(nodeId)
    })
    this.#absent.set(nodeId, stop)
  }
}
