// Parquet files: what is in them, and their row groups as tables.
//
// A row group is read by the numbers of its rows: DuckDB skips the other groups (8 ms instead of 80
// for one of the eleven groups of a 13 MB file), so a task reads what it needs and nothing else.

import fs from 'node:fs'
import { RayError } from '../../base/errors.js'
import { query, quoteName, quoteText } from '../engine/engine.js'
import { addedKey, hasPathColumn, withAddedColumns } from './file-columns.js'
import type { DescribedFiles, FoundColumns, OpenRequest, SqlReader } from './file-readers.js'
import { type FilePiece, type FilesSource, isWhole, type SqlColumn } from './files.js'
import { localPath } from './local-storage.js'
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
  const described = describeKinds(paths, footers)
  const empty = emptyColumns(paths, described)
  const columns = columnsOf(source, described, { empty, named: (message) => open.named(message) })
  const kindOf = new Map(described.flatMap(({ files }, kind) => files.map((file) => [file, kind])))
  const found = read.map(({ path, modifiedMs }) => {
    const file = opened.get(path) ?? path
    const without = [...(empty.get(file) ?? [])]
    const kind = kindOf.get(file) ?? 0
    const more = {
      ...(without.length > 0 && { emptyColumns: without }),
      ...(kind > 0 && { schemaKind: kind }),
      ...(modifiedMs !== undefined && { modifiedMs }),
    }
    const pieces = piecesOf(path, groups.get(file) ?? [])
    return { path, pieces: pieces.map((piece) => ({ ...piece, ...more })) }
  })
  return { files: found, columns }
}

/** What the engine says of footers that are not like others, or an error that names the file. */
function engineFooters(paths: readonly string[]): readonly ParquetFooter[] {
  const list = listOf(paths)
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

/** Files of one schema, which are looked at once. */
interface KindOfFiles {
  readonly files: readonly string[]
  readonly columns: readonly SqlColumn[]
}

function describeKinds(
  paths: readonly string[],
  footers: readonly ParquetFooter[],
): readonly KindOfFiles[] {
  const kinds = new Map<string | undefined, string[]>()
  for (const [i, path] of paths.entries()) {
    const schema = footers[i]?.schema
    const files = kinds.get(schema)
    if (files === undefined) kinds.set(schema, [path])
    else files.push(path)
  }
  const sorted = [...kinds.values()].map((files) => files.sort())
  sorted.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
  return sorted.map((files) => {
    return { files, columns: describeSql(`FROM ${tableOf(files.slice(0, 1))}`) }
  })
}

type ColumnsByFile = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Columns about whose type files disagree, by the files that have no value in them. What wrote such
 * a file did not know the type either: nulls of no type are written as one type or another.
 */
function emptyColumns(paths: readonly string[], kinds: readonly KindOfFiles[]): ColumnsByFile {
  const types = new Map<string, Set<string>>()
  for (const { name, type } of kinds.flatMap(({ columns }) => columns)) {
    types.set(name, (types.get(name) ?? new Set()).add(type))
  }
  const disputed = [...types].flatMap(([name, { size }]) => (size > 1 ? [name] : []))
  const empty = new Map<string, Set<string>>()
  if (disputed.length === 0) return empty
  const list = listOf(paths)
  const full = query(
    `SELECT DISTINCT file_name AS file, path_in_schema AS name FROM parquet_metadata(${list})
     SEMI JOIN (SELECT unnest([${disputed.map(quoteText).join(', ')}]) AS path_in_schema)
     USING (path_in_schema) WHERE stats_null_count IS DISTINCT FROM num_values
     EXCEPT SELECT file_name, name FROM parquet_schema(${list}) WHERE logical_type = 'NullType()'`,
  )
  const withValues = new Set([...full].map(({ file, name }) => JSON.stringify([file, name])))
  for (const { files, columns } of kinds) {
    const simple = columns.filter(({ name, type }) => disputed.includes(name) && isSimple(type))
    for (const file of files) {
      const names = simple
        .map(({ name }) => name)
        .filter((name) => !withValues.has(JSON.stringify([file, name])))
      if (names.length > 0) empty.set(file, new Set(names))
    }
  }
  return empty
}

/** Whether a column is stored as one, so that its statistics are those of the column. */
const isSimple = (type: string): boolean => !/[\])]$/.test(type) || type.startsWith('DECIMAL')

/** The columns of all files together. */
function columnsOf(
  source: FilesSource,
  kinds: readonly KindOfFiles[],
  { empty, named }: { readonly empty: ColumnsByFile; readonly named: (path: string) => string },
): readonly SqlColumn[] {
  const described = kinds.map(({ files, columns }) => {
    const full = files.find((file) => !empty.has(file)) ?? files[0] ?? ''
    return {
      file: named(full),
      columns: columns.map((column) => {
        return { ...column, isEmpty: files.every((file) => empty.get(file)?.has(column.name)) }
      }),
    }
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
    refuseChanged(source, pieces)
    const isAlone = pieces.length === 1
    const paths = isLocal(piece.path)
      ? pieces.map((each) => each.path)
      : [await openPiece(source, open, { piece, columns })]
    // Of files of one schema the engine need not look at each before it reads the first.
    const isOneKind = pieces.every(({ schemaKind }) => schemaKind === piece.schemaKind)
    const shared = [
      ...(isOneKind ? [] : ['union_by_name = true']),
      ...(hasPath ? ["filename = 'path'"] : []),
    ]
    const read = `FROM ${tableOf(paths, isAlone ? [] : shared)}`
    const where = `WHERE file_row_number >= ${start} AND file_row_number < ${start + length}`
    const rows = isAlone && !isWhole(piece) ? `${read} ${where}` : read
    const ordered =
      request.isOrdered === true ? withRowOrder(rows, { first, count: pieces.length }) : rows
    const table = withoutTypes(ordered, piece)
    return withAddedColumns(source, columns, { table, piece, hasPath: hasPath && !isAlone })
  })
}

/** Rows are read by their numbers, which say nothing of another file of that name. */
function refuseChanged({ operator }: FilesSource, pieces: readonly FilePiece[]): void {
  for (const { path, modifiedMs } of pieces) {
    if (modifiedMs === undefined) continue
    const found = fs.statSync(localPath(path), { throwIfNoEntry: false })
    // Of a file that is gone the engine says so.
    if (found === undefined || found.mtimeMs === modifiedMs) continue
    throw new RayError(
      `${operator}: ${path} was written again after the dataset looked at it. Read files that ` +
        'do not change meanwhile, or run the dataset again.',
      { fields: { path } },
    )
  }
}

/** The table with nulls of no type in the columns that have no values. */
function withoutTypes(table: string, { emptyColumns: names = [] }: FilePiece): string {
  if (names.length === 0) return table
  const nulls = names.map((name) => `NULL AS ${quoteName(name)}`)
  return `FROM (SELECT * REPLACE (${nulls.join(', ')}) ${table})`
}

/** Pieces that one call reads: whole files of one partition, or one part of a file. */
function batchesOf({ source, pieces, columns }: OpenRequest): readonly (readonly FilePiece[])[] {
  const batches: { key: string | undefined; pieces: FilePiece[] }[] = []
  for (const piece of pieces) {
    const isShared = isWhole(piece) && isLocal(piece.path) && piece.emptyColumns === undefined
    const key = isShared ? addedKey(source, piece.path, columns) : undefined
    const last = batches.at(-1)
    if (last !== undefined && key !== undefined && last.key === key) last.pieces.push(piece)
    else batches.push({ key, pieces: [piece] })
  }
  return batches.map((batch) => batch.pieces)
}

function tableOf(files: readonly string[], options: readonly string[] = []): string {
  // A column that happens to be named like a folder is not replaced by it.
  const all = ['hive_partitioning = false', ...options]
  return `read_parquet(${listOf(files)}, ${all.join(', ')})`
}

/** Paths as the engine takes them. */
function listOf(files: readonly string[]): string {
  return `[${files.map((file) => quoteText(literalGlob(file))).join(', ')}]`
}

/** A path with the characters that DuckDB's glob would interpret taken literally. */
function literalGlob(file: string): string {
  return file.replace(/[*?[]/g, '[$&]')
}
