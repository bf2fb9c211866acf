// Columns as JavaScript sees them.
//
// A numeric Arrow column without nulls becomes the typed array that it already is, without a copy.
// Everything else becomes an array: strings, booleans, dates, and whatever has nulls, because a
// typed array cannot say null.

import { type Data, DataType, type Decimal, makeVector, type Vector } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { DictionaryColumn } from './dictionary-column.js'
import { nestedValues } from './nested-values.js'
import type { BigintArray, NumberArray } from './number-array.js'
import type { Tensor, TensorColumn } from './tensor.js'
import { decodeStrings } from './utf8.js'

export type { BigintArray, NumberArray }

/** What a batch function may return for a column. */
export type Column =
  NumberArray | BigintArray | DictionaryColumn | TensorColumn | readonly unknown[]

/** A batch in the format 'columns', whatever its columns. */
export type ColumnBatch = Readonly<Record<string, Column>>

/** The column that a value of type V makes in a batch. */
export type ColumnOf<V> = [V] extends [number]
  ? NumberArray
  : [V] extends [bigint]
    ? BigintArray
    : V[]

/** A batch in the format 'columns' of rows of type Row. */
export type Columns<Row> = { [K in keyof Row]: ColumnOf<Row[K]> }

/** The row that a returned batch describes. */
export type RowOfColumns<Batch> = {
  -readonly [K in keyof Batch]: Batch[K] extends DictionaryColumn<infer V>
    ? V
    : Batch[K] extends TensorColumn<infer A>
      ? Tensor<A>
      : Batch[K] extends ArrayLike<infer V>
        ? V
        : never
}

/**
 * How a batch shows timestamps: as `Date`, or as milliseconds since 1970 in a Float64Array, 50
 * times faster.
 */
export type DateFormat = 'date' | 'number'

/** Reads an Arrow column of any number of chunks. */
export function columnOfVector(
  vector: Vector,
  dateFormat: DateFormat = 'date',
): Exclude<Column, DictionaryColumn | TensorColumn> {
  const { type } = vector
  const isDate = DataType.isTimestamp(type) || DataType.isDate(type)
  if (isDate && dateFormat === 'number' && vector.nullCount === 0 && vector.length > 0) {
    return joinTypedArrays(vector.data.map(millisecondsOfData))
  }
  const isPlain = DataType.isInt(type) || (DataType.isFloat(type) && type.precision > 0)
  if (isPlain && vector.nullCount === 0) {
    return vector.toArray() as NumberArray | BigintArray
  }
  const [only] = vector.data
  if (vector.data.length === 1 && only !== undefined) return arrayOfData(only, vector)
  return vector.data.flatMap((data) => arrayOfData(data, vector))
}

function arrayOfData(data: Data, vector: Vector): unknown[] {
  const { type } = data
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return decodeStrings(data)
  const dictionary = dictionaryOfData(data)
  if (dictionary !== undefined) return dictionary.toArray()
  if (DataType.isTimestamp(type) || DataType.isDate(type)) return dates(data)
  if (DataType.isDecimal(type)) return decimals(data, type)
  const nested = nestedValues(data, (child) => columnOfVector(makeVector(child)))
  if (nested !== undefined) return nested
  const values = new Array<unknown>(data.length)
  const reader = vector.data.length === 1 ? vector : readerOf(vector, data)
  for (let i = 0; i < data.length; i++) values[i] = reader.get(i)
  return values
}

function readerOf(vector: Vector, data: Data): Vector {
  const VectorClass = vector.constructor as new (data: readonly Data[]) => Vector
  return new VectorClass([data])
}

/** The codes and values of a dictionary of strings; undefined if the column is not one. */
export function dictionaryOfData(data: Data): DictionaryColumn | undefined {
  if (!DataType.isDictionary(data.type) || !DataType.isUtf8(data.type.dictionary)) return undefined
  const values = data.dictionary?.data.flatMap((part) => decodeStrings(part)) ?? []
  // Buffers that came through a message are padded beyond the last row.
  const stored = (data.values as Int32Array).subarray(0, data.length)
  const strings = values.map((value) => value ?? '')
  if (stored instanceof Int32Array && data.nullCount === 0) {
    return new DictionaryColumn(stored, strings)
  }
  const codes = Int32Array.from(stored)
  for (let i = 0; i < codes.length; i++) if (!data.getValid(i)) codes[i] = -1
  return new DictionaryColumn(codes, strings)
}

/** Units per millisecond of Arrow's second, millisecond, microsecond and nanosecond. */
const perMillisecond: readonly number[] = [1 / 1000, 1, 1000, 1_000_000]

/** Units per millisecond of a date or timestamp type. */
export function unitsPerMillisecond(type: DataType): number {
  if (DataType.isTimestamp(type)) return perMillisecond[type.unit] ?? 1
  return DataType.isDate(type) && type.unit === 0 ? 1 / 86_400_000 : 1
}

/**
 * Milliseconds since 1970. A 64-bit integer is read as two halves, four times faster than as a
 * bigint.
 */
function millisecondsOfData(data: Data): Float64Array {
  const units = unitsPerMillisecond(data.type)
  const stored = data.values as Int32Array | BigInt64Array
  const isWide = stored instanceof BigInt64Array
  const words = new Int32Array(stored.buffer, stored.byteOffset, stored.byteLength / 4)
  const values = new Float64Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const value = isWide
      ? (words[2 * i + 1] ?? 0) * 0x1_0000_0000 + ((words[2 * i] ?? 0) >>> 0)
      : (words[i] ?? 0)
    values[i] = value / units
  }
  return values
}

function dates(data: Data): (Date | null)[] {
  const milliseconds = millisecondsOfData(data)
  const values = new Array<Date | null>(data.length)
  for (let i = 0; i < data.length; i++) values[i] = new Date(Math.floor(milliseconds[i] ?? 0))
  if (data.nullCount > 0) {
    for (let i = 0; i < data.length; i++) if (!data.getValid(i)) values[i] = null
  }
  return values
}

interface Joinable<A> {
  readonly length: number
  set(values: A, at: number): void
}

/** Several typed arrays of one class as one. */
export function joinTypedArrays<A extends Joinable<A>>(parts: readonly A[]): A {
  const [first] = parts
  if (first === undefined) throw new RayError('There are no arrays to join.')
  if (parts.length === 1) return first
  const ArrayType = first.constructor as new (length: number) => A
  const joined = new ArrayType(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Decimals as numbers: exact up to 15 digits, as JavaScript's numbers are. */
function decimals(data: Data, type: Decimal): (number | null)[] {
  const words = data.values as Uint32Array
  const stride = type.bitWidth / 32
  return Array.from({ length: data.length }, (_, row) => {
    if (!data.getValid(row)) return null
    let value = BigInt((words[row * stride + stride - 1] ?? 0) | 0)
    for (let i = stride - 2; i >= 0; i--) {
      value = (value << 32n) | BigInt(words[row * stride + i] ?? 0)
    }
    return Number(value) / 10 ** type.scale
  })
}
