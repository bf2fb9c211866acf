// An Arrow table as the bytes of an IPC stream.
//
// The library's own way to these bytes (21.2) joins pieces that overlap in memory, to copy less: of
// two columns that are one typed array, which is what `{ id, copy: id }` gives, it writes one, and
// the stream cannot be read. So pieces are collected here as they are written.

import type * as Arrow from 'apache-arrow'
import { PiecedBytes } from './pieced-bytes.js'

type Library = Pick<typeof Arrow, 'RecordBatchStreamWriter'>
type Piece = ArrayBufferView

interface Collecting {
  readonly pieces: readonly Piece[]
  writeAll(table: Arrow.Table): unknown
}

/** By copy of the library: made when the first table of it is written. */
const writers = new WeakMap<object, new () => Collecting>()

/** The stream of a table; its columns are not copied. */
export function arrowStream(library: Library, table: Arrow.Table): PiecedBytes {
  const writer = new (writers.get(library) ?? writerOf(library))()
  writer.writeAll(table)
  return new PiecedBytes(writer.pieces)
}

function writerOf(library: Library): new () => Collecting {
  class CollectingWriter extends library.RecordBatchStreamWriter {
    readonly pieces: Piece[] = []

    protected override _write(piece: unknown): this {
      if (!this._started) return this
      const { byteLength } = piece as Piece
      if (byteLength > 0) this.pieces.push(piece as Piece)
      this._position += byteLength
      return this
    }
  }
  writers.set(library, CollectingWriter)
  return CollectingWriter
}
