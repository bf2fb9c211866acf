// Finds the types of the columns of a CSV file in its first rows.
//
// Numbers and booleans are the engine's finding. Dates are found here, and only in the forms of ISO
// 8601: the engine would also take 01/02/2020 for a date, and which one is anybody's guess.

import { RayError } from '../../base/errors.js'
import { rowsOfBlock } from '../block/rows.js'
import { query, quoteName, quoteText } from '../engine/engine.js'
import { type CsvScan, csvTable, sampleRows } from './csv-dialect.js'
import type { CsvFormat } from './file-format.js'
import type { SqlColumn } from './files.js'
import { describeSql } from './sql-columns.js'

/** The types of the columns `names` of one file, in the order of the file. */
export function findTypes(
  format: CsvFormat,
  scan: CsvScan,
  names: readonly string[],
): readonly SqlColumn[] {
  const text = names.map((name) => ({ name, type: 'VARCHAR' }))
  const given = text.map(({ name, type }) => ({ name, type: format.columnTypes[name] ?? type }))
  if (!format.inferTypes) return given
  const found = sniff(format, { ...scan, columns: undefined }, text)
  const types = found.map((type, i) => {
    const name = names[i] ?? ''
    return { name, type: format.columnTypes[name] ?? type }
  })
  const open = types.filter(({ name, type }) => {
    return type === 'VARCHAR' && format.columnTypes[name] === undefined
  })
  const dates = open.length === 0 ? new Map<string, string>() : findDates(format, scan, open, text)
  return types.map(({ name, type }) => ({ name, type: dates.get(name) ?? type }))
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

const day = String.raw`\d{4}-\d\d-\d\d`
const time = String.raw`[ T]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?`
const zone = String.raw`(Z|[+-]\d\d(:?\d\d)?)`

const forms: readonly (readonly [type: string, pattern: string])[] = [
  ['DATE', day],
  ['TIMESTAMP', day + time],
  ['TIMESTAMPTZ', day + time + zone],
]

function findDates(
  format: CsvFormat,
  scan: CsvScan,
  open: readonly SqlColumn[],
  text: readonly SqlColumn[],
): ReadonlyMap<string, string> {
  const tests = open.flatMap(({ name }, i) => {
    const value = quoteName(name)
    return forms.map(([type, pattern]) => {
      const fits = `regexp_full_match(${value}, ${quoteText(pattern)})`
      return `bool_and(${fits} AND try_cast(${value} AS ${type}) IS NOT NULL) AS "${i}_${type}"`
    })
  })
  const table = csvTable(format, { ...scan, columns: text })
  const [answers = {}] = rowsOfBlock(
    query(`SELECT ${tests.join(', ')} FROM (SELECT * FROM ${table} LIMIT ${sampleRows})`),
  )
  const dates = new Map<string, string>()
  for (const [i, { name }] of open.entries()) {
    const form = forms.find(([type]) => answers[`${i}_${type}`] === true)
    if (form !== undefined) dates.set(name, form[0])
  }
  return dates
}
