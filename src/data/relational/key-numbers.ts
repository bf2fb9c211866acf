// Columns as numbers that sort as their values do, where there are such numbers.

import { type Data, DataType } from 'apache-arrow'
import { dictionaryOfData } from '../block/column.js'

/** The column's values as doubles, exact; undefined where they would not be. */
export function sortableNumbers(data: Data): Float64Array | undefined {
  const { type, length } = data
  if (DataType.isDictionary(type)) return ranksOf(data)
  const isTime = DataType.isTimestamp(type) || DataType.isDate(type) || DataType.isTime(type)
  if (!DataType.isInt(type) && !isTime && !(DataType.isFloat(type) && type.precision > 0)) {
    return undefined
  }
  const values: unknown = data.values
  if (values instanceof Float64Array) return values.subarray(0, length)
  if (values instanceof BigInt64Array) return doublesOf(values, length)
  if (values instanceof BigUint64Array) return undefined
  return Float64Array.from((values as Int32Array).subarray(0, length))
}

/** Read as two words: a bigint each would be several times as slow. */
function doublesOf(values: BigInt64Array, length: number): Float64Array | undefined {
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * length)
  const doubles = new Float64Array(length)
  let largest = 0
  for (let i = 0; i < length; i++) {
    const value = (words[2 * i + 1] ?? 0) * 0x1_0000_0000 + ((words[2 * i] ?? 0) >>> 0)
    doubles[i] = value
    const size = Math.abs(value)
    if (size > largest) largest = size
  }
  return largest <= Number.MAX_SAFE_INTEGER ? doubles : undefined
}

/** The position of each string among those of the dictionary, in the order of their bytes. */
function ranksOf(data: Data): Float64Array | undefined {
  const column = dictionaryOfData(data)
  if (column === undefined) return undefined
  const { codes, values } = column
  const bytes = values.map((text) => Buffer.from(text))
  const order = Array.from(bytes, (_, i) => i)
  order.sort((a, b) => Buffer.compare(bytes[a] ?? noBytes, bytes[b] ?? noBytes))
  const ranks = new Float64Array(values.length)
  let rank = -1
  order.forEach((code, i) => {
    // A dictionary may have a string twice.
    const isNew = i === 0 || values[code] !== values[order[i - 1] ?? 0]
    if (isNew) rank++
    ranks[code] = rank
  })
  const numbers = new Float64Array(codes.length)
  for (let i = 0; i < codes.length; i++) numbers[i] = ranks[codes[i] ?? 0] ?? 0
  return numbers
}

const noBytes = Buffer.alloc(0)
