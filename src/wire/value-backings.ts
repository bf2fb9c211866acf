// The memory behind ArrayBuffers and views.
//
// A view is part of an ArrayBuffer that other views of the same value may share, and usually not
// all of it: a small Buffer is a slice of Node's pool, a column is a slice of a mapped file.
// Sending the whole ArrayBuffer would send megabytes for bytes, and would leak what else is in the
// pool; sending each view by itself would end the sharing. So the encoder only notes which ranges
// are used, and at the end of the value writes a table: for each ArrayBuffer the segments that its
// ranges make together. Neighbours are joined, and so are near ranges, when that does not double
// the bytes.
//
// Segments of 4 KiB and more are not copied: they are handed to the caller as they are, and the
// reader gets views of whatever memory the caller put them in. They begin at a multiple of 8 of
// their ArrayBuffer, so that memory aligned to 8 bytes suits every view in them. Bytes in pieces
// are an ArrayBuffer of one segment to the reader.

import { types } from 'node:util'
import { SerializationError } from '../base/errors.js'
import { arrayBytesMax, outOfBandBytesMin } from '../base/limits.js'
import { pieceBytes, PiecedBytes } from '../base/pieced-bytes.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import { NumberedSet } from './numbered-set.js'

/** Why the bytes of a view or ArrayBuffer cannot travel. */
export function memoryProblem(memory: ArrayBufferLike, size: number): string | undefined {
  if (types.isSharedArrayBuffer(memory)) {
    return 'is a view of a SharedArrayBuffer, which cannot be shared with other processes. Copy it.'
  }
  if (size > arrayBytesMax) {
    return `is one binary array of ${size} bytes, and 4 GiB is the most. Split it into several.`
  }
  return isDetached(memory)
    ? 'has a detached ArrayBuffer: it was transferred to another thread.'
    : undefined
}

function isDetached(memory: ArrayBufferLike): boolean {
  if (memory.byteLength > 0) return false
  try {
    return new Uint8Array(memory).length > 0
  } catch {
    // Node 20 has no other way to ask.
    return true
  }
}

interface Range {
  start: number
  end: number
}

interface Backing {
  readonly memory: ArrayBuffer
  /** The ArrayBuffer itself is part of the value, so all of it travels, as one segment. */
  whole: boolean
  /** Node's pool: ranges are strangers to each other. */
  pooled: boolean
  /** Largest item of a view. */
  itemBytes: number
  readonly ranges: Range[]
}

/** A segment that travels out of band. */
export type OutOfBand = Uint8Array | PiecedBytes

export class BackingWriter {
  private readonly memories = new NumberedSet<ArrayBuffer | PiecedBytes>()
  private readonly backings: (Backing | PiecedBytes)[] = []

  get used(): boolean {
    return this.backings.length > 0
  }

  /** Notes an ArrayBuffer as a value and returns its index in the table. */
  addWhole(memory: ArrayBuffer): number {
    const index = this.memories.indexOf(memory)
    this.backingAt(index, memory).whole = true
    return index
  }

  /** Notes the bytes of a view and returns the index of its ArrayBuffer in the table. */
  addView(view: ArrayBufferView, itemBytes: number): number {
    const memory = view.buffer as ArrayBuffer
    const index = this.memories.indexOf(memory)
    const backing = this.backingAt(index, memory)
    if (itemBytes > backing.itemBytes) backing.itemBytes = itemBytes
    if (Buffer.isBuffer(view) && memory.byteLength === Buffer.poolSize) backing.pooled = true
    const start = view.byteOffset
    if (view.byteLength > 0) backing.ranges.push({ start, end: start + view.byteLength })
    return index
  }

  /** Notes bytes in pieces, which are no part of other memory, and returns their index. */
  addPieced(bytes: PiecedBytes): number {
    const index = this.memories.indexOf(bytes)
    if (index === this.backings.length) this.backings.push(bytes)
    return index
  }

  private backingAt(index: number, memory: ArrayBuffer): Backing {
    if (index === this.backings.length) {
      this.backings.push({ memory, whole: false, pooled: false, itemBytes: 1, ranges: [] })
    }
    return this.backings[index] as Backing
  }

  /** Writes the table; returns the segments that travel out of band. */
  write(to: ByteWriter, name: string): OutOfBand[] {
    const buffers: OutOfBand[] = []
    to.varuint(this.backings.length)
    for (const backing of this.backings) {
      if (backing instanceof PiecedBytes) {
        writePieced(to, backing, { name, buffers })
        continue
      }
      const segments = segmentsOf(backing)
      to.varuint(sizeMaxOf(backing) + 1)
      to.byte(backing.itemBytes)
      to.varuint(segments.length)
      for (const segment of segments) {
        const outOfBand = segment.end - segment.start >= outOfBandBytesMin && !backing.pooled
        const start = outOfBand ? segment.start - (segment.start % 8) : segment.start
        const size = segment.end - start
        refuseTooLarge(size, name)
        const bytes = new Uint8Array(backing.memory, start, size)
        to.varuint(start)
        to.varuint(size)
        if (outOfBand) to.varuint(buffers.push(bytes))
        else {
          to.byte(0)
          to.raw(bytes)
        }
      }
    }
    return buffers
  }
}

interface Written {
  readonly name: string
  readonly buffers: OutOfBand[]
}

function writePieced(to: ByteWriter, bytes: PiecedBytes, { name, buffers }: Written): void {
  const { length } = bytes
  refuseTooLarge(length, name)
  to.varuint(0)
  to.byte(1)
  to.varuint(1)
  to.varuint(0)
  to.varuint(length)
  if (length >= outOfBandBytesMin) to.varuint(buffers.push(bytes))
  else {
    to.byte(0)
    to.raw(pieceBytes(bytes))
  }
}

function refuseTooLarge(size: number, name: string): void {
  if (size <= arrayBytesMax) return
  throw new SerializationError(
    `${name} has one binary array larger than 4 GiB. Split it into several.`,
  )
}

function segmentsOf(backing: Backing): Range[] {
  if (backing.whole) return [{ start: 0, end: backing.memory.byteLength }]
  const sorted = backing.ranges.sort((a, b) => a.start - b.start)
  const joined: Range[] = []
  let covered = 0
  for (const range of sorted) {
    const last = joined.at(-1)
    if (last !== undefined && belongs(range, last, backing.pooled)) {
      covered += Math.max(0, range.end - last.end)
      last.end = Math.max(last.end, range.end)
    } else {
      covered += range.end - range.start
      joined.push({ start: range.start, end: range.end })
    }
  }
  const [first] = joined
  const last = joined.at(-1)
  if (first === undefined || last === undefined || joined.length === 1 || backing.pooled)
    return joined
  const span = last.end - first.start
  const worthJoining = span <= 2 * covered + outOfBandBytesMin && span <= arrayBytesMax - 8
  return worthJoining ? [{ start: first.start, end: last.end }] : joined
}

function belongs(range: Range, segment: Range, pooled: boolean): boolean {
  if (range.start < segment.end) return true
  return !pooled && range.start === segment.end && range.end - segment.start <= arrayBytesMax - 8
}

interface Segment {
  readonly start: number
  readonly end: number
  /** Where the segment is now. */
  readonly memory: ArrayBuffer
  readonly offset: number
}

interface ReadBacking {
  readonly whole: boolean
  readonly segments: readonly Segment[]
}

export class BackingReader {
  private readonly backings: ReadBacking[] = []
  private readonly from: ByteReader

  constructor(from: ByteReader, buffers: readonly Uint8Array[]) {
    this.from = from
    const count = from.count()
    for (let i = 0; i < count; i++) {
      const sizeMax = from.varuint() - 1
      const whole = sizeMax >= 0
      const itemBytes = from.byte()
      if (![1, 2, 4, 8].includes(itemBytes)) throw from.malformed('bad backing')
      const segments: Segment[] = []
      const segmentCount = from.count()
      for (let k = 0; k < segmentCount; k++) {
        const start = from.varuint()
        const size = from.varuint()
        const place = from.varuint()
        const bytes = place === 0 ? from.raw(size) : buffers[place - 1]
        if (bytes === undefined || bytes.length !== size) {
          throw from.malformed(`buffer ${place - 1} of ${size} bytes is missing`)
        }
        segments.push(segmentOf(start, bytes, { itemBytes, whole, copy: place === 0 }))
      }
      if (whole) segments[0] = wholeSegment(from, segments, sizeMax)
      this.backings.push({ whole, segments })
    }
  }

  private at(index: number): ReadBacking {
    const backing = this.backings[index]
    if (backing === undefined) throw this.from.malformed(`no backing ${index}`)
    return backing
  }

  whole(index: number): ArrayBuffer {
    const backing = this.at(index)
    if (!backing.whole) throw this.from.malformed(`backing ${index} is not whole`)
    return backing.segments[0]!.memory
  }

  /** Where the bytes of a view are. */
  range(index: number, start: number, size: number): { memory: ArrayBuffer; offset: number } {
    const { segments } = this.at(index)
    let low = 0
    let high = segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (segments[middle]!.start <= start) low = middle
      else high = middle - 1
    }
    const segment = segments[low]
    if (segment !== undefined && segment.start <= start && start + size <= segment.end) {
      return { memory: segment.memory, offset: segment.offset + start - segment.start }
    }
    if (size === 0) return { memory: new ArrayBuffer(0), offset: 0 }
    throw this.from.malformed(`backing ${index} has no bytes ${start} to ${start + size}`)
  }
}

/** Size that the ArrayBuffer can have, or -1 if not all of it travels. */
function sizeMaxOf(backing: Backing): number {
  if (!backing.whole) return -1
  const memory = backing.memory as ArrayBuffer & { resizable?: boolean; maxByteLength?: number }
  return memory.resizable === true ? memory.maxByteLength! : memory.byteLength
}

/** Checks the one segment of a whole ArrayBuffer, and makes it one that can grow if it was. */
function wholeSegment(from: ByteReader, segments: readonly Segment[], sizeMax: number): Segment {
  const [segment] = segments
  if (
    segments.length !== 1 ||
    segment === undefined ||
    segment.start !== 0 ||
    sizeMax < segment.end
  ) {
    throw from.malformed('bad backing')
  }
  if (sizeMax === segment.end) return segment
  const memory = new (ArrayBuffer as ResizableConstructor)(segment.end, { maxByteLength: sizeMax })
  new Uint8Array(memory).set(new Uint8Array(segment.memory))
  return { ...segment, memory }
}

type ResizableConstructor = new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer

interface SegmentUse {
  readonly itemBytes: number
  readonly whole: boolean
  /** The bytes are part of the message, whose memory belongs to somebody else. */
  readonly copy: boolean
}

function segmentOf(start: number, bytes: Uint8Array, use: SegmentUse): Segment {
  const end = start + bytes.length
  const memory = bytes.buffer as ArrayBuffer
  const aligned = (bytes.byteOffset - start) % use.itemBytes === 0
  const exact = bytes.byteOffset === 0 && bytes.length === memory.byteLength
  if (!use.copy && aligned && (exact || !use.whole))
    return { start, end, memory, offset: bytes.byteOffset }
  // The copy begins as far from a multiple of 8 as the segment did, so that all views in it are
  // aligned again.
  const offset = start % 8
  const copy = new Uint8Array(offset + bytes.length)
  copy.set(bytes, offset)
  return { start, end, memory: copy.buffer, offset }
}
