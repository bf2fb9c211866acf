// A DuckDB result as one Arrow record batch.
//
// DuckDB hands a result out in chunks of up to 2048 rows, which are copied end to end into one
// buffer per column, so that a block is one batch whose columns are plain typed arrays.

import type { Field } from 'apache-arrow'
import { type Block, blockOfData } from '../block/block.js'
import { childAt, throwArrowError } from './arrow-export.js'
import { readField } from './arrow-schema.js'
import { duckdbLibrary, type Pointer } from './duckdb-library.js'
import { nameOfEngine } from './engine-name.js'
import { nativeBox, pointerBox, readPointer, readWords } from './native-memory.js'
import { type ResultColumn, resultColumn, type StringForm } from './result-columns.js'

/** Takes the result apart into a block; the result is destroyed, whatever happens. */
export function exportResult(result: Buffer, strings: StringForm): Block {
  const { call, release } = duckdbLibrary()
  const options = Number(call.arrowOptions(result))
  const arrays: Buffer[] = []
  try {
    const fields = readFields(result, options)
    const rows = Number(call.rowCount(result))
    const columns = fields.map(({ type }, i) => {
      return resultColumn({ type, typeId: Number(call.columnTypeId(result, i)), rows }, strings)
    })
    eachChunk(result, (chunk) => {
      const array = addChunk(chunk, columns, options)
      if (array !== undefined) arrays.push(array)
    })
    return blockOfData(
      fields.map(({ name }) => nameOfEngine(name)),
      columns.map((column) => column.finish()),
    )
  } finally {
    for (const array of arrays) release(readPointer(array, 64), array)
    call.destroyArrowOptions(pointerBox(options))
    call.destroyResult(result)
  }
}

function readFields(result: Buffer, options: Pointer): Field[] {
  const { call, release } = duckdbLibrary()
  const count = Number(call.columnCount(result))
  const names = nativeBox(8 * count)
  const types = nativeBox(8 * count)
  for (let i = 0; i < count; i++) {
    names.writeBigUInt64LE(BigInt(Number(call.columnName(result, i))), 8 * i)
    types.writeBigUInt64LE(BigInt(Number(call.columnType(result, i))), 8 * i)
  }
  const schema = nativeBox()
  throwArrowError(call.toArrowSchema(options, types, names, count, schema))
  try {
    return Array.from(readWords(readPointer(schema, 40), count), readField)
  } finally {
    release(readPointer(schema, 56), schema)
    for (let i = 0; i < count; i++) call.destroyType(types.subarray(8 * i))
  }
}

function eachChunk(result: Buffer, body: (chunk: Pointer) => void): void {
  const { call, decodeResult } = duckdbLibrary()
  const byValue = decodeResult(result)
  for (;;) {
    const chunk = Number(call.fetchChunk(byValue))
    if (chunk === 0) return
    try {
      body(chunk)
    } finally {
      call.destroyChunk(pointerBox(chunk))
    }
  }
}

/** Adds the rows of a chunk to all columns; gives its Arrow array if one of them needed it. */
function addChunk(
  chunk: Pointer,
  columns: readonly ResultColumn[],
  options: Pointer,
): Buffer | undefined {
  const { call } = duckdbLibrary()
  const rows = Number(call.chunkSize(chunk))
  let array: Buffer | undefined
  for (const [i, column] of columns.entries()) {
    if (column.addVector(Number(call.chunkVector(chunk, i)), rows)) continue
    array ??= arrayOfChunk(chunk, options)
    column.addArray(childAt(array, i))
  }
  return array
}

function arrayOfChunk(chunk: Pointer, options: Pointer): Buffer {
  const array = nativeBox(80)
  throwArrowError(duckdbLibrary().call.chunkToArrow(options, chunk, array))
  return array
}
