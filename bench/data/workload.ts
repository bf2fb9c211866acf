// What the data suite measures: a piece of work that every engine does on the same files.

import path from 'node:path'
import { fileURLToPath } from 'node:url'

export type Engine = 'typeray' | 'ray' | 'polars' | 'duckdb'

/** At least so many times as fast as an engine; below 1 where a slower time is allowed. */
export interface SpeedTarget {
  readonly engine: Exclude<Engine, 'typeray'>
  readonly atLeast: number
  readonly aim?: number
}

export interface Workload {
  readonly name: string
  /** Who else does it: `peers.py` has a function for each. */
  readonly peers: readonly Exclude<Engine, 'typeray'>[]
  readonly targets: readonly SpeedTarget[]
  /** Share of Ray's peak memory that is allowed. */
  readonly memoryOfRay?: number
  /** Bytes of the object store; the engine's own choice if undefined. */
  readonly storeBytes?: number
  /** Runs that are timed, of which the median counts. */
  readonly runs: number
}

/** Does the work once; what it returns must be the same for all engines. */
export type Run = (folder: string) => Promise<number>

/** Where the files lie that workloads read; made when they are first needed. */
export const dataFolder = path.resolve(
  fileURLToPath(new URL('../../../dist/.cache/bench-data', import.meta.url)),
)

/** What the process of one engine prints last. */
export interface EngineReport {
  readonly startSeconds: number
  readonly seconds: readonly number[]
  readonly answer: number
}
