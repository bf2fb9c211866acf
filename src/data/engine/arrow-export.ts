// Arrow arrays in DuckDB's memory as one column.
//
// DuckDB makes an Arrow array of each chunk of a result. The arrays of all chunks are copied once,
// end to end, into one buffer per column, so that a column is a plain typed array. Offsets of
// strings are rebased and bitmaps shifted on the way; everything else is memcpy.

import { type Data, DataType, type Field, makeData, Null } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { duckdbLibrary, type Pointer } from './duckdb-library.js'
import { copyFromNative, pointerBox, readPointer, readWords } from './native-memory.js'

/** One column of one chunk, in DuckDB's memory. */
export interface Piece {
  readonly rows: number
  readonly nullCount: number
  /** Validity, then values; or validity, offsets, then bytes; or validity and offsets of a list. */
  readonly buffers: Float64Array
  /** The ArrowArrays of list items and struct members. */
  readonly children: Float64Array
}

export function throwArrowError(error: unknown): void {
  const pointer = Number(error)
  if (pointer === 0) return
  const { call } = duckdbLibrary()
  const message = String(call.errorMessage(pointer))
  call.destroyError(pointerBox(pointer))
  throw new RayError(`DuckDB: ${message}`)
}

export function childAt(array: Buffer, index: number): Pointer {
  return readWords(readPointer(array, 48) + 8 * index, 1)[0] ?? 0
}

export function readPiece(array: Pointer): Piece {
  const [rows = 0, nullCount = 0, , bufferCount = 0, childCount = 0, buffers = 0, children = 0] =
    readWords(array, 7)
  return {
    rows,
    nullCount,
    buffers: readWords(buffers, bufferCount),
    children: readWords(children, childCount),
  }
}

export function joinPieces(type: DataType, pieces: readonly Piece[]): Data {
  const length = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  if (DataType.isNull(type)) return makeData({ type, length })
  const nullCount = pieces.reduce((sum, piece) => sum + Math.max(0, piece.nullCount), 0)
  const nullBitmap = nullCount > 0 ? joinBits(pieces, length, 0) : null
  const buffers = buffersOf(type, pieces, length)
  const parts = { type, length, nullCount, nullBitmap, ...buffers }
  return makeData(parts as unknown as Parameters<typeof makeData>[0])
}

/** What differs between types: values, offsets, children. */
function buffersOf(type: DataType, pieces: readonly Piece[], length: number): object {
  if (DataType.isUtf8(type) || DataType.isBinary(type)) return joinBytes(pieces, length)
  if (DataType.isBool(type)) return { data: joinBits(pieces, length, 1) }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const [child = joinPieces(new Null(), [])] = joinChildren(type, pieces)
    return { valueOffsets: joinOffsets(pieces, length, itemCounts(pieces)), child }
  }
  if (DataType.isFixedSizeList(type)) {
    return { child: joinChildren(type, pieces)[0] }
  }
  if (DataType.isStruct(type)) return { children: joinChildren(type, pieces) }
  return { data: joinFixed(type, pieces, length) }
}

function joinChildren(type: DataType, pieces: readonly Piece[]): readonly Data[] {
  const fields = (type.children ?? []) as readonly Field[]
  return fields.map((field, i) => {
    const items = pieces.map((piece) => readPiece(piece.children[i] ?? 0))
    return joinPieces(field.type, items)
  })
}

/** The number of list items that each piece has. */
function itemCounts(pieces: readonly Piece[]): readonly number[] {
  return pieces.map((piece) => readWords(piece.children[0] ?? 0, 1)[0] ?? 0)
}

/** Joins the offsets of pieces whose values have `sizes`; each piece begins where one ended. */
function joinOffsets(
  pieces: readonly Piece[],
  length: number,
  sizes: readonly number[],
): Int32Array {
  const joined = new Int32Array(length + 1)
  let row = 0
  let begin = 0
  for (const [index, { rows, buffers }] of pieces.entries()) {
    const offsets = joined.subarray(row, row + rows + 1)
    const bytes = new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength)
    copyFromNative(bytes, buffers[1] ?? 0)
    if (begin > 0) for (let i = 0; i <= rows; i++) offsets[i] = (offsets[i] ?? 0) + begin
    row += rows
    begin += sizes[index] ?? 0
  }
  return joined
}

/** The number of bytes that the strings of a piece take: its last offset. */
function byteCount({ rows, buffers }: Piece): number {
  const last = new Int32Array(1)
  if (rows > 0) copyFromNative(new Uint8Array(last.buffer), (buffers[1] ?? 0) + 4 * rows)
  return last[0] ?? 0
}

/** The number of array elements that one value of `type` takes: more than one for decimals. */
function strideOf(type: DataType): number {
  return DataType.isDecimal(type) ? type.bitWidth / 32 : 1
}

function joinFixed(type: DataType, pieces: readonly Piece[], length: number): ArrayBufferView {
  const ArrayType = type.ArrayType as new (length: number) => Uint8Array
  const values = new ArrayType(length * strideOf(type))
  const bytes = new Uint8Array(values.buffer)
  const width = length === 0 ? 0 : bytes.byteLength / length
  let at = 0
  for (const { rows, buffers } of pieces) {
    copyFromNative(bytes.subarray(at, at + rows * width), buffers[1] ?? 0)
    at += rows * width
  }
  return values
}

function joinBytes(pieces: readonly Piece[], length: number) {
  const sizes = pieces.map(byteCount)
  const data = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  for (const [index, piece] of pieces.entries()) {
    const size = sizes[index] ?? 0
    copyFromNative(data.subarray(at, at + size), piece.buffers[2] ?? 0)
    at += size
  }
  return { valueOffsets: joinOffsets(pieces, length, sizes), data }
}

/** Joins bitmaps; a piece without one has all its bits set. */
function joinBits(pieces: readonly Piece[], length: number, buffer: 0 | 1): Uint8Array {
  const bits = new Uint8Array((length + 7) >> 3)
  let at = 0
  for (const { rows, buffers } of pieces) {
    const piece = new Uint8Array((rows + 7) >> 3).fill(255)
    const source = buffers[buffer] ?? 0
    if (source !== 0) copyFromNative(piece, source)
    appendBits(bits, at, { bits: piece, count: rows })
    at += rows
  }
  return bits
}

function appendBits(
  target: Uint8Array,
  at: number,
  source: { readonly bits: Uint8Array; readonly count: number },
): void {
  if ((at & 7) === 0 && (source.count & 7) === 0) {
    target.set(source.bits, at >> 3)
    return
  }
  for (let i = 0; i < source.count; i++) {
    const bit = ((source.bits[i >> 3] ?? 0) >> (i & 7)) & 1
    const j = at + i
    target[j >> 3] = (target[j >> 3] ?? 0) | (bit << (j & 7))
  }
}
