// Taxi trips are cleaned and described twice: by functions of batches, and by expressions, which
// the engine computes while it reads.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Columns, col, Count, fromItems, Mean, readParquet } from 'typeray/data'

interface Trip {
  readonly at: Date
  readonly miles: number
  readonly fare: number
  readonly tip: number
}

const folder = mkdtempSync(path.join(tmpdir(), 'typeray-taxi-'))
const trips: Trip[] = Array.from({ length: 9000 }, (_, i) => {
  const fare = i % 50 === 0 ? -2.5 : 2.5 + (i % 40)
  return { at: new Date(Date.UTC(2019, 0, 1, i % 24)), miles: (i % 90) / 6, fare, tip: (i % 5) / 2 }
})
await fromItems(trips, { overrideNumBlocks: 3 }).writeParquet(path.join(folder, 'raw'))

/** Keeps trips that went somewhere and cost something; adds what a model wants to know of them. */
function clean({ at, miles, fare, tip }: Columns<Trip>) {
  const kept = [...fare.keys()].filter((i) => (fare[i] ?? 0) >= 2.5 && (miles[i] ?? 0) > 0)
  const pick = (column: ArrayLike<number>) => Float64Array.from(kept, (i) => column[i] ?? 0)
  const [fares, tips, distances] = [pick(fare), pick(tip), pick(miles)]
  return {
    hour: Int32Array.from(kept, (i) => at[i]?.getUTCHours() ?? 0),
    perMile: fares.map((value, i) => value / (distances[i] ?? 0)),
    tipShare: tips.map((value, i) => value / (fares[i] ?? 0)),
    fare: fares,
  }
}

const raw = readParquet<Trip>(path.join(folder, 'raw'))
const byFunctions = raw.mapBatches(clean)
const byExpressions = raw
  .filter(col('fare').gte(2.5).and(col('miles').gt(0)))
  .withColumn('hour', col('at').dt.hour())
  .withColumn('perMile', col<number>('fare').div(col('miles')))
  .withColumn('tipShare', col<number>('tip').div(col('fare')))
  .select(['hour', 'perMile', 'tipShare', 'fare'])

for (const [name, cleaned] of Object.entries({ byFunctions, byExpressions })) {
  const files = await cleaned.writeParquet(path.join(folder, name))
  const night = readParquet(path.join(folder, name)).filter(col('hour').lt(6))
  const row = await night.aggregate(Count(), Mean('tipShare', { alias: 'tips' }))
  console.log(`${name}: ${files.length} file, ${await cleaned.count()} trips`)
  console.log(`${name}: ${row['count()']} at night, tips ${(Number(row.tips) * 100).toFixed(2)} %`)
}
rmSync(folder, { recursive: true })
