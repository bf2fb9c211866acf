// Where the rows of a block come from, for errors: "row 1234 of /data/trips.parquet".
//
// Known when a task is submitted, because blocks are made one of one. Behind a step that drops or
// adds rows, a row's number is lost, but not the range that it was among.

import type { TaskInput } from './operators.js'

export interface RowOrigin {
  /** A file, or what made the rows. */
  readonly name: string
  /** Number of the first row, where it is known. */
  readonly start?: number | undefined
  readonly rows?: number | undefined
}

export function originOf(input: TaskInput): RowOrigin {
  switch (input.kind) {
    case 'files': {
      const [first, ...others] = input.request.pieces
      const name = first?.path ?? input.request.source.operator
      if (others.length === 0) return { name, start: rowStart(first), rows: first?.rows }
      const last = others.at(-1)?.path ?? name
      return { name: last === name ? name : `${others.length + 1} pieces, ${name} to ${last}` }
    }
    case 'query':
      return { name: input.name }
    case 'rows':
      return { name: 'fromItems', start: input.start ?? 0, rows: input.rows.length }
    case 'range':
      return { name: 'range', start: input.start, rows: input.rows }
    case 'read-task':
      return { name: input.name }
  }
}

/** The place of several blocks that lie one behind the other; undefined if one has none. */
export function joinOrigins(origins: readonly (RowOrigin | undefined)[]): RowOrigin | undefined {
  const [first] = origins
  if (first === undefined || origins.length === 1) return first
  let { start, rows } = first
  for (const origin of origins.slice(1)) {
    if (origin === undefined) return undefined
    const end = start === undefined || rows === undefined ? undefined : start + rows
    const isNext = origin.name === first.name && end !== undefined && origin.start === end
    if (isNext && rows !== undefined && origin.rows !== undefined) {
      rows += origin.rows
    } else {
      start = undefined
      rows = undefined
    }
  }
  const names = [...new Set(origins.map((origin) => origin?.name ?? ''))]
  const name = names.length === 1 ? first.name : `${first.name} to ${names.at(-1) ?? ''}`
  return { name, start, rows }
}

/** Pieces of files that know their rows are counted in rows. */
function rowStart(piece: { start: number; rows: number | undefined } | undefined) {
  return piece?.rows === undefined ? undefined : piece.start
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
    const { name, start } = origin
    if (this.#isExact && start !== undefined) return ` at row ${start + index} of ${name}`
    return this.#somewhere(origin)
  }

  /** Rows `start` up to, and without, `end`. */
  rows(start: number, end: number): string {
    const origin = this.#origin
    if (origin === undefined) return ` in rows ${start} to ${end - 1} of its block`
    if (!this.#isExact || origin.start === undefined) return this.#somewhere(origin)
    return ` in rows ${origin.start + start} to ${origin.start + end - 1} of ${origin.name}`
  }

  #somewhere({ name, start, rows }: RowOrigin): string {
    if (start === undefined || rows === undefined) return ` in ${name}`
    return ` in rows ${start} to ${start + rows - 1} of ${name}`
  }
}
