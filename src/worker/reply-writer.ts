// Results on their way back to one owner: written into slabs and sent in batches.
//
// A write per result costs more than a short task. Results are kept back for at most a fraction of
// a millisecond and never behind a task that is new or long (the executor flushes before it starts
// one).

import { writeU32, writeU48 } from '../base/bytes.js'
import { bodyTag, frameType, resultHeadBytes } from '../wire/frame.js'
import { encodeSmall } from '../wire/small-codec.js'

const slabBytes = 64 * 1024
const smallRoomBytes = 4 * 1024
/** Results that can still be settled at the raylet when their ref escapes after they were sent. */
const recentMax = 512
/** Larger results are not kept for that: their owner settles them. */
const recentBytesMax = 128 * 1024

export interface SentResult {
  readonly sequence: number
  readonly body: Uint8Array
}

export class ReplyWriter {
  readonly #send: (bytes: Uint8Array) => void
  #slab: Uint8Array = Buffer.allocUnsafeSlow(slabBytes)
  #start = 0
  #at = 0
  readonly #recent: (SentResult | undefined)[] = new Array(recentMax)
  #recentAt = 0

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send
  }

  get isEmpty(): boolean {
    return this.#at === this.#start
  }

  /** Writes a result whose value is small. False: it is not, and nothing was written. */
  small(sequence: number, durationUs: number, value: unknown): boolean {
    const start = this.#room(smallRoomBytes)
    const end = encodeSmall(this.#slab, start + resultHeadBytes + 1, start + smallRoomBytes, value)
    if (end < 0) return false
    this.#slab[start + resultHeadBytes] = bodyTag.small
    this.#finish(start, end, sequence, durationUs)
    return true
  }

  /** Writes a result with this body. */
  body(sequence: number, durationUs: number, body: Uint8Array): void {
    const size = resultHeadBytes + body.length
    const start = this.#room(size)
    this.#slab.set(body, start + resultHeadBytes)
    this.#finish(start, start + size, sequence, durationUs)
  }

  /** Writes a result of several values, each with its body. */
  several(sequence: number, durationUs: number, bodies: readonly Uint8Array[]): void {
    let size = resultHeadBytes + 5
    for (const body of bodies) size += 4 + body.length
    const start = this.#room(size)
    const b = this.#slab
    let at = start + resultHeadBytes
    b[at] = bodyTag.several
    writeU32(b, at + 1, bodies.length)
    at += 5
    for (const body of bodies) {
      writeU32(b, at, body.length)
      b.set(body, at + 4)
      at += 4 + body.length
    }
    this.#finish(start, at, sequence, durationUs)
  }

  item(sequence: number, index: number, body: Uint8Array): void {
    const size = resultHeadBytes + 4 + body.length
    const start = this.#room(size)
    const b = this.#slab
    writeU32(b, start, size - 4)
    b[start + 4] = frameType.item
    b[start + 5] = b[start + 6] = b[start + 7] = 0
    writeU48(b, start + 8, sequence)
    writeU32(b, start + resultHeadBytes, index)
    b.set(body, start + resultHeadBytes + 4)
    this.#at = start + size
  }

  #finish(start: number, end: number, sequence: number, durationUs: number): void {
    const b = this.#slab
    const capped = durationUs > 65_535 ? 65_535 : durationUs | 0
    writeU32(b, start, end - start - 4)
    b[start + 4] = frameType.result
    b[start + 5] = 0
    b[start + 6] = capped
    b[start + 7] = capped >>> 8
    writeU48(b, start + 8, sequence)
    this.#at = end
    const isKept = end - start <= recentBytesMax
    this.#recent[this.#recentAt] = isKept
      ? { sequence, body: b.subarray(start + resultHeadBytes, end) }
      : undefined
    this.#recentAt = (this.#recentAt + 1) % recentMax
  }

  /** The body of a result that was sent not long ago. */
  recent(sequence: number): Uint8Array | undefined {
    return this.#recent.find((sent) => sent?.sequence === sequence)?.body
  }

  #room(size: number): number {
    if (this.#at + size > this.#slab.length) {
      this.flush()
      this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, size))
      this.#start = 0
      this.#at = 0
    }
    return this.#at
  }

  flush(): void {
    if (this.#at === this.#start) return
    const bytes = this.#slab.subarray(this.#start, this.#at)
    this.#start = this.#at
    this.#send(bytes)
  }
}
