// The links of the GCS to the raylets.
//
// A link may break and come back: the node is given a moment for that, and another as long as it
// listens at its address. On a busy machine a process that lives may get no time for so long, and
// to declare it dead would end all that it has; a dead process does not listen. A machine that lost
// its power says nothing at all, which the health check of the GCS notices.

import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import { gcsHandledMs, nodeReconnectMs } from '../base/limits.js'
import { AcceptedLinks } from '../wire/link/accepted-links.js'
import type { LinkHello } from '../wire/link/link-hello.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'

export interface GcsHubOptions {
  readonly clock: Clock
  /** Calls `handled` when what the message has changed is stored. */
  readonly receive: (message: ToGcs, handled: () => void) => void
  readonly nodeLost: (nodeId: string) => void
  /** Whether the process of the node is there, although its connection is not. Never rejects. */
  readonly isListening: (nodeId: string) => Promise<boolean>
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
    let isOver = false
    const stop = this.#options.clock.timer(nodeReconnectMs, () => {
      void this.#options.isListening(nodeId).then((isThere) => {
        if (isOver) return
        if (isThere) this.#disconnected(nodeId)
        else this.#lost(nodeId)
      })
    })
    this.#absent.set(nodeId, () => {
      isOver = true
      stop()
    })
  }

  #lost(nodeId: string): void {
    this.#absent.delete(nodeId)
    this.#links.drop(nodeId)
    this.#progress.delete(nodeId)
    this.#options.nodeLost(nodeId)
  }
}
