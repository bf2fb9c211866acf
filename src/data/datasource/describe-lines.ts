// Finds the columns and the pieces of files of lines: types once, in a sample of the files, so that
// all tasks read the same; pieces of every file that is read and not empty.

import { describedFilesMax } from '../../base/limits.js'
import type { DescribedFiles, FoundColumns } from './file-readers.js'
import type { FilePiece, FilesSource, ListedFile, SqlColumn } from './files.js'
import { mapInOrder } from './map-in-order.js'
import { samplesOf } from './samples.js'
import { unifyColumns } from './sql-columns.js'

/** How files of a format are looked at. */
export interface LineFiles {
  /** The columns of a file that is not empty. */
  columnsOf(file: ListedFile): Promise<readonly SqlColumn[]>
  /** The pieces that a file that is not empty can be read in. */
  piecesOf(file: ListedFile): Promise<readonly FilePiece[]>
}

export async function describeLines(
  { read, looked }: DescribedFiles,
  source: FilesSource,
  format: LineFiles,
): Promise<FoundColumns> {
  const present = looked.filter((file) => file.size !== 0)
  const { samples, isAll } = samplesOf(present, describedFilesMax)
  const found = await mapInOrder(samples, async (file) => {
    return { file: file.path, columns: await format.columnsOf(file) }
  })
  const columns = unifyColumns(source.operator, found, 'text')
  const files = await mapInOrder(read, async (file) => {
    return { path: file.path, pieces: file.size === 0 ? [] : await format.piecesOf(file) }
  })
  return { files, columns, isSampled: !isAll }
}
