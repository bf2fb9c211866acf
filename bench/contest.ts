// Measures one row: every contestant is opened and warmed up, then all take turns, round by round,
// so that a machine that slows down for a while slows all of them.
import { ProbeProcess } from './probe-process.js'
import { figureOf, type Figure, type LimitName, type Row, type RowResult } from './row.js'

export const roundCount = 4

export interface ContestOptions {
  readonly suite: string
  readonly roundMs: number
  /** A Python that has Ray, if there is one. */
  readonly rayPython: string | undefined
}

/** One contestant within one row. */
class Entry {
  readonly process: ProbeProcess
  readonly #probe: string
  readonly #values: number[] = []
  #error: string | undefined

  constructor(process: ProbeProcess, probe: string) {
    this.process = process
    this.#probe = probe
  }

  get figure(): Figure | undefined {
    // What was measured stands, even if the contestant then failed to close or to end.
    return this.#values.length === roundCount ? figureOf(this.#values) : undefined
  }

  get error(): string | undefined {
    return this.#error
  }

  open(): Promise<void> {
    return this.#attempt(() => this.process.open(this.#probe))
  }

  round(): Promise<void> {
    return this.#attempt(async () => {
      this.#values.push(await this.process.round())
    })
  }

  close(): Promise<void> {
    return this.#attempt(() => this.process.close())
  }

  quit(): Promise<void> {
    return this.#attempt(() => this.process.quit())
  }

  /** A contestant that has failed is out; the others go on. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.#error !== undefined) return
    try {
      await work()
    } catch (error) {
      this.#error = error instanceof Error ? error.message : String(error)
    }
  }
}

function bestLimit(row: Row, entries: ReadonlyMap<LimitName, Entry>): RowResult['limit'] {
  const perUnit = row.limitPerUnit ?? 1
  const limits = [...entries].flatMap(([name, entry]) => {
    const rounds = entry.figure?.rounds.map((value) => value / perUnit)
    return rounds === undefined ? [] : [{ name, ...figureOf(rounds) }]
  })
  return limits.sort((a, b) => b.mean - a.mean)[0]
}

export class Contest {
  readonly #options: ContestOptions
  /**
   * Ray takes seconds to start, so one process of it serves all rows and idles while others
   * are measured. Made on first use, and again when it has died.
   */
  #ray: ProbeProcess | undefined

  constructor(options: ContestOptions) {
    this.#options = options
  }

  async run(row: Row): Promise<RowResult> {
    const { suite, roundMs } = this.#options
    const typeray = new Entry(ProbeProcess.node('typeray', { suite, roundMs }), row.name)
    const limits = new Map(
      (row.limits ?? []).map((name) => [
        name,
        new Entry(ProbeProcess.node('limit', { suite, roundMs }), name),
      ]),
    )
    const piscina = row.hasPiscina
      ? new Entry(ProbeProcess.node('piscina', { suite, roundMs }), row.name)
      : undefined
    const ray = this.#rayEntry(row)
    const ours = [typeray, ...limits.values(), ...(piscina ? [piscina] : [])]
    const all = ray === undefined ? ours : [...ours, ray]
    await takeTurns(all)
    for (const entry of ours) {
      await entry.quit()
      // A contestant that failed half-way may still run; it is of no use any more.
      if (!entry.process.hasEnded) entry.process.kill()
    }
    if (ray?.process.hasEnded === true) this.#ray = undefined
    const errors = all.flatMap((entry) => entry.error ?? [])
    const limit = bestLimit(row, limits)
    return {
      row,
      errors,
      ...(typeray.figure && { typeray: typeray.figure }),
      ...(piscina?.figure && { piscina: piscina.figure }),
      ...(ray?.figure && { ray: ray.figure }),
      ...(limit && { limit }),
    }
  }

  async close(): Promise<void> {
    await this.#ray?.quit()
    this.#ray = undefined
  }

  #rayEntry(row: Row): Entry | undefined {
    const { suite, rayPython, roundMs } = this.#options
    if (rayPython === undefined || row.hasRay !== true) return undefined
    this.#ray ??= ProbeProcess.ray(rayPython, { suite, roundMs })
    return new Entry(this.#ray, row.name)
  }
}

async function takeTurns(entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) await entry.open()
  for (let round = 0; round < roundCount; round++) {
    for (const entry of entries) await entry.round()
  }
  for (const entry of entries) await entry.close()
}
