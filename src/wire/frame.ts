// Frames: the unit of every socket of Typeray.
//
//   u32 length of what follows | u8 type | payload
//
// All integers are little-endian. `control` frames carry one message of `messages/` in MessagePack;
// the others are the hot path and are written by hand, because one object and one encoder call per
// task cost more than running the task.
//
//   push, call   u8 flags | u8 attempt | u8 returns | u48 sequence | u32 function or method |
//                arguments
//   result       u8 reserved | u16 duration in us, saturating | u48 sequence | result body
//   item         u8, u16 reserved | u48 sequence of the generator | u32 index | result body
//   define       u32 function number | UTF-8 of a JSON FunctionDescriptor
//   resume       (empty) what was pushed before it and has not started is void; counting restarts
//
// A task's sequence is that of its first return: together with the caller's ProcessId it is the
// ObjectId. The i-th return has sequence + i. `returns` is the number of returns, or one of the
// special values below.

import { readU32, writeU32, writeU48 } from '../base/bytes.js'
import { SerializationError } from '../base/errors.js'
import { frameBytesMax } from '../base/limits.js'

export const frameType = {
  control: 1,
  push: 2,
  call: 3,
  define: 4,
  result: 5,
  item: 6,
  resume: 7,
} as const

/** Bits of the `flags` byte of a push or call frame. */
export const pushFlag = {
  /** No argument bytes follow. */
  noArguments: 1,
  /**
   * Arguments are an object layout with a meta part (attachments, code); otherwise a count and
   * small values.
   */
  full: 2,
  /**
   * Arguments are in the object store, under the ObjectId that follows (u48 owner, u48 sequence).
   */
  stored: 4,
  /** The ref has escaped: the executing worker settles it at the raylet too. */
  escaped: 8,
  /** A u16 length and a MessagePack PushExtension precede the arguments. */
  extended: 16,
  /**
   * The owner may run it again when it throws: an error is the owner's to settle, escaped or not.
   */
  retried: 32,
} as const

/** `returns` of a task that yields a stream of items. */
export const returnsStreaming = 255
/** Most returns that fit the byte; more are said in the PushExtension. */
export const returnsInByteMax = 254

const frameHeadBytes = 5
/** Offset of the argument bytes in a push or call frame, length word included. */
export const pushHeadBytes = 18
/** Offset of the result body in a result frame, length word included. */
export const resultHeadBytes = 14

export function writePushHead(
  b: Uint8Array,
  o: number,
  head: {
    type: number
    flags: number
    attempt: number
    returns: number
    sequence: number
    fn: number
  },
): void {
  b[o + 4] = head.type
  b[o + 5] = head.flags
  b[o + 6] = head.attempt
  b[o + 7] = head.returns
  writeU48(b, o + 8, head.sequence)
  writeU32(b, o + 14, head.fn)
}

/**
 * First byte of a result body. The rest is opaque to everybody but the process that reads the
 * value.
 */
export const bodyTag = {
  /** One small value (value codec). */
  small: 0,
  /** An object layout, in line. */
  full: 1,
  /**
   * In the object store under the object's own id; u48 size in bytes and u48 ProcessId of who
   * stored it follow.
   */
  stored: 2,
  /** The call failed: an object layout whose value is the error. */
  error: 3,
  /** Several returns: u32 count, then for each a u32 length and a body. */
  several: 4,
  /** End of a stream: u32 number of items. */
  end: 5,
} as const

/** Bytes of a frame that have come when there is room made for the rest. */
const trustedBytesMin = 1024 * 1024

export type FrameHandler = (buffer: Uint8Array, start: number, end: number) => void

/**
 * Cuts a byte stream into frames. `onFrame` gets the buffer with the offset of the type byte and
 * the end; the bytes are valid only during the call, unless the caller copies them.
 */
export class FrameReader {
  #rest: Uint8Array | null = null
  readonly #onFrame: FrameHandler

  constructor(onFrame: FrameHandler) {
    this.#onFrame = onFrame
  }

  push(chunk: Uint8Array): void {
    let data = chunk
    if (this.#rest !== null) {
      data = this.#join(this.#rest, chunk)
      this.#rest = null
    }
    const size = data.length
    let at = 0
    while (size - at >= 4) {
      const length = readU32(data, at)
      // Before anything is kept for it: a length that nobody writes is no frame of ours.
      if (length === 0 || length > frameBytesMax) throw malformed(length)
      const end = at + 4 + length
      if (end > size) break
      this.#onFrame(data, at + 4, end)
      at = end
    }
    if (at < size) this.#rest = at === 0 ? data : data.subarray(at)
  }

  // A large frame arrives in many chunks. Doubling the buffer keeps joining linear in the size of
  // the frame; once so much of it is there that its length is no mere claim, there is room for all.
  #join(rest: Uint8Array, chunk: Uint8Array): Uint8Array {
    const size = rest.length + chunk.length
    const room = rest.buffer.byteLength - rest.byteOffset - rest.length
    if (room >= chunk.length && this.#owned === rest.buffer) {
      const joined = new Uint8Array(rest.buffer, rest.byteOffset, size)
      joined.set(chunk, rest.length)
      return joined
    }
    const need = rest.length >= 4 ? 4 + readU32(rest, 0) : 0
    const most = size < trustedBytesMin ? size * 2 : need
    const buffer = new ArrayBuffer(Math.max(size, Math.min(need, most), 4096))
    this.#owned = buffer
    const joined = new Uint8Array(buffer, 0, size)
    joined.set(rest, 0)
    joined.set(chunk, rest.length)
    return joined
  }

  #owned: ArrayBufferLike | null = null
}

function malformed(length: number): SerializationError {
  return new SerializationError(
    `A frame of ${length} bytes cannot be: it has 1 to ${frameBytesMax}. Is this a socket of ` +
      `Typeray, and of the same version?`,
  )
}

/** One control frame around MessagePack bytes. */
export function controlFrame(payload: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(frameHeadBytes + payload.length)
  writeU32(frame, 0, 1 + payload.length)
  frame[4] = frameType.control
  frame.set(payload, frameHeadBytes)
  return frame
}
