// Control messages over a socket: MessagePack in frames.
//
// The first messages of a turn go out at once: a program that submits work and then computes for a
// second must not keep them to itself. Only a flood is joined into one write at the end of the
// turn.

import type { Socket } from 'node:net'
import { Packr } from 'msgpackr/pack'
import { controlFrame, FrameReader, frameType } from './frame.js'

/** Messages of one turn that are written at once; a write costs some microseconds. */
const promptMessagesMax = 16

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
  /** Messages sent in this turn. */
  #inTurn = 0
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
    if (this.#inTurn === 0) queueMicrotask(this.#flush)
    if (this.#inTurn++ < promptMessagesMax) this.socket.write(frame)
    else this.#queue.push(frame)
  }

  /** Writes what is queued now, for a process that is about to block or end. */
  flush(): void {
    this.#flush()
  }

  readonly #flush = (): void => {
    this.#inTurn = 0
    const queue = this.#queue
    if (queue.length === 0) return
    this.#queue = []
    this.socket.write(queue.length === 1 ? queue[0]! : Buffer.concat(queue))
  }
}
