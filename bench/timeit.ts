// Ray's `timeit`, shorter: a warm-up tells how many steps to run between two looks at the clock,
// then rounds of at least a given time, each of which yields one value.
//
// Steps may be synchronous (`put`) or not; only promises are awaited, because an await costs a
// tenth of a small put. Between two looks at the clock the event loop gets a turn, as it would in
// any real program; the time counts.
import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { Probe } from './probe.js'

/** As long as Ray's, in milliseconds: a new process runs its first thousands of calls slowly. */
const warmUpMs = 1000

interface Stretch {
  readonly count: number
  readonly elapsedMs: number
}

async function repeat(step: () => unknown, batch: number, ms: number): Promise<Stretch> {
  const startedMs = performance.now()
  let count = 0
  let elapsedMs = 0
  do {
    for (let i = 0; i < batch; i++) {
      const pending = step()
      if (pending instanceof Promise) await pending
    }
    count += batch
    await eventLoopTurn()
    elapsedMs = performance.now() - startedMs
  } while (elapsedMs < ms)
  return { count, elapsedMs }
}

export class Timeit {
  readonly #probe: Probe
  readonly #roundMs: number
  /** Steps between two looks at the clock; known after the warm-up. */
  #batch = 1

  constructor(probe: Probe, roundMs: number) {
    this.#probe = probe
    this.#roundMs = roundMs
  }

  async warmUp(): Promise<void> {
    const probe = this.#probe
    if (probe.kind === 'sample') return
    const ms = Math.min(warmUpMs, 2 * this.#roundMs)
    const { count } = await repeat(() => probe.step(), 1, ms)
    this.#batch = Math.floor(count / 10) + 1
  }

  async round(): Promise<number> {
    const probe = this.#probe
    if (probe.kind === 'sample') return probe.sample(this.#roundMs)
    const { count, elapsedMs } = await repeat(() => probe.step(), this.#batch, this.#roundMs)
    if (probe.kind === 'rate') return (probe.unitsPerStep * count * 1000) / elapsedMs
    return elapsedMs / count / probe.unitMs
  }

  async close(): Promise<void> {
    await this.#probe.close?.()
  }
}
