// typeray timeline

import { writeFile } from 'node:fs/promises'
import { traceOf } from '../ray/timeline.js'
import { listAll } from '../state/list.js'
import { type AskOptions, whereOf } from './list.js'

const all = Number.MAX_SAFE_INTEGER

export async function timeline(
  options: Omit<AskOptions, 'format'> & { readonly output: string },
): Promise<void> {
  const { rows } = await listAll('tasks', { ...whereOf(options), limit: all, detail: true })
  const events = traceOf(rows as unknown as Readonly<Record<string, unknown>>[])
  await writeFile(options.output, JSON.stringify(events))
  process.stdout.write(
    `${events.length} events in ${options.output}: open it in chrome://tracing or ` +
      `https://ui.perfetto.dev\n`,
  )
}
