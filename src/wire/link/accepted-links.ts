// The ends of links that others dial.

import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.js'
import { packMessage } from '../control-channel.js'
import { controlFrame } from '../frame.js'
import type { WireError } from '../messages/terms.js'
import { Link } from './link.js'
import type { LinkAnswer, LinkHello } from './link-hello.js'

export interface AcceptEvents<In> {
  /** Nobody of this key was connected before. */
  readonly opened: (key: string, hello: LinkHello) => void
  readonly message: (key: string, message: In) => void
  readonly connected: (key: string) => void
  readonly disconnected: (key: string) => void
  readonly overflowed: (key: string) => void
}

/** One link for each key, which is that of who dials: the id of its node, for example. */
export class AcceptedLinks<
  Out extends { readonly kind: string },
  In extends { readonly kind: string },
> {
  readonly #events: AcceptEvents<In>
  readonly #clock: Clock
  readonly #links = new Map<string, Link<Out, In>>()

  constructor(clock: Clock, events: AcceptEvents<In>) {
    this.#clock = clock
    this.#events = events
  }

  has(key: string): boolean {
    return this.#links.has(key)
  }

  keys(): string[] {
    return [...this.#links.keys()]
  }

  send(key: string, message: Out): void {
    this.#links.get(key)?.send(message)
  }

  accept(
    key: string,
    socket: Socket,
    { hello, rest }: { hello: LinkHello; rest: Uint8Array },
  ): void {
    const known = this.#links.get(key)
    const isNew = known?.id !== hello.link
    const link = isNew ? this.#open(key, hello) : known
    answerHello(socket, { kind: 'linkWelcome', received: link.received, isNew })
    link.attach(socket, isNew ? 0 : hello.received, rest)
    this.#events.connected(key)
  }

  /** What waits for it is dropped. */
  drop(key: string): void {
    this.#links.get(key)?.close()
    this.#links.delete(key)
  }

  close(): void {
    for (const key of this.keys()) this.drop(key)
  }

  #open(key: string, hello: LinkHello): Link<Out, In> {
    this.drop(key)
    const link: Link<Out, In> = new Link<Out, In>(hello.link, this.#clock, {
      message: (message) => this.#events.message(key, message),
      disconnected: () => this.#events.disconnected(key),
      overflowed: () => {
        this.#links.delete(key)
        this.#events.overflowed(key)
      },
    })
    this.#links.set(key, link)
    this.#events.opened(key, hello)
    return link
  }
}

function answerHello(socket: Socket, answer: LinkAnswer): void {
  socket.write(controlFrame(packMessage(answer)))
}

export function refuseHello(socket: Socket, error: WireError): void {
  answerHello(socket, { kind: 'linkRefused', error })
  socket.end()
}
