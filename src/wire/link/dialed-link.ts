// The end of a link that makes the connections.
//
// When a connection breaks it makes the next, at once and then less and less often, until it is
// closed. Whether the other side is dead is for others to say.

import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.js'
import { newId } from '../../base/ids.js'
import { linkRetryMs, linkRetryMsMax } from '../../base/limits.js'
import { packageVersion, wireVersion } from '../../base/version.js'
import { connectTo } from '../address.js'
import { packMessage, unpackMessage } from '../control-channel.js'
import { controlFrame } from '../frame.js'
import type { WireError } from '../messages/terms.js'
import { firstFrame } from './first-frame.js'
import { Link } from './link.js'
import type { LinkAnswer, LinkHello } from './link-hello.js'

export type Caller = Pick<LinkHello, 'token' | 'role' | 'nodeId' | 'nodeNumber'>

export interface DialOptions {
  readonly clock: Clock
  readonly address: string
  /** Asked at each connection. */
  readonly caller: () => Caller
}

export interface DialEvents<In> {
  readonly message: (message: In) => void
  /**
   * The other side knows nothing of what was said: it has started again. What is sent from here on
   * is the beginning.
   */
  readonly reset?: () => void
  readonly connected?: () => void
  readonly disconnected?: () => void
  /** The other side does not let this one in; no further attempt is made. */
  readonly refused: (error: WireError) => void
}

export class DialedLink<
  Out extends { readonly kind: string },
  In extends { readonly kind: string },
> {
  readonly #options: DialOptions
  readonly #events: DialEvents<In>
  readonly #link: Link<Out, In>
  /** What went wrong at the last attempt to connect; '' when nobody knows. */
  lastProblem = ''
  #wasConnected = false
  #isClosed = false
  #failures = 0
  #cancelRetry: (() => void) | undefined
  #dialing: Socket | undefined

  constructor(options: DialOptions, events: DialEvents<In>) {
    this.#options = options
    this.#events = events
    this.#link = new Link<Out, In>(newId(), options.clock, {
      message: (message) => events.message(message),
      disconnected: () => {
        events.disconnected?.()
        this.#retry()
      },
      overflowed: () => this.#refuse(`too much waits for ${options.address}`),
    })
    this.#dial()
  }

  get isConnected(): boolean {
    return this.#link.isConnected
  }

  send(message: Out): void {
    this.#link.send(message)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelRetry?.()
    this.#dialing?.destroy()
    this.#link.close()
  }

  #refuse(message: string): void {
    this.close()
    this.#events.refused({ code: 'RAY_RPC', message })
  }

  #retry(): void {
    if (this.#isClosed) return
    const ms = Math.min(linkRetryMsMax, linkRetryMs * 2 ** this.#failures++)
    this.#cancelRetry = this.#options.clock.timer(ms, () => this.#dial())
  }

  #dial(): void {
    const socket = connectTo(this.#options.address)
    this.#dialing = socket
    const hello: LinkHello = {
      ...this.#options.caller(),
      kind: 'linkHello',
      version: packageVersion,
      wireVersion,
      link: this.#link.id,
      received: this.#link.received,
    }
    socket.write(controlFrame(packMessage(hello)))
    void firstFrame(socket, this.#options.clock).then((frame) => {
      this.#dialing = undefined
      if (this.#isClosed) socket.destroy()
      else if (frame === undefined) {
        this.lastProblem = socket.errored?.message ?? this.lastProblem
        this.#retry()
      } else this.#answered(socket, readAnswer(frame.payload), frame.rest)
    })
  }

  #answered(socket: Socket, answer: LinkAnswer | undefined, rest: Uint8Array): void {
    if (answer === undefined) {
      socket.destroy()
      this.#retry()
      return
    }
    if (answer.kind === 'linkRefused') {
      socket.destroy()
      this.close()
      this.#events.refused(answer.error)
      return
    }
    this.#failures = 0
    const isReset = this.#wasConnected && answer.isNew
    this.#wasConnected = true
    if (isReset) {
      this.#link.reset()
      this.#events.reset?.()
    }
    this.#link.attach(socket, answer.received, rest)
    this.#events.connected?.()
  }
}

function readAnswer(payload: Uint8Array): LinkAnswer | undefined {
  try {
    const answer = unpackMessage(payload) as Partial<LinkAnswer> | null
    const isAnswer = answer?.kind === 'linkWelcome' || answer?.kind === 'linkRefused'
    return isAnswer ? (answer as LinkAnswer) : undefined
  } catch {
    return undefined
  }
}
