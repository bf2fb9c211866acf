// What the formats have in common that are read here and not by the engine: a column or two of
// their own, and those that folders and paths add.

import type { Data } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfData, type SchemaField } from '../block/block.js'
import { dataOfColumn } from '../block/column-data.js'
import { DictionaryColumn } from '../block/dictionary-column.js'
import { addedColumns, addedValue } from './file-columns.js'
import type { DescribedBytes, ReadRequest } from './file-readers.js'
import type { FilesSource, FoundFile, SqlColumn } from './files.js'
import { sqlColumnsWanted } from './sql-columns.js'

export interface FoundBytes {
  readonly files: readonly FoundFile[]
  /** With those that are not read: all say what kind of values folders are. */
  readonly looked: readonly { readonly path: string }[]
  /** The columns that the files have themselves. */
  readonly inFiles: readonly SqlColumn[]
}

/** The description of files whose own columns are `inFiles`. */
export function describeBytes(
  source: FilesSource,
  { files, looked, inFiles }: FoundBytes,
): DescribedBytes {
  const columns = sqlColumnsWanted(source, [...inFiles, ...addedColumns(source, looked, inFiles)])
  return { files, columns, schema: columns.map(schemaField) }
}

const arrowNames: Readonly<Record<string, string>> = {
  VARCHAR: 'Utf8',
  BLOB: 'Binary',
  BIGINT: 'Int64',
  DOUBLE: 'Float64',
  BOOLEAN: 'Bool',
}

function schemaField({ name, type }: SqlColumn): SchemaField {
  return { name, type: arrowNames[type] ?? type }
}

export interface ReadRows {
  /** The columns that come out of the files. */
  readonly columns: Readonly<Record<string, Data>>
  /** How many rows each piece gave. */
  readonly rows: readonly number[]
}

/** The block of the columns that are wanted. */
export function bytesBlock(request: ReadRequest, { columns, rows }: ReadRows): Block {
  const data = request.columns.map((column) => {
    const own = columns[column.name]
    if (column.origin === undefined && own !== undefined) return own
    return addedData(request, column, rows)
  })
  return blockOfData(
    request.columns.map(({ name }) => name),
    data,
  )
}

function addedData(
  { source, pieces }: ReadRequest,
  column: SqlColumn,
  rows: readonly number[],
): Data {
  const total = rows.reduce((sum, count) => sum + count, 0)
  if (column.type !== 'VARCHAR') {
    const converted = pieces.map(({ path }) => addedRowValue(source, path, column))
    return dataOfColumn(
      column.name,
      rows.flatMap((count, i) => new Array<unknown>(count).fill(converted[i])),
    )
  }
  const values = pieces.map((piece) => addedValue(source, piece.path, column))
  const codes = new Int32Array(total)
  const known = new Map<string, number>()
  let at = 0
  for (const [i, count] of rows.entries()) {
    const value = values[i]
    let code = -1
    if (typeof value === 'string') {
      code = known.get(value) ?? known.size
      known.set(value, code)
    }
    codes.fill(code, at, at + count)
    at += count
  }
  return dataOfColumn(column.name, new DictionaryColumn(codes, [...known.keys()]))
}

/** What a row of a file has in an added column. */
export function addedRowValue(source: FilesSource, file: string, column: SqlColumn): unknown {
  const value = addedValue(source, file, column)
  return value === null ? null : convert(value, column)
}

function convert(value: string, { name, type }: SqlColumn): unknown {
  switch (type) {
    case 'VARCHAR':
      return value
    case 'BIGINT':
      return BigInt(value)
    case 'DOUBLE':
      return Number(value)
    case 'BOOLEAN':
      return value === 'true'
    default:
      throw new RayError(`The partition column "${name}" has the type ${type}.`)
  }
}
