// Where a dataset can begin that Typeray does not know: what the user gives `readDatasource`.

import type { Table } from 'apache-arrow'
import type { ColumnBatch } from './block/column.js'

/** Rows as a table, as columns, or as objects. */
export type ReadBatch = Table | ColumnBatch | readonly object[]

/** A part of a source, read by one task, in a worker. */
export interface ReadTask {
  /** Gives the rows, in one batch or several; may be a generator, also an asynchronous one. */
  read(): ReadBatch | Promise<ReadBatch> | Iterable<ReadBatch> | AsyncIterable<ReadBatch>
  /** Where the rows come from, for errors. */
  readonly name?: string
}

/**
 * A place that rows come from.
 *
 * @example
 * const pages: Datasource = {
 *   name: 'pages',
 *   getReadTasks: () => [1, 2].map((page) => ({ read: () => [{ page, at: new Date() }] })),
 * }
 * console.log(await readDatasource(pages).count()) // 2
 */
export interface Datasource {
  /** Name in errors and statistics. */
  readonly name?: string
  /** Divides the source into about `parallelism` parts. */
  getReadTasks(parallelism: number): readonly ReadTask[] | Promise<readonly ReadTask[]>
}
