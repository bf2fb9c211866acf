// Where the rows of a block come from, for errors: "row 1234 of /data/trips.parquet".
//
// Known when a task is submitted, because blocks are made one of one. Behind a step that drops or
// adds rows, a row's number is lost, but not the range that it was among.

import type { TaskInput } from './operators.js'

export interface RowOrigin {
  /** A file, or what made the rows. */
  readonly name: string
  /** Number of the first row. */
  readonly start: number
  readonly rows: number
}

export function originOf(input: TaskInput): RowOrigin {
  switch (input.kind) {
    case 'parquet': {
      const { path: name, start, rows } = input.fragment
      return { name, start, rows }
    }
    case 'rows':
      return { name: 'fromItems', start: input.start ?? 0, rows: input.rows.length }
    case 'range':
      return { name: 'range', start: input.start, rows: input.rows }
  }
}

/** What an error can say of its place while a block is worked on. */
export class Place {
  readonly #origin: RowOrigin | undefined
  #isExact = true

  constructor(origin: RowOrigin | undefined) {
    this.#origin = origin
  }

  /** From here on, row `i` of the block need not be row `i` of its origin. */
  loseRows(): void {
    this.#isExact = false
  }

  row(index: number): string {
    const origin = this.#origin
    if (origin === undefined) return ` at row ${index} of its block`
    if (this.#isExact) return ` at row ${origin.start + index} of ${origin.name}`
    return this.rows(0, origin.rows)
  }

  /** Rows `start` up to, and without, `end`. */
  rows(start: number, end: number): string {
    const origin = this.#origin
    if (origin === undefined) return ` in rows ${start} to ${end - 1} of its block`
    const [from, to] = this.#isExact ? [start, end] : [0, origin.rows]
    return ` in rows ${origin.start + from} to ${origin.start + to - 1} of ${origin.name}`
  }
}
