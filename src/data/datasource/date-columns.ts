// Finds dates and timestamps among columns of text, only in the forms of ISO 8601: the engine would
// also take 01/02/2020 for a date, and which one is anybody's guess.

import { rowsOfBlock } from '../block/rows.js'
import { query, quoteName, quoteText } from '../engine/engine.js'
import { sampleRows } from './csv-dialect.js'
import type { SqlColumn } from './files.js'
import { namedValue } from './named-value.js'

const day = String.raw`\d{4}-\d\d-\d\d`
const time = String.raw`[ T]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?`
const zone = String.raw`(Z|[+-]\d\d(:?\d\d)?)`

const forms: readonly (readonly [type: string, pattern: string])[] = [
  ['DATE', day],
  ['TIMESTAMP', day + time],
  ['TIMESTAMPTZ', day + time + zone],
]

/**
 * The columns, those in which every value has one of the forms with its type, and those without
 * values marked.
 */
export function withDates(
  table: string,
  columns: readonly SqlColumn[],
  given: Readonly<Record<string, string>>,
): readonly SqlColumn[] {
  const open = columns.filter(({ name, type }) => {
    return type === 'VARCHAR' && namedValue(given, name) === undefined
  })
  if (open.length === 0) return columns
  const tests = open.flatMap(({ name }, i) => {
    const value = quoteName(name)
    const fits = forms.map(([type, pattern]) => {
      const hasForm = `regexp_full_match(${value}, ${quoteText(pattern)})`
      return `bool_and(${hasForm} AND try_cast(${value} AS ${type}) IS NOT NULL) AS "${i}_${type}"`
    })
    return [`count(${value})::INTEGER AS "${i}_count"`, ...fits]
  })
  const [answers = {}] = rowsOfBlock(
    query(`SELECT ${tests.join(', ')} FROM (SELECT * FROM ${table} LIMIT ${sampleRows})`),
  )
  const found = new Map(
    open.map(({ name }, i) => {
      const form = forms.find(([type]) => answers[`${i}_${type}`] === true)
      const isEmpty = answers[`${i}_count`] === 0
      return [name, { ...(form && { type: form[0] }), ...(isEmpty && { isEmpty }) }] as const
    }),
  )
  return columns.map((column) => ({ ...column, ...found.get(column.name) }))
}
