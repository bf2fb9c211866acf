// Codes for strings that repeat, straight from the engine's vectors.
//
// The engine keeps a string in a cell of 16 bytes: its length, and up to 12 bytes in place, padded
// with zeros, or else the first four and an address. Two short strings are equal if the four words
// of their cells are, so neither offsets nor bytes are looked at, and no JavaScript string is made.

import { type Data, makeData, Utf8 } from 'apache-arrow'
import { distinctMax } from '../block/dictionary-column.js'

/** Words of 32 bits per cell. */
export const cellWords = 4
/** The longest string that lies in its cell. */
const shortBytesMax = 12
/** Distinct strings that a column may have before it is asked how often they repeat. */
const distinctUnasked = 4096

/** The cells of some rows. */
export interface Cells {
  readonly words: Int32Array
  readonly rows: number
  /** Arrow's bits, not set where a row is null; empty if none is. */
  readonly valid: Uint8Array
}

export class StringCodes {
  readonly #limit: number
  /** Codes by hash, and -1: a power of two, of which at most a quarter is taken. */
  #slots = new Int32Array(1024).fill(-1)
  /** The cell of each code. */
  #known = new Int32Array(256 * cellWords)
  #count = 0
  #rows = 0

  /** For a column of `rows` rows. */
  constructor(rows: number) {
    this.#limit = distinctMax(rows)
  }

  /**
   * Writes the codes of cells, 0 for nulls. False where a string is too long, or too many of them
   * differ: then nothing is known of these cells.
   */
  encode(cells: Cells, codes: Int32Array): boolean {
    let row = 0
    for (;;) {
      row = encodeKnown(cells, { slots: this.#slots, known: this.#known, codes }, row)
      if (row === cells.rows) break
      if (!this.#add(cells.words.subarray(row * cellWords, (row + 1) * cellWords), row))
        return false
    }
    this.#rows += row
    return true
  }

  #add(cell: Int32Array, row: number): boolean {
    if ((cell[0] ?? 0) > shortBytesMax || this.#isDistinct(this.#rows + row)) return false
    if (cellWords * this.#count === this.#known.length) this.#grow()
    this.#known.set(cell, cellWords * this.#count)
    insert(this.#slots, this.#known, this.#count++)
    return true
  }

  /** Whether another string would be one too many for codes to pay. */
  #isDistinct(rows: number): boolean {
    const count = this.#count
    return count >= this.#limit || (count >= distinctUnasked && count > rows >> 1)
  }

  #grow(): void {
    const known = new Int32Array(2 * this.#known.length)
    known.set(this.#known)
    this.#known = known
    this.#slots = new Int32Array(2 * this.#slots.length).fill(-1)
    for (let code = 0; code < this.#count; code++) insert(this.#slots, known, code)
  }

  /** The strings, by code. */
  strings(): Data<Utf8> {
    const length = this.#count
    const cells = this.#known.subarray(0, cellWords * length)
    const valueOffsets = new Int32Array(length + 1)
    const data = new Uint8Array(shortBytesMax * length)
    let at = 0
    for (let code = 0; code < length; code++) {
      const begin = cells.byteOffset + 4 * (cellWords * code + 1)
      const text = new Uint8Array(cells.buffer, begin, cells[cellWords * code])
      data.set(text, at)
      at += text.length
      valueOffsets[code + 1] = at
    }
    const bytes = data.subarray(0, at)
    return makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets, data: bytes })
  }
}

function insert(slots: Int32Array, known: Int32Array, code: number): void {
  let slot = hashAt(known, cellWords * code) & (slots.length - 1)
  while (slots[slot] !== -1) slot = (slot + 1) & (slots.length - 1)
  slots[slot] = code
}

function hashAt(words: Int32Array, at: number): number {
  const first = Math.imul(words[at + 1] ?? 0, 0x9e3779b1) ^ (words[at] ?? 0)
  const rest = Math.imul(words[at + 2] ?? 0, 0x85ebca6b) ^ Math.imul(words[at + 3] ?? 0, 0xc2b2ae35)
  const hash = Math.imul(first ^ rest, 0x27d4eb2f)
  return hash ^ (hash >>> 15)
}

interface Table {
  readonly slots: Int32Array
  readonly known: Int32Array
  readonly codes: Int32Array
}

/** Writes codes from row `from` on, up to the first string that is not known; gives its row. */
function encodeKnown(cells: Cells, { slots, known, codes }: Table, from: number): number {
  const { words, rows, valid } = cells
  const mask = slots.length - 1
  const hasNulls = valid.length > 0
  for (let row = from; row < rows; row++) {
    if (hasNulls && (((valid[row >> 3] ?? 0) >> (row & 7)) & 1) === 0) {
      codes[row] = 0
      continue
    }
    const at = row * cellWords
    let slot = hashAt(words, at) & mask
    for (;;) {
      const code = slots[slot] ?? -1
      if (code === -1) return row
      const other = code * cellWords
      if (
        words[at + 1] === known[other + 1] &&
        words[at] === known[other] &&
        words[at + 2] === known[other + 2] &&
        words[at + 3] === known[other + 3]
      ) {
        codes[row] = code
        break
      }
      slot = (slot + 1) & mask
    }
  }
  return rows
}
