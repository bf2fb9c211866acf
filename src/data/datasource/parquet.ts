// Parquet files: what is in them, and their row groups as tables.
//
// A row group is read by the numbers of its rows: DuckDB skips the other groups (8 ms instead of 80
// for one of the eleven groups of a 13 MB file), so a task reads what it needs and nothing else.

import { query, quoteText } from '../engine/engine.js'
import { addedKey, hasPathColumn, withAddedColumns } from './file-columns.js'
import type { DescribedFiles, FoundColumns, OpenRequest, SqlReader } from './file-readers.js'
import { type FilePiece, type FilesSource, isWhole, type SqlColumn } from './files.js'
import { mapInOrder } from './map-in-order.js'
import type { OpenPieces } from './open-pieces.js'
import { type ParquetFooter, readFooters, type RowGroup } from './parquet-footer.js'
import { openFooter, openPiece } from './parquet-remote.js'
import { withRowOrder } from './row-order.js'
import { describeSql, unifyColumns } from './sql-columns.js'
import { isLocal } from './storage.js'

export const parquetReader: SqlReader = { kind: 'sql', describe, tables }

/** Reads the footers: no data. */
async function describe(
  { read, looked }: DescribedFiles,
  source: FilesSource,
  open: OpenPieces,
): Promise<FoundColumns> {
  if (looked.length === 0) return { files: [], columns: [] }
  // What the engine opens, by the path of the file.
  const opened = new Map<string, string>()
  await mapInOrder(looked, async (file) => {
    const { path } = file
    opened.set(path, isLocal(path) ? path : (await openFooter(source, open, file)).sparse.path)
  })
  const paths = [...new Set(opened.values())]
  const footers = readFooters(paths) ?? engineFooters(paths)
  const groups = new Map(paths.map((path, i) => [path, footers[i]?.groups ?? []]))
  const found = read.map(({ path }) => {
    return { path, pieces: piecesOf(path, groups.get(opened.get(path) ?? path) ?? []) }
  })
  const schemas = paths.map((path, i) => [footers[i]?.schema, path] as const)
  const columns = columnsOf(source, schemas, (message) => open.named(message))
  return { files: found, columns }
}

/** What the engine says of footers that are not like others, or an error that names the file. */
function engineFooters(paths: readonly string[]): readonly ParquetFooter[] {
  const list = `[${paths.map((path) => quoteText(literalGlob(path))).join(', ')}]`
  const groups = new Map<string, RowGroup[]>(paths.map((path) => [path, []]))
  const rowGroups = query(
    `SELECT file_name AS path, row_group_id::INTEGER AS id,
       any_value(row_group_num_rows)::DOUBLE AS rows, sum(total_uncompressed_size)::DOUBLE AS bytes
     FROM parquet_metadata(${list}) GROUP BY ALL ORDER BY ALL`,
  )
  for (const { path, rows, bytes } of rowGroups) {
    groups.get(String(path))?.push({ rows: Number(rows), bytes: Number(bytes) })
  }
  const schemas = query(
    `SELECT file_name AS path, string_agg(concat_ws(':', name, type, type_length, repetition_type,
       num_children, converted_type, scale, precision, logical_type), ',') AS schema
     FROM parquet_schema(${list}) GROUP BY file_name`,
  )
  const schemaOf = new Map([...schemas].map(({ path, schema }) => [String(path), String(schema)]))
  return paths.map((path) => {
    return { groups: groups.get(path) ?? [], schema: schemaOf.get(path) ?? '' }
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
function columnsOf(
  source: FilesSource,
  files: readonly (readonly [schema: string | undefined, path: string])[],
  named: (path: string) => string,
): readonly SqlColumn[] {
  const first = new Map<string | undefined, string>()
  for (const [schema, path] of files) {
    const known = first.get(schema)
    if (known === undefined || path < known) first.set(schema, path)
  }
  const described = [...first.values()].sort().map((file) => {
    return { file: named(file), columns: describeSql(`FROM ${tableOf([file])}`) }
  })
  return unifyColumns(source.operator, described)
}

async function tables(request: OpenRequest): Promise<readonly string[]> {
  const { source, columns, open } = request
  const hasPath = hasPathColumn(columns)
  let files = 0
  const batches = batchesOf(request).map((pieces) => {
    const first = files
    files += pieces.length
    return { pieces, first }
  })
  return mapInOrder(batches, async ({ pieces, first }) => {
    const [piece] = pieces
    if (piece === undefined) return 'FROM (SELECT 1) WHERE false'
    const { start, length } = piece
    const isAlone = pieces.length === 1
    const paths = isLocal(piece.path)
      ? pieces.map((each) => each.path)
      : [await openPiece(source, open, { piece, columns })]
    const shared = ['union_by_name = true', ...(hasPath ? ["filename = 'path'"] : [])]
    const read = `FROM ${tableOf(paths, isAlone ? [] : shared)}`
    const where = `WHERE file_row_number >= ${start} AND file_row_number < ${start + length}`
    const rows = isAlone && !isWhole(piece) ? `${read} ${where}` : read
    const table =
      request.isOrdered === true ? withRowOrder(rows, { first, count: pieces.length }) : rows
    return withAddedColumns(source, columns, { table, piece, hasPath: hasPath && !isAlone })
  })
}

/** Pieces that one call reads: whole files of one partition, or one part of a file. */
function batchesOf({ source, pieces, columns }: OpenRequest): readonly (readonly FilePiece[])[] {
  const batches: { key: string | undefined; pieces: FilePiece[] }[] = []
  for (const piece of pieces) {
    const isShared = isWhole(piece) && isLocal(piece.path)
    const key = isShared ? addedKey(source, piece.path, columns) : undefined
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
