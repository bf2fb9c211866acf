// How files are called that a dataset is written to: what the user gives as `filenameProvider`.

import type { Table } from 'apache-arrow'

/** Which file of a write. */
export interface FilePlace {
  /** Of this write alone. */
  readonly writeUuid: string
  /** Position of the block in the dataset; the same when its task is run again. */
  readonly taskIndex: number
  /** Position of the file among those of its block; 0 unless `maxRowsPerFile` divides blocks. */
  readonly blockIndex: number
}

/**
 * Names files. Two files must not get one name, and a task that is run again must get the same
 * ones. With `partitionCols` the files of one block have one name, in different folders.
 *
 * @example
 * const hourly: FilenameProvider = {
 *   getFilenameForBlock: (block, { taskIndex }) => `trips-${taskIndex}-${block.numRows}.parquet`,
 * }
 * await range(10).writeParquet('out', { filenameProvider: hourly })
 */
export interface FilenameProvider {
  /** The name of the file that the rows of `block` are written to, with its extension. */
  getFilenameForBlock(block: Table, place: FilePlace): string
}
