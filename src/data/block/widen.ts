// One type for columns that differ in theirs: what `concat.ts` needs to put blocks together.

import { type Data, DataType, Float64, Int64, makeData, Timestamp, TimeUnit } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { columnOfVector, type DateFormat } from './column.js'
import { dataOfColumn } from './column-data.js'
import { emptyData, gatherData } from './gather.js'
import { dictionaryStrings } from './utf8.js'
import { makeVector } from 'apache-arrow'

/** A type that holds the values of both. */
export function widerType(a: DataType, b: DataType, column: string): DataType {
  if (typeKey(a) === typeKey(b) || DataType.isNull(b)) return a
  if (DataType.isNull(a)) return b
  const [plainA, plainB] = [withoutDictionary(a), withoutDictionary(b)]
  if (typeKey(plainA) === typeKey(plainB)) return plainA
  if (isNumeric(a) && isNumeric(b)) return widerNumber(a, b)
  if (isDay(a) && isDay(b)) return new Timestamp(finerUnit(a, b), zoneOf(a) ?? zoneOf(b))
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
  if (DataType.isDictionary(data.type)) return dictionaryStrings(data) ?? data
  if (isNumeric(type)) return castNumbers(data, type)
  const dates: DateFormat = data.nullCount > 0 ? 'date' : 'number'
  return dataOfColumn(column, columnOfVector(makeVector(data), dates), type)
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

function castNumbers(data: Data, type: DataType): Data {
  const { length, nullCount } = data
  const from = data.values as ArrayLike<number | bigint>
  const isWhole = DataType.isInt(type)
  const values = isWhole ? new BigInt64Array(length) : new Float64Array(length)
  if (DataType.isDecimal(data.type)) {
    const numbers = columnOfVector(makeVector(data)) as readonly (number | null)[]
    for (let i = 0; i < length; i++) values[i] = numbers[i] ?? 0
  } else {
    for (let i = 0; i < length; i++) {
      if (isWhole) values[i] = BigInt(from[i] ?? 0)
      else values[i] = Number(from[i] ?? 0)
    }
  }
  const nullBitmap = nullCount > 0 ? alignedBits(data) : null
  const parts = { type, length, nullCount, nullBitmap, data: values }
  return makeData(parts as unknown as Parameters<typeof makeData>[0])
}

function alignedBits(data: Data): Uint8Array {
  const bits = new Uint8Array((data.length + 7) >> 3)
  for (let i = 0; i < data.length; i++) {
    if (data.getValid(i)) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7))
  }
  return bits
}
