// Cleans three million flights, finds out where and when they are late, and writes the clean ones
// as Parquet.
//
//   node dist/examples/flights.js [--input FILE] [--out FOLDER] [--rows N] [--verify]

import { createRequire } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'
import * as ray from 'typeray'
import { readParquet } from 'typeray/data'
import { cleanFlights, type Flight } from './flights/clean.js'
import { DelayTotals, partialDelays } from './flights/delays.js'
import { formatReport, progressBar } from './flights/report.js'
import { verify } from './flights/verify.js'

function parseOptions() {
  const { values } = parseArgs({
    options: {
      input: { type: 'string' },
      out: { type: 'string', default: 'out/flights' },
      rows: { type: 'string', default: 'Infinity' },
      verify: { type: 'boolean', default: false },
    },
  })
  const rows = Number(values.rows)
  if (Number.isNaN(rows)) throw new Error(`--rows must be a number, not ${values.rows}.`)
  return { ...values, rows, input: path.resolve(values.input ?? flightsOfVega()) }
}

/** The file that the npm package vega-datasets carries. */
function flightsOfVega(): string {
  const main = createRequire(import.meta.url).resolve('vega-datasets')
  return path.join(path.dirname(main), '../data/flights-3m.parquet')
}

async function main(): Promise<void> {
  const startedMs = performance.now()
  const { input, out, rows, verify: isVerified } = parseOptions()

  const source = readParquet<Flight>(input, { int64: 'number' })
  const wanted = Number.isFinite(rows) ? source.limit(rows) : source
  const flights = await wanted
    .mapBatches(cleanFlights, { dates: 'number' })
    .materialize({ onProgress: progressBar('clean') })

  const partial = ray.remote(partialDelays)
  const totals = ray.remote(DelayTotals).remote()
  for (const block of await flights.toArrowRefs()) totals.add.remote(partial.remote(block))
  const files = await flights.writeParquet(out, { onProgress: progressBar('write') })
  const report = await ray.get(totals.report.remote())

  console.log(formatReport(report))
  const seconds = (performance.now() - startedMs) / 1000
  const [readRows, keptRows] = [await wanted.count(), await flights.count()]
  const kept = keptRows.toLocaleString('en')
  const dropped = (readRows - keptRows).toLocaleString('en')
  console.log(`\n${kept} clean flights (${dropped} dropped) in ${files.length} files below ${out}`)
  const perSecond = Math.round(readRows / seconds).toLocaleString('en')
  console.log(`${seconds.toFixed(2)} s, ${perSecond} rows/s; what ran where:`)
  for (const { host, pid, tasks, rows: done } of flights.stats().workers) {
    const sums = report.tasksByPid[pid] ?? 0
    const cleaned = `${tasks} blocks (${done.toLocaleString('en')} rows) cleaned`
    console.log(`  node ${host}, worker ${pid}: ${cleaned}, ${sums} summed`)
  }
  if (isVerified) {
    await verify({ input, rows, out, report })
    console.log('Verified against a single pass of SQL.')
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
