// Selected rows of a block, column by column, without a detour through rows: values of any Arrow
// type are moved as they lie in memory. An index of -1 makes a row of nulls, which is what outer
// joins need.

import { type Bool, type Data, DataType, type Field, makeData } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { assert } from '../../base/assert.js'
import { type Block, blockOfData, columnAt } from './block.js'
import {
  arrayTypeOf,
  blockOfDeferred,
  type DeferredColumn,
  type FixedValues,
} from './deferred-block.js'

/** Positions of rows; -1, in signed ones, is a row that is not there. */
export type RowIndices = Uint32Array | Int32Array

/** The rows at `indices`, in that order. */
export function gatherBlock(block: Block, indices: RowIndices): Block {
  const { fields } = block.schema
  const columns = dataOfBlock(block).map((data, i) => gatherData(data, indices, fields[i]?.name))
  return blockOfData(
    fields.map((field) => field.name),
    columns,
    indices.length,
  )
}

/** The same block, for a task that returns it: most columns are made where it is stored. */
export function deferGather(block: Block, indices: Uint32Array): Block {
  const { fields } = block.schema
  const columns = dataOfBlock(block).map((data, i) => {
    return deferredColumn(data, indices) ?? gatherData(data, indices, fields[i]?.name)
  })
  return blockOfDeferred(
    fields.map((field) => field.name),
    columns,
    indices.length,
  )
}

function deferredColumn(data: Data, indices: Uint32Array): DeferredColumn | undefined {
  if (!isFixed(data)) return undefined
  const { type, stride, dictionary } = data
  const fill = (target: FixedValues): void => {
    pickFixed(data.values as FixedValues, target, { rows: indices, stride })
  }
  return { type, length: indices.length, stride, dictionary, fill }
}

/** Whether all rows have a value, and each takes the same number of bytes. */
export function isFixed(data: Data): boolean {
  const { type, nullCount, length } = data
  if (length === 0 || nullCount > 0 || DataType.isNull(type) || DataType.isBool(type)) return false
  if (data.children.length > 0 || hasOffsets(data)) return false
  return (data.values as FixedValues).constructor === arrayTypeOf(type)
}

/** The columns of a block, each in one piece. */
export function dataOfBlock(block: Block): readonly Data[] {
  assert(block.batches.length <= 1, 'a block has several record batches')
  return block.schema.fields.map((field: Field, i) => {
    // The message of a block without rows has no batch.
    return columnAt(block, i).data[0] ?? emptyData(field.type)
  })
}

export function emptyData(type: DataType): Data {
  const children = ((type.children ?? []) as readonly Field[]).map((field) => emptyData(field.type))
  const nested = DataType.isStruct(type) ? { children } : { child: children[0] }
  return makeData({
    type,
    length: 0,
    ...(children.length > 0 && nested),
  } as unknown as Parts)
}

type Parts = Parameters<typeof makeData>[0]

/** The values at `indices`; `column` is for the message when its type cannot be moved. */
export function gatherData(data: Data, indices: RowIndices, column = ''): Data {
  const { type } = data
  const { length } = indices
  if (DataType.isNull(type)) return makeData({ type, length })
  const nulls = gatherNulls(data, indices)
  if (DataType.isBool(type)) {
    return makeData({ type, length, ...nulls, data: gatherBits(data as Data<Bool>, indices) })
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const { valueOffsets, elements } = gatherOffsets(data, indices)
    const child = data.children.map((each) => gatherData(each, elements, column))[0]
    return makeData({ type, length, ...nulls, valueOffsets, child } as unknown as Parts)
  }
  if (DataType.isStruct(type)) {
    const children = data.children.map((child) => gatherData(child, indices, column))
    return makeData({ type, length, ...nulls, children })
  }
  if (DataType.isFixedSizeList(type)) {
    const elements = elementsOfFixed(indices, type.listSize)
    const child = data.children.map((each) => gatherData(each, elements, column))[0]
    return makeData({ type, length, ...nulls, child } as unknown as Parts)
  }
  if (DataType.isUnion(type)) {
    throw new RayError(`Column "${column}" is a union, ${String(type)}, which cannot be moved.`, {
      fields: { column },
    })
  }
  if (hasOffsets(data)) return gatherBytes(data, indices, nulls)
  const values = gatherFixed(data.values as FixedValues, indices, data.stride)
  const dictionary = DataType.isDictionary(type) ? { dictionary: data.dictionary } : {}
  return makeData({ type, length, ...nulls, data: values, ...dictionary } as unknown as Parts)
}

/** The values of a dictionary column, each as often as it occurs. */
export function plainDictionary(data: Data): Data {
  const { dictionary, length, nullCount } = data
  const [values, ...others] = dictionary?.data ?? []
  assert(values !== undefined && others.length === 0, 'a dictionary is not in one piece')
  const codes = data.values as ArrayLike<number | bigint>
  const indices = Int32Array.from({ length }, (_, i) => {
    return nullCount > 0 && !data.getValid(i) ? -1 : Number(codes[i] ?? 0)
  })
  return gatherData(values, indices)
}

/** Null, and not undefined, in columns that came through a message. */
function hasOffsets(data: Data): boolean {
  const offsets: unknown = data.valueOffsets
  return offsets !== null && offsets !== undefined
}

interface Nulls {
  readonly nullCount: number
  readonly nullBitmap: Uint8Array | null
}

function gatherNulls(data: Data, indices: RowIndices): Nulls {
  const { nullCount, nullBitmap, offset } = data
  const isSigned = indices instanceof Int32Array
  if (nullCount === 0 && !(isSigned && indices.includes(-1))) {
    return { nullCount: 0, nullBitmap: null }
  }
  const bits = new Uint8Array((indices.length + 7) >> 3)
  let count = 0
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] ?? -1
    const at = offset + index
    const isValid = index >= 0 && (nullCount === 0 || ((nullBitmap[at >> 3] ?? 0) >> (at & 7)) & 1)
    if (isValid) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7))
    else count++
  }
  return { nullCount: count, nullBitmap: count === 0 ? null : bits }
}

function gatherBits(data: Data<Bool>, indices: RowIndices): Uint8Array {
  const from = data.values
  const bits = new Uint8Array((indices.length + 7) >> 3)
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] ?? -1
    if (index < 0) continue
    const at = data.offset + index
    const bit = ((from[at >> 3] ?? 0) >> (at & 7)) & 1
    bits[i >> 3] = (bits[i >> 3] ?? 0) | (bit << (i & 7))
  }
  return bits
}

/**
 * Values of a fixed width. Each common kind of array has a loop of its own: one loop for all of
 * them would be several times as slow, because it could not be compiled for any.
 */
function gatherFixed(values: FixedValues, rows: RowIndices, stride: number): FixedValues {
  const ArrayType = values.constructor as new (length: number) => FixedValues
  const picked = new ArrayType(rows.length * stride)
  pickFixed(values, picked, { rows, stride })
  return picked
}

interface Picks {
  readonly rows: RowIndices
  readonly stride: number
}

function pickFixed(values: FixedValues, picked: FixedValues, { rows, stride }: Picks): void {
  // As an unsigned number, -1 lies behind every array.
  const indices = new Uint32Array(rows.buffer, rows.byteOffset, rows.length)
  if (stride > 1) pickWide(values as Uint8Array, picked as Uint8Array, { indices, stride })
  else if (values instanceof Float64Array) pickDoubles(values, picked as Float64Array, indices)
  else if (values instanceof Int32Array) pickIntegers(values, picked as Int32Array, indices)
  else if (values instanceof BigInt64Array) pickBigints(values, picked as BigInt64Array, indices)
  else pickOthers(values, picked as Uint8Array, indices)
}

function pickDoubles(from: Float64Array, to: Float64Array, indices: Uint32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[indices[i] ?? 0] ?? 0
}

function pickIntegers(from: Int32Array, to: Int32Array, indices: Uint32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[indices[i] ?? 0] ?? 0
}

function pickBigints(from: BigInt64Array, to: BigInt64Array, indices: Uint32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[indices[i] ?? 0] ?? 0n
}

function pickOthers(from: Uint8Array, to: Uint8Array, indices: Uint32Array): void {
  // A bigint where the values are unsigned ones of 64 bits, which the types do not say.
  const none = ((from as unknown) instanceof BigUint64Array ? 0n : 0) as number
  for (let i = 0; i < to.length; i++) to[i] = from[indices[i] ?? 0] ?? none
}

interface WidePicks {
  readonly indices: Uint32Array
  readonly stride: number
}

function pickWide(from: Uint8Array, to: Uint8Array, { indices, stride }: WidePicks): void {
  for (let i = 0; i < indices.length; i++) {
    const at = stride * (indices[i] ?? 0)
    if (at >= from.length) continue
    for (let j = 0; j < stride; j++) to[stride * i + j] = from[at + j] ?? 0
  }
}

type Offsets = Int32Array | BigInt64Array

function gatherBytes(data: Data, indices: RowIndices, nulls: Nulls): Data {
  const offsets = data.valueOffsets as Offsets
  const bytes = data.values as Uint8Array
  const { length } = indices
  const isWide = offsets instanceof BigInt64Array
  const starts = isWide ? Float64Array.from(offsets, Number) : offsets
  let size = 0
  for (let i = 0; i < length; i++) {
    const index = indices[i] ?? -1
    if (index >= 0) size += (starts[index + 1] ?? 0) - (starts[index] ?? 0)
  }
  refuseTooLong(size, isWide)
  const valueOffsets = isWide ? new BigInt64Array(length + 1) : new Int32Array(length + 1)
  const target = new Uint8Array(size)
  let at = 0
  for (let i = 0; i < length; i++) {
    const index = indices[i] ?? -1
    const start = starts[index] ?? 0
    const end = index < 0 ? start : (starts[index + 1] ?? 0)
    // A call of `set` costs more than copying some ten bytes one by one.
    if (end - start > 24) {
      target.set(bytes.subarray(start, end), at)
      at += end - start
    } else {
      for (let j = start; j < end; j++) target[at++] = bytes[j] ?? 0
    }
    if (isWide) valueOffsets[i + 1] = BigInt(at)
    else valueOffsets[i + 1] = at
  }
  const parts = { type: data.type, length, ...nulls, valueOffsets, data: target }
  return makeData(parts as unknown as Parts)
}

function refuseTooLong(size: number, isWide: boolean): void {
  if (isWide || size < 2 ** 31) return
  throw new RayError(
    'A column of a block would have more than 2 GB of strings. Make the blocks smaller: ' +
      'repartition({ targetNumRowsPerBlock }).',
  )
}

function gatherOffsets(data: Data, indices: RowIndices) {
  const offsets = data.valueOffsets
  const valueOffsets = new Int32Array(indices.length + 1)
  let size = 0
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] ?? -1
    if (index >= 0) size += (offsets[index + 1] ?? 0) - (offsets[index] ?? 0)
    valueOffsets[i + 1] = size
  }
  const elements = new Int32Array(size)
  let at = 0
  for (const index of indices) {
    const end = index < 0 ? 0 : (offsets[index + 1] ?? 0)
    for (let j = index < 0 ? 0 : (offsets[index] ?? 0); j < end; j++) elements[at++] = j
  }
  return { valueOffsets, elements }
}

function elementsOfFixed(indices: RowIndices, size: number): Int32Array {
  const elements = new Int32Array(indices.length * size)
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] ?? -1
    for (let j = 0; j < size; j++) elements[i * size + j] = index < 0 ? -1 : index * size + j
  }
  return elements
}
