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
  const rows = kept.subarray(0, count)
  const minutes = Float64Array.from(rows, (i) => (at(dropoff, i) - at(pickup, i)) / 60_000)
  return {
    minutes,
    speed: Float64Array.from(rows, (i, k) => (at(distance, i) / (minutes[k] ?? 1)) * 60),
    tipShare: Float64Array.from(rows, (i) => at(tip, i) / at(fare, i)),
    fare: Float64Array.from(rows, (i) => at(fare, i)),
    distance: Float64Array.from(rows, (i) => at(distance, i)),
  }
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
  readonly #first = Float64Array.from({ length: inputs * hidden }, (_, i) => Math.sin(i))
  readonly #second = Float64Array.from({ length: hidden }, (_, i) => Math.cos(i) / hidden)

  call(batch: { id: ArrayLike<number> }) {
    const { id } = batch
    const score = new Float64Array(id.length)
    for (let row = 0; row < score.length; row++) score[row] = this.#forward(at(id, row))
    return { score }
  }

  /** The inputs are written out, so that they stay in registers. */
  #forward(id: number): number {
    const [first, second] = [this.#first, this.#second]
    const a = feature(id, 1)
    const b = feature(id, 2)
    const c = feature(id, 3)
    const d = feature(id, 4)
    const e = feature(id, 5)
    const f = feature(id, 6)
    const g = feature(id, 7)
    const h = feature(id, 8)
    let sum = 0
    for (let unit = 0, w = 0; unit < hidden; unit++, w += inputs) {
      const left = a * at(first, w) + b * at(first, w + 1) + c * at(first, w + 2)
      const middle = d * at(first, w + 3) + e * at(first, w + 4) + f * at(first, w + 5)
      const value = left + middle + g * at(first, w + 6) + h * at(first, w + 7)
      if (value > 0) sum += value * at(second, unit)
    }
    return sum
  }
}

function feature(id: number, factor: number): number {
  return ((id * factor) % 1000) / 1000
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
