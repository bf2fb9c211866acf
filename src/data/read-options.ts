// Options of the functions that read files, checked once, at the call that gives them.

import { RayError } from '../base/errors.js'
import type {
  Compression,
  FileShuffle,
  FilesSource,
  FilesystemOptions,
  Int64Format,
  Partitioning,
  PartitionValues,
} from './datasource/files.js'
import { type CastType, sqlOfType } from './expression/casts.js'
import { refuseUnknown, whole } from './step-options.js'

/** What all functions that read files take. */
export interface ReadFilesOptions {
  /** Adds the column `path` with the path of the file that a row is from. */
  readonly includePaths?: boolean
  /**
   * What the names of folders say: `{ style: 'hive' }` (`year=2024/month=1`), or
   * `{ style: 'dir', fieldNames: ['year', 'month'], baseDir }`; null for nothing.
   */
  readonly partitioning?: Partitioning | null
  /** Reads only the files for whose folders the function returns true. */
  readonly partitionFilter?: (values: PartitionValues) => boolean
  /** Ends of the names of files that are looked for in folders, such as `['csv', 'tsv']`. */
  readonly fileExtensions?: readonly string[] | null
  /** A path that does not exist is an empty one, and not an error. */
  readonly ignoreMissingPaths?: boolean
  /** How files are compressed; 'infer' goes by the end of their name. */
  readonly compression?: Compression
  /** How `s3://` and `http://` are reached. */
  readonly filesystem?: FilesystemOptions
  /**
   * About how many blocks the files make; as many as keep the cluster busy unless told otherwise.
   * Row groups of Parquet, and small files of lines, are not divided.
   */
  readonly overrideNumBlocks?: number
  /** 'files', or `{ seed }`: files are read in random order, each by itself in its own. */
  readonly shuffle?: 'files' | FileShuffle | null
}

/** What functions take that read tables. */
export interface ReadTableOptions extends ReadFilesOptions {
  /** Columns to read; all unless told otherwise. */
  readonly columns?: readonly string[]
  /** 64-bit integers as 'bigint', the default, or as 'number', which is exact up to 2^53. */
  readonly int64?: Int64Format
}

const ofFiles = [
  'includePaths',
  'partitioning',
  'partitionFilter',
  'fileExtensions',
  'ignoreMissingPaths',
  'compression',
  'filesystem',
  'overrideNumBlocks',
  'shuffle',
]
const ofTables = [...ofFiles, 'columns', 'int64']

export type FilesBeginning = Omit<FilesSource, 'format' | 'columns'>

export interface FormatDefaults {
  readonly operator: string
  /** Options of this format alone. */
  readonly known: readonly string[]
  readonly isTable: boolean
  readonly partitioning: Partitioning | undefined
  readonly fileExtensions: readonly string[] | undefined
}

/** The part of a source that does not depend on the format. */
export function compileFiles(
  paths: string | readonly string[],
  options: ReadFilesOptions,
  defaults: FormatDefaults,
): FilesBeginning {
  const { operator } = defaults
  refuseUnknown(operator, options, [...(defaults.isTable ? ofTables : ofFiles), ...defaults.known])
  const list = typeof paths === 'string' ? [paths] : [...paths]
  if (list.length === 0) throw new RayError(`${operator} was given no paths.`)
  const { partitioning = defaults.partitioning, fileExtensions = defaults.fileExtensions } = options
  const compression = options.compression ?? 'infer'
  oneOf(operator, 'compression', compression, ['infer', 'none', 'gzip', 'zstd', 'brotli'])
  return {
    kind: 'files',
    operator,
    paths: list,
    limit: Number.POSITIVE_INFINITY,
    includePaths: options.includePaths ?? false,
    partitioning: partitioning === null ? undefined : compilePartitioning(operator, partitioning),
    partitionFilter: options.partitionFilter,
    fileExtensions: fileExtensions ?? undefined,
    ignoreMissingPaths: options.ignoreMissingPaths ?? false,
    compression,
    filesystem: options.filesystem,
    shuffle: compileShuffle(operator, options.shuffle ?? undefined),
    blocks: whole(operator, 'overrideNumBlocks', options.overrideNumBlocks),
  }
}

function compileShuffle(
  operator: string,
  shuffle: 'files' | FileShuffle | undefined,
): FileShuffle | undefined {
  if (shuffle === undefined) return undefined
  if (typeof shuffle === 'string') {
    oneOf(operator, 'shuffle', shuffle, ['files'])
    return {}
  }
  refuseUnknown(`${operator}: shuffle`, shuffle, ['seed'])
  return shuffle
}

function compilePartitioning(
  operator: string,
  partitioning: Partitioning | undefined,
): Partitioning | undefined {
  if (partitioning === undefined) return undefined
  const known = ['style', 'fieldNames', 'baseDir', 'fieldTypes']
  refuseUnknown(`${operator}: partitioning`, partitioning, known)
  oneOf(operator, 'partitioning.style', partitioning.style, ['hive', 'dir'])
  if (partitioning.style === 'dir' && partitioning.fieldNames === undefined) {
    throw new RayError(`${operator}: partitioning of the style 'dir' needs \`fieldNames\`.`)
  }
  return partitioning
}

function oneOf(operator: string, option: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return
  const list = allowed.map((each) => `'${each}'`).join(', ')
  throw new RayError(`${operator}: ${option} must be one of ${list}, not '${value}'.`)
}

/** The columns to read, and how 64-bit integers are shown. */
export function compileTable(
  operator: string,
  { columns, int64 = 'bigint' }: ReadTableOptions,
): { readonly columns: readonly string[] | undefined; readonly int64: Int64Format } {
  if (columns?.length === 0) throw new RayError(`${operator}: \`columns\` names no column.`)
  oneOf(operator, 'int64', int64, ['bigint', 'number'])
  return { columns, int64 }
}

/** DuckDB's names of the types that the user gives columns. */
export function compileColumnTypes(
  types: Readonly<Record<string, CastType>> | undefined,
): Readonly<Record<string, string>> {
  const entries = Object.entries(types ?? {})
  return Object.fromEntries(entries.map(([name, type]) => [name, sqlOfType(type)]))
}
