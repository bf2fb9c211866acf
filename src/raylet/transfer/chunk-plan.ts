// Which pieces of one object are here, asked for, or still to be asked for.
//
// Pieces go to whichever source has room for another request, so that a fast source gives more than
// a slow one. What a source had not given when it failed is asked of the others. Pure.

import { assert } from '../../base/assert.js'
import { transferChunkBytes, transferChunkBytesMax, transferChunks } from '../../base/limits.js'

export interface Chunk {
  readonly offset: number
  readonly length: number
}

/** How large the pieces of an object are. */
export function chunkBytesOf(sizeBytes: number): number {
  let bytes = transferChunkBytes
  while (bytes < transferChunkBytesMax && bytes * transferChunks < sizeBytes) bytes *= 2
  return bytes
}

export class ChunkPlan {
  readonly #sizeBytes: number
  readonly #chunkBytes: number
  readonly #isHere: Uint8Array
  /** By chunk: who was asked. Added by `take`, removed when it came or the source failed. */
  readonly #asked = new Map<number, number>()
  /** To be asked for again, before others. */
  #again: number[] = []
  #next = 0
  #left: number

  constructor(sizeBytes: number, chunkBytes: number) {
    assert(sizeBytes > 0 && chunkBytes > 0, 'there is something to read')
    this.#sizeBytes = sizeBytes
    this.#chunkBytes = chunkBytes
    this.#left = Math.ceil(sizeBytes / chunkBytes)
    this.#isHere = new Uint8Array(this.#left)
  }

  get isDone(): boolean {
    return this.#left === 0
  }

  /** The next piece, now asked of this source. Undefined: all are asked for. */
  take(source: number): Chunk | undefined {
    const index = this.#again.shift() ?? this.#next
    if (index >= this.#isHere.length) return undefined
    if (index === this.#next) this.#next++
    this.#asked.set(index, source)
    const offset = index * this.#chunkBytes
    return { offset, length: Math.min(this.#chunkBytes, this.#sizeBytes - offset) }
  }

  received({ offset }: Chunk): void {
    const index = offset / this.#chunkBytes
    this.#asked.delete(index)
    if (this.#isHere[index] === 1) return
    this.#isHere[index] = 1
    this.#left--
  }

  /** What it was asked for and has not given is to be asked for again. */
  failed(source: number): void {
    const again: number[] = []
    for (const [index, asked] of this.#asked) if (asked === source) again.push(index)
    for (const index of again) this.#asked.delete(index)
    this.#again = [...again, ...this.#again].sort((a, b) => a - b)
  }

  /** Whether all of these bytes are here. */
  has({ offset, length }: Chunk): boolean {
    if (offset + length > this.#sizeBytes) return false
    const last = Math.floor((offset + length - 1) / this.#chunkBytes)
    for (let i = Math.floor(offset / this.#chunkBytes); i <= last; i++) {
      if (this.#isHere[i] !== 1) return false
    }
    return true
  }
}
