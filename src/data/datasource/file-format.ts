// The formats of files, each with its options. Plain values: they travel to the tasks that read.

import type { Int64Format } from './files.js'

export interface ParquetFormat {
  readonly kind: 'parquet'
  readonly int64: Int64Format
}

export type FileFormat = ParquetFormat
