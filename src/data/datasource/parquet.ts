// Parquet files: what is in them, and their row groups as blocks.
//
// A row group is read by the numbers of its rows: DuckDB skips the other groups (8 ms instead of 80
// for one of the eleven groups of a 13 MB file), so a task reads what it needs and nothing else.
// Strings that repeat become dictionaries right here, before any JavaScript string is made.

import { type Data, DataType } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfData, columnAt, schemaOfBlock } from '../block/block.js'
import { compactStrings } from '../block/utf8.js'
import { query, quoteText } from '../engine/engine.js'
import type { FileReader, ReadRequest } from './file-readers.js'
import type { FilePiece, FilesDescription, FilesSource, SqlColumn } from './files.js'
import { listFiles } from './listing.js'
import { describeSql, selectColumns, sqlColumnsWanted, unifyColumns } from './sql-columns.js'

export const parquetReader: FileReader = {
  describe: describeParquet,
  sql: sqlOfPieces,
  read: readParquetPieces,
}

/** Finds the files and reads their footers: no data. */
function describeParquet(source: FilesSource): FilesDescription {
  const found = listFiles(source)
  const list = `[${found.map((file) => quoteText(literalGlob(file))).join(', ')}]`
  const byFile = new Map<string, FilePiece[]>(found.map((file) => [file, []]))
  for (const group of rowGroupsOf(list)) {
    const pieces = byFile.get(group.path)
    const last = pieces?.at(-1)
    const start = last === undefined ? 0 : last.start + last.length
    if (group.rows > 0) pieces?.push({ ...group, start, length: group.rows })
  }
  const columns = sqlColumnsWanted(source, columnsOf(source, list))
  const empty = query(selectColumns(columns, []))
  const files = [...byFile].map(([file, pieces]) => ({ path: file, pieces }))
  return { files, schema: schemaOfBlock(empty), columns }
}

function rowGroupsOf(list: string): readonly { path: string; rows: number; bytes: number }[] {
  const groups = query(
    `SELECT file_name AS path, row_group_id::INTEGER AS id,
       any_value(row_group_num_rows)::DOUBLE AS rows, sum(total_uncompressed_size)::DOUBLE AS bytes
     FROM parquet_metadata(${list}) GROUP BY ALL ORDER BY ALL`,
  )
  return [...groups].map(({ path, rows, bytes }) => {
    return { path: String(path), rows: Number(rows), bytes: Number(bytes) }
  })
}

/** The columns of all files together; files of one schema are looked at once. */
function columnsOf(source: FilesSource, list: string): readonly SqlColumn[] {
  const distinct = query(
    `SELECT min(file_name) AS file FROM (
       SELECT file_name, string_agg(concat_ws(':', name, type, type_length, repetition_type,
         num_children, converted_type, scale, precision, logical_type), ',') AS signature
       FROM parquet_schema(${list}) GROUP BY file_name
     ) GROUP BY signature ORDER BY file`,
  )
  const described = [...distinct].map(({ file }) => {
    return { file: String(file), columns: describeSql(`FROM ${tableOf(String(file))}`) }
  })
  return unifyColumns(source.operator, described)
}

/** Reads pieces as one block. */
function readParquetPieces(request: ReadRequest): Block {
  return compactBlock(query(sqlOfPieces(request)))
}

function sqlOfPieces({ pieces, columns }: ReadRequest): string {
  const tables = pieces.map(({ path: file, start, length }) => {
    return `FROM ${tableOf(file)}
     WHERE file_row_number >= ${start} AND file_row_number < ${start + length}`
  })
  return selectColumns(columns, tables)
}

function compactBlock(block: Block): Block {
  const { fields } = block.schema
  const columns = fields.map((_, i) => compact(dataAt(block, i)))
  return blockOfData(
    fields.map((field) => field.name),
    columns,
  )
}

function compact(data: Data): Data {
  return DataType.isUtf8(data.type) ? compactStrings(data as Data<typeof data.type>) : data
}

function dataAt(block: Block, index: number): Data {
  const [data] = columnAt(block, index).data
  if (data === undefined) throw new RayError('A block has a column without data.')
  return data
}

/** The SQL of a table that reads one file. */
function tableOf(file: string): string {
  return `read_parquet(${quoteText(literalGlob(file))})`
}

/** A path with the characters that DuckDB's glob would interpret taken literally. */
function literalGlob(file: string): string {
  return file.replace(/[*?[]/g, '[$&]')
}
