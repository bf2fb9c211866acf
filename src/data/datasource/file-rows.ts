// Rows of files that are made one by one, without a block of them.
//
// A block puts the values of a column behind each other: of images, hundreds of megabytes are
// copied for it. Where a function is called for each row, the row can have what was decoded as it
// is, and the next files are read meanwhile.

import type { Data } from 'apache-arrow'
import type { Block } from '../block/block.js'
import type { Row } from '../block/rows.js'
import { addedRowValue, bytesBlock } from './bytes-block.js'
import type { ReadRequest } from './file-readers.js'
import type { FilePiece } from './files.js'
import { streamInOrder } from './map-in-order.js'
import { isLocal } from './storage.js'

export interface FileRow {
  readonly row: Row
  readonly piece: FilePiece
}

export interface FileRows {
  readonly rows: AsyncIterable<FileRow>
  /** A block of few of the rows that were given so far, with the columns of a block of all. */
  like(): Block
}

/** How a format makes the value of its one column. */
export interface FileValues<Value> {
  readonly column: string
  /** The value of a file that is one row. */
  read(piece: FilePiece): Promise<Value>
  /** What values have in common that have one type in Arrow. */
  kindOf(value: Value): string
  /** Values as a column. */
  dataOf(values: readonly Value[]): Data
}

/** Files ahead of the one that is waited for: a task has one CPU, and S3 is far away. */
const localAhead = 3
const remoteAhead = 15

/** Rows of a format in which a file is a row. */
export function fileRows<Value>(request: ReadRequest, values: FileValues<Value>): FileRows {
  const { source, pieces, columns } = request
  // The first of each kind: values of several kinds are stored otherwise than those of one.
  const kinds = new Map<string, { readonly piece: FilePiece; readonly value: Value }>()
  async function* rows(): AsyncGenerator<FileRow, void, void> {
    const ahead = pieces.every(({ path }) => isLocal(path)) ? localAhead : remoteAhead
    const decoded = streamInOrder(pieces, (piece) => values.read(piece), ahead)
    let at = 0
    for await (const value of decoded) {
      const piece = pieces[at++] as FilePiece
      const kind = values.kindOf(value)
      if (kinds.size < 2 && !kinds.has(kind)) kinds.set(kind, { piece, value })
      const entries = columns.map((column) => {
        const isOwn = column.origin === undefined && column.name === values.column
        return [column.name, isOwn ? value : addedRowValue(source, piece.path, column)] as const
      })
      yield { row: Object.fromEntries(entries), piece }
    }
  }
  const like = (): Block => {
    const seen = [...kinds.values()]
    const some = { ...request, pieces: seen.map(({ piece }) => piece) }
    const data = values.dataOf(seen.map(({ value }) => value))
    return bytesBlock(some, { columns: { [values.column]: data }, rows: seen.map(() => 1) })
  }
  return { rows: rows(), like }
}
