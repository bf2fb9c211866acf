// The bytes of one stored object.
//
//   header    "TRO1", u32 number of buffers, u48 sizes: meta, in band, each buffer
//   meta      tables of attachments and code, which belong to the caller
//   in band   the value
//   buffers   each at a multiple of 64, so that typed arrays over them are aligned
//
// Only sizes are stored; offsets follow from them. An object of several large arrays may be longer
// than any view can be, so offsets are plain numbers, and a reader can ask what a header says
// before it has more than the header.

import { readU32, readU48, writeU32, writeU48 } from '../base/bytes.js'
import { SerializationError } from '../base/errors.js'
import { arrayBytesMax, bufferAlignBytes } from '../base/limits.js'
import { type Piece, PiecedBytes } from '../base/pieced-bytes.js'

const magic = 0x314f5254
const fixedBytes = 20
const sizeBytes = 6

export interface ObjectLayout {
  readonly sizeBytes: number
  /** What to write where, in ascending order. Gaps are padding, and may hold anything. */
  readonly parts: readonly { readonly offset: number; readonly bytes: Piece }[]
}

export interface Extent {
  readonly offset: number
  readonly size: number
}

export interface ObjectHeader {
  readonly meta: Extent
  readonly bytes: Extent
  readonly buffers: readonly Extent[]
}

export interface ObjectContents {
  readonly meta: Uint8Array
  readonly bytes: Uint8Array
  readonly buffers: readonly Uint8Array[]
}

export function layoutObject(
  meta: Uint8Array,
  bytes: Uint8Array,
  buffers: readonly (Uint8Array | PiecedBytes)[],
): ObjectLayout {
  const header = new Uint8Array(fixedBytes + buffers.length * sizeBytes)
  writeU32(header, 0, magic)
  writeU32(header, 4, buffers.length)
  writeU48(header, 8, meta.length)
  writeU48(header, 14, bytes.length)
  buffers.forEach((buffer, i) => writeU48(header, fixedBytes + i * sizeBytes, buffer.length))
  const all = [header, meta, bytes, ...buffers]
  const parts: { offset: number; bytes: Piece }[] = []
  let at = 0
  all.forEach((part, i) => {
    at = i < 3 ? at : align(at)
    for (const bytes of part instanceof PiecedBytes ? part.pieces : [part]) {
      parts.push({ offset: at, bytes })
      at += bytes.length
    }
  })
  return { sizeBytes: at, parts: parts.filter((part) => part.bytes.length > 0) }
}

function align(offset: number): number {
  return Math.ceil(offset / bufferAlignBytes) * bufferAlignBytes
}

/** How many bytes of an object's beginning `readObjectHeader` needs, as far as `first` can tell. */
export function headerBytesNeeded(first: Uint8Array): number {
  if (first.length < fixedBytes) return fixedBytes
  if (readU32(first, 0) !== magic) throw malformed('it does not begin as one')
  return fixedBytes + readU32(first, 4) * sizeBytes
}

/** Reads a header, or returns undefined if `first` is not long enough to hold it. */
export function readObjectHeader(first: Uint8Array): ObjectHeader | undefined {
  const headerBytes = headerBytesNeeded(first)
  if (first.length < headerBytes) return undefined
  const meta = { offset: headerBytes, size: readU48(first, 8) }
  const bytes = { offset: meta.offset + meta.size, size: readU48(first, 14) }
  const buffers: Extent[] = []
  let at = bytes.offset + bytes.size
  for (let o = fixedBytes; o < headerBytes; o += sizeBytes) {
    const size = readU48(first, o)
    const offset = align(at)
    if (size > arrayBytesMax) throw malformed('a buffer is larger than 4 GiB')
    buffers.push({ offset, size })
    at = offset + size
  }
  if (!Number.isSafeInteger(at)) throw malformed('it is too long')
  return { meta, bytes, buffers }
}

/** Bytes of the whole object that a header describes. */
export function objectSizeBytes({ bytes, buffers }: ObjectHeader): number {
  const last = buffers.at(-1) ?? bytes
  return last.offset + last.size
}

/** The parts of an object that is in memory as a whole, as views of it. */
export function readObject(whole: Uint8Array): ObjectContents {
  const header = readObjectHeader(whole)
  if (header === undefined || objectSizeBytes(header) > whole.length)
    throw malformed('it ends too early')
  const view = ({ offset, size }: Extent): Uint8Array => whole.subarray(offset, offset + size)
  return { meta: view(header.meta), bytes: view(header.bytes), buffers: header.buffers.map(view) }
}

function malformed(why: string): SerializationError {
  return new SerializationError(`The bytes of a stored object are malformed: ${why}.`)
}
