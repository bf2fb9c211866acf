// The one port of a node for other machines.
//
// The first frame says who comes. Whoever does not know the token, speaks another version, or sends
// something else altogether is refused, which is logged, and nothing has changed.

import type { Server, Socket } from 'node:net'
import { systemClock } from '../base/clock.js'
import { SessionError } from '../base/errors.js'
import { type HostPort, hostPortText } from '../wire/address.js'
import { refuseHello } from '../wire/link/accepted-links.js'
import { serve } from '../wire/transport.js'
import { firstFrame } from '../wire/link/first-frame.js'
import { helloProblem, type LinkHello, readLinkHello } from '../wire/link/link-hello.js'

export interface Guest {
  readonly hello: LinkHello
  /** The bytes of the hello, to be passed on as they are. */
  readonly frame: Uint8Array
  readonly rest: Uint8Array
}

export interface GatewayOptions {
  readonly token: string
  readonly accept: (socket: Socket, guest: Guest) => void
  readonly note: (text: string) => void
}

interface Where {
  /** When the port is taken, any that is free will do. */
  readonly isAnyPort?: boolean
}

export class Gateway {
  readonly #options: GatewayOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#server = serve((socket) => void this.#accept(socket))
    this.#server.on('tlsClientError', (error: Error, socket: Socket) => {
      const from = `${socket.remoteAddress ?? 'somebody'}:${socket.remotePort ?? 0}`
      options.note(`refused ${from}: no certificate of the cluster (${error.message})`)
    })
  }

  /** Returns the address; port 0 takes any that is free. */
  async listen({ host, port, isAnyPort }: HostPort & Where): Promise<HostPort> {
    try {
      return await this.#listen({ host, port })
    } catch (error) {
      if (isAnyPort !== true) throw error
      return this.#listen({ host, port: 0 })
    }
  }

  async #listen({ host, port }: HostPort): Promise<HostPort> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: Error) =>
        reject(
          new SessionError(
            `The node cannot listen on ${hostPortText({ host, port })}: ${cause.message}. ` +
              'Choose another port (--port) or address (--host).',
            { cause },
          ),
        ),
      )
      this.#server.listen(port, host, resolve)
    })
    const bound = this.#server.address()
    return { host, port: typeof bound === 'object' && bound !== null ? bound.port : port }
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    const from = `${socket.remoteAddress ?? 'somebody'}:${socket.remotePort ?? 0}`
    const first = await firstFrame(socket, systemClock)
    if (first === undefined) return this.#options.note(`refused ${from}: no hello`)
    const hello = readLinkHello(first.payload)
    if (hello === undefined) {
      socket.destroy()
      return this.#options.note(`refused ${from}: its first message is not one of typeray`)
    }
    const problem = helloProblem(hello, this.#options.token)
    if (problem !== undefined) {
      refuseHello(socket, problem)
      return this.#options.note(`refused ${from}: ${problem.message}`)
    }
    this.#options.accept(socket, { hello, frame: first.frame, rest: first.rest })
  }
}
