// One end of a link: a ReliableLink over whichever socket there is at the moment.

import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.js'
import { linkAckMs, linkKeptBytesMax } from '../../base/limits.js'
import { packMessage, unpackMessage } from '../control-channel.js'
import { controlFrame, FrameReader, frameType } from '../frame.js'
import { linkFaultsFrom } from './link-faults.js'
import { ReliableLink } from './reliable-link.js'

/** For tests; undefined otherwise. */
const faults = linkFaultsFrom(process.env['TYPERAY_LINK_FAULTS'], process.pid)

export interface LinkEvents<In> {
  readonly message: (message: In) => void
  /** The connection is gone; what is sent from now on waits for the next. */
  readonly disconnected: () => void
  /** More waits than may be kept: the other side is as good as gone. */
  readonly overflowed: () => void
}

interface Ack {
  readonly kind: 'linkAck'
  readonly received: number
}

export class Link<Out extends { readonly kind: string }, In extends { readonly kind: string }> {
  readonly id: string
  readonly #events: LinkEvents<In>
  readonly #state = new ReliableLink()
  #socket: Socket | undefined
  #queue: Uint8Array[] = []
  #cancelAck: (() => void) | undefined
  readonly #clock: Clock
  #isClosed = false

  constructor(id: string, clock: Clock, events: LinkEvents<In>) {
    this.id = id
    this.#clock = clock
    this.#events = events
  }

  /** Messages that have arrived, for the hello or the welcome. */
  get received(): number {
    return this.#state.received
  }

  get isConnected(): boolean {
    return this.#socket !== undefined
  }

  /** Bytes that are not acknowledged. */
  get keptBytes(): number {
    return this.#state.keptBytes
  }

  send(message: Out): void {
    if (this.#isClosed) return
    const frame = controlFrame(packMessage(message))
    this.#state.add(frame)
    if (this.#state.keptBytes > linkKeptBytesMax) {
      this.close()
      this.#events.overflowed()
      return
    }
    if (faults?.strikes('request') === true) this.#socket?.destroy()
    else if (this.#socket !== undefined) this.#write(frame)
    if (faults?.strikes('flight') === true) this.#cut()
  }

  /**
   * Goes on over this socket. The other side has `theirs` messages of this one; `rest` was read
   * from the socket behind the first frame.
   */
  attach(socket: Socket, theirs: number, rest: Uint8Array): void {
    this.#detach()
    this.#socket = socket
    socket.on('close', () => this.#closed(socket))
    socket.on('error', () => socket.destroy())
    for (const frame of this.#state.resume(theirs)) this.#write(frame)
    const reader = new FrameReader((buffer, start, end) => {
      if (this.#socket !== socket || buffer[start] !== frameType.control) return
      this.#arrived(unpackMessage(buffer.slice(start + 1, end)) as In | Ack)
    })
    const read = (chunk: Uint8Array): void => {
      try {
        reader.push(chunk)
      } catch {
        // What cannot be read will not be readable later: the other side begins a new connection.
        socket.destroy()
      }
    }
    socket.on('data', read)
    if (rest.length > 0) read(rest)
    socket.resume()
  }

  /** What was said before is void on both sides. */
  reset(): void {
    this.#state.reset()
    this.#queue = []
  }

  close(): void {
    this.#isClosed = true
    this.#cancelAck?.()
    const socket = this.#socket
    this.#flush()
    this.#socket = undefined
    socket?.end()
    socket?.destroySoon()
  }

  #detach(): void {
    const old = this.#socket
    this.#socket = undefined
    this.#queue = []
    old?.destroy()
  }

  #closed(socket: Socket): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    this.#queue = []
    if (!this.#isClosed) this.#events.disconnected()
  }

  #arrived(message: In | Ack): void {
    if (isAck(message)) {
      this.#state.acknowledge(message.received)
      return
    }
    if (this.#state.arrived()) this.#ack()
    else this.#cancelAck ??= this.#clock.timer(linkAckMs, () => this.#ack())
    this.#events.message(message)
    if (faults?.strikes('response') === true) this.#cut()
  }

  /** Breaks the connection, and lets go out what was said before. */
  #cut(): void {
    const socket = this.#socket
    this.#flush()
    if (socket !== undefined) setImmediate(() => socket.destroy())
  }

  #ack(): void {
    this.#cancelAck?.()
    this.#cancelAck = undefined
    if (this.#socket === undefined || !this.#state.owesAck) return
    this.#state.ackSent()
    const ack: Ack = { kind: 'linkAck', received: this.#state.received }
    this.#write(controlFrame(packMessage(ack)))
  }

  #write(frame: Uint8Array): void {
    if (this.#queue.push(frame) === 1) process.nextTick(this.#flush)
  }

  readonly #flush = (): void => {
    const queue = this.#queue
    const socket = this.#socket
    if (queue.length === 0 || socket === undefined || socket.destroyed) return
    this.#queue = []
    socket.write(queue.length === 1 ? (queue[0] as Uint8Array) : Buffer.concat(queue))
  }
}

function isAck(message: { readonly kind: string }): message is Ack {
  return message.kind === 'linkAck'
}
