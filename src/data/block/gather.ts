// Selected rows of a block, column by column, without a detour through rows.

import { type Data, DataType, type Utf8 } from 'apache-arrow'
import { type Block, blockOfData, columnAt, toOneBatch } from './block.js'
import { columnOfVector, dictionaryOfData } from './column.js'
import { dataOfColumn } from './column-data.js'
import { DictionaryColumn } from './dictionary-column.js'
import { encodeDictionary, encodeRows } from './utf8.js'

/** The rows at `indices`, in that order. */
export function gatherBlock(block: Block, indices: Uint32Array): Block {
  const one = toOneBatch(block)
  const { fields } = one.schema
  const columns = fields.map((field, i) => {
    const vector = columnAt(one, i)
    const data = vector.data[0]
    const fast = data === undefined ? undefined : gatherData(data, indices)
    return fast ?? dataOfColumn(field.name, pick(columnOfVector(vector), indices), field.type)
  })
  return blockOfData(
    fields.map((field) => field.name),
    columns,
  )
}

function gatherData(data: Data, indices: Uint32Array): Data | undefined {
  const dictionary = dictionaryOfData(data)
  if (dictionary !== undefined) {
    const codes = pick(dictionary.codes, indices) as Int32Array
    return encodeDictionary(new DictionaryColumn(codes, dictionary.values))
  }
  if (data.nullCount > 0) return undefined
  if (DataType.isUtf8(data.type)) {
    const strings = data as Data<Utf8>
    return encodeRows(strings.values, strings.valueOffsets, indices)
  }
  const values = data.values as unknown
  if (!DataType.isTimestamp(data.type) || !(values instanceof BigInt64Array)) return undefined
  return dataOfColumn('', pick(values, indices), data.type)
}

type Pickable = ReturnType<typeof columnOfVector> | Int32Array

function pick(column: Pickable, indices: Uint32Array): Pickable {
  if (Array.isArray(column)) {
    const values = column as readonly unknown[]
    return Array.from(indices, (index) => values[index])
  }
  if (column instanceof BigInt64Array || column instanceof BigUint64Array) {
    return pickBigints(column, indices)
  }
  const values = column as Float64Array
  const ArrayType = values.constructor as new (length: number) => Float64Array
  const picked = new ArrayType(indices.length)
  for (let i = 0; i < indices.length; i++) picked[i] = values[indices[i] ?? 0] ?? 0
  return picked
}

/**
 * Moves 64-bit values as doubles-wide pairs of words; a bigint each would cost ten times as much.
 */
function pickBigints(values: BigInt64Array | BigUint64Array, indices: Uint32Array) {
  const ArrayType = values.constructor as new (length: number) => BigInt64Array
  const picked = new ArrayType(indices.length)
  const from = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  const to = new Int32Array(picked.buffer)
  for (let i = 0; i < indices.length; i++) {
    const index = 2 * (indices[i] ?? 0)
    to[2 * i] = from[index] ?? 0
    to[2 * i + 1] = from[index + 1] ?? 0
  }
  return picked
}
