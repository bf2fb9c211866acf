// Control messages over a socket: MessagePack in frames.
//
// The first message of a turn goes out at once: a program that submits work and then computes for a second must not
// keep its messages to itself. The others of the turn are joined into one write.

import type { Socket } from 'node:net'
import { Packr } from 'msgpackr'
import { controlFrame, FrameReader, frameType } from './frame.js'

const packr = new Packr({ useRecords: false, moreTypes: true, int64AsType: 'number' })

export function packMessage(message: unknown): Uint8Array {
  return packr.pack(message)
}

export function unpackMessage(bytes: Uint8Array): unknown {
  return packr.unpack(bytes)
}

export class ControlChannel<Out extends { readonly kind: string }, In> {
  readonly socket: Socket
  #queue: Uint8Array[] = []
  #isFlushing = false
  readonly #reader: FrameReader

  constructor(socket: Socket, onMessage: (message: In) => void) {
    this.socket = socket
    this.#reader = new FrameReader((buffer, start, end) => {
      if (buffer[start] !== frameType.control) return
      onMessage(packr.unpack(buffer.subarray(start + 1, end)) as In)
    })
    socket.on('data', (chunk: Uint8Array) => this.#reader.push(chunk))
  }

  /** Bytes that were read from the socket before it was ours. */
  feed(bytes: Uint8Array): void {
    this.#reader.push(bytes)
  }

  send(message: Out): void {
    const frame = controlFrame(packr.pack(message))
    if (this.#isFlushing) {
      this.#queue.push(frame)
      return
    }
    this.#isFlushing = true
    queueMicrotask(this.#flush)
    this.socket.write(frame)
  }

  /** Writes what is queued now, for a process that is about to block or end. */
  flush(): void {
    this.#flush()
  }

  readonly #flush = (): void => {
    this.#isFlushing = false
    const queue = this.#queue
    if (queue.length === 0) return
    this.#queue = []
    this.socket.write(queue.length === 1 ? queue[0]! : Buffer.concat(queue))
  }
}
