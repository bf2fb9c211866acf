// The options of DuckDB's read_csv that a format means.

import { quoteText } from '../engine/engine.js'
import type { Codec } from './compression.js'
import type { CsvFormat } from './file-format.js'
import type { SqlColumn } from './files.js'

/** What differs between the files, or parts of files, of one format. */
export interface CsvScan {
  readonly paths: readonly string[]
  readonly codec: Codec
  readonly hasHeader: boolean
  readonly skipRows: number
  /** The columns in the order of the file; undefined to find out. */
  readonly columns: readonly SqlColumn[] | undefined
  /** Longest line, in bytes, where the engine's own bound was too small. */
  readonly lineBytesMax?: number
  /** Adds the column `path`. */
  readonly hasPath?: boolean
}

/** Types that are looked for in the values; dates are looked for apart. */
const candidates = "['BOOLEAN', 'BIGINT', 'DOUBLE', 'VARCHAR']"
/** Rows of a file that types are found in. */
export const sampleRows = 20_480

/** A call of read_csv. */
export function csvTable(format: CsvFormat, scan: CsvScan): string {
  const { paths, columns, lineBytesMax } = scan
  const options = [
    ...dialect(format),
    `header = ${scan.hasHeader}`,
    `skip = ${scan.skipRows}`,
    `compression = ${quoteText(scan.codec)}`,
    ...(columns === undefined ? sniffed(format) : [`auto_detect = false`, given(columns)]),
    ...(scan.hasPath === true ? [`filename = 'path'`] : []),
    ...(lineBytesMax === undefined
      ? []
      : [`max_line_size = ${lineBytesMax}`, `buffer_size = ${lineBytesMax * 2}`]),
  ]
  const list = paths.map(quoteText).join(', ')
  return `read_csv([${list}], ${options.join(', ')})`
}

function dialect(format: CsvFormat): readonly string[] {
  const { delimiter, quoteChar, escapeChar, nullValues, encoding } = format
  return [
    `delim = ${quoteText(delimiter)}`,
    `quote = ${quoteText(quoteChar)}`,
    `escape = ${quoteText(escapeChar)}`,
    `nullstr = [${nullValues.map(quoteText).join(', ')}]`,
    `encoding = ${quoteText(encoding)}`,
    `comment = ''`,
    'hive_partitioning = false',
    'strict_mode = true',
    'null_padding = false',
    // A quoted "" is an empty string, and nothing at all is null.
    'allow_quoted_nulls = false',
  ]
}

function sniffed(format: CsvFormat): readonly string[] {
  const { inferTypes } = format
  const types = inferTypes ? `auto_type_candidates = ${candidates}` : 'all_varchar = true'
  return ['auto_detect = true', types, `sample_size = ${sampleRows}`]
}

function given(columns: readonly SqlColumn[]): string {
  const pairs = columns.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`)
  return `columns = {${pairs.join(', ')}}`
}
