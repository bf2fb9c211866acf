// Finds the reader of a format, and does what is the same for all: listing files, adding the
// columns that their folders say, running the engine. Each reader is loaded by the first task that
// needs it, and with it whatever library it stands on.

import { describedFilesMax, tablesPerQueryMax } from '../../base/limits.js'
import { type Block, blockOfColumns, schemaOfBlock, type SchemaField } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'
import { addedColumns } from './file-columns.js'
import type { FileFormat } from './file-format.js'
import type { FileRows } from './file-rows.js'
import type {
  FilePiece,
  FilesDescription,
  FilesSource,
  FoundFile,
  ListedFile,
  SqlColumn,
} from './files.js'
import { listFiles } from './listing.js'
import { OpenPieces } from './open-pieces.js'
import { isLineTooLong, readError } from './read-error.js'
import { rowOrderColumn } from './row-order.js'
import { samplesOf } from './samples.js'
import { selectColumns, sqlColumnsWanted } from './sql-columns.js'

export interface FoundColumns {
  readonly files: readonly FoundFile[]
  readonly columns: readonly SqlColumn[]
  /** Whether some files were not looked at. */
  readonly isSampled?: boolean
}

/** Files to describe. */
export interface DescribedFiles {
  /** Those that are read. */
  readonly read: readonly ListedFile[]
  /** Those, and others that a filter leaves out: columns do not depend on filters. */
  readonly looked: readonly ListedFile[]
}

/** A format that the engine reads. */
export interface SqlReader {
  readonly kind: 'sql'
  /** Finds pieces and columns, and reads no more than it must. */
  describe(files: DescribedFiles, source: FilesSource, open: OpenPieces): Promise<FoundColumns>
  /** Queries, each beginning with FROM, that give the rows of the pieces in order. */
  tables(request: OpenRequest): Promise<readonly string[]>
}

/** A format that is read here. */
export interface BytesReader {
  readonly kind: 'bytes'
  describe(files: DescribedFiles, source: FilesSource): Promise<DescribedBytes>
  read(request: ReadRequest): Promise<Block>
  /** Loads a library that it stands on; absent where it has none. */
  load?(): Promise<unknown>
  /** What `read` gives, row by row; absent where a file may have many rows. */
  rows?(request: ReadRequest): FileRows
}

export interface DescribedBytes extends FoundColumns {
  readonly schema: readonly SchemaField[]
}

export interface ReadRequest {
  readonly source: FilesSource
  readonly pieces: readonly FilePiece[]
  /** The columns of the description. */
  readonly columns: readonly SqlColumn[]
  readonly isSampled?: boolean
  /** Of Parquet files: adds `rowOrderColumn`. */
  readonly isOrdered?: boolean
}

export interface OpenRequest extends ReadRequest {
  readonly open: OpenPieces
  /** After a failure: shortcuts that would hide which file it is in are not taken. */
  readonly isCareful: boolean
  /** Longest line, where the engine's own bound was too small. */
  readonly lineBytesMax?: number
}

async function readerOf(format: FileFormat): Promise<SqlReader | BytesReader> {
  switch (format.kind) {
    case 'parquet':
      return (await import('./parquet.js')).parquetReader
    case 'csv':
      return (await import('./csv.js')).csvReader(format)
    case 'json':
      return (await import('./json.js')).jsonReader(format)
    case 'text':
      return (await import('./text.js')).textReader(format)
    case 'image':
      return (await import('./images.js')).imageReader(format)
    case 'binary':
      return (await import('./binary.js')).binaryReader
  }
}

/** Loads the library that a format that is read here stands on. */
export async function loadReader(format: FileFormat): Promise<void> {
  const reader = await readerOf(format)
  if (reader.kind === 'bytes') await reader.load?.()
}

/** Runs as a task: finds files and what is in them. */
export async function describeFiles(source: FilesSource): Promise<FilesDescription> {
  const { files: listed, count } = await listFiles(source)
  const reader = await readerOf(source.format)
  if (reader.kind === 'bytes') {
    const described = await describePruned(source, listed, async (read) => {
      return reader.describe({ read, looked: listed }, source)
    })
    return { ...described, found: count }
  }
  const open = new OpenPieces(source)
  try {
    const { files, columns, isSampled } = await describePruned(source, listed, async (read) => {
      const looked = lookedAt(listed, read)
      const found = await reader.describe({ read, looked }, source, open)
      const present = [...found.columns, ...addedColumns(source, listed, found.columns)]
      return { ...found, columns: present }
    })
    const wanted = sqlColumnsWanted(source, columns)
    const { query } = await import('../engine/engine.js')
    const schema = wanted.length === 0 ? [] : schemaOfBlock(query(selectColumns(wanted, [])))
    return { files, found: count, schema, columns: wanted, isSampled: isSampled ?? false }
  } catch (error) {
    throw readError(source, listed, { error, open })
  } finally {
    open.close()
  }
}

/**
 * Describes the files that folders and paths do not rule out. What a folder says counts only where
 * the files have no column of that name, which is known when they have been described.
 */
async function describePruned<Found extends FoundColumns>(
  source: FilesSource,
  listed: readonly ListedFile[],
  describe: (read: readonly ListedFile[]) => Promise<Found>,
): Promise<Found> {
  if (source.predicate === undefined) return describe(listed)
  const { pruneFiles } = await import('./prune-files.js')
  let own: readonly string[] = []
  for (;;) {
    const { read, by } = pruneFiles(source, listed, own)
    const found = await describe(read)
    const inFiles = found.columns.filter(({ origin }) => origin === undefined)
    const hidden = inFiles.map(({ name }) => name).filter((name) => by.includes(name))
    if (hidden.length === 0) return found
    own = [...own, ...hidden]
  }
}

/** The files that are read, and some of the others. */
function lookedAt(
  listed: readonly ListedFile[],
  read: readonly ListedFile[],
): readonly ListedFile[] {
  if (read.length === listed.length) return listed
  const isRead = new Set(read)
  const { samples } = samplesOf(
    listed.filter((file) => !isRead.has(file)),
    describedFilesMax,
  )
  const isLooked = new Set([...read, ...samples])
  return listed.filter((file) => isLooked.has(file))
}

/** Reads pieces of files as one block. */
export async function readFiles(request: ReadRequest): Promise<Block> {
  const reader = await readerOf(request.source.format)
  if (reader.kind === 'bytes') return reader.read(request)
  if (request.columns.length === 0) return blockOfColumns({})
  const { query } = await import('../engine/engine.js')
  return runOpened(request, reader, (queries) => {
    return concatBlocks(queries.map((sql) => query(sql, 'coded')))
  })
}

/** The rows of pieces of files one by one; undefined where a format has no such way. */
export async function streamFiles(request: ReadRequest): Promise<FileRows | undefined> {
  const reader = await readerOf(request.source.format)
  return reader.kind === 'bytes' ? reader.rows?.(request) : undefined
}

/**
 * Calls `body` with the pieces as a query; gives undefined where another library than the engine
 * reads the format.
 */
export async function queryFiles<T>(
  request: ReadRequest,
  body: (sql: string) => T | Promise<T>,
): Promise<T | undefined> {
  const reader = await readerOf(request.source.format)
  if (reader.kind === 'bytes' || request.columns.length === 0) return undefined
  return runOpened(request, reader, (queries) => body(queries.join(' UNION ALL ')))
}

type OnQueries<T> = (queries: readonly string[]) => T | Promise<T>

async function runOpened<T>(
  request: ReadRequest,
  reader: SqlReader,
  body: OnQueries<T>,
): Promise<T> {
  try {
    return await runOnce({ ...request, isCareful: false }, reader, body)
  } catch (error) {
    const longest = Math.max(...request.pieces.map((piece) => piece.length), 0)
    const lineBytesMax = isLineTooLong(error) ? { lineBytesMax: longest + 1 } : {}
    return runOnce({ ...request, isCareful: true, ...lineBytesMax }, reader, body)
  }
}

async function runOnce<T>(
  request: Omit<OpenRequest, 'open'>,
  reader: SqlReader,
  body: OnQueries<T>,
): Promise<T> {
  const { source, pieces, columns } = request
  const open = new OpenPieces(source)
  try {
    const tables = await reader.tables({ ...request, open })
    const queries: string[] = []
    for (let at = 0; at === 0 || at < tables.length; at += tablesPerQueryMax) {
      const some = tables.slice(at, at + tablesPerQueryMax)
      const sql = selectColumns(columns, some, request.isOrdered === true ? [rowOrderColumn] : [])
      queries.push(Number.isFinite(source.limit) ? `${sql} LIMIT ${source.limit}` : sql)
    }
    // What is open must stay so until the queries have run.
    return await body(queries)
  } catch (error) {
    throw readError(source, pieces, { error, open })
  } finally {
    open.close()
  }
}
