// An Arrow table as the bytes of an IPC stream.
//
// The library's own way to these bytes (21.2) joins pieces that overlap in memory, to copy less: of
// two columns that are one typed array, which is what `{ id, copy: id }` gives, it writes one, and
// the stream cannot be read. So pieces are collected here as they are written.

import type * as Arrow from 'apache-arrow'
import { type Piece, PiecedBytes } from './pieced-bytes.js'

type Library = Pick<typeof Arrow, 'RecordBatchStreamWriter'>
type ReadLibrary = Pick<typeof Arrow, 'RecordBatchReader' | 'Table'>

interface Collecting {
  readonly pieces: readonly Uint8Array[]
  writeAll(table: Arrow.Table): unknown
}

/** By copy of the library: made when the first table of it is written. */
const writers = new WeakMap<object, new () => Collecting>()

/**
 * The pieces of the stream of a table whose columns do not exist yet. A property and not a map
 * here: who writes a table may have another copy of this module than who made it.
 */
const piecesKey = Symbol.for('typeray.pieces')

/** The stream of a table; its columns are not copied. */
export function arrowStream(library: Library, table: Arrow.Table): PiecedBytes {
  const deferred = (table as { readonly [piecesKey]?: readonly Piece[] })[piecesKey]
  if (deferred !== undefined) return new PiecedBytes(deferred)
  const writer = new (writers.get(library) ?? writerOf(library))()
  writer.writeAll(table)
  return new PiecedBytes(writer.pieces)
}

/** The table of a stream; its columns are views of `bytes`. */
export function tableOfStream(library: ReadLibrary, bytes: Uint8Array): Arrow.Table {
  const reader = library.RecordBatchReader.from(bytes).open()
  restoreNames(reader.schema.fields)
  return new library.Table(reader.readAll())
}

/** Empty names are left out of streams by the library, and read as null. */
function restoreNames(fields: readonly Arrow.Field[]): void {
  for (const field of fields) {
    if ((field.name as string | null) === null) Object.assign(field, { name: '' })
    const children = field.type.children as readonly Arrow.Field[] | null | undefined
    if (children !== null && children !== undefined && children.length > 0) restoreNames(children)
  }
}

/**
 * Makes columns of a table come into being when its stream is written. `replace` gives what is to
 * be written in place of a piece: the piece itself, or a filling as long as it.
 */
export function deferStream(
  library: Library,
  table: Arrow.Table,
  replace: (piece: Uint8Array) => Piece,
): void {
  const { pieces } = arrowStream(library, table)
  const value = pieces.map((piece) => (piece instanceof Uint8Array ? replace(piece) : piece))
  Object.defineProperty(table, piecesKey, { value })
}

function writerOf(library: Library): new () => Collecting {
  class CollectingWriter extends library.RecordBatchStreamWriter {
    readonly pieces: Uint8Array[] = []

    protected override _write(piece: unknown): this {
      if (!this._started) return this
      const { buffer, byteOffset, byteLength } = piece as ArrayBufferView
      if (byteLength > 0) this.pieces.push(new Uint8Array(buffer, byteOffset, byteLength))
      this._position += byteLength
      return this
    }
  }
  writers.set(library, CollectingWriter)
  return CollectingWriter
}
