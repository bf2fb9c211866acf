// Finds dates and timestamps among columns of text, only in the forms of ISO 8601: the engine would
// also take 01/02/2020 for a date, and which one is anybody's guess.

import { rowsOfBlock } from '../block/rows.js'
import { query, quoteName, quoteText } from '../engine/engine.js'
import { sampleRows } from './csv-dialect.js'
import type { SqlColumn } from './files.js'

const day = String.raw`\d{4}-\d\d-\d\d`
const time = String.raw`[ T]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?`
const zone = String.raw`(Z|[+-]\d\d(:?\d\d)?)`

const forms: readonly (readonly [type: string, pattern: string])[] = [
  ['DATE', day],
  ['TIMESTAMP', day + time],
  ['TIMESTAMPTZ', day + time + zone],
]

/** The types of those of the columns in which every value has one of the forms. */
export function findDates(table: string, open: readonly SqlColumn[]): ReadonlyMap<string, string> {
  const dates = new Map<string, string>()
  if (open.length === 0) return dates
  const tests = open.flatMap(({ name }, i) => {
    const value = quoteName(name)
    return forms.map(([type, pattern]) => {
      const fits = `regexp_full_match(${value}, ${quoteText(pattern)})`
      return `bool_and(${fits} AND try_cast(${value} AS ${type}) IS NOT NULL) AS "${i}_${type}"`
    })
  })
  const [answers = {}] = rowsOfBlock(
    query(`SELECT ${tests.join(', ')} FROM (SELECT * FROM ${table} LIMIT ${sampleRows})`),
  )
  for (const [i, { name }] of open.entries()) {
    const form = forms.find(([type]) => answers[`${i}_${type}`] === true)
    if (form !== undefined) dates.set(name, form[0])
  }
  return dates
}
