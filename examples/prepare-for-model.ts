// Trips in several files are cleaned and scored: a function that every batch goes through, then a
// class that is created once per actor and holds the model. Nothing runs before it is asked for.
//
//   node dist/examples/prepare-for-model.js [FOLDER]

import { readdirSync } from 'node:fs'
import path from 'node:path'
import { type Columns, readParquet } from 'typeray/data'
import { sampleTrips, type Trip } from './samples/trips.js'

let calls = 0
/** Speed in miles per hour, and dollars per mile, of trips that went somewhere and took a while. */
function prepareForModel(trips: Columns<Trip>) {
  calls++
  const { trip_distance: miles, fare_amount: fare } = trips
  const { tpep_pickup_datetime: start, tpep_dropoff_datetime: end } = trips
  const hours = Float64Array.from(miles, (_, i) => (Number(end[i]) - Number(start[i])) / 3_600_000)
  const kept = [...miles.keys()].filter((i) => (miles[i] ?? 0) > 0 && (hours[i] ?? 0) > 0)
  return {
    speed: Float64Array.from(kept, (i) => (miles[i] ?? 0) / (hours[i] ?? 1)),
    perMile: Float64Array.from(kept, (i) => (fare[i] ?? 0) / (miles[i] ?? 1)),
  }
}

class TipModel {
  readonly weights: readonly [number, number]
  constructor(weights: readonly [number, number]) {
    this.weights = weights
  }
  call({ speed, perMile }: { speed: ArrayLike<number>; perMile: ArrayLike<number> }) {
    const [a, b] = this.weights
    return { tip: Float64Array.from(speed, (v, i) => a * v + b * (perMile[i] ?? 0)) }
  }
}

const folder = process.argv[2] ?? (await sampleTrips())
const files = readdirSync(folder).map((name) => path.join(folder, name))
const prepared = readParquet<Trip>(files).mapBatches(prepareForModel)
console.log(`${files.length} files planned, and called ${calls} times: a dataset is lazy`)
console.log((await prepared.explain()).replaceAll(folder, '...'))

const scored = prepared.mapBatches(TipModel, {
  fnConstructorArgs: [[0.01, 0.1] as const],
  concurrency: 2,
  numCpus: 0.5,
})
const { mean } = (await scored.summary()).column('tip')
console.log(`${await scored.count()} trips, mean tip ${mean?.toFixed(3)}`)
for (const { name, rows } of scored.stats().operators) console.log(`${name}: ${rows} rows`)
