// A row of a suite: what is measured, against what, and what is asked of it.
import { assert } from '../src/base/assert.js'

/**
 * How a value is judged: `value` as it is; `x Ray`, `x piscina` and `x echo` as speed relative to
 * theirs; `trips` as the time of one call in round trips of the raw echo; `share` as a fraction of
 * the machine's limit.
 */
export type Measure = 'value' | 'x Ray' | 'x piscina' | 'x echo' | 'trips' | 'share'

export interface Target {
  readonly measure: Measure
  readonly atLeast: number
  /** What we would like; absent where nothing beyond `atLeast` is asked for. */
  readonly aim?: number
}

export type LimitName =
  | 'raw echo sync'
  | 'raw echo pipelined'
  | 'raw echo sync, TCP'
  | 'TCP into shared memory 1 GiB'
  | 'memcpy warm 64 MB'
  | 'memcpy warm 80 MB'
  | 'memcpy warm 800 MB'
  | 'memcpy fresh 80 MB'
  | 'memcpy fresh 800 MB'
  | 'write(2) fresh 80 MB'
  | 'write(2) fresh 800 MB'
  | 'bare Node starts'

export interface Row {
  readonly name: string
  readonly unit: string
  /** Times and memory: less is better. */
  readonly isLowerBetter?: boolean
  /** The best of these is the row's limit. */
  readonly limits?: readonly LimitName[]
  /** Units of the limit per unit of the row: 1000 echoes are one batch of 1000 tasks. */
  readonly limitPerUnit?: number
  readonly hasPiscina?: boolean
  /** Whether `ray_rows.py` has the row too. */
  readonly hasRay?: boolean
  /** Ray 2.58.0 on two cores, for a run without a Ray of its own. */
  readonly rayReference?: number
  readonly targets?: readonly Target[]
}

/** Mean, spread and the values of the rounds they come from. */
export interface Figure {
  readonly mean: number
  readonly sd: number
  readonly rounds: readonly number[]
}

export function figureOf(rounds: readonly number[]): Figure {
  assert(rounds.length > 0, 'a figure needs a round')
  const mean = rounds.reduce((sum, value) => sum + value, 0) / rounds.length
  const variance = rounds.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rounds.length
  return { mean, sd: Math.sqrt(variance), rounds }
}

export interface RowResult {
  readonly row: Row
  readonly typeray?: Figure
  readonly ray?: Figure
  readonly piscina?: Figure
  /** The best of the row's limits, in units of the row. */
  readonly limit?: Figure & { readonly name: LimitName }
  /** One line or more per contestant that failed. */
  readonly errors: readonly string[]
}
