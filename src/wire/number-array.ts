// Arrays of nothing but numbers, written as the narrowest typed array that holds them.
//
// Number by number such an array costs 60 ns an item there and 40 back; packed it is 2 to 5, and up
// to 9 times smaller. Short ones are not worth the look.

import { hasOnlyItems } from './array-shape.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import { tagNumbers, viewItemBytes } from './value-tags.js'

/** Items from which an array is looked at. */
export const numbersMin = 128
/**
 * Integers that are gathered before it is known how wide they are; longer arrays are read twice.
 */
const gatheredMax = 1 << 15

const int8 = 0
const int16 = 3
const int32 = 5
const float64 = 8

/** Missing while somebody uses it: a getter may encode another value in between. */
let gathered: Int32Array | undefined

/**
 * Writes an array that holds nothing but numbers, each of them read once. False: it holds something
 * else, and nothing was written.
 */
export function packNumbers(to: ByteWriter, value: readonly unknown[]): boolean {
  const length = value.length
  if (length < numbersMin || typeof value[0] !== 'number') return false
  // Arrays of integers and of others are kept apart: a loop that meets one kind only is faster.
  if (!isInteger(value[0])) return hasOnlyItems(value) && writeFloats(to, value)
  const into = gathered ?? new Int32Array(gatheredMax)
  gathered = undefined
  try {
    if (length > into.length) return packMany(to, value)
    const bits = gather(value, into)
    if (bits < 0) return hasOnlyItems(value) && writeFloats(to, value)
    if (!hasOnlyItems(value)) return false
    const kind = bits < 0x80 ? int8 : bits < 0x8000 ? int16 : int32
    begin(to, kind, length).set(into.subarray(0, length))
    return true
  } finally {
    gathered = into
  }
}

function isInteger(item: unknown): item is number {
  return typeof item === 'number' && (item | 0) === item && (item !== 0 || 1 / item > 0)
}

/** Bits that the widest integer has beside its sign, as a mask; -1: not all are integers. */
function gather(value: readonly unknown[], into: Int32Array): number {
  const length = value.length
  let bits = 0
  for (let i = 0; i < length; i++) {
    const item = value[i]
    if (typeof item !== 'number') return -1
    const whole = item | 0
    if (whole !== item || (whole === 0 && 1 / item < 0)) return -1
    bits |= whole ^ (whole >> 31)
    into[i] = whole
  }
  return bits
}

/** The same for an array that is too long to be gathered. */
function packMany(to: ByteWriter, value: readonly unknown[]): boolean {
  let low = 0
  let high = 0
  for (let i = 0; i < value.length; i++) {
    const item = value[i]
    if (!isInteger(item)) return hasOnlyItems(value) && writeFloats(to, value)
    if (item < low) low = item
    else if (item > high) high = item
  }
  if (!hasOnlyItems(value)) return false
  const kind = low >= -0x80 && high < 0x80 ? int8 : low >= -0x8000 && high < 0x8000 ? int16 : int32
  return writeItems(to, value, kind)
}

function writeFloats(to: ByteWriter, value: readonly unknown[]): boolean {
  return writeItems(to, value, float64)
}

function writeItems(to: ByteWriter, value: readonly unknown[], kind: number): boolean {
  const length = value.length
  const { at } = to
  const view = begin(to, kind, length)
  for (let i = 0; i < length; i++) {
    const item = value[i]
    if (typeof item !== 'number') {
      to.at = at
      return false
    }
    view[i] = item
  }
  return true
}

/** Writes all but the items, and returns where those go. */
function begin(to: ByteWriter, kind: number, length: number): NumberView {
  to.byte(tagNumbers)
  to.byte(kind)
  to.varuint(length)
  // A view of numbers begins at a multiple of their size. The reader may see the bytes elsewhere.
  const gap = 7 - (to.at % 8)
  to.byte(gap)
  const size = length * viewItemBytes[kind]!
  to.need(gap + size)
  const start = to.at + gap
  const { buffer, byteOffset } = to.bytes
  to.bytes.fill(0, to.at, start)
  to.at = start + size
  return numbersIn({ buffer, offset: byteOffset + start }, kind, length)
}

export function readNumbers(from: ByteReader): number[] {
  const kind = from.byte()
  if (kind !== int8 && kind !== int16 && kind !== int32 && kind !== float64) {
    throw from.malformed('bad kind of numbers')
  }
  const length = from.varuint()
  from.take(from.byte())
  const size = length * viewItemBytes[kind]
  const start = from.take(size)
  let { buffer, byteOffset: offset } = from.bytes
  offset += start
  if (offset % viewItemBytes[kind] !== 0) {
    // `slice` of a Buffer would not copy.
    buffer = Uint8Array.prototype.slice.call(from.bytes, start, start + size).buffer
    offset = 0
  }
  const view = numbersIn({ buffer, offset }, kind, length)
  // Not by `push`, which leaves twice the bytes behind as garbage.
  const value = new Array<number>(length)
  for (let i = 0; i < length; i++) value[i] = view[i]!
  return value
}

interface Place {
  readonly buffer: ArrayBufferLike
  readonly offset: number
}

type NumberView = Int8Array | Int16Array | Int32Array | Float64Array

function numbersIn({ buffer, offset }: Place, kind: number, length: number): NumberView {
  if (kind === int8) return new Int8Array(buffer, offset, length)
  if (kind === int16) return new Int16Array(buffer, offset, length)
  return kind === int32
    ? new Int32Array(buffer, offset, length)
    : new Float64Array(buffer, offset, length)
}
