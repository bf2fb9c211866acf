// One type for columns that differ in theirs: what `concat.ts` needs to put blocks together.

import {
  Binary,
  type Data,
  DataType,
  Field,
  Float64,
  Int64,
  List,
  makeData,
  Struct,
  Timestamp,
  TimeUnit,
  Utf8,
} from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { columnOfVector } from './column.js'
import { dataOfColumn } from './column-data.js'
import { emptyData, gatherData, plainDictionary } from './gather.js'
import { dictionaryStrings } from './utf8.js'
import { makeVector } from 'apache-arrow'

/** A type that holds the values of both. */
export function widerType(a: DataType, b: DataType, column: string): DataType {
  if (DataType.isDictionary(a) && !DataType.isUtf8(a.dictionary))
    return widerType(a.dictionary, b, column)
  if (typeKey(a) === typeKey(b) || DataType.isNull(b)) return a
  if (DataType.isNull(a)) return b
  const [plainA, plainB] = [withoutDictionary(a), withoutDictionary(b)]
  if (typeKey(plainA) === typeKey(plainB)) return plainA
  if (isNumeric(a) && isNumeric(b)) return widerNumber(a, b)
  if (isDay(a) && isDay(b)) return new Timestamp(finerUnit(a, b), zoneOf(a) ?? zoneOf(b))
  if (isBytes(a) && isBytes(b)) return new Binary()
  if (isText(plainA) && isText(plainB)) return new Utf8()
  const items = widerItems(a, b, column)
  if (items !== undefined) return new List(new Field('item', items, true))
  const fields = widerFields(a, b, column)
  if (fields !== undefined) return new Struct(fields)
  throw new RayError(
    `Column "${column}" is ${String(plainA)} in one block and ${String(plainB)} in another. ` +
      'Convert it to one type in the function that makes it, or with cast().',
    { fields: { column } },
  )
}

/** The same values as another type, which `widerType` gave. */
export function castData(data: Data, type: DataType, column: string): Data {
  if (typeKey(data.type) === typeKey(type)) return data
  if (DataType.isNull(data.type)) {
    return gatherData(emptyData(type), new Int32Array(data.length).fill(-1))
  }
  if (DataType.isDictionary(data.type)) return dictionaryStrings(data) ?? plainDictionary(data)
  if (isNumeric(type)) return castNumbers(data, type, column)
  if (DataType.isTimestamp(type)) return castTimes(data, type)
  if (DataType.isList(type) && DataType.isList(data.type)) {
    return castChildren(data, type, column)
  }
  if (DataType.isStruct(type)) return castChildren(data, type, column)
  return dataOfColumn(column, columnOfVector(makeVector(data)), type)
}

/** The same lists or structs with their items or fields as another type. */
function castChildren(data: Data, type: DataType, column: string): Data {
  const { length, nullCount, valueOffsets } = data
  const children = ((type.children ?? []) as readonly Field[]).map((field, i) => {
    const child = data.children[i]
    if (child === undefined) throw new RayError(`A ${String(data.type)} has no child ${i}.`)
    return castData(child, field.type, `${column}.${field.name}`)
  })
  const nullBitmap = nullCount > 0 ? alignedBits(data) : null
  const parts = { type, length, nullCount, nullBitmap }
  const inner = DataType.isList(type) ? { valueOffsets, child: children[0] } : { children }
  return makeData({ ...parts, ...inner } as unknown as Parameters<typeof makeData>[0])
}

/** Equal for types that are stored alike. */
function typeKey(type: DataType): string {
  return DataType.isDictionary(type) ? `dictionary ${String(type.dictionary)}` : fullName(type)
}

/** Unlike String(type), with the names of fields and with time zones. */
function fullName(type: DataType): string {
  const children = (type.children ?? []) as readonly { name: string; type: DataType }[]
  const zone = DataType.isTimestamp(type) ? (type.timezone ?? '') : ''
  const inner = children.map((child) => `${child.name}:${fullName(child.type)}`)
  return `${String(type)}${zone}(${inner.join()})`
}

function withoutDictionary(type: DataType): DataType {
  return DataType.isDictionary(type) ? type.dictionary : type
}

function isBytes(type: DataType): boolean {
  return DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isFixedSizeBinary(type)
}

function isText(type: DataType): boolean {
  return DataType.isUtf8(type) || DataType.isLargeUtf8(type)
}

/** The type of items of two kinds of lists; undefined if one is no list. */
function widerItems(a: DataType, b: DataType, column: string): DataType | undefined {
  const [itemA, itemB] = [a, b].map((type) => {
    const isList = DataType.isList(type) || DataType.isFixedSizeList(type)
    return isList ? (type.children as readonly Field[])[0]?.type : undefined
  })
  if (itemA === undefined || itemB === undefined) return undefined
  return widerType(itemA, itemB, `${column}[]`)
}

/** The fields of two structs that have the same names in one order; undefined of anything else. */
function widerFields(a: DataType, b: DataType, column: string): Field[] | undefined {
  if (!DataType.isStruct(a) || !DataType.isStruct(b)) return undefined
  const [ofA, ofB] = [a.children as readonly Field[], b.children as readonly Field[]]
  if (ofA.map(({ name }) => name).join('\0') !== ofB.map(({ name }) => name).join('\0')) {
    return undefined
  }
  return ofA.map(({ name, type }, i) => {
    const other = ofB[i]?.type ?? type
    return new Field(name, widerType(type, other, `${column}.${name}`), true)
  })
}

function isNumeric(type: DataType): boolean {
  return DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type)
}

function isDay(type: DataType): boolean {
  return DataType.isTimestamp(type) || DataType.isDate(type)
}

function widerNumber(a: DataType, b: DataType): DataType {
  const areWhole = DataType.isInt(a) && DataType.isInt(b)
  return areWhole && (a.bitWidth === 64 || b.bitWidth === 64) ? new Int64() : new Float64()
}

function finerUnit(a: DataType, b: DataType): TimeUnit {
  const units = [a, b].map((type) => (DataType.isTimestamp(type) ? type.unit : TimeUnit.SECOND))
  return Math.max(...units, TimeUnit.MILLISECOND)
}

function zoneOf(type: DataType): string | null {
  return DataType.isTimestamp(type) ? (type.timezone ?? null) : null
}

function castNumbers(data: Data, type: DataType, column: string): Data {
  const isWhole = DataType.isInt(type)
  const values = isWhole ? new BigInt64Array(data.length) : new Float64Array(data.length)
  const isStored = !DataType.isDecimal(data.type) && !isHalf(data.type)
  const from = (isStored ? data.values : columnOfVector(makeVector(data))) as ArrayLike<
    number | bigint | null
  >
  for (let i = 0; i < values.length; i++) {
    const value = from[i] ?? 0
    if (isWhole) values[i] = BigInt(value)
    else values[i] = Number(value)
    if (isWhole && values[i] !== BigInt(value)) throw tooLarge(value, column)
  }
  return fixedData(data, type, values)
}

function isHalf(type: DataType): boolean {
  return DataType.isFloat(type) && type.precision === 0
}

function tooLarge(value: number | bigint, column: string): RayError {
  return new RayError(
    `Column "${column}" has signed integers in one block and ${value} in another, which is too ` +
      'large for them. Convert it to one type with cast().',
    { fields: { column } },
  )
}

/** Times of a finer unit, exactly. */
function castTimes(data: Data, type: Timestamp): Data {
  const factor = perSecond(type) / perSecond(data.type)
  const from = data.values as ArrayLike<number | bigint>
  const values = new BigInt64Array(data.length)
  const isDays = factor > 1e9
  const days = BigInt(perSecond(type)) * 86_400n
  for (let i = 0; i < values.length; i++) {
    values[i] = BigInt(from[i] ?? 0) * (isDays ? days : BigInt(factor))
  }
  return fixedData(data, type, values)
}

/** Units per second of a time; next to none of a day. */
function perSecond(type: DataType): number {
  if (DataType.isTimestamp(type)) return [1, 1e3, 1e6, 1e9][type.unit] ?? 1
  return DataType.isDate(type) && type.unit === 0 ? 1e-10 : 1e3
}

function fixedData(like: Data, type: DataType, data: BigInt64Array | Float64Array): Data {
  const { length, nullCount } = like
  const nullBitmap = nullCount > 0 ? alignedBits(like) : null
  const parts = { type, length, nullCount, nullBitmap, data }
  return makeData(parts as unknown as Parameters<typeof makeData>[0])
}

function alignedBits(data: Data): Uint8Array {
  const bits = new Uint8Array((data.length + 7) >> 3)
  for (let i = 0; i < data.length; i++) {
    if (data.getValid(i)) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7))
  }
  return bits
}
