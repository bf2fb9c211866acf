// Taxi trips are cleaned and described twice: by functions of batches, and by expressions, which
// the engine computes while it reads.
//
//   node dist/examples/taxi.js [FOLDER]

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Columns, col, Count, Mean, readParquet } from 'typeray/data'
import { sampleTrips, type Trip } from './samples/trips.js'

const input = process.argv[2] ?? (await sampleTrips())
const out = mkdtempSync(path.join(tmpdir(), 'typeray-taxi-'))

/** Keeps trips that went somewhere and cost something; adds what a model wants to know of them. */
function clean(trips: Columns<Trip>) {
  const { fare_amount: fare, trip_distance: miles, passenger_count: people } = trips
  const kept = [...fare.keys()].filter((i) => {
    return (fare[i] ?? 0) >= 2.5 && (miles[i] ?? 0) > 0 && (people[i] ?? 0) > 0
  })
  const pick = (column: ArrayLike<number>) => Float64Array.from(kept, (i) => column[i] ?? 0)
  const [fares, tips, distances] = [pick(fare), pick(trips.tip_amount), pick(miles)]
  return {
    hour: Int32Array.from(kept, (i) => trips.tpep_pickup_datetime[i]?.getUTCHours() ?? 0),
    perMile: fares.map((value, i) => value / (distances[i] ?? 0)),
    tipShare: tips.map((value, i) => value / (fares[i] ?? 0)),
    fare: fares,
  }
}

const raw = readParquet<Trip>(input)
const byFunctions = raw.mapBatches(clean)
const isKept = col('fare_amount')
  .gte(2.5)
  .and(col('trip_distance').gt(0))
  .and(col('passenger_count').gt(0))
const byExpressions = raw.filter(isKept).select({
  hour: col('tpep_pickup_datetime').dt.hour(),
  perMile: col<number>('fare_amount').div(col('trip_distance')),
  tipShare: col<number>('tip_amount').div(col('fare_amount')),
  fare: col<number>('fare_amount'),
})

for (const [name, cleaned] of Object.entries({ byFunctions, byExpressions })) {
  await cleaned.writeParquet(path.join(out, name))
  const written = readParquet(path.join(out, name))
  const night = await written
    .filter(col('hour').lt(6))
    .aggregate(Count(), Mean('tipShare', { alias: 'tips' }), Mean('perMile', { alias: 'perMile' }))
  console.log(`${name}: ${await written.count()} of ${await raw.count()} trips`)
  const [tips, perMile] = [Number(night.tips).toFixed(4), Number(night.perMile).toFixed(4)]
  console.log(`${name}: ${night['count()']} at night, tips ${tips}, per mile ${perMile}`)
}
rmSync(out, { recursive: true })
