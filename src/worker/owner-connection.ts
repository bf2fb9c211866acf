// The worker's end of one owner: tasks come in, results go out.
//
// Most owners are connected by a socket. A carried task has no socket: it came through the raylet
// with the lease, and its results go back the same way.

import type { Socket } from 'node:net'
import { readU32, readU48 } from '../base/bytes.js'
import { helloBytesMax } from '../base/limits.js'
import { objectIdHex, type ProcessId } from '../base/ids.js'
import { unpackMessage } from '../wire/control-channel.js'
import { controlFrame, FrameReader, frameType } from '../wire/frame.js'
import { packMessage } from '../wire/control-channel.js'
import type { FromWorker, FunctionDescriptor, ToWorker } from '../wire/messages/task.js'
import { ReplyWriter } from './reply-writer.js'

/**
 * A task or call that has arrived and waits for its turn. The arguments stay where they were read.
 */
export interface Incoming {
  readonly from: OwnerConnection
  readonly isCall: boolean
  readonly flags: number
  readonly attempt: number
  readonly returns: number
  readonly sequence: number
  readonly fn: number
  readonly buffer: Uint8Array
  /** Where the bytes behind the head begin and end. */
  readonly start: number
  readonly end: number
  isCancelled: boolean
}

export interface ConnectionEvents {
  opened(connection: OwnerConnection, message: Extract<ToWorker, { kind: 'open' }>): void
  arrived(task: Incoming): void
  resumed(connection: OwnerConnection): void
  message(connection: OwnerConnection, message: ToWorker): void
  /** A read is done: start what has arrived. */
  progressed(connection: OwnerConnection): void
  closed(connection: OwnerConnection): void
}

export class OwnerConnection {
  owner: ProcessId = 0
  lease = -1
  isActor = false
  isOpen = false
  /** Opened for a lease that the raylet has not told us of yet: frames wait. */
  isEarly = false
  readonly replies: ReplyWriter
  readonly descriptors: FunctionDescriptor[] = []
  readonly #socket: Socket | null
  readonly #events: ConnectionEvents
  readonly #reader: FrameReader
  #held: Uint8Array[] = []
  #bytesBeforeOpen = 0

  constructor(socket: Socket | null, events: ConnectionEvents, send: (bytes: Uint8Array) => void) {
    this.#socket = socket
    this.#events = events
    this.replies = new ReplyWriter(send)
    this.#reader = new FrameReader((buffer, start, end) => this.#frame(buffer, start, end))
    if (socket === null) return
    socket.on('data', (chunk: Uint8Array) => this.feed(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => events.closed(this))
  }

  get isRelay(): boolean {
    return this.#socket === null
  }

  /** Bytes from the socket, or frames that came through the raylet. */
  feed(chunk: Uint8Array): void {
    if (this.isOpen) this.#reader.push(chunk)
    else this.#feedStranger(chunk)
    if (!this.isEarly) this.#events.progressed(this)
  }

  // Anybody on the machine may connect, and is nobody until it has shown the token.
  #feedStranger(chunk: Uint8Array): void {
    try {
      this.#reader.push(chunk)
    } catch (error) {
      if (this.isOpen) throw error
      this.destroy()
    }
    this.#bytesBeforeOpen += chunk.length
    if (!this.isOpen && this.#bytesBeforeOpen > helloBytesMax) this.destroy()
  }

  /** The lease of an early connection has begun. */
  begin(): void {
    this.isEarly = false
    const held = this.#held
    this.#held = []
    for (const frame of held) this.#frame(frame, 4, frame.length)
    this.#events.progressed(this)
  }

  send(message: FromWorker): void {
    this.replies.flush()
    this.#socket?.write(controlFrame(packMessage(message)))
  }

  end(): void {
    this.replies.flush()
    this.#socket?.end()
  }

  destroy(): void {
    this.#socket?.destroy()
  }

  /** Resolves when all that was sent has left this process, or nobody is left to get it. */
  written(): Promise<void> {
    return this.#socket === null ? Promise.resolve() : written(this.#socket)
  }

  taskId(sequence: number): string {
    return objectIdHex(this.owner, sequence)
  }

  #frame(buffer: Uint8Array, start: number, end: number): void {
    if (this.isEarly) {
      this.#held.push(framed(buffer, start, end))
      return
    }
    const type = buffer[start]
    if (type === frameType.push || type === frameType.call) {
      if (!this.isOpen) return this.destroy()
      this.#events.arrived({
        from: this,
        isCall: type === frameType.call,
        flags: buffer[start + 1]!,
        attempt: buffer[start + 2]!,
        returns: buffer[start + 3]!,
        sequence: readU48(buffer, start + 4),
        fn: readU32(buffer, start + 10),
        buffer,
        start: start + 14,
        end,
        isCancelled: false,
      })
    } else if (type === frameType.define) {
      const text = Buffer.from(buffer.buffer, buffer.byteOffset + start + 5, end - start - 5)
      this.descriptors[readU32(buffer, start + 1)] = JSON.parse(
        text.toString('utf8'),
      ) as FunctionDescriptor
    } else if (type === frameType.resume) this.#events.resumed(this)
    else if (type === frameType.control) {
      const message = unpackMessage(buffer.subarray(start + 1, end)) as ToWorker
      if (message.kind === 'open') this.#events.opened(this, message)
      else if (this.isOpen) this.#events.message(this, message)
      else this.destroy()
    }
  }
}

export function written(socket: Socket): Promise<void> {
  if (socket.destroyed || socket.writableLength === 0) return Promise.resolve()
  return new Promise((resolve) => {
    socket.write('', () => resolve())
    socket.once('close', () => resolve())
  })
}

/** The frame with its length word again. */
function framed(buffer: Uint8Array, start: number, end: number): Uint8Array {
  return buffer.slice(start - 4, end)
}
