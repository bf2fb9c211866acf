// Several blocks as one, column by column: typed arrays are copied end to end, dictionaries merged.
//
// Blocks of one dataset may differ in their types, because JavaScript decides them block by block:
// a column may be all null in one block, plain strings in another and a dictionary in a third, or
// integers here and doubles there. Such types are widened; others are refused, by name.

import { type Data, DataType, makeData, Table } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfData } from './block.js'
import { dictionaryOfData, joinTypedArrays } from './column.js'
import { dataOfBlock, emptyData, gatherData } from './gather.js'
import { dictionaryData, encodeStrings } from './utf8.js'
import { castData, widerType } from './widen.js'

/** More distinct strings than this, and a merged dictionary is written out. */
export const distinctMax = 65_536

/**
 * All rows, in order; a column that some blocks lack is null there. Blocks without rows decide on
 * types only where there are no others, or `isMixed` says so.
 */
export function concatBlocks(
  blocks: readonly Block[],
  { isMixed = false }: { readonly isMixed?: boolean | undefined } = {},
): Block {
  const full = blocks.filter((block) => isMixed || block.numRows > 0)
  const [only] = full
  if (full.length === 1 && only !== undefined && only.batches.length === 1) return only
  const taken = full.length === 0 ? blocks : full
  const names = [...new Set(taken.flatMap((b) => b.schema.fields.map((field) => field.name)))]
  const rows = taken.reduce((sum, block) => sum + block.numRows, 0)
  const parts = taken.map((block) => {
    const data = dataOfBlock(block)
    const byName = new Map(block.schema.fields.map((field, i) => [field.name, data[i]]))
    return { rows: block.numRows, byName }
  })
  const columns = names.map((name) => {
    const known = parts.flatMap(({ byName }) => byName.get(name) ?? [])
    const type = known.map((data) => data.type).reduce((a, b) => widerType(a, b, name))
    const all = parts.map(({ rows, byName }) => byName.get(name) ?? nullsOf(type, rows))
    return concatData(all.map((data) => castData(data, type, name)))
  })
  return blockOfData(names, columns, rows)
}

/** The same rows as one record batch. */
export function toOneBatch(table: Table): Block {
  if (table.batches.length === 1) {
    // One of the user's is of another copy of the library, and is made one of ours.
    return Object.getPrototypeOf(table) === Table.prototype ? table : new Table(table.batches)
  }
  return concatBlocks(table.batches.map((batch) => new Table([batch])))
}

/** A column without a single value. */
export function nullsOf(type: DataType, rows: number): Data {
  return gatherData(emptyData(type), new Int32Array(rows).fill(-1))
}

type Parts = Parameters<typeof makeData>[0]

/** Columns of one type, end to end. */
function concatData(parts: readonly Data[]): Data {
  const [first] = parts
  if (first === undefined) throw new RayError('There are no columns to put together.')
  if (parts.length === 1) return first
  const { type } = first
  const length = parts.reduce((sum, data) => sum + data.length, 0)
  if (DataType.isNull(type)) return makeData({ type, length })
  if (DataType.isDictionary(type)) return concatDictionaries(parts)
  const nulls = concatNulls(parts, length)
  if (DataType.isBool(type)) {
    const data = new Uint8Array((length + 7) >> 3)
    eachPart(parts, (part, at) => {
      copyBits(
        { from: part.values as Uint8Array, offset: part.offset, count: part.length },
        data,
        at,
      )
    })
    return makeData({ type, length, ...nulls, data })
  }
  if (DataType.isStruct(type)) {
    const children = first.children.map((_, i) => concatData(parts.map((p) => childAt(p, i))))
    return makeData({ type, length, ...nulls, children })
  }
  if (DataType.isFixedSizeList(type)) {
    const child = concatData(parts.map((part) => childAt(part, 0)))
    return makeData({ type, length, ...nulls, child } as unknown as Parts)
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const child = concatData(parts.map(elementsOf))
    const valueOffsets = concatOffsets(parts, length)
    return makeData({ type, length, ...nulls, valueOffsets, child } as unknown as Parts)
  }
  if (hasOffsets(first)) {
    const valueOffsets = concatOffsets(parts, length)
    const data = joinTypedArrays(parts.map(bytesOf))
    return makeData({ type, length, ...nulls, valueOffsets, data } as unknown as Parts)
  }
  const data = joinTypedArrays(parts.map(fixedValues))
  return makeData({ type, length, ...nulls, data } as unknown as Parts)
}

/** Null, and not undefined, in columns that came through a message. */
function hasOffsets(data: Data): boolean {
  const offsets: unknown = data.valueOffsets
  return offsets !== null && offsets !== undefined
}

function childAt(data: Data, index: number): Data {
  const child = data.children[index]
  if (child === undefined) throw new RayError(`A ${String(data.type)} has no child ${index}.`)
  const each = DataType.isFixedSizeList(data.type) ? data.type.listSize : 1
  // Buffers that came through a message may be longer than the column.
  return child.length === data.length * each ? child : child.slice(0, data.length * each)
}

/** The values of a column, without the padding that messages add. */
function fixedValues(data: Data): Float64Array {
  return (data.values as Float64Array).subarray(0, data.length * data.stride)
}

type Offsets = Int32Array | BigInt64Array

function rangeOf(data: Data): { start: number; end: number } {
  const offsets = data.valueOffsets as Offsets
  const start = Number(offsets[0] ?? 0)
  return { start, end: data.length === 0 ? start : Number(offsets[data.length] ?? start) }
}

function elementsOf(data: Data): Data {
  const { start, end } = rangeOf(data)
  const [child] = data.children
  if (child === undefined) throw new RayError(`A ${String(data.type)} has no child.`)
  return child.slice(start, end - start)
}

function bytesOf(data: Data): Uint8Array {
  const { start, end } = rangeOf(data)
  return (data.values as Uint8Array).subarray(start, end)
}

function concatOffsets(parts: readonly Data[], length: number): Offsets {
  const isWide = parts[0]?.valueOffsets instanceof BigInt64Array
  const joined = isWide ? new BigInt64Array(length + 1) : new Int32Array(length + 1)
  let base = 0
  eachPart(parts, (part, at) => {
    const { start, end } = rangeOf(part)
    const offsets = part.valueOffsets as Offsets
    for (let i = 1; i <= part.length; i++) {
      const value = Number(offsets[i] ?? 0) - start + base
      if (isWide) joined[at + i] = BigInt(value)
      else joined[at + i] = value
    }
    base += end - start
  })
  if (!isWide && base >= 2 ** 31) {
    throw new RayError(
      'A column of a block would have more than 2 GB of strings. Make the blocks smaller: ' +
        'repartition({ targetNumRowsPerBlock }).',
    )
  }
  return joined
}

function concatNulls(parts: readonly Data[], length: number) {
  const nullCount = parts.reduce((sum, data) => sum + data.nullCount, 0)
  if (nullCount === 0) return { nullCount, nullBitmap: null }
  const nullBitmap = new Uint8Array((length + 7) >> 3)
  eachPart(parts, (part, at) => {
    const from = part.nullCount === 0 ? undefined : part.nullBitmap
    copyBits({ from, offset: part.offset, count: part.length }, nullBitmap, at)
  })
  return { nullCount, nullBitmap }
}

function eachPart(parts: readonly Data[], body: (part: Data, at: number) => void): void {
  let at = 0
  for (const part of parts) {
    body(part, at)
    at += part.length
  }
}

interface Bits {
  /** Undefined where all bits are set. */
  readonly from: Uint8Array | undefined
  readonly offset: number
  readonly count: number
}

function copyBits({ from, offset, count }: Bits, to: Uint8Array, at: number): void {
  let i = 0
  if ((at & 7) === 0 && (offset & 7) === 0) {
    const bytes = count >> 3
    if (from === undefined) to.fill(255, at >> 3, (at >> 3) + bytes)
    else to.set(from.subarray(offset >> 3, (offset >> 3) + bytes), at >> 3)
    i = bytes << 3
  }
  for (; i < count; i++) {
    const source = offset + i
    const bit = from === undefined ? 1 : ((from[source >> 3] ?? 0) >> (source & 7)) & 1
    const target = at + i
    to[target >> 3] = (to[target >> 3] ?? 0) | (bit << (target & 7))
  }
}

/** Dictionaries of strings as one; plain strings where there are too many. */
function concatDictionaries(parts: readonly Data[]): Data {
  const length = parts.reduce((sum, data) => sum + data.length, 0)
  const codes = new Int32Array(length)
  const known = new Map<string, number>()
  eachPart(parts, (part, at) => {
    const column = dictionaryOfData(part)
    if (column === undefined) {
      throw new RayError(`Dictionaries of ${String(part.type)} cannot be put together.`)
    }
    const renumbered = Int32Array.from(column.values, (text) => {
      const code = known.get(text) ?? known.size
      known.set(text, code)
      return code
    })
    renumber(column.codes, renumbered, codes.subarray(at, at + part.length))
  })
  const values = encodeStrings([...known.keys()])
  const merged = dictionaryData({ indices: codes, values, ...concatNulls(parts, length) })
  return known.size > distinctMax ? castData(merged, merged.type.dictionary, '') : merged
}

/** Rows without a value may have any code: their bits say what they are. */
function renumber(from: Int32Array, codes: Int32Array, to: Int32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = codes[from[i] ?? 0] ?? 0
}
