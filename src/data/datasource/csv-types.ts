// Finds the types of the columns of a CSV file in its first rows.
//
// Numbers and booleans are the engine's finding, dates are ours.

import { RayError } from '../../base/errors.js'
import { query } from '../engine/engine.js'
import { type CsvScan, csvTable } from './csv-dialect.js'
import { withDates } from './date-columns.js'
import type { CsvFormat } from './file-format.js'
import type { SqlColumn } from './files.js'
import { namedValue } from './named-value.js'
import { describeSql } from './sql-columns.js'

/** The types of the columns `names` of one file, in the order of the file. */
export function findTypes(
  format: CsvFormat,
  scan: CsvScan,
  names: readonly string[],
): readonly SqlColumn[] {
  const text = names.map((name) => ({ name, type: 'VARCHAR' }))
  const given = text.map(({ name, type }) => ({
    name,
    type: namedValue(format.columnTypes, name) ?? type,
  }))
  if (!format.inferTypes) return given
  const found = sniff(format, { ...scan, columns: undefined }, text)
  const types = found.map((type, i) => {
    const name = names[i] ?? ''
    return { name, type: namedValue(format.columnTypes, name) ?? type }
  })
  return withDates(csvTable(format, { ...scan, columns: text }), types, format.columnTypes)
}

function sniff(format: CsvFormat, scan: CsvScan, text: readonly SqlColumn[]): readonly string[] {
  try {
    const found = describeSql(`FROM ${csvTable(format, scan)}`)
    if (found.length === text.length) return found.map(({ type }) => type)
  } catch (error) {
    // Reading the rows as they are says in which line the trouble is, and sniffing does not.
    query(`SELECT count(*) FROM ${csvTable(format, { ...scan, columns: text })}`)
    if (!(error instanceof RayError) || !error.message.includes('sniffing')) throw error
  }
  return text.map(({ type }) => type)
}
