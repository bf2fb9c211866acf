// Options of the methods that write, checked at the call that gives them.

import { RayError } from '../base/errors.js'
import type { FilesystemOptions } from './datasource/files.js'
import type { FilenameProvider } from './filename-provider.js'
import type { SaveMode } from './logical/write-step.js'
import type { ConsumeOptions } from './planned-dataset.js'
import { refuseUnknown, whole } from './step-options.js'

/** What all methods that write files take. */
export interface WriteFilesOptions extends ConsumeOptions {
  /** Columns whose values become folders, `year=2024/month=1`, and are not in the files. */
  readonly partitionCols?: readonly string[]
  /**
   * Where parts are there already: 'overwrite', the default, replaces them, 'append' adds to them,
   * 'error', the default with a `filenameProvider`, refuses and 'ignore' writes nothing. Files
   * count as parts that a write made, or with a `filenameProvider` all of the format.
   */
  readonly mode?: SaveMode
  /** Blocks of fewer rows are written to a file together. */
  readonly minRowsPerFile?: number
  /** Blocks of more rows are written to several files. */
  readonly maxRowsPerFile?: number
  /** How files are called. */
  readonly filenameProvider?: FilenameProvider
  /** Tasks that write at once at most. */
  readonly concurrency?: number
  /** How `s3://` is reached. */
  readonly filesystem?: FilesystemOptions
}

/** How Parquet files are written. */
export interface WriteParquetOptions extends WriteFilesOptions {
  /** 'snappy' unless told otherwise. */
  readonly compression?: 'snappy' | 'zstd' | 'gzip' | 'brotli' | 'lz4' | 'none'
}

/** How CSV files are written. */
export interface WriteCsvOptions extends WriteFilesOptions {
  /** Between values; a comma unless told otherwise. */
  readonly delimiter?: string
  /** Whether the first line names the columns, which it does unless told otherwise. */
  readonly header?: boolean
  /** 'none' unless told otherwise. */
  readonly compression?: 'none' | 'gzip' | 'zstd'
}

/** How JSON files are written. */
export interface WriteJsonOptions extends WriteFilesOptions {
  /** 'none' unless told otherwise. */
  readonly compression?: 'none' | 'gzip' | 'zstd'
}

/** How `writeDatasink` writes. */
export interface WriteDatasinkOptions extends ConsumeOptions {
  /** Tasks that write at once at most. */
  readonly concurrency?: number
}

export interface WriteFilesConfig {
  readonly partitionCols: readonly string[]
  readonly mode: SaveMode
  readonly minRowsPerFile: number | undefined
  readonly maxRowsPerFile: number | undefined
  readonly filenameProvider: FilenameProvider | undefined
  readonly concurrency: number | undefined
  readonly filesystem: FilesystemOptions | undefined
}

const ofFiles = [
  'onProgress', 'partitionCols', 'mode', 'filesystem', 'compression', 'minRowsPerFile',
  'maxRowsPerFile', 'filenameProvider', 'concurrency',
] // prettier-ignore
const modes: readonly SaveMode[] = ['overwrite', 'append', 'error', 'ignore']

export function compileWrite(
  operator: string,
  options: WriteFilesOptions & { readonly compression?: string },
  of: { readonly known?: readonly string[]; readonly compressions: readonly string[] },
): WriteFilesConfig {
  refuseUnknown(operator, options, [...ofFiles, ...(of.known ?? [])])
  const { partitionCols = [], filesystem, compression, filenameProvider } = options
  const { mode = filenameProvider === undefined ? 'overwrite' : 'error' } = options
  oneOf(operator, 'mode', { value: mode, allowed: modes })
  if (compression !== undefined) {
    oneOf(operator, 'compression', { value: compression, allowed: of.compressions })
  }
  if (filenameProvider !== undefined && !canName(filenameProvider)) {
    throw new RayError(`${operator}: filenameProvider has no method getFilenameForBlock.`)
  }
  for (const column of partitionCols) refusePartition(operator, column)
  const minRowsPerFile = whole(operator, 'minRowsPerFile', options.minRowsPerFile)
  const maxRowsPerFile = whole(operator, 'maxRowsPerFile', options.maxRowsPerFile)
  if ((minRowsPerFile ?? 1) > (maxRowsPerFile ?? Number.POSITIVE_INFINITY)) {
    throw new RayError(
      `${operator}: minRowsPerFile is ${minRowsPerFile}, above maxRowsPerFile, ${maxRowsPerFile}.`,
    )
  }
  const concurrency = whole(operator, 'concurrency', options.concurrency)
  const rows = { minRowsPerFile, maxRowsPerFile, concurrency }
  return { partitionCols, mode, filesystem, filenameProvider, ...rows }
}

function canName(provider: unknown): boolean {
  return typeof (provider as Partial<FilenameProvider> | null)?.getFilenameForBlock === 'function'
}

function oneOf(
  operator: string,
  option: string,
  of: { readonly value: string; readonly allowed: readonly string[] },
): void {
  if (of.allowed.includes(of.value)) return
  const list = of.allowed.map((each) => `'${each}'`).join(', ')
  throw new RayError(`${operator}: ${option} must be one of ${list}, not '${of.value}'.`)
}

/** Names of which no folder can be made that readers find, and the engine takes for a column. */
function refusePartition(operator: string, column: string): void {
  if (column !== '' && column !== '*' && !column.startsWith('.')) return
  throw new RayError(
    `${operator}: rows cannot be partitioned by a column called ${JSON.stringify(column)}, of ` +
      'which folders are named that readers do not find. Name it otherwise with renameColumns.',
    { fields: { column } },
  )
}
