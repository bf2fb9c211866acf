// Reads the first frame of a connection and hands over the rest.

import type { Socket } from 'node:net'
import { readU32 } from '../../base/bytes.js'
import type { Clock } from '../../base/clock.js'
import { helloBytesMax, linkHelloMs } from '../../base/limits.js'

export interface FirstFrame {
  /** Without length and type. */
  readonly payload: Uint8Array
  /** All bytes of the frame, to be passed on as they are. */
  readonly frame: Uint8Array
  /** What was read behind it. */
  readonly rest: Uint8Array
}

/**
 * The socket is paused when it is handed over. Undefined: it closed, was silent for too long, or
 * sent what is no first frame; it is destroyed then.
 */
export function firstFrame(socket: Socket, clock: Clock): Promise<FirstFrame | undefined> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0)
    const end = (result: FirstFrame | undefined): void => {
      cancel()
      socket.off('data', read)
      socket.off('close', closed)
      if (result === undefined) socket.destroy()
      else socket.pause()
      resolve(result)
    }
    const closed = (): void => end(undefined)
    const cancel = clock.timer(linkHelloMs, closed)
    const read = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      if (bytes.length < 4) return
      const size = readU32(bytes, 0)
      if (size < 1 || size > helloBytesMax) return end(undefined)
      if (bytes.length < 4 + size) return
      const frame = bytes.subarray(0, 4 + size)
      end({ payload: frame.subarray(5), frame, rest: bytes.subarray(4 + size) })
    }
    socket.on('data', read)
    socket.on('close', closed)
    // A failed connection is noticed by `close`.
    socket.on('error', () => socket.destroy())
  })
}
