// Where blocks are written to.

import type { FilesystemOptions } from '../datasource/files.js'
import type { Datasink } from '../datasink.js'

export interface ParquetOutput {
  readonly kind: 'parquet'
  readonly compression: 'snappy' | 'zstd' | 'gzip' | 'uncompressed'
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

/** A folder of part files. */
export interface FolderSink {
  readonly kind: 'folder'
  readonly folder: string
  /** The beginning of the names of all parts; their number follows. */
  readonly prefix: string
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

export interface WriteStep {
  readonly kind: 'write'
  /** The method that the user called. */
  readonly name: string
  readonly sink: Sink
}
