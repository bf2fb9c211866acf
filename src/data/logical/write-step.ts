// Where blocks are written to.

import type { FilesystemOptions } from '../datasource/files.js'
import type { Datasink } from '../datasink.js'
import type { FilenameProvider } from '../filename-provider.js'
import type { StepResources } from './function-step.js'

export interface ParquetOutput {
  readonly kind: 'parquet'
  readonly compression: 'snappy' | 'zstd' | 'gzip' | 'brotli' | 'lz4_raw' | 'uncompressed'
}

export interface CsvOutput {
  readonly kind: 'csv'
  readonly compression: 'none' | 'gzip' | 'zstd'
  readonly delimiter: string
  readonly hasHeader: boolean
}

export interface JsonOutput {
  readonly kind: 'json'
  readonly compression: 'none' | 'gzip' | 'zstd'
}

export type OutputFormat = ParquetOutput | CsvOutput | JsonOutput

/** What happens where a folder has parts already. */
export type SaveMode = 'overwrite' | 'append' | 'error' | 'ignore'

/** A folder of part files. */
export interface FolderSink {
  readonly kind: 'folder'
  readonly folder: string
  /** Of this write alone. */
  readonly writeId: string
  /** Names the process that writes: when it has ended, what it did not publish may go. */
  readonly writer: string
  /** The beginning of the names of all parts; their number follows. */
  readonly prefix: string
  /** Names the files instead. */
  readonly filenameProvider: FilenameProvider | undefined
  /** Rows of a file at most; undefined for a file per block. */
  readonly rowsPerFileMax: number | undefined
  readonly format: OutputFormat
  /** Columns whose values become folders. */
  readonly partitionCols: readonly string[]
  readonly filesystem: FilesystemOptions | undefined
}

export interface CustomSink {
  readonly kind: 'custom'
  readonly datasink: Datasink
}

export type Sink = FolderSink | CustomSink

export interface WriteStep extends Partial<StepResources> {
  readonly kind: 'write'
  /** The method that the user called. */
  readonly name: string
  readonly sink: Sink
}
