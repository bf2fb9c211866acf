// Columns as the engine takes them: no dictionaries, no bitmaps that begin in the middle of a byte,
// no types that it does not know but whose values it does.

import {
  Binary,
  type Data,
  DataType,
  Field,
  FixedSizeList,
  Float32,
  Int64,
  List,
  makeData,
  Map_ as MapType,
  Struct,
  Utf8,
} from 'apache-arrow'
import { type Block, blockOfData } from './block.js'
import { dataOfBlock, plainDictionary } from './gather.js'
import { dictionaryStrings } from './utf8.js'

/** The block as one batch of plain columns; columns that are plain already are not copied. */
export function plainBlock(block: Block): Block {
  return blockOfData(
    block.schema.fields.map((field) => field.name),
    dataOfBlock(block).map(plainData),
    block.numRows,
  )
}

/** The column without dictionaries and offsets. */
function plainData(data: Data): Data {
  if (DataType.isDictionary(data.type)) return dictionaryStrings(data) ?? plainDictionary(data)
  const aligned = data.offset === 0 ? data : alignData(data)
  if (DataType.isNull(data.type)) return nullStrings(data.length)
  if (DataType.isFixedSizeBinary(data.type)) return binaryOfFixed(aligned)
  if (DataType.isFloat(data.type) && data.type.precision === 0) return float32OfHalf(aligned)
  if (DataType.isDuration(data.type)) return integersOf(aligned)
  return data.children.length === 0 ? aligned : plainNested(aligned)
}

/** The engine has no column without a type; one in which every value is null may be of strings. */
function nullStrings(length: number): Data {
  const valueOffsets = new Int32Array(length + 1)
  const nullBitmap = new Uint8Array((length + 7) >> 3)
  const data = new Uint8Array(0)
  return makeData({ type: new Utf8(), length, nullCount: length, nullBitmap, valueOffsets, data })
}

/** The same values with bitmaps that begin at the first bit. Values are sliced already. */
function alignData(data: Data): Data {
  const { type, length, offset, nullCount } = data
  const nullBitmap = nullCount > 0 ? shiftBits(data.nullBitmap, offset, length) : null
  const values = data.values as Uint8Array | undefined
  const isBool = DataType.isBool(type) && values !== undefined
  const { valueOffsets } = data
  return makeData({
    type,
    length,
    nullCount,
    nullBitmap,
    data: isBool ? shiftBits(values, offset, length) : values,
    ...offsetsPart(valueOffsets),
    ...childrenPart(type, data.children),
  } as unknown as Parameters<typeof makeData>[0])
}

/** Null, and not undefined, in columns that came through a message. */
function offsetsPart(valueOffsets: unknown): object {
  return valueOffsets === null || valueOffsets === undefined ? {} : { valueOffsets }
}

function childrenPart(type: DataType, children: readonly Data[]): object {
  return DataType.isStruct(type) ? { children: [...children] } : { child: children[0] }
}

function shiftBits(bits: Uint8Array | null, offset: number, length: number): Uint8Array {
  const shifted = new Uint8Array((length + 7) >> 3)
  if (bits === null) return shifted.fill(255)
  for (let i = 0; i < length; i++) {
    const at = offset + i
    const bit = ((bits[at >> 3] ?? 0) >> (at & 7)) & 1
    shifted[i >> 3] = (shifted[i >> 3] ?? 0) | (bit << (i & 7))
  }
  return shifted
}

function plainNested(data: Data): Data {
  const children = data.children.map(plainData)
  if (children.every((child, i) => child === data.children[i])) return data
  const fields = (data.type.children as readonly Field[]).map((field, i) => {
    return new Field(field.name, children[i]?.type ?? field.type, true)
  })
  const { length, nullCount, nullBitmap, valueOffsets } = data
  const type = nestedType(data.type, fields)
  return makeData({
    type,
    length,
    nullCount,
    nullBitmap: nullCount > 0 ? nullBitmap : null,
    ...offsetsPart(valueOffsets),
    ...childrenPart(type, children),
  } as unknown as Parameters<typeof makeData>[0])
}

function nestedType(type: DataType, fields: readonly Field[]): DataType {
  const [first = new Field('item', new Utf8(), true)] = fields
  if (DataType.isStruct(type)) return new Struct([...fields])
  if (DataType.isMap(type)) return new MapType(first)
  if (DataType.isFixedSizeList(type)) return new FixedSizeList(type.listSize, first)
  return new List(first)
}

function binaryOfFixed(data: Data): Data {
  const width = DataType.isFixedSizeBinary(data.type) ? data.type.byteWidth : 0
  const { length, nullCount, nullBitmap } = data
  const valueOffsets = Int32Array.from({ length: length + 1 }, (_, i) => i * width)
  const values = (data.values as Uint8Array).subarray(0, length * width)
  const bits = nullCount > 0 ? nullBitmap : null
  const type = new Binary()
  return makeData({ type, length, nullCount, nullBitmap: bits, valueOffsets, data: values })
}

/** Durations are numbers of their unit. */
function integersOf(data: Data): Data {
  const { length, nullCount, nullBitmap } = data
  const bits = nullCount > 0 ? nullBitmap : null
  const values = data.values as BigInt64Array
  return makeData({ type: new Int64(), length, nullCount, nullBitmap: bits, data: values })
}

function float32OfHalf(data: Data): Data {
  const { length, nullCount, nullBitmap } = data
  const halves = data.values as Uint16Array
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) values[i] = numberOfHalf(halves[i] ?? 0)
  const bits = nullCount > 0 ? nullBitmap : null
  return makeData({ type: new Float32(), length, nullCount, nullBitmap: bits, data: values })
}

function numberOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024)
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
}
