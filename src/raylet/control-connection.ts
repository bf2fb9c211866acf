// One process at the raylet's control socket.
//
// The first frame must be a `hello` with the session's token; whoever says anything else, or too
// much before it, is cut off. What a turn of the event loop sends to one process is joined into one
// write.

import type { Socket } from 'node:net'
import { Packr } from 'msgpackr/pack'
import { SerializationError } from '../base/errors.js'
import { helloBytesMax } from '../base/limits.js'
import { isSameSecret } from '../base/secret.js'
import { controlFrame, FrameReader, frameType } from '../wire/frame.js'
import { hearLastWords } from '../wire/last-words.js'
import type { FromRaylet, ToRaylet } from '../wire/messages/raylet.js'

/**
 * Buffers are copied out of the socket's chunks: what the object table keeps must not keep a whole
 * chunk alive.
 */
export const packr = new Packr({
  useRecords: false,
  moreTypes: true,
  int64AsType: 'number',
  copyBuffers: true,
})

export type Hello = Extract<ToRaylet, { kind: 'hello' }>

export interface ControlConnectionEvents {
  /** The process has shown the token. Return false to refuse it. */
  readonly hello: (hello: Hello, connection: ControlConnection) => boolean
  readonly message: (message: ToRaylet, connection: ControlConnection) => void
  /** Everything it ever said has been handled. */
  readonly closed: (connection: ControlConnection) => void
  /** What was buffered for it has gone out. */
  readonly drained: (connection: ControlConnection) => void
}

export class ControlConnection {
  /** Set once it has said hello. */
  hello: Hello | undefined = undefined
  jobId = ''
  /** A driver has said goodbye: resolves when its workers have ended, or have had their time. */
  farewell: Promise<void> | undefined = undefined
  readonly #socket: Socket
  readonly #token: string
  readonly #events: ControlConnectionEvents
  #queue: Uint8Array[] = []
  #bytesBeforeHello = 0

  constructor(socket: Socket, token: string, events: ControlConnectionEvents) {
    this.#socket = socket
    this.#token = token
    this.#events = events
    const reader = new FrameReader((buffer, start, end) => this.#onFrame(buffer, start, end))
    socket.on('data', (chunk: Uint8Array) => {
      if (this.hello === undefined) {
        this.#bytesBeforeHello += chunk.length
        if (this.#bytesBeforeHello > helloBytesMax) socket.destroy()
      }
      if (!socket.destroyed) this.#read(reader, chunk)
    })
    hearLastWords(socket)
    // A process that is gone is noticed by `close`; the error adds nothing.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => events.closed(this))
    socket.on('drain', () => events.drained(this))
  }

  /** Whoever sends what is no frame or no message is cut off: the raylet must live on. */
  #read(reader: FrameReader, chunk: Uint8Array): void {
    try {
      reader.push(chunk)
    } catch (error) {
      if (!(error instanceof SerializationError)) throw error
      this.#socket.destroy()
    }
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  send(message: FromRaylet): void {
    if (this.#socket.destroyed) return
    this.#queue.push(controlFrame(packr.pack(message)))
    if (this.#queue.length === 1) process.nextTick(this.#flush)
  }

  /** Sends what is queued, then ends the connection. */
  end(): void {
    this.#flush()
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  readonly #flush = (): void => {
    const queue = this.#queue
    if (queue.length === 0 || this.#socket.destroyed || this.#socket.writableEnded) return
    this.#queue = []
    this.#socket.write(queue.length === 1 ? queue[0]! : Buffer.concat(queue))
  }

  #onFrame(buffer: Uint8Array, start: number, end: number): void {
    if (this.#socket.destroyed || buffer[start] !== frameType.control) return
    if (this.hello !== undefined) {
      const message = unpack(buffer.subarray(start + 1, end))
      this.#events.message(message, this)
      return
    }
    const hello = readHello(buffer.subarray(start + 1, end))
    if (hello === undefined || !isSameToken(hello.token, this.#token)) {
      this.#socket.destroy()
      return
    }
    this.hello = hello
    if (!this.#events.hello(hello, this)) this.end()
  }
}

function unpack(bytes: Uint8Array): ToRaylet {
  let message: unknown
  try {
    message = packr.unpack(bytes)
  } catch (error) {
    throw new SerializationError('A message cannot be read.', { cause: error })
  }
  if (typeof message === 'object' && message !== null && 'kind' in message) {
    return message as ToRaylet
  }
  throw new SerializationError('A message has no kind.')
}

/** Whoever is not one of ours may send anything at all. */
function readHello(bytes: Uint8Array): Hello | undefined {
  try {
    const message = packr.unpack(bytes) as Partial<Hello> | null
    const isHello =
      message?.kind === 'hello' &&
      typeof message.token === 'string' &&
      typeof message.process === 'number'
    return isHello ? (message as Hello) : undefined
  } catch {
    return undefined
  }
}

/** Takes the same time wherever the tokens differ. */
export function isSameToken(said: unknown, token: string): boolean {
  return isSameSecret(typeof said === 'string' ? said : '', token)
}
