// typeray summary

import {
  type StateCounts,
  summarizeActors,
  summarizeObjects,
  summarizeTasks,
} from '../state/index.js'
import { type AskOptions, whereOf } from './list.js'
import { showRow, showRows, showValue } from './show.js'

export async function summary(resource: string, options: AskOptions): Promise<void> {
  const where = whereOf(options)
  const { format } = options
  if (resource === 'tasks') {
    const found = await summarizeTasks(where)
    if (format === 'table') {
      showRows(
        counted(found.summary, ({ type }) => ({ type })),
        format,
      )
    } else showValue(found, format)
    for (const warning of found.warnings) process.stderr.write(`${warning}\n`)
  } else if (resource === 'actors') {
    const found = await summarizeActors(where)
    if (format === 'table')
      showRows(
        counted(found.summary, () => ({})),
        format,
      )
    else showValue(found, format)
  } else showRow({ ...(await summarizeObjects(where)) }, format)
}

function counted<T extends { readonly stateCounts: StateCounts }>(
  entries: Readonly<Record<string, T>>,
  more: (entry: T) => Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>>[] {
  return Object.entries(entries).map(([name, entry]) => ({
    name,
    ...more(entry),
    states: Object.entries(entry.stateCounts)
      .map(([state, count]) => `${state}: ${count}`)
      .join(', '),
  }))
}
