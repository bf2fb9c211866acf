// Files as the source of a dataset: what is asked for, what is found, and how it is divided among
// tasks. Apart from the readers, because the driver needs this and not DuckDB.

import type { SchemaField } from '../block/block.js'
import type { FileFormat } from './file-format.js'

/** How 64-bit integers are read: as they are, or as doubles, which are exact up to 2^53. */
export type Int64Format = 'bigint' | 'number'

/** What a dataset wants of files. */
export interface FilesSource {
  readonly kind: 'files'
  /** The function that the user called, for messages. */
  readonly operator: string
  readonly format: FileFormat
  readonly paths: readonly string[]
  /** Columns wanted, in order; undefined for all. */
  readonly columns: readonly string[] | undefined
  /** Rows wanted at most; Infinity for all. */
  readonly limit: number
}

/** Consecutive rows, or bytes where rows are not known before reading, of one file. */
export interface FilePiece {
  readonly path: string
  readonly start: number
  readonly length: number
  /** Rows in the piece, where the file says so. */
  readonly rows: number | undefined
  /** Size in memory, estimated. */
  readonly bytes: number
}

/** A file, in the smallest pieces that can be read by themselves. */
export interface FoundFile {
  readonly path: string
  readonly pieces: readonly FilePiece[]
}

export interface FilesDescription {
  readonly files: readonly FoundFile[]
  readonly schema: readonly SchemaField[]
  /** What readers need to know of columns beforehand, so that all tasks read the same types. */
  readonly columns: readonly SqlColumn[]
}

/** A column as DuckDB sees it. */
export interface SqlColumn {
  readonly name: string
  readonly type: string
}

/** Which pieces each task reads: neighbours share a task while they stay below `blockBytes`. */
export function groupPieces(
  files: readonly FoundFile[],
  blockBytes: number,
): readonly (readonly FilePiece[])[] {
  const groups: FilePiece[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const piece of files.flatMap((file) => file.pieces)) {
    const group = groups.at(-1)
    if (group === undefined || bytes + piece.bytes > blockBytes) {
      groups.push([piece])
      bytes = piece.bytes
      continue
    }
    bytes += piece.bytes
    const last = group.at(-1)
    const joined = last === undefined ? undefined : joinPieces(last, piece)
    if (joined === undefined) group.push(piece)
    else group[group.length - 1] = joined
  }
  return groups
}

/** Two pieces of one file as one, if the second follows the first. */
function joinPieces(a: FilePiece, b: FilePiece): FilePiece | undefined {
  if (a.path !== b.path || a.start + a.length !== b.start) return undefined
  const rows = a.rows === undefined || b.rows === undefined ? undefined : a.rows + b.rows
  return { ...a, length: a.length + b.length, rows, bytes: a.bytes + b.bytes }
}

/** The rows that the files say they have; undefined where they do not say. */
export function rowsIn(files: readonly FoundFile[]): number | undefined {
  let rows = 0
  for (const { pieces } of files) {
    for (const piece of pieces) {
      if (piece.rows === undefined) return undefined
      rows += piece.rows
    }
  }
  return rows
}

/** The first files that have `limit` rows together, the last of their pieces shortened. */
export function firstRows(files: readonly FoundFile[], limit: number): readonly FoundFile[] {
  if (!Number.isFinite(limit)) return files
  const taken: FoundFile[] = []
  let left = limit
  for (const file of files) {
    const pieces: FilePiece[] = []
    for (const piece of file.pieces) {
      if (left <= 0) break
      if (piece.rows === undefined) {
        pieces.push(piece)
        continue
      }
      const rows = Math.min(piece.rows, left)
      pieces.push({ ...piece, rows, length: rows })
      left -= rows
    }
    if (pieces.length > 0) taken.push({ ...file, pieces })
  }
  return taken
}
