// What an execution did: rows, blocks and time per operator, and which worker ran how much.

import type { BlockMetadata } from '../block/metadata.js'
import type { FileCount } from '../datasource/files.js'

export interface OperatorStatistics {
  readonly name: string
  readonly tasks: number
  readonly rows: number
  readonly bytes: number
  /** Sum of the tasks' own durations. */
  readonly taskMs: number
  /** Where it read files: how many, of how many that its paths name. */
  readonly files?: FileCount | undefined
}

export interface WorkerStatistics {
  readonly host: string
  readonly pid: number
  readonly tasks: number
  readonly rows: number
}

/**
 * Totals of the execution of a dataset; prints as a table.
 *
 * @example
 * const numbers = range(1000).map(({ id }) => ({ half: id / 2 }))
 * await numbers.count()
 * console.log(String(numbers.stats()))
 */
export class DatasetStatistics {
  /** From the first task to the last, in milliseconds. */
  readonly wallMs: number
  /** Each step of the plan. */
  readonly operators: readonly OperatorStatistics[]
  /** Each process that ran tasks. */
  readonly workers: readonly WorkerStatistics[]

  constructor(
    wallMs: number,
    operators: readonly OperatorStatistics[],
    workers: readonly WorkerStatistics[],
  ) {
    this.wallMs = wallMs
    this.operators = operators
    this.workers = workers
  }

  toString(): string {
    const operators = this.operators.map((o) => {
      const size = (o.bytes / 1e6).toFixed(1)
      const taskMs = o.taskMs.toFixed(0)
      const files = o.files === undefined ? '' : `, ${o.files.read} of ${o.files.found} files`
      const work = `${o.tasks} tasks, ${o.rows} rows, ${size} MB, ${taskMs} ms of tasks`
      return `${o.name}: ${work}${files}`
    })
    const workers = this.workers.map((w) => {
      return `${w.host} pid ${w.pid}: ${w.tasks} tasks, ${w.rows} rows`
    })
    return [...operators, ...workers, `wall time ${this.wallMs.toFixed(0)} ms`].join('\n')
  }
}

interface Listener {
  add(operator: string, metadata: BlockMetadata): void
}

/** Adds up metadata as tasks finish. */
export class StatisticsCollector {
  readonly #startedMs = performance.now()
  #wallMs = 0
  readonly #operators = new Map<string, OperatorStatistics>()
  readonly #workers = new Map<string, WorkerStatistics>()

  /** Told of every block, too. */
  readonly #listener: Listener | undefined

  constructor(listener?: Listener) {
    this.#listener = listener
  }

  add(operator: string, metadata: BlockMetadata): void {
    this.#listener?.add(operator, metadata)
    const { rows, bytes, wallMs, host, pid } = metadata
    const o = this.#operators.get(operator)
    this.#operators.set(operator, {
      name: operator,
      tasks: (o?.tasks ?? 0) + 1,
      rows: (o?.rows ?? 0) + rows,
      bytes: (o?.bytes ?? 0) + bytes,
      taskMs: (o?.taskMs ?? 0) + wallMs,
      ...(o?.files !== undefined && { files: o.files }),
    })
    const key = `${host} ${pid}`
    const w = this.#workers.get(key)
    const tasks = (w?.tasks ?? 0) + 1
    this.#workers.set(key, { host, pid, tasks, rows: (w?.rows ?? 0) + rows })
    this.#wallMs = performance.now() - this.#startedMs
  }

  /** Notes how many files an operator is to read. */
  addFiles(operator: string, files: FileCount): void {
    const o = this.#operators.get(operator)
    const { read = 0, found = 0 } = o?.files ?? {}
    this.#operators.set(operator, {
      ...(o ?? { name: operator, tasks: 0, rows: 0, bytes: 0, taskMs: 0 }),
      files: { read: read + files.read, found: found + files.found },
    })
  }

  result(): DatasetStatistics {
    return new DatasetStatistics(
      this.#wallMs,
      [...this.#operators.values()],
      [...this.#workers.values()],
    )
  }
}
