// A few trips in the columns of New York's taxi records, as three Parquet files: for programs that
// are given no folder of real ones.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fromItems } from 'typeray/data'

export interface Trip {
  readonly tpep_pickup_datetime: Date
  readonly tpep_dropoff_datetime: Date
  readonly passenger_count: number | null
  readonly trip_distance: number
  readonly fare_amount: number
  readonly tip_amount: number
}

const minuteMs = 60_000

function trip(i: number): Trip {
  const startMs = Date.UTC(2019, 0, 1 + (i % 28), i % 24, i % 60)
  const minutes = i % 97 === 0 ? 0 : 2 + (i % 45)
  return {
    tpep_pickup_datetime: new Date(startMs),
    tpep_dropoff_datetime: new Date(startMs + minutes * minuteMs),
    passenger_count: i % 31 === 0 ? null : i % 5,
    trip_distance: (i % 90) / 6,
    fare_amount: i % 50 === 0 ? -2.5 : 2.5 + (i % 40),
    tip_amount: (i % 5) / 2,
  }
}

/** Writes the files, which go with the program, and gives their folder. */
export async function sampleTrips(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'typeray-trips-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const trips = Array.from({ length: 9000 }, (_, i) => trip(i))
  await fromItems(trips, { overrideNumBlocks: 3 }).writeParquet(folder)
  return folder
}
