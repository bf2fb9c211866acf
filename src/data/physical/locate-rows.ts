// Finds out which of several files a row is of, for an error. Files that do not say how many rows
// they have are read once more for it: nobody counts while all is well.

import { readFiles, type ReadRequest } from '../datasource/file-readers.js'
import { originOfPiece } from './row-origin.js'

/** A row of a file, by its number there. */
export interface LocatedRow {
  readonly name: string
  readonly row: number
}

/** Where rows of the block of a request are; none if its files cannot be read any more. */
export async function locateRows(
  request: ReadRequest,
  indices: readonly number[],
): Promise<readonly LocatedRow[]> {
  const located: LocatedRow[] = []
  let before = 0
  try {
    for (const piece of request.pieces) {
      const rows = piece.rows ?? (await readFiles({ ...request, pieces: [piece] })).numRows
      const { name, start = 0 } = originOfPiece(piece)
      for (const index of indices) {
        if (index >= before && index < before + rows) {
          located.push({ name, row: start + index - before })
        }
      }
      before += rows
      if (located.length === indices.length) return located
    }
  } catch {
    // The error that asks is more to the point than the one of reading the files once more.
    return []
  }
  return []
}
