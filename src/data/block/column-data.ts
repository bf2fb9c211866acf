// JavaScript columns back to Arrow.
//
// The type of a typed array is its own. The type of an array is found in its values, with the
// column of the same name that came in as a hint: microsecond timestamps stay microsecond
// timestamps, and int32 stays int32 while every value fits. Strings become a dictionary when they
// repeat.

import {
  Bool,
  type Data,
  DataType,
  Float64,
  Int64,
  makeData,
  Null,
  Timestamp,
  TimeUnit,
  Uint64,
  vectorFromArray,
} from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Column, unitsPerMillisecond } from './column.js'
import { DictionaryColumn, tryDictionaryEncode } from './dictionary-column.js'
import { nestedData, tensorData } from './nested-data.js'
import { containingItself, containsItself, noCommonType, SelfContainedError } from './odd-values.js'
import { fixedData, typeOfArray } from './number-data.js'
import { TensorColumn } from './tensor.js'
import { encodeDictionary, encodeStrings, NullBits } from './utf8.js'

/** Builds the Arrow column of `name`; `hint` is the type that the column had before. */
export function dataOfColumn(name: string, column: Column, hint?: DataType): Data {
  if (column instanceof DictionaryColumn) return encodeDictionary(column)
  if (column instanceof TensorColumn) return tensorData(column.data, column.shape)
  if (ArrayBuffer.isView(column)) return dataOfTypedArray(column, hint)
  if (Array.isArray(column)) return dataOfArray(name, column, hint)
  throw new RayError(
    `Column "${name}" must be an array, a typed array, a DictionaryColumn or a TensorColumn, ` +
      `and is ${column === null ? 'null' : typeof column}.`,
    { fields: { column: name } },
  )
}

function dataOfTypedArray(values: ArrayBufferView & ArrayLike<unknown>, hint?: DataType): Data {
  const length = values.length
  // Only a batch that was given timestamps as numbers comes with a timestamp as the hint of
  // numbers.
  if (values instanceof Float64Array && hint !== undefined && isDate(hint)) {
    return dataOfMilliseconds(values, hint)
  }
  const type = hint !== undefined && isStoredAs(hint, values) ? hint : typeOfArray(values)
  return fixedData({ type, length, data: values, nullCount: 0, nullBitmap: null })
}

function isDate(type: DataType): boolean {
  return DataType.isTimestamp(type) || DataType.isDate(type)
}

function isStoredAs(type: DataType, values: ArrayBufferView): boolean {
  const isAlias = isDate(type) || DataType.isTime(type)
  return isAlias && values instanceof (type.ArrayType as abstract new () => ArrayBufferView)
}

function dataOfArray(name: string, values: readonly unknown[], hint?: DataType): Data {
  const first = values.find((value) => value !== null && value !== undefined)
  switch (typeof first) {
    case 'undefined':
      return dataOfNulls(values, hint)
    case 'number':
      return dataOfNumbers(name, values, hint)
    case 'bigint':
      return dataOfBigints(name, values, hint)
    case 'boolean':
      return dataOfBooleans(name, values)
    case 'string':
      return dataOfStrings(name, values)
    default:
      if (first instanceof Date) return dataOfDates(name, values, hint)
      return dataOfNested(name, values, hint)
  }
}

/** A column without a single value keeps the type it had, so that blocks of one dataset agree. */
function dataOfNulls(values: readonly unknown[], hint?: DataType): Data {
  const length = values.length
  if (hint === undefined || (hint.children ?? []).length > 0)
    return makeData({ type: new Null(), length })
  if (DataType.isUtf8(hint) || DataType.isDictionary(hint)) return encodeStrings(values)
  return vectorFromArray([...values], hint).data[0] ?? makeData({ type: new Null(), length })
}

function dataOfNumbers(name: string, values: readonly unknown[], hint?: DataType): Data {
  const length = values.length
  const nulls = new NullBits(length)
  const numbers = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const value = values[i]
    if (typeof value === 'number') numbers[i] = value
    else if (value === null || value === undefined) nulls.add(i)
    else throw mixed(name, i, value)
  }
  const kept = hint !== undefined && isNumeric(hint) ? narrowed(numbers, hint) : undefined
  const { type, data } = kept ?? { type: new Float64(), data: numbers }
  return fixedData({ type, length, data, ...nulls.result() })
}

function isNumeric(type: DataType): boolean {
  if (DataType.isInt(type) || DataType.isTime(type)) return type.bitWidth <= 32
  return DataType.isFloat(type) && type.precision === 1
}

function narrowed(numbers: Float64Array, type: DataType) {
  const data = (type.ArrayType as { from(values: Float64Array): Int32Array }).from(numbers)
  if (DataType.isFloat(type)) return { type, data }
  for (let i = 0; i < data.length; i++) if (data[i] !== numbers[i]) return undefined
  return { type, data }
}

/** Signed integers, or unsigned ones where they were that before or are too large otherwise. */
function dataOfBigints(name: string, values: readonly unknown[], hint?: DataType): Data {
  const length = values.length
  const isUnsigned = hint !== undefined && DataType.isInt(hint) && !hint.isSigned
  const isTime = hint !== undefined && (DataType.isDuration(hint) || DataType.isTime(hint))
  const signed = { type: isTime ? hint : new Int64(), data: new BigInt64Array(length) }
  const unsigned = { type: new Uint64(), data: new BigUint64Array(length) }
  let misfit = 0
  for (const { type, data } of isUnsigned ? [unsigned, signed] : [signed, unsigned]) {
    const nulls = new NullBits(length)
    misfit = -1
    for (let i = 0; i < length && misfit < 0; i++) {
      const value = values[i]
      if (typeof value === 'bigint') {
        data[i] = value
        if (data[i] !== value) misfit = i
      } else if (value === null || value === undefined) nulls.add(i)
      else throw mixed(name, i, value)
    }
    if (misfit < 0) return fixedData({ type, length, data, ...nulls.result() })
  }
  throw new RayError(
    `The integers of column "${name}" do not fit into 64 bits: row ${misfit} is ` +
      `${String(values[misfit])}. Make them numbers, or text.`,
    { fields: { column: name, row: misfit } },
  )
}

function dataOfBooleans(name: string, values: readonly unknown[]): Data {
  const length = values.length
  const nulls = new NullBits(length)
  const data = new Uint8Array((length + 7) >> 3)
  for (let i = 0; i < length; i++) {
    const value = values[i]
    if (value === true) data[i >> 3] = (data[i >> 3] ?? 0) | (1 << (i & 7))
    else if (value === null || value === undefined) nulls.add(i)
    else if (value !== false) throw mixed(name, i, value)
  }
  return makeData({ type: new Bool(), length, data, ...nulls.result() })
}

function dataOfStrings(name: string, values: readonly unknown[]): Data {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value !== 'string' && value !== null && value !== undefined) {
      throw mixed(name, i, value)
    }
  }
  const strings = values as readonly (string | null | undefined)[]
  const encoded = strings.length < 64 ? undefined : tryDictionaryEncode(strings)
  return encoded === undefined ? encodeStrings(strings) : encodeDictionary(encoded)
}

function dataOfDates(name: string, values: readonly unknown[], hint?: DataType): Data {
  const nulls = new NullBits(values.length)
  const milliseconds = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value instanceof Date && !Number.isNaN(value.getTime())) milliseconds[i] = value.getTime()
    else if (value === null || value === undefined || value instanceof Date) nulls.add(i)
    else throw mixed(name, i, value)
  }
  const type = hint !== undefined && isDate(hint) ? hint : new Timestamp(TimeUnit.MILLISECOND)
  return dataOfMilliseconds(milliseconds, type, nulls)
}

function dataOfMilliseconds(values: Float64Array, type: DataType, nulls?: NullBits): Data {
  const length = values.length
  const units = unitsPerMillisecond(type)
  const isDay = units < 1 && DataType.isDate(type)
  const data = isDay ? new Int32Array(length) : new BigInt64Array(length)
  const words = new Int32Array(data.buffer)
  for (let i = 0; i < length; i++) {
    const value = values[i] ?? 0
    const stored = isDay ? Math.floor(value * units) : Math.round(value * units)
    if (isDay) words[i] = stored
    else writeInt64(words, i, stored)
  }
  const bits = nulls?.result() ?? { nullCount: 0, nullBitmap: null }
  return fixedData({ type, length, data, ...bits })
}

/** Writes an integer as two halves: a bigint per row would cost five times as much. */
function writeInt64(words: Int32Array, index: number, value: number): void {
  words[2 * index] = value % 0x1_0000_0000
  words[2 * index + 1] = Math.floor(value / 0x1_0000_0000)
}

/** Levels of values that are being looked into: more than a few are checked for cycles. */
let depth = 0
const checkedDepth = 4

function dataOfNested(name: string, values: readonly unknown[], hint?: DataType): Data {
  depth++
  try {
    if (depth === checkedDepth && values.some(containsItself)) throw new SelfContainedError()
    const data = nestedData({ name, values, hint, build: dataOfArray })
    if (data !== undefined) return data
  } catch (error) {
    if (depth > 1 || !(error instanceof SelfContainedError)) throw error
    throw containingItself(name, values)
  } finally {
    depth--
  }
  if (values.some((value) => value instanceof Promise)) {
    throw new RayError(`The values of column "${name}" are promises: await them.`, {
      fields: { column: name },
    })
  }
  throw noCommonType(name, values)
}

function mixed(name: string, row: number, value: unknown): RayError {
  const kind = value instanceof Date ? 'a Date' : `a ${typeof value}`
  return new RayError(
    `The values of column "${name}" differ in type: row ${row} is ${kind}. ` +
      'A column has one type; convert the values in the function that makes them.',
    { fields: { column: name, row } },
  )
}
