// Delays per origin and per hour: one partial sum per block, computed by a task where the block is,
// and an actor that adds the partial sums up.

import { columnsOf, dictionaryEncode } from 'typeray/data'

/** The blocks come as apache-arrow tables. */
type Table = Parameters<typeof columnsOf>[0]

/** Count and sum of delays, by key. */
export type Sums = Readonly<Record<string, readonly [count: number, sum: number]>>

export interface PartialDelays {
  readonly origins: Sums
  readonly hours: Sums
  /** The worker that computed it. */
  readonly pid: number
}

export function partialDelays(block: Table): PartialDelays {
  const { delay, origin, hour } = columnsOf(block)
  const delays = delay as Int16Array
  const { codes, values } = dictionaryEncode(origin as string[])
  const hours = Int32Array.from(hour as Uint8Array)
  const hourNames = Array.from({ length: 24 }, (_, i) => String(i))
  return {
    origins: sumBy(codes, values, delays),
    hours: sumBy(hours, hourNames, delays),
    pid: process.pid,
  }
}

function sumBy(codes: Int32Array, names: readonly string[], values: Int16Array): Sums {
  const counts = new Float64Array(names.length)
  const sums = new Float64Array(names.length)
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0
    counts[code] = (counts[code] ?? 0) + 1
    sums[code] = (sums[code] ?? 0) + (values[i] ?? 0)
  }
  return Object.fromEntries(names.map((name, i) => [name, [counts[i] ?? 0, sums[i] ?? 0]]))
}

/** Mean delay of the flights with one key. */
export interface MeanDelay {
  readonly key: string
  readonly flights: number
  readonly meanMinutes: number
}

export interface DelayReport {
  readonly origins: readonly MeanDelay[]
  readonly hours: readonly MeanDelay[]
  /** Partial sums by the pid of the worker that computed them. */
  readonly tasksByPid: Readonly<Record<string, number>>
}

/** The actor: adds partial sums in whatever order they come. */
export class DelayTotals {
  #origins = new Map<string, [number, number]>()
  #hours = new Map<string, [number, number]>()
  #tasks = new Map<string, number>()

  add(part: PartialDelays): void {
    addSums(this.#origins, part.origins)
    addSums(this.#hours, part.hours)
    this.#tasks.set(String(part.pid), (this.#tasks.get(String(part.pid)) ?? 0) + 1)
  }

  report(): DelayReport {
    const byKey = (a: MeanDelay, b: MeanDelay): number => Number(a.key) - Number(b.key)
    const byMean = (a: MeanDelay, b: MeanDelay): number => b.meanMinutes - a.meanMinutes
    return {
      origins: means(this.#origins).sort(byMean),
      hours: means(this.#hours).sort(byKey),
      tasksByPid: Object.fromEntries(this.#tasks),
    }
  }
}

function addSums(totals: Map<string, [number, number]>, part: Sums): void {
  for (const [key, [count, sum]] of Object.entries(part)) {
    const [countBefore, sumBefore] = totals.get(key) ?? [0, 0]
    totals.set(key, [countBefore + count, sumBefore + sum])
  }
}

function means(totals: Map<string, [number, number]>): MeanDelay[] {
  return [...totals]
    .filter(([, [count]]) => count > 0)
    .map(([key, [flights, sum]]) => ({ key, flights, meanMinutes: sum / flights }))
}
