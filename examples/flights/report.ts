// What the job prints: a progress bar while it runs, a table and a bar chart at the end.

import type { Progress } from 'typeray/data'
import type { DelayReport, MeanDelay } from './delays.js'

const barCells = 30

/** Draws one phase as a bar on a terminal, and as one line when it is done elsewhere. */
export function progressBar(phase: string): (progress: Progress) => void {
  return ({ blocks, blocksTotal = blocks, rows }) => {
    const isDone = blocks >= blocksTotal
    const done = `${blocks}/${blocksTotal} blocks, ${rows.toLocaleString('en')} rows`
    const text = `${phase.padEnd(8)} ${done}`
    if (!process.stdout.isTTY) {
      if (isDone) console.log(text)
      return
    }
    const filled = Math.round((barCells * blocks) / blocksTotal)
    const bar = '█'.repeat(filled) + '░'.repeat(barCells - filled)
    process.stdout.write(`\r\x1b[K${bar} ${text}${isDone ? '\n' : ''}`)
  }
}

/** The origins with the largest mean delay, small airports left out, and the mean of every hour. */
export function formatReport(report: DelayReport): string {
  const flights = report.origins.reduce((sum, origin) => sum + origin.flights, 0)
  const flightsMin = Math.max(1, Math.round(flights / 3000))
  const top = report.origins.filter((origin) => origin.flights >= flightsMin).slice(0, 10)
  return [
    '',
    `Origins by mean delay (of those with at least ${flightsMin} flights)`,
    'origin   flights  mean delay',
    ...top.map(({ key, flights: count, meanMinutes }) => {
      const number = count.toLocaleString('en')
      return `${key.padEnd(6)} ${number.padStart(9)}  ${meanMinutes.toFixed(1).padStart(6)} min`
    }),
    '',
    'Mean delay by hour of departure',
    ...hourLines(report.hours),
  ].join('\n')
}

function hourLines(hours: readonly MeanDelay[]): string[] {
  const largest = Math.max(1, ...hours.map((hour) => Math.abs(hour.meanMinutes)))
  return hours.map(({ key, meanMinutes }) => {
    const length = Math.round((40 * Math.abs(meanMinutes)) / largest)
    const bar = (meanMinutes < 0 ? '░' : '█').repeat(length)
    return `${key.padStart(2, '0')}h ${meanMinutes.toFixed(1).padStart(6)} min ${bar}`
  })
}
