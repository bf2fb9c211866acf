// The plainest fast messaging in Node: length-prefixed msgpackr frames, writes of one turn joined.
import type { Socket } from 'node:net'
import { Packr } from 'msgpackr'

const headerBytes = 4

export class FramedSocket {
  readonly #socket: Socket
  readonly #packr = new Packr({ useRecords: false })
  readonly #onMessage: (message: unknown) => void
  /**
   * Headers and bodies that wait for the end of the turn. Empty when nothing was sent in this turn.
   */
  #unsent: Buffer[] = []
  /** The beginning of a frame whose rest has not come yet. */
  #partial: Buffer | undefined

  constructor(socket: Socket, onMessage: (message: unknown) => void) {
    this.#socket = socket
    this.#onMessage = onMessage
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  send(message: unknown): void {
    const body = this.#packr.pack(message)
    const header = Buffer.allocUnsafe(headerBytes)
    header.writeUInt32LE(body.length)
    if (this.#unsent.push(header, body) === 2) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    const joined = Buffer.concat(this.#unsent)
    this.#unsent = []
    this.#socket.write(joined)
  }

  #read(chunk: Buffer): void {
    const bytes = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk])
    let offset = 0
    while (bytes.length - offset >= headerBytes) {
      const start = offset + headerBytes
      const end = start + bytes.readUInt32LE(offset)
      if (end > bytes.length) break
      this.#onMessage(this.#packr.unpack(bytes.subarray(start, end)))
      offset = end
    }
    this.#partial = offset < bytes.length ? bytes.subarray(offset) : undefined
  }
}
