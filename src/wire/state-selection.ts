// Filters, cuts and trims rows for an answer, where they are: the rows may be a hundred thousand.

import { stateColumns } from '../base/state-columns.js'
import type { StateAnswer, StateFilter, StateQuery, StateRow } from './messages/state.js'

/** The rows of an answer. Detail columns are left out unless they are asked for. */
export function selectRows(rows: Iterable<StateRow>, query: StateQuery): StateAnswer {
  const details: ReadonlySet<string> = new Set(stateColumns[query.resource].detail)
  const { filters, limit, detail } = query
  const selected: StateRow[] = []
  let total = 0
  let numFiltered = 0
  for (const row of rows) {
    total++
    if (!filters.every((filter) => matches(row, filter))) continue
    numFiltered++
    if (selected.length < limit) selected.push(detail ? row : without(row, details))
  }
  return { total, numFiltered, rows: selected, warnings: query.warnings ?? [] }
}

/** What is typed on a command line is text, so text is compared; case does not matter. */
function matches(row: StateRow, { key, predicate, value }: StateFilter): boolean {
  const isSame = textOf(row[key]).toLowerCase() === value.toLowerCase()
  return isSame === (predicate === '=')
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function without(row: StateRow, details: ReadonlySet<string>): StateRow {
  return Object.fromEntries(Object.entries(row).filter(([key]) => !details.has(key)))
}
