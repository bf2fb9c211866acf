// Where a dataset can be written that Typeray does not know: what the user gives `writeDatasink`.

import type { Table } from 'apache-arrow'

/** Which block is being written. */
export interface WriteContext {
  /** Position of the block in the dataset; the same when its task is run again. */
  readonly index: number
}

/**
 * A place that takes the rows of a dataset. `write` runs in the tasks, once for each block and
 * again if its worker dies; the other methods run in the program that calls `writeDatasink`.
 *
 * @example
 * const printer: Datasink<number> = {
 *   write: (block) => block.numRows,
 *   onWriteComplete: (counts) => console.log(counts),
 * }
 * await range(10).writeDatasink(printer)
 */
export interface Datasink<Result = unknown> {
  /** Name in errors and statistics. */
  readonly name?: string
  /** Called once before the first block. */
  onWriteStart?(): void | Promise<void>
  /** Writes one block; what it gives is collected. */
  write(block: Table, context: WriteContext): Result | Promise<Result>
  /** Called once when all blocks are written, with what writing them gave, in order. */
  onWriteComplete?(results: readonly Result[]): void | Promise<void>
  /** Called once if a block could not be written; some may have been. */
  onWriteFailed?(error: unknown): void | Promise<void>
}
