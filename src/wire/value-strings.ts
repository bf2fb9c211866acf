// Strings on the wire. Short ones are written and read by hand: a native call costs more than 31
// characters do.
//
// Everything that is ASCII is stored as Latin-1, the cheapest to read. The rest is UTF-8, unless it
// has lone surrogates, which UTF-8 cannot express; such strings keep their UTF-16 units.

import { writeU32 } from '../base/bytes.js'
import { shortStringMax, tagLatin1, tagShortString, tagUtf16, tagUtf8 } from './value-tags.js'

type Write = (this: Uint8Array, text: string, offset: number, length: number) => number
type Slice = (this: Uint8Array, start: number, end: number) => string
/**
 * Methods of Buffer that work on every Uint8Array, without the checks of `write` and `toString`.
 */
const native = Buffer.prototype as unknown as Record<'utf8Write' | 'ucs2Write', Write> &
  Record<'latin1Slice' | 'utf8Slice' | 'ucs2Slice', Slice>
const { utf8Write, ucs2Write, latin1Slice, utf8Slice, ucs2Slice } = native

/**
 * Writes a string with its tag and returns the offset after it, or -1 if it does not fit below
 * `limit`.
 */
export function writeString(b: Uint8Array, offset: number, limit: number, text: string): number {
  const length = text.length
  if (length > shortStringMax || offset + length >= limit) return writeLong(b, offset, limit, text)
  let at = offset + 1
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0xff) return writeLong(b, offset, limit, text)
    b[at++] = unit
  }
  b[offset] = tagShortString + length
  return at
}

function writeLong(b: Uint8Array, offset: number, limit: number, text: string): number {
  const room = limit - offset - 5
  if (room < text.length) return -1
  // Three bytes per unit is the worst case. Only when that does not fit are the bytes counted
  // first.
  if (room < text.length * 3 && Buffer.byteLength(text) > room) {
    return isWellFormed(text) ? -1 : writeUtf16(b, offset, room, text)
  }
  const size = utf8Write.call(b, text, offset + 5, room)
  if (size !== text.length && !isWellFormed(text)) {
    return writeUtf16(b, offset, room, text)
  }
  b[offset] = size === text.length ? tagLatin1 : tagUtf8
  writeU32(b, offset + 1, size)
  return offset + 5 + size
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

function writeUtf16(b: Uint8Array, offset: number, room: number, text: string): number {
  const size = text.length * 2
  if (size > room) return -1
  ucs2Write.call(b, text, offset + 5, size)
  b[offset] = tagUtf16
  writeU32(b, offset + 1, size)
  return offset + 5 + size
}

/** Bytes that `writeString` needs at most. */
export function stringBytesMax(text: string): number {
  const length = text.length
  if (length < 4096) return 5 + length * 3
  return 5 + Math.max(Buffer.byteLength(text), length * 2)
}

/** Reads the characters of a short string; the caller has checked that they are there. */
export function readShortString(b: Uint8Array, o: number, length: number): string {
  const make = String.fromCharCode
  switch (length) {
    case 0:
      return ''
    case 1:
      return make(b[o]!)
    case 2:
      return make(b[o]!, b[o + 1]!)
    case 3:
      return make(b[o]!, b[o + 1]!, b[o + 2]!)
    case 4:
      return make(b[o]!, b[o + 1]!, b[o + 2]!, b[o + 3]!)
    case 5:
      return make(b[o]!, b[o + 1]!, b[o + 2]!, b[o + 3]!, b[o + 4]!)
    case 6:
      return make(b[o]!, b[o + 1]!, b[o + 2]!, b[o + 3]!, b[o + 4]!, b[o + 5]!)
    case 7:
      return make(b[o]!, b[o + 1]!, b[o + 2]!, b[o + 3]!, b[o + 4]!, b[o + 5]!, b[o + 6]!)
    default:
      return latin1Slice.call(b, o, o + length)
  }
}

/** Reads the characters of a long string by its tag. */
export function readLongString(
  b: Uint8Array,
  tag: number,
  at: { start: number; end: number },
): string {
  if (tag === tagLatin1) return latin1Slice.call(b, at.start, at.end)
  if (tag === tagUtf8) return utf8Slice.call(b, at.start, at.end)
  return ucs2Slice.call(b, at.start, at.end)
}

/**
 * Property names read lately. Names repeat, and a name that is found here needs no native call and
 * no interning.
 */
const names: string[] = new Array<string>(1024).fill('')

/** Reads the characters of a short string that is a property name. */
export function readName(b: Uint8Array, o: number, length: number): string {
  if (length === 0) return ''
  const slot = ((b[o]! * 31 + b[o + length - 1]!) * 31 + b[o + (length >> 1)]! * 7 + length) & 1023
  const known = names[slot]!
  if (known.length === length) {
    let i = 0
    while (i < length && known.charCodeAt(i) === b[o + i]!) i++
    if (i === length) return known
  }
  const name = readShortString(b, o, length)
  names[slot] = name
  return name
}
