// Columns that are not in files but of them: what their folders say, and their paths.

import { RayError } from '../../base/errors.js'
import { quoteName, quoteText } from '../engine/engine.js'
import type { FilePiece, FilesSource, SqlColumn } from './files.js'
import { namedValue } from './named-value.js'
import { partitionColumns, partitionValues } from './partitioning.js'

const pathColumn = 'path'

/** The columns that a source adds to those of its files. */
export function addedColumns(
  source: FilesSource,
  files: readonly { readonly path: string }[],
  inFiles: readonly SqlColumn[],
): readonly SqlColumn[] {
  const known = new Set(inFiles.map(({ name }) => name))
  const partitions = partitionColumns(source, files)
    .filter(({ name }) => !known.has(name))
    .map((column) => ({ ...column, origin: 'partition' as const }))
  if (source.includePaths !== true) return partitions
  if (known.has(pathColumn)) {
    throw new RayError(
      `${source.operator}: the files have a column "${pathColumn}" of their own; includePaths ` +
        'would add another one.',
    )
  }
  return [...partitions, { name: pathColumn, type: 'VARCHAR', origin: 'path' }]
}

/** The value of an added column for the rows of one file. */
export function addedValue(source: FilesSource, file: string, column: SqlColumn): string | null {
  if (column.origin === 'path') return file
  if (source.partitioning === undefined) return null
  return namedValue(partitionValues(file, source.partitioning), column.name) ?? null
}

/** What two files must have in common to be read by one call of the engine. */
export function addedKey(source: FilesSource, file: string, columns: readonly SqlColumn[]): string {
  const added = columns.filter(({ origin }) => origin === 'partition')
  return JSON.stringify(added.map((column) => addedValue(source, file, column)))
}

export function hasPathColumn(columns: readonly SqlColumn[]): boolean {
  return columns.some(({ origin }) => origin === 'path')
}

export interface TableOfFile {
  /** A query that begins with FROM. */
  readonly table: string
  readonly piece: FilePiece
  /** Whether the engine itself gives the column `path`. */
  readonly hasPath?: boolean
}

/** The table with the columns that are not in its file. */
export function withAddedColumns(
  source: FilesSource,
  columns: readonly SqlColumn[],
  { table, piece, hasPath = false }: TableOfFile,
): string {
  const added = columns.filter(({ origin }) => {
    return origin !== undefined && !(origin === 'path' && hasPath)
  })
  if (added.length === 0) return table
  const constants = added.map((column) => {
    const value = addedValue(source, piece.path, column)
    const sql = value === null ? 'NULL' : quoteText(value)
    return `${sql}::${column.type} AS ${quoteName(column.name)}`
  })
  return `FROM (SELECT *, ${constants.join(', ')} ${table})`
}
