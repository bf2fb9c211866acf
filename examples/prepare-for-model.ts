// Trips in several files are cleaned and scored: a function that every block goes through, then a
// class that is created once per actor and holds the model.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fromItems, readParquet } from 'typeray/data'

interface Trip {
  distance: number
  minutes: number
  fare: number
}

const folder = mkdtempSync(path.join(tmpdir(), 'typeray-trips-'))
const trips: Trip[] = Array.from({ length: 6000 }, (_, i) => {
  return { distance: (i % 100) / 10, minutes: 1 + (i % 45), fare: 2.5 + (i % 60) / 2 }
})
await fromItems(trips, { overrideNumBlocks: 3 }).writeParquet(folder)

let calls = 0
function prepareForModel({ distance, minutes, fare }: Trip) {
  calls++
  return { speed: (distance / minutes) * 60, perKilometre: fare / Math.max(distance, 0.1) }
}

class TipModel {
  readonly weights: readonly [number, number]
  constructor(weights: readonly [number, number]) {
    this.weights = weights
  }
  call({ speed, perKilometre }: { speed: ArrayLike<number>; perKilometre: ArrayLike<number> }) {
    const [a, b] = this.weights
    return { tip: Float64Array.from(speed, (v, i) => a * v + b * (perKilometre[i] ?? 0)) }
  }
}

const prepared = readParquet<Trip>(folder)
  .filter(({ distance }) => distance > 0)
  .map(prepareForModel)
console.log(`planned, and called ${calls} times: a dataset is lazy`)
const scored = prepared.mapBatches(TipModel, {
  fnConstructorArgs: [[0.01, 0.1] as const],
  concurrency: 2,
  numCpus: 0.5,
})
const { mean } = (await scored.summary()).column('tip')
console.log(`${await scored.count()} trips, mean tip ${mean?.toFixed(3)}`)
for (const { name, rows } of scored.stats().operators) console.log(`${name}: ${rows} rows`)
rmSync(folder, { recursive: true })
