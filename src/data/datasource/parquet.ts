// Parquet files: what is in them, and their row groups as tables.
//
// A row group is read by the numbers of its rows: DuckDB skips the other groups (8 ms instead of 80
// for one of the eleven groups of a 13 MB file), so a task reads what it needs and nothing else.

import { query, quoteText } from '../engine/engine.js'
import { addedKey, hasPathColumn, withAddedColumns } from './file-columns.js'
import type { FoundColumns, OpenRequest, SqlReader } from './file-readers.js'
import {
  type FilePiece,
  type FilesSource,
  isWhole,
  type ListedFile,
  type SqlColumn,
} from './files.js'
import type { OpenPieces } from './open-pieces.js'
import { describeSql, unifyColumns } from './sql-columns.js'

export const parquetReader: SqlReader = { kind: 'sql', describe, tables }

/** Reads the footers: no data. */
async function describe(
  files: readonly ListedFile[],
  source: FilesSource,
  _open: OpenPieces,
): Promise<FoundColumns> {
  if (files.length === 0) return { files: [], columns: [] }
  const groups = new Map<string, RowGroup[]>(files.map(({ path }) => [path, []]))
  const list = `[${Array.from(groups.keys(), (path) => quoteText(literalGlob(path))).join(', ')}]`
  for (const group of rowGroupsOf(list)) groups.get(group.path)?.push(group)
  const found = files.map(({ path }) => {
    return { path, pieces: piecesOf(path, groups.get(path) ?? []) }
  })
  return { files: found, columns: columnsOf(source, list) }
}

interface RowGroup {
  readonly path: string
  readonly rows: number
  readonly bytes: number
}

function rowGroupsOf(list: string): readonly RowGroup[] {
  const groups = query(
    `SELECT file_name AS path, row_group_id::INTEGER AS id,
       any_value(row_group_num_rows)::DOUBLE AS rows, sum(total_uncompressed_size)::DOUBLE AS bytes
     FROM parquet_metadata(${list}) GROUP BY ALL ORDER BY ALL`,
  )
  return [...groups].map(({ path, rows, bytes }) => {
    return { path: String(path), rows: Number(rows), bytes: Number(bytes) }
  })
}

function piecesOf(path: string, groups: readonly RowGroup[]): readonly FilePiece[] {
  const fileLength = groups.reduce((sum, group) => sum + group.rows, 0)
  let start = 0
  return groups.flatMap(({ rows, bytes }) => {
    if (rows === 0) return []
    const piece = { path, start, length: rows, fileLength, rows, bytes }
    start += rows
    return [piece]
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
    return { file: String(file), columns: describeSql(`FROM ${tableOf([String(file)])}`) }
  })
  return unifyColumns(source.operator, described)
}

async function tables(request: OpenRequest): Promise<readonly string[]> {
  const { source, columns } = request
  const hasPath = hasPathColumn(columns)
  return batchesOf(request).map((pieces) => {
    const [piece] = pieces
    if (piece === undefined) return 'FROM (SELECT 1) WHERE false'
    const { start, length } = piece
    const isAlone = pieces.length === 1
    const paths = pieces.map((each) => each.path)
    const shared = ['union_by_name = true', ...(hasPath ? ["filename = 'path'"] : [])]
    const read = `FROM ${tableOf(paths, isAlone ? [] : shared)}`
    const where = `WHERE file_row_number >= ${start} AND file_row_number < ${start + length}`
    const table = isAlone && !isWhole(piece) ? `${read} ${where}` : read
    return withAddedColumns(source, columns, { table, piece, hasPath: hasPath && !isAlone })
  })
}

/** Pieces that one call reads: whole files of one partition, or one part of a file. */
function batchesOf({ source, pieces, columns }: OpenRequest): readonly (readonly FilePiece[])[] {
  const batches: { key: string | undefined; pieces: FilePiece[] }[] = []
  for (const piece of pieces) {
    const key = isWhole(piece) ? addedKey(source, piece.path, columns) : undefined
    const last = batches.at(-1)
    if (last !== undefined && key !== undefined && last.key === key) last.pieces.push(piece)
    else batches.push({ key, pieces: [piece] })
  }
  return batches.map((batch) => batch.pieces)
}

function tableOf(files: readonly string[], options: readonly string[] = []): string {
  const list = files.map((file) => quoteText(literalGlob(file))).join(', ')
  // A column that happens to be named like a folder is not replaced by it.
  const all = ['hive_partitioning = false', ...options]
  return `read_parquet([${list}], ${all.join(', ')})`
}

/** A path with the characters that DuckDB's glob would interpret taken literally. */
function literalGlob(file: string): string {
  return file.replace(/[*?[]/g, '[$&]')
}
