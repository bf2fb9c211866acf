// The short path of the value codec: primitive values and small trees of plain objects and arrays,
// written straight into the caller's buffer.
//
// The common argument is a number, a short string or `{ a: 1 }`, and for these a general encoder
// spends its time on what it might meet: a table of objects seen, lists of buffers and functions, a
// place in a slab. Here the objects seen are at most 16 and compared one by one, and whatever is
// unusual (a class, a repeated object, a symbol key, a hole) makes the whole attempt return -1, so
// that the caller takes the general encoder instead. The bytes are those that the general encoder
// writes, so the general decoder reads them too.

import { types } from 'node:util'
import { readF64, readI32, readU32, writeF64, writeU32 } from '../base/bytes.js'
import { SerializationError } from '../base/errors.js'
import { smallContainersMax } from '../base/limits.js'
import { readLongString, readName, readShortString, writeString } from './value-strings.js'
import {
  shortStringMax,
  smallIntMax,
  tagArray,
  tagDouble,
  tagEnd,
  tagFalse,
  tagInt,
  tagLatin1,
  tagNull,
  tagObject,
  tagShortString,
  tagSmallInt,
  tagTrue,
  tagUndefined,
  tagUtf16,
} from './value-tags.js'

const { isProxy } = types
const { getPrototypeOf, getOwnPropertySymbols, keys } = Object
const objectPrototype = Object.prototype
const arrayPrototype = Array.prototype
const hasOwn = Object.prototype.hasOwnProperty

/**
 * Containers of the value being written. Emptied at the end of every call, so that nothing is kept
 * alive.
 */
const seen: unknown[] = new Array<unknown>(smallContainersMax).fill(undefined)
let seenCount = 0
/** Counts the times a getter called back into the codec. */
let calls = 0

/**
 * Writes a small value at `offset` and returns the offset after it, or -1 if the value is not a
 * small one or does not fit below `limit`; bytes after `offset` are then undefined.
 */
export function encodeSmall(
  target: Uint8Array,
  offset: number,
  limit: number,
  value: unknown,
): number {
  if (seenCount !== 0) {
    // A getter of the value being written has called back. What it writes may be where that value
    // would have gone.
    calls++
    return -1
  }
  if (typeof value !== 'object' || value === null)
    return writePrimitive(target, offset, limit, value)
  try {
    return writeContainer(target, offset, limit, value)
  } finally {
    while (seenCount > 0) seen[--seenCount] = undefined
  }
}

function writePrimitive(b: Uint8Array, offset: number, limit: number, value: unknown): number {
  if (offset + 9 > limit) return -1
  if (typeof value === 'number') {
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) {
      b[offset] = tagDouble
      writeF64(b, offset + 1, value)
      return offset + 9
    }
    if (value >= 0 && value <= smallIntMax) {
      b[offset] = tagSmallInt + value
      return offset + 1
    }
    b[offset] = tagInt
    writeU32(b, offset + 1, value)
    return offset + 5
  }
  if (typeof value === 'string') return writeString(b, offset, limit, value)
  if (value === undefined) b[offset] = tagUndefined
  else if (value === null) b[offset] = tagNull
  else if (value === true) b[offset] = tagTrue
  else if (value === false) b[offset] = tagFalse
  else return -1
  return offset + 1
}

function writeContainer(b: Uint8Array, offset: number, limit: number, value: object): number {
  if (seenCount === smallContainersMax || isProxy(value)) return -1
  for (let i = 0; i < seenCount; i++) if (seen[i] === value) return -1
  seen[seenCount++] = value
  const prototype: unknown = getPrototypeOf(value)
  if (prototype === objectPrototype)
    return writeObject(b, offset, limit, value as Record<string, unknown>)
  if (prototype === arrayPrototype && Array.isArray(value))
    return writeArray(b, offset, limit, value)
  return -1
}

function writeObject(
  b: Uint8Array,
  offset: number,
  limit: number,
  value: Record<string, unknown>,
): number {
  if (getOwnPropertySymbols(value).length !== 0 || offset + 2 > limit) return -1
  const call = calls
  b[offset] = tagObject
  let at = offset + 1
  for (const key in value) {
    if (!hasOwn.call(value, key)) continue
    if (key === '__proto__') return -1
    const item = value[key]
    if (call !== calls) return -1
    at = writeString(b, at, limit, key)
    if (at < 0) return -1
    at =
      typeof item === 'object' && item !== null
        ? writeContainer(b, at, limit, item)
        : writePrimitive(b, at, limit, item)
    if (at < 0) return -1
  }
  if (at >= limit) return -1
  b[at] = tagEnd
  return at + 1
}

function writeArray(
  b: Uint8Array,
  offset: number,
  limit: number,
  value: readonly unknown[],
): number {
  const length = value.length
  // Fewer keys than items mean holes, more mean named properties.
  if (length > 0x7f || offset + 2 > limit || keys(value).length !== length) return -1
  if (getOwnPropertySymbols(value).length !== 0) return -1
  const call = calls
  b[offset] = tagArray
  b[offset + 1] = length
  let at = offset + 2
  for (let i = 0; i < length; i++) {
    const item = value[i]
    if (call !== calls || (item === undefined && !hasOwn.call(value, i))) return -1
    at =
      typeof item === 'object' && item !== null
        ? writeContainer(b, at, limit, item)
        : writePrimitive(b, at, limit, item)
    if (at < 0) return -1
  }
  return at
}

let cursor = 0
let containersLeft = 0

/** Reads what `encodeSmall` wrote at `offset`. */
export function decodeSmall(source: Uint8Array, offset: number): unknown {
  cursor = offset
  containersLeft = smallContainersMax
  const value = read(source)
  if (cursor > source.length) throw malformed(offset)
  return value
}

/** The offset after the value that `decodeSmall` read last. */
export function smallEnd(): number {
  return cursor
}

function read(b: Uint8Array): unknown {
  const tag = b[cursor++]!
  if (tag >= tagSmallInt) return tag - tagSmallInt
  if (tag >= tagShortString && tag <= tagShortString + shortStringMax) {
    const start = cursor
    cursor += tag - tagShortString
    if (cursor > b.length) throw malformed(start)
    return readShortString(b, start, tag - tagShortString)
  }
  if (tag === tagUndefined) return undefined
  if (tag === tagObject) return readObject(b)
  if (tag === tagArray) return readArray(b)
  if (tag === tagInt) {
    cursor += 4
    return readI32(b, cursor - 4)
  }
  if (tag === tagDouble) {
    cursor += 8
    return readF64(b, cursor - 8)
  }
  if (tag === tagTrue) return true
  if (tag === tagFalse) return false
  if (tag === tagNull) return null
  if (tag >= tagLatin1 && tag <= tagUtf16) return readLong(b, tag)
  throw malformed(cursor - 1)
}

function readLong(b: Uint8Array, tag: number): string {
  const start = cursor + 4
  const end = start + readU32(b, cursor)
  if (end > b.length) throw malformed(cursor)
  cursor = end
  return readLongString(b, tag, { start, end })
}

function readObject(b: Uint8Array): unknown {
  if (containersLeft-- === 0) throw malformed(cursor)
  const value: Record<string, unknown> = {}
  for (;;) {
    const tag = b[cursor++]!
    if (tag === tagEnd) return value
    let key: string
    if (tag >= tagShortString && tag <= tagShortString + shortStringMax) {
      const start = cursor
      cursor += tag - tagShortString
      if (cursor > b.length) throw malformed(start)
      key = readName(b, start, tag - tagShortString)
    } else if (tag >= tagLatin1 && tag <= tagUtf16) {
      key = readLong(b, tag)
    } else {
      throw malformed(cursor - 1)
    }
    if (key === '__proto__') throw malformed(cursor)
    value[key] = read(b)
  }
}

function readArray(b: Uint8Array): unknown {
  const length = b[cursor++]!
  if (containersLeft-- === 0 || length > b.length - cursor) throw malformed(cursor)
  const value: unknown[] = []
  for (let i = 0; i < length; i++) value.push(read(b))
  return value
}

function malformed(offset: number): SerializationError {
  return new SerializationError(`The bytes of a small value are malformed near offset ${offset}.`)
}
