// Typed arrays as Arrow columns: the same bytes.

import {
  type Data,
  type DataType,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  makeData,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
} from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import type { BigintArray, NumberArray } from './number-array.js'

type ArrayClass = abstract new (...args: never[]) => ArrayBufferView

const typesOfArrays: ReadonlyMap<unknown, () => DataType> = new Map<unknown, () => DataType>([
  [Int8Array, () => new Int8()],
  [Uint8Array, () => new Uint8()],
  [Int16Array, () => new Int16()],
  [Uint16Array, () => new Uint16()],
  [Int32Array, () => new Int32()],
  [Uint32Array, () => new Uint32()],
  [Float32Array, () => new Float32()],
  [Float64Array, () => new Float64()],
  [BigInt64Array, () => new Int64()],
  [BigUint64Array, () => new Uint64()],
])

export function typeOfArray(values: ArrayBufferView): DataType {
  for (const [type, make] of typesOfArrays) {
    if (values instanceof (type as ArrayClass)) return make()
  }
  throw new RayError(`A ${values.constructor.name} cannot be a column.`)
}

/** Whether it is a typed array of a class that columns have, and not of one derived from it. */
export function isNumbers(value: unknown): value is NumberArray | BigintArray {
  return ArrayBuffer.isView(value) && typesOfArrays.has(value.constructor)
}

export interface FixedParts {
  readonly type: DataType
  readonly length: number
  readonly data: ArrayBufferView
  readonly nullCount: number
  readonly nullBitmap: Uint8Array | null
}

export function fixedData(parts: FixedParts): Data {
  return makeData(parts as Parameters<typeof makeData>[0])
}

/** The column of a typed array, without a copy. */
export function numbersData(values: ArrayBufferView & ArrayLike<unknown>): Data {
  const type = typeOfArray(values)
  return fixedData({ type, length: values.length, data: values, nullCount: 0, nullBitmap: null })
}
