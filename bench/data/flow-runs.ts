// Typeray's side of the workloads that run functions of the user.

import fs from 'node:fs'
import path from 'node:path'
import * as ray from 'typeray'
import { range, readParquet } from 'typeray/data'
import type { Run } from './workload.js'

interface Trip {
  vendor: number
  pickup: Date
  dropoff: Date
  passengers: number
  distance: number
  fare: number
  tip: number
}

/**
 * Keeps plausible trips, and adds how long they took, how fast they were, and the share of tips.
 */
function cleanTrips(batch: Record<keyof Trip, ArrayLike<number>>) {
  const { pickup, dropoff, passengers, distance, fare, tip } = batch
  const kept = new Uint32Array(fare.length)
  let count = 0
  for (let i = 0; i < kept.length; i++) {
    const isPlausible = at(fare, i) >= 2.5 && at(passengers, i) > 0 && at(distance, i) > 0
    if (isPlausible && at(dropoff, i) > at(pickup, i)) kept[count++] = i
  }
  const column = (): Float64Array => new Float64Array(count)
  const trips = { minutes: column(), speed: column(), tipShare: column(), fare: column() }
  const { minutes, speed, tipShare } = trips
  const distances = column()
  for (let k = 0; k < count; k++) {
    const i = kept[k] ?? 0
    const taken = (at(dropoff, i) - at(pickup, i)) / 60_000
    minutes[k] = taken
    speed[k] = (at(distance, i) / taken) * 60
    tipShare[k] = at(tip, i) / at(fare, i)
    trips.fare[k] = at(fare, i)
    distances[k] = at(distance, i)
  }
  return { ...trips, distance: distances }
}

function at(values: ArrayLike<number>, i: number): number {
  return values[i] ?? 0
}

const taxiBatches: Run = async (folder) => {
  const out = path.join(folder, 'taxi-out')
  fs.rmSync(out, { recursive: true, force: true })
  await readParquet<Trip>(path.join(folder, 'taxi'))
    .mapBatches(cleanTrips as never, { dates: 'number' })
    .writeParquet(out)
  return readParquet(out).count()
}

const inputs = 8
const hidden = 64

/** Two dense layers, 8-64-1, on typed arrays. */
class Perceptron {
  /** Of each hidden unit: the weights of its inputs, and behind them its own. */
  readonly #weights = Float64Array.from({ length: hidden * (inputs + 1) }, (_, i) => {
    const unit = Math.floor(i / (inputs + 1))
    const input = i % (inputs + 1)
    return input === inputs ? Math.cos(unit) / hidden : Math.sin(unit * inputs + input)
  })

  call({ id }: { id: ArrayLike<number> }) {
    const score = new Float64Array(id.length)
    for (let row = 0; row < score.length; row++) score[row] = this.#forward(at(id, row) | 0)
    return { score }
  }

  /** The inputs are written out, so that they stay in registers; so are the weights of a unit. */
  #forward(id: number): number {
    const weights = this.#weights
    const a = (id % 1000) / 1000
    const b = ((id * 2) % 1000) / 1000
    const c = ((id * 3) % 1000) / 1000
    const d = ((id * 4) % 1000) / 1000
    const e = ((id * 5) % 1000) / 1000
    const f = ((id * 6) % 1000) / 1000
    const g = ((id * 7) % 1000) / 1000
    const h = ((id * 8) % 1000) / 1000
    let sum = 0
    for (let w = 0; w < weights.length; w += 9) {
      const first = a * (weights[w] ?? 0) + b * (weights[w + 1] ?? 0)
      const second = c * (weights[w + 2] ?? 0) + d * (weights[w + 3] ?? 0)
      const third = e * (weights[w + 4] ?? 0) + f * (weights[w + 5] ?? 0)
      const fourth = g * (weights[w + 6] ?? 0) + h * (weights[w + 7] ?? 0)
      const value = first + second + (third + fourth)
      if (value > 0) sum += value * (weights[w + 8] ?? 0)
    }
    return sum
  }
}

const inference: Run = async () => {
  const scores = range(3_000_000).mapBatches(Perceptron, { concurrency: 2 })
  let positive = 0
  for await (const { score } of scores.iterBatches()) {
    for (let i = 0; i < score.length; i++) if (at(score, i) > 0) positive++
  }
  return positive
}

const blockRows = 8 * 1024 * 1024

const eightGigabytes: Run = async () => {
  const blocks = 128
  const wide = range(blocks, { overrideNumBlocks: blocks }).mapBatches(({ id }) => ({
    value: new Float64Array(blockRows).fill(id[0] ?? 0),
  }))
  let sum = 0
  for await (const { value } of wide.iterBatches()) sum += (value[0] ?? 0) + (value.at(-1) ?? 0)
  return sum
}

class Identity {
  call(batch: { id: ArrayLike<number> }) {
    return { id: Float64Array.from(batch.id) }
  }
}

const poolBehindRead: Run = async () => {
  const passed = range(1_000_000)
    .map((row) => ({ id: row.id }))
    .mapBatches(Identity, { concurrency: 2, numCpus: 1 })
  let rows = 0
  for await (const { id } of passed.iterBatches()) rows += id.length
  return rows
}

const manyBlocks: Run = async () => {
  const blocks = 10_000
  const made = await range(blocks, { overrideNumBlocks: blocks })
    .map(({ id }) => ({ id: id + 1 }))
    .materialize()
  return made.count()
}

/** Starts workers before anything is timed. */
export async function warmUp(): Promise<void> {
  const double = ray.remote((x: number) => 2 * x)
  await ray.get([double.remote(1), double.remote(2)])
}

export const flowRuns: Readonly<Record<string, Run>> = {
  'taxi, function per batch': taxiBatches,
  'batch inference': inference,
  '8 GiB through 1 GB': eightGigabytes,
  'pool behind a read': poolBehindRead,
  '10 000 blocks of a row': manyBlocks,
}
