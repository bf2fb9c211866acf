// Options of the methods that write, checked at the call that gives them.

import { RayError } from '../base/errors.js'
import type { FilesystemOptions } from './datasource/files.js'
import type { ConsumeOptions } from './planned-dataset.js'
import { refuseUnknown } from './step-options.js'

/** What happens where a folder has parts already. */
export type SaveMode = 'overwrite' | 'append' | 'error' | 'ignore'

/** What all methods that write files take. */
export interface WriteFilesOptions extends ConsumeOptions {
  /** Columns whose values become folders, `year=2024/month=1`, and are not in the files. */
  readonly partitionCols?: readonly string[]
  /**
   * Where parts are there already: 'overwrite', the default, replaces them, 'append' adds to them,
   * 'error' refuses and 'ignore' writes nothing.
   */
  readonly mode?: SaveMode
  /** How `s3://` is reached. */
  readonly filesystem?: FilesystemOptions
}

/** How Parquet files are written. */
export interface WriteParquetOptions extends WriteFilesOptions {
  /** 'snappy' unless told otherwise. */
  readonly compression?: 'snappy' | 'zstd' | 'gzip' | 'none'
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

export interface WriteFilesConfig {
  readonly partitionCols: readonly string[]
  readonly mode: SaveMode
  readonly filesystem: FilesystemOptions | undefined
}

const ofFiles = ['onProgress', 'partitionCols', 'mode', 'filesystem', 'compression']
const modes: readonly SaveMode[] = ['overwrite', 'append', 'error', 'ignore']

export function compileWrite(
  operator: string,
  options: WriteFilesOptions & { readonly compression?: string },
  of: { readonly known?: readonly string[]; readonly compressions: readonly string[] },
): WriteFilesConfig {
  refuseUnknown(operator, options, [...ofFiles, ...(of.known ?? [])])
  const { partitionCols = [], mode = 'overwrite', filesystem, compression } = options
  oneOf(operator, 'mode', { value: mode, allowed: modes })
  if (compression !== undefined) {
    oneOf(operator, 'compression', { value: compression, allowed: of.compressions })
  }
  return { partitionCols, mode, filesystem }
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
