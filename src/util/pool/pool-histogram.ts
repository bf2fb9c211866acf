import { createHistogram } from 'node:perf_hooks'

/** Times in milliseconds. */
export interface TimeSummary {
  /** The same as `mean`; piscina has both. */
  readonly average: number
  /** The arithmetic mean. */
  readonly mean: number
  /** The standard deviation. */
  readonly stddev: number
  /** The shortest. */
  readonly min: number
  /** The longest. */
  readonly max: number
  /** The median. */
  readonly p50: number
  /** Three quarters are at most this long. */
  readonly p75: number
  /** Nine of ten are at most this long. */
  readonly p90: number
  /** 97.5 % are at most this long. */
  readonly p97_5: number
  /** 99 % are at most this long. */
  readonly p99: number
  /** 99.9 % are at most this long. */
  readonly p99_9: number
}

const usPerMs = 1000

/** Collects times in whole microseconds. */
export class TimeHistogram {
  readonly #histogram = createHistogram()

  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * usPerMs)))
  }

  summary(): TimeSummary {
    const histogram = this.#histogram
    const isEmpty = histogram.count === 0
    const ms = (us: number): number => (isEmpty ? 0 : us / usPerMs)
    const at = (percentile: number): number => ms(histogram.percentile(percentile))
    return {
      average: ms(histogram.mean),
      mean: ms(histogram.mean),
      stddev: ms(histogram.stddev),
      min: ms(histogram.min),
      max: ms(histogram.max),
      p50: at(50),
      p75: at(75),
      p90: at(90),
      p97_5: at(97.5),
      p99: at(99),
      p99_9: at(99.9),
    }
  }
}
