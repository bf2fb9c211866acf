// The memory that the ranks of a group share.
//
//   0        abort: 1 + the rank that gave up
//   line 1+r words of rank r: what it has reached (see `word`)
//   then     what rank r is about to do, for two operations in turn
//   then     words and a description for each pair of ranks, for send and recv
//   then     areaSlots chunks for each rank, and channelSlots for each pair
//
// Each word is written by one rank only, and has a cache line to itself, or ranks would slow each
// other down. Pages that are never used cost nothing.

import { arrayKinds, type NumericArray } from './kernels.js'

const lineBytes = 64
const wordsPerLine = lineBytes / 4
const pageBytes = 4096

/** Numbers that describe an operation. */
const descriptionLength = 8
/** What a rank writes per round; small enough that all of it stays in the cache. */
export const chunkBytes = 128 * 1024
/** Twice `stepLag` rounds are under way, and a rank that is ahead has some more to go on with. */
export const areaSlots = 8
export const channelSlots = 2

/** Words of a rank: operations it has come to, and rounds it has written, combined and read. */
export const word = { arrived: 0, written: 1, combined: 2, read: 3 } as const
export type Word = (typeof word)[keyof typeof word]
const rankWords = 4

/** Words of a pair: the sender's messages and chunks, the receiver's answers and chunks. */
export const pairWord = { offered: 0, answered: 1, sent: 2, taken: 3 } as const
export type PairWord = (typeof pairWord)[keyof typeof pairWord]
const pairWords = 4

const upToPage = (bytes: number): number => Math.ceil(bytes / pageBytes) * pageBytes

export class Segment {
  readonly worldSize: number
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  readonly #descriptions: Float64Array
  readonly #areaStart: number
  readonly #channelStart: number
  readonly #views = new Map<string, NumericArray>()

  constructor(bytes: Uint8Array, worldSize: number) {
    const { buffer, byteOffset } = bytes
    const { descriptionStart, areaStart, channelStart } = Segment.#layout(worldSize)
    this.worldSize = worldSize
    this.#bytes = bytes
    this.#words = new Int32Array(buffer, byteOffset, descriptionStart / 4)
    const numbers = (areaStart - descriptionStart) / 8
    this.#descriptions = new Float64Array(buffer, byteOffset + descriptionStart, numbers)
    this.#areaStart = areaStart
    this.#channelStart = channelStart
  }

  static #layout(worldSize: number) {
    const pairs = worldSize * worldSize
    const lines = 1 + worldSize * rankWords + pairs * pairWords
    const descriptionStart = upToPage(lines * lineBytes)
    const descriptions = (worldSize * 2 + pairs * 2) * descriptionLength * 8
    const areaStart = descriptionStart + upToPage(descriptions)
    const channelStart = areaStart + worldSize * areaSlots * chunkBytes
    return {
      descriptionStart,
      areaStart,
      channelStart,
      sizeBytes: channelStart + pairs * channelSlots * chunkBytes,
    }
  }

  static sizeBytes(worldSize: number): number {
    return Segment.#layout(worldSize).sizeBytes
  }

  get abortedBy(): number {
    return Atomics.load(this.#words, 0) - 1
  }

  /** The first rank that gives up is the one that is named. */
  abort(rank: number): void {
    Atomics.compareExchange(this.#words, 0, 0, rank + 1)
  }

  #rankWord(rank: number, which: Word): number {
    return (1 + rank * rankWords + which) * wordsPerLine
  }

  load(rank: number, which: Word): number {
    return Atomics.load(this.#words, this.#rankWord(rank, which))
  }

  store(rank: number, which: Word, value: number): void {
    Atomics.store(this.#words, this.#rankWord(rank, which), value)
  }

  #pairWord(from: number, to: number, which: PairWord): number {
    const { worldSize } = this
    const pair = from * worldSize + to
    return (1 + worldSize * rankWords + pair * pairWords + which) * wordsPerLine
  }

  loadPair([from, to]: readonly [number, number], which: PairWord): number {
    return Atomics.load(this.#words, this.#pairWord(from, to, which))
  }

  storePair([from, to]: readonly [number, number], which: PairWord, value: number): void {
    Atomics.store(this.#words, this.#pairWord(from, to, which), value)
  }

  /** What a rank is about to do; two in turn, because a rank may be one operation ahead. */
  description(rank: number, operation: number): Float64Array {
    const at = (rank * 2 + (operation & 1)) * descriptionLength
    return this.#descriptions.subarray(at, at + descriptionLength)
  }

  /** What the sender, or the receiver, of a pair is about to pass. */
  pairDescription([from, to]: readonly [number, number], side: 0 | 1): Float64Array {
    const { worldSize } = this
    const at = (worldSize * 2 + (from * worldSize + to) * 2 + side) * descriptionLength
    return this.#descriptions.subarray(at, at + descriptionLength)
  }

  /** The chunks of a rank, as an array of that kind. */
  area(rank: number, kind: number): NumericArray {
    return this.#view(this.#areaStart + rank * areaSlots * chunkBytes, areaSlots, kind)
  }

  channel([from, to]: readonly [number, number], kind: number): NumericArray {
    const pair = from * this.worldSize + to
    return this.#view(this.#channelStart + pair * channelSlots * chunkBytes, channelSlots, kind)
  }

  #view(start: number, slots: number, kind: number): NumericArray {
    const key = `${start} ${kind}`
    let view = this.#views.get(key)
    const type = arrayKinds[kind]
    if (view === undefined && type !== undefined) {
      const { buffer, byteOffset } = this.#bytes
      view = type.view(buffer, byteOffset + start, (slots * chunkBytes) / type.bytes)
      this.#views.set(key, view)
    }
    if (view === undefined) throw new RangeError(`There is no array kind ${kind}.`)
    return view
  }
}
