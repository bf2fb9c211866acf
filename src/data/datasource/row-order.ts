// A hidden column that says in which order the rows of files come: for queries that sort them,
// where equal rows keep their order. It is one number, because each further key makes the engine's
// sort dearer.

import { quoteName } from '../engine/engine.js'

/** The column by which rows are in their order. */
export const rowOrderColumn = quoteName('typeray order')

/** Rows of a file that the number leaves room for; it leaves room for 2^27 files. */
const rowsPerFile = 2 ** 36

/** Parquet files that one call of the engine reads. */
export interface CalledFiles {
  /** The number of the first of them among all. */
  readonly first: number
  readonly count: number
}

/** A table of Parquet files, which begins with FROM, with the column. */
export function withRowOrder(table: string, { first, count }: CalledFiles): string {
  const start =
    count === 1 ? first * rowsPerFile : `(${first} + file_index::BIGINT) * ${rowsPerFile}`
  const order = start === 0 ? 'file_row_number' : `${start} + file_row_number`
  return `FROM (SELECT *, ${order} AS ${rowOrderColumn} ${table})`
}
