// Finds the reader of a format. Each is loaded by the first task that needs it, and with it
// whatever library it stands on.

import type { Block } from '../block/block.js'
import type { FileFormat } from './file-format.js'
import type { FilePiece, FilesDescription, FilesSource, SqlColumn } from './files.js'

/** How the files of one format are read. */
export interface FileReader {
  /** Finds the files, their pieces and their columns, and reads no more of them than it must. */
  describe(source: FilesSource): FilesDescription | Promise<FilesDescription>
  /** The pieces as a query, where the engine reads the format. */
  sql?(request: ReadRequest): string
  /** Reads pieces as one block. */
  read(request: ReadRequest): Block | Promise<Block>
}

export interface ReadRequest {
  readonly source: FilesSource
  readonly pieces: readonly FilePiece[]
  /** The columns of the description. */
  readonly columns: readonly SqlColumn[]
}

async function readerOf(format: FileFormat): Promise<FileReader> {
  switch (format.kind) {
    case 'parquet':
      return (await import('./parquet.js')).parquetReader
  }
}

/** Runs as a task: finds files and what is in them. */
export async function describeFiles(source: FilesSource): Promise<FilesDescription> {
  return (await readerOf(source.format)).describe(source)
}

/** Pieces of files as a query of the engine; undefined where another library reads the format. */
export async function filesSql(request: ReadRequest): Promise<string | undefined> {
  return (await readerOf(request.source.format)).sql?.(request)
}

/** Reads pieces of files as one block. */
export async function readFiles(request: ReadRequest): Promise<Block> {
  return (await readerOf(request.source.format)).read(request)
}
