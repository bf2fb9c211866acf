// Files as they are: a row per file, with its bytes.

import type { Block } from '../block/block.js'
import { dataOfColumn } from '../block/column-data.js'
import { wholeFile } from './byte-pieces.js'
import { bytesBlock, describeBytes } from './bytes-block.js'
import type { BytesReader, ReadRequest } from './file-readers.js'
import { fileRows } from './file-rows.js'
import type { FilePiece, ListedFile } from './files.js'
import { mapInOrder } from './map-in-order.js'
import { bytesOf } from './open-pieces.js'

export const binaryReader: BytesReader = {
  kind: 'bytes',
  async describe({ read: wanted, looked }, source) {
    const files = wanted.map((file) => ({ path: file.path, pieces: [oneRow(file)] }))
    return describeBytes(source, { files, looked, inFiles: [{ name: 'bytes', type: 'BLOB' }] })
  },
  read,
  rows: (request) =>
    fileRows(request, {
      column: 'bytes',
      read: async (piece) => {
        // Not a Buffer: functions are given what they would be given of a block.
        const bytes = await bytesOf(request.source, piece)
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
      },
      kindOf: () => '',
      dataOf: (contents) => dataOfColumn('bytes', contents),
    }),
}

/** A file as a piece that is one row, whatever its size. */
export function oneRow(file: ListedFile): FilePiece {
  return { ...wholeFile(file), rows: 1 }
}

async function read(request: ReadRequest): Promise<Block> {
  const contents = await mapInOrder(request.pieces, (piece) => bytesOf(request.source, piece))
  const columns = { bytes: dataOfColumn('bytes', contents) }
  return bytesBlock(request, { columns, rows: contents.map(() => 1) })
}
