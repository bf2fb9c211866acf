// Arrow's strings (offsets and bytes) to JavaScript strings and dictionaries, and back.

import { isAscii } from 'node:buffer'
import { type Data, DataType, Dictionary, Int32, makeData, makeVector, Utf8 } from 'apache-arrow'
import { type DictionaryColumn, distinctMax } from './dictionary-column.js'

type Offsets = Int32Array | BigInt64Array

/** The strings of an Arrow column; null where the bitmap says so. */
export function decodeStrings(data: Data): (string | null)[] {
  const offsets = data.valueOffsets as Offsets
  const bytes = data.values as Uint8Array
  const strings = new Array<string | null>(data.length)
  const start = Number(offsets[0] ?? 0)
  const end = Number(offsets[data.length] ?? start)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  // One decode and many substrings are five times faster than a decode per string.
  const whole = isAscii(text) ? text.toString('latin1') : undefined
  for (let i = 0; i < data.length; i++) {
    const from = Number(offsets[i]) - start
    const to = Number(offsets[i + 1]) - start
    strings[i] = whole === undefined ? text.toString('utf8', from, to) : whole.substring(from, to)
  }
  if (data.nullCount > 0) {
    for (let i = 0; i < data.length; i++) if (!data.getValid(i)) strings[i] = null
  }
  return strings
}

/** Builds an Arrow column of strings. */
export function encodeStrings(strings: ArrayLike<unknown>): Data<Utf8> {
  const length = strings.length
  const valueOffsets = new Int32Array(length + 1)
  const nulls = new NullBits(length)
  let bytes = Buffer.allocUnsafeSlow(Math.max(64, length * 16))
  let at = 0
  for (let i = 0; i < length; i++) {
    const text = strings[i]
    if (typeof text === 'string') {
      // UTF-8 takes at most three bytes per UTF-16 unit.
      if (at + text.length * 3 > bytes.length) {
        bytes = Buffer.concat([bytes], (at + text.length * 3) * 2)
      }
      at += bytes.write(text, at)
    } else {
      nulls.add(i)
    }
    valueOffsets[i + 1] = at
  }
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset, at)
  return makeData({ type: new Utf8(), length, ...nulls.result(), valueOffsets, data })
}

/** Collects which rows are null, in the form that Arrow wants. */
export class NullBits {
  readonly #length: number
  #bits: Uint8Array | undefined
  #count = 0

  constructor(length: number) {
    this.#length = length
  }

  add(row: number): void {
    this.#bits ??= new Uint8Array((this.#length + 7) >> 3).fill(255)
    this.#bits[row >> 3] = (this.#bits[row >> 3] ?? 0) & ~(1 << (row & 7))
    this.#count++
  }

  result(): { nullCount: number; nullBitmap: Uint8Array | null } {
    return { nullCount: this.#count, nullBitmap: this.#bits ?? null }
  }
}

export type DictionaryOfStrings = Dictionary<Utf8, Int32>

/** Builds an Arrow dictionary column. */
export function encodeDictionary(column: DictionaryColumn): Data<DictionaryOfStrings> {
  const { codes } = column
  const nulls = new NullBits(codes.length)
  for (let i = 0; i < codes.length; i++) if ((codes[i] ?? -1) < 0) nulls.add(i)
  const bits = nulls.result()
  const indices = bits.nullCount === 0 ? codes : codes.map((code) => (code < 0 ? 0 : code))
  return dictionaryData({ indices, values: encodeStrings(column.values), ...bits })
}

interface DictionaryParts {
  readonly indices: Int32Array
  readonly values: Data<Utf8>
  readonly nullCount: number
  readonly nullBitmap: Uint8Array | null
}

export function dictionaryData(parts: DictionaryParts): Data<DictionaryOfStrings> {
  const { indices, values, nullCount, nullBitmap } = parts
  return makeData({
    type: new Dictionary(new Utf8(), new Int32()),
    length: indices.length,
    nullCount,
    nullBitmap,
    data: indices,
    dictionary: makeVector(values),
  })
}

/**
 * Encodes a column of strings as a dictionary without making a single JavaScript string; gives it
 * back as it is when its values hardly repeat.
 */
export function compactStrings(data: Data<Utf8>): Data<DictionaryOfStrings> | Data<Utf8> {
  const { length, valueOffsets: offsets, values: bytes } = data
  if (length < 64 || data.offset > 0) return data
  const table = new ByteTable(bytes, offsets)
  const indices = new Int32Array(length)
  const limit = distinctMax(length)
  const hasNulls = data.nullCount > 0
  for (let i = 0; i < length; i++) {
    if (hasNulls && !data.getValid(i)) continue
    indices[i] = table.code(i)
    // Checked as it goes, so that a column of distinct values costs a few thousand rows and not the
    // block.
    const seen = table.rows.length
    if (seen > limit || (seen > 4096 && seen > i >> 1)) return data
  }
  const values = encodeRows(bytes, offsets, table.rows)
  const nullBitmap = hasNulls ? data.nullBitmap : null
  return dictionaryData({ indices, values, nullCount: data.nullCount, nullBitmap })
}

/** Open addressing over byte strings that stay where they are. */
class ByteTable {
  /** The first row of each distinct string, by code. */
  readonly rows: number[] = []
  readonly #bytes: Uint8Array
  readonly #offsets: Int32Array
  #slots = new Int32Array(1024).fill(-1)

  constructor(bytes: Uint8Array, offsets: Int32Array) {
    this.#bytes = bytes
    this.#offsets = offsets
  }

  code(row: number): number {
    const mask = this.#slots.length - 1
    let slot = this.#hash(row) & mask
    for (;;) {
      const code = this.#slots[slot] ?? -1
      if (code === -1) return this.#add(row, slot)
      if (this.#isEqual(row, this.rows[code] ?? 0)) return code
      slot = (slot + 1) & mask
    }
  }

  #add(row: number, slot: number): number {
    const code = this.rows.push(row) - 1
    this.#slots[slot] = code
    if (this.rows.length * 2 > this.#slots.length) this.#grow()
    return code
  }

  #grow(): void {
    const mask = this.#slots.length * 4 - 1
    this.#slots = new Int32Array(mask + 1).fill(-1)
    for (const [code, row] of this.rows.entries()) {
      let slot = this.#hash(row) & mask
      while (this.#slots[slot] !== -1) slot = (slot + 1) & mask
      this.#slots[slot] = code
    }
  }

  #hash(row: number): number {
    let hash = 0x811c9dc5
    const end = this.#offsets[row + 1] ?? 0
    for (let i = this.#offsets[row] ?? 0; i < end; i++) {
      hash = Math.imul(hash ^ (this.#bytes[i] ?? 0), 0x01000193)
    }
    return hash ^ (hash >>> 15)
  }

  #isEqual(a: number, b: number): boolean {
    let i = this.#offsets[a] ?? 0
    let j = this.#offsets[b] ?? 0
    const end = this.#offsets[a + 1] ?? 0
    if (end - i !== (this.#offsets[b + 1] ?? 0) - j) return false
    for (; i < end; i++, j++) if (this.#bytes[i] !== this.#bytes[j]) return false
    return true
  }
}

/** The strings at `rows`, copied out in that order. */
function encodeRows(bytes: Uint8Array, offsets: Int32Array, rows: ArrayLike<number>): Data<Utf8> {
  const valueOffsets = new Int32Array(rows.length + 1)
  let size = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0
    size += (offsets[row + 1] ?? 0) - (offsets[row] ?? 0)
    valueOffsets[i + 1] = size
  }
  const data = new Uint8Array(size)
  let at = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0
    const end = offsets[row + 1] ?? 0
    for (let j = offsets[row] ?? 0; j < end; j++) data[at++] = bytes[j] ?? 0
  }
  return makeData({ type: new Utf8(), length: rows.length, nullCount: 0, valueOffsets, data })
}

/**
 * The strings of a dictionary column written out: what a writer that knows no dictionaries needs.
 */
function expandDictionary(data: Data<DictionaryOfStrings>): Data<Utf8> {
  const dictionary = data.dictionary?.data[0] as Data<Utf8> | undefined
  if (dictionary === undefined) return encodeStrings([])
  const codes = data.values.subarray(0, data.length)
  const strings = encodeRows(dictionary.values, dictionary.valueOffsets, codes)
  if (data.nullCount === 0) return strings
  const nulls = new NullBits(data.length)
  for (let i = 0; i < data.length; i++) if (!data.getValid(i)) nulls.add(i)
  const { length, valueOffsets, values } = strings
  return makeData({ type: strings.type, length, ...nulls.result(), valueOffsets, data: values })
}

/** The strings of a dictionary of strings, written out; undefined if the column is not one. */
export function dictionaryStrings(data: Data): Data<Utf8> | undefined {
  if (!DataType.isDictionary(data.type) || !DataType.isUtf8(data.type.dictionary)) return undefined
  if (
    data.values instanceof Int32Array &&
    data.dictionary?.data.length === 1 &&
    data.offset === 0
  ) {
    return expandDictionary(data as Data<DictionaryOfStrings>)
  }
  return encodeStrings(decodeDictionary(data))
}

function decodeDictionary(data: Data): unknown[] {
  const values = data.dictionary?.data.flatMap((part) => decodeStrings(part)) ?? []
  const codes = data.values as ArrayLike<number>
  return Array.from({ length: data.length }, (_, i) => {
    return data.getValid(i) ? values[codes[i] ?? 0] : null
  })
}
