// The formats of files, each with its options. Plain values: they travel to the tasks that read.

import type { Int64Format } from './files.js'

export interface ParquetFormat {
  readonly kind: 'parquet'
  readonly int64: Int64Format
}

export interface CsvFormat {
  readonly kind: 'csv'
  readonly int64: Int64Format
  readonly delimiter: string
  readonly quoteChar: string
  readonly escapeChar: string
  /** Whether the first line names the columns. */
  readonly hasHeader: boolean
  /** Names of the columns where no line gives them. */
  readonly columnNames: readonly string[] | undefined
  readonly skipRows: number
  readonly nullValues: readonly string[]
  readonly encoding: string
  /** DuckDB types by column; others are found in the values. */
  readonly columnTypes: Readonly<Record<string, string>>
  /** Whether types are found in the values at all, or everything is text. */
  readonly inferTypes: boolean
  /** Whether a quoted value may contain line ends. */
  readonly newlinesInValues: boolean
}

export interface JsonFormat {
  readonly kind: 'json'
  readonly int64: Int64Format
  /** One object per line; undefined to find out. */
  readonly lines: boolean | undefined
  readonly columnTypes: Readonly<Record<string, string>>
}

export interface TextFormat {
  readonly kind: 'text'
  readonly encoding: string
  readonly dropEmptyLines: boolean
}

export interface BinaryFormat {
  readonly kind: 'binary'
}

export interface ImageFormat {
  readonly kind: 'image'
  /** Height and width that all images are brought to. */
  readonly size: readonly [height: number, width: number] | undefined
  readonly mode: 'RGB' | 'RGBA' | 'L' | undefined
}

export type FileFormat =
  ParquetFormat | CsvFormat | JsonFormat | TextFormat | BinaryFormat | ImageFormat
