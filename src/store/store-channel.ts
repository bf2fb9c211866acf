// A process's synchronous line to its raylet: one request frame, then its response frame.
//
// Frames are a 32-bit little-endian length and that many bytes. A call that gets no answer in
// time closes the channel, because the answer may still come and would be taken for that of the
// next call; whether the request was carried out is then unknown.

import { closeSync, readSync, writeSync } from 'node:fs'
import { assert } from '../base/assert.js'
import { readU32, writeU32 } from '../base/bytes.js'
import { LocalRayletDiedError, RpcError } from '../base/errors.js'
import { frameBytesMax } from '../base/limits.js'
import { connectUnix, pollReadable } from './unix-socket.js'

const headerBytes = 4
const bufferBytes = 64 * 1024

export class StoreChannel {
  readonly #fd: number
  readonly #now: () => number
  #buffer = new Uint8Array(bufferBytes)
  #isClosed = false

  /** `now` counts milliseconds and never goes back. */
  constructor(path: string, now: () => number) {
    this.#now = now
    try {
      this.#fd = connectUnix(path)
    } catch (error) {
      throw new LocalRayletDiedError(
        `The raylet of this node does not answer on its socket ${path.replace('\0', '@')}. ` +
          'The session is over; call init() again.',
        { cause: error },
      )
    }
  }

  /** Blocks this thread until the raylet answers; at most `timeoutMs`. */
  call(frame: Uint8Array, timeoutMs: number): Uint8Array {
    if (this.#isClosed) throw died('its channel is closed')
    assert(frame.length <= frameBytesMax, 'request frame is not too long')
    this.#send(frame)
    const deadline = this.#now() + timeoutMs
    let have = this.#receive({ have: 0, need: headerBytes, deadline, timeoutMs })
    const sizeBytes = readU32(this.#buffer, 0)
    if (sizeBytes > frameBytesMax) {
      this.close()
      throw new RpcError(`The raylet sent a frame of ${sizeBytes} bytes; that is not one of ours.`)
    }
    const need = headerBytes + sizeBytes
    if (need > this.#buffer.length) {
      const larger = new Uint8Array(need)
      larger.set(this.#buffer.subarray(0, have))
      this.#buffer = larger
    }
    have = this.#receive({ have, need, deadline, timeoutMs })
    assert(have === need, 'the raylet sends one frame per request')
    const response = this.#buffer.slice(headerBytes, need)
    if (this.#buffer.length > bufferBytes) this.#buffer = new Uint8Array(bufferBytes)
    return response
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#fd)
  }

  #send(frame: Uint8Array): void {
    const bytes = new Uint8Array(headerBytes + frame.length)
    writeU32(bytes, 0, frame.length)
    bytes.set(frame, headerBytes)
    let sent = 0
    try {
      while (sent < bytes.length) sent += writeSync(this.#fd, bytes, sent)
    } catch (error) {
      this.close()
      throw died('it closed the connection', error)
    }
  }

  #receive(want: { have: number; need: number; deadline: number; timeoutMs: number }): number {
    let have = want.have
    while (have < want.need) {
      const remainingMs = Math.max(0, want.deadline - this.#now())
      if (!pollReadable(this.#fd, remainingMs, this.#now)) {
        this.close()
        throw new RpcError(
          `The raylet did not answer within ${want.timeoutMs} ms. ` +
            'Whether it carried out the request is unknown.',
          { fields: { timeoutMs: want.timeoutMs } },
        )
      }
      const count = this.#read(have)
      if (count === 0) {
        this.close()
        throw died('it closed the connection')
      }
      have += count
    }
    return have
  }

  #read(have: number): number {
    for (;;) {
      try {
        return readSync(this.#fd, this.#buffer, have, this.#buffer.length - have, null)
      } catch (error) {
        // Node does not repeat a read that a signal ended.
        if (error instanceof Error && 'code' in error && error.code === 'EINTR') continue
        this.close()
        throw died('it closed the connection', error)
      }
    }
  }
}

function died(how: string, cause?: unknown): LocalRayletDiedError {
  return new LocalRayletDiedError(
    `The raylet of this node died (${how}). The session is over; call init() again.`,
    cause === undefined ? {} : { cause },
  )
}
