// Files as the source of a dataset: what is asked for, what is found, and how it is divided among
// tasks. Apart from the readers, because the driver needs this and not DuckDB.

import type { SchemaField } from '../block/block.js'
import type { ExpressionNode } from '../expression/node.js'
import type { FileFormat } from './file-format.js'

/** How 64-bit integers are read: as they are, or as doubles, which are exact up to 2^53. */
export type Int64Format = 'bigint' | 'number'

/** How folders that files lie in say something of their rows. */
export interface Partitioning {
  /** 'hive': folders are named `key=value`; 'dir': they are values, and `fieldNames` the keys. */
  readonly style: 'hive' | 'dir'
  /** Names of the values of 'dir', the outermost folder first. */
  readonly fieldNames?: readonly string[]
  /**
   * The folder in which the folders that say something begin; all folders of a path do unless told.
   * A relative one is below the folder of the program. Files that are elsewhere have nulls.
   */
  readonly baseDir?: string
  /** Types of keys: 'string', 'int', 'float' or 'bool'; found in the values unless told. */
  readonly fieldTypes?: Readonly<Record<string, PartitionType>>
}

/** Type of a value that is the name of a folder. */
export type PartitionType = 'string' | 'int' | 'float' | 'bool'

/** The values that the folders of a file give, as text. */
export type PartitionValues = Readonly<Record<string, string | null>>

/** How compressed files are read; 'infer' goes by the end of their name. */
export type Compression = 'infer' | 'none' | 'gzip' | 'zstd' | 'brotli'

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
  /**
   * Holds of all rows that are wanted. The steps that say so stay in the plan, so a reader may use
   * it, to rule out files, or not.
   */
  readonly predicate?: ExpressionNode
  /** Ends of the names of files that are looked for in folders; undefined for any. */
  readonly fileExtensions?: readonly string[] | undefined
  readonly partitioning?: Partitioning | undefined
  /** Says of which partitions files are read at all. */
  readonly partitionFilter?: ((values: PartitionValues) => boolean) | undefined
  /** Adds the column `path`. */
  readonly includePaths?: boolean
  readonly ignoreMissingPaths?: boolean
  readonly compression?: Compression
  readonly filesystem?: FilesystemOptions | undefined
  /** Blocks that are asked for. */
  readonly blocks?: number | undefined
  /** Files are read in random order: in the same one for a seed, else in another each time. */
  readonly shuffle?: FileShuffle | undefined
}

/** How the order of files is drawn. */
export interface FileShuffle {
  /** The same seed gives the same order. */
  readonly seed?: number
}

/** How files that are not local are reached. Whatever is absent is found as the AWS SDK does. */
export interface FilesystemOptions {
  /** Headers of requests to `http://` and `https://`. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * How long a server may be silent, in milliseconds, until a request is made again; 60 000 unless
   * told. A body that comes slower than 1000 bytes a second for so long is given up, too; others
   * may take any time.
   */
  readonly timeoutMs?: number
  /** Region of the bucket. */
  readonly region?: string
  /** Another server that speaks S3, such as MinIO. */
  readonly endpoint?: string
  /** Without credentials, for public buckets. */
  readonly anonymous?: boolean
  /** A profile of the AWS configuration files. */
  readonly profile?: string
  /** Key id, instead of the credential chain. */
  readonly accessKeyId?: string
  /** Its secret. */
  readonly secretAccessKey?: string
  /** Its session, if it is temporary. */
  readonly sessionToken?: string
  /** Names the bucket in the path and not in the host; the default where `endpoint` is given. */
  readonly forcePathStyle?: boolean
}

/** A file that was found, and its size. */
export interface ListedFile {
  readonly path: string
  /** Undefined where a server does not say. */
  readonly size: number | undefined
  /** Names its content, where a server that keeps to it says so. */
  readonly tag?: string | undefined
  /** When it was last written, of a file of this machine; in milliseconds. */
  readonly modifiedMs?: number
}

/** Consecutive rows, or bytes where rows are not known before reading, of one file. */
export interface FilePiece {
  readonly path: string
  readonly start: number
  readonly length: number
  /** Rows or bytes of the whole file. */
  readonly fileLength: number
  /** Rows in the piece, where the file says so. */
  readonly rows: number | undefined
  /** Size in memory, estimated. */
  readonly bytes: number
  /** Columns that have no value in the file, and another type than in other files. */
  readonly emptyColumns?: readonly string[]
  /** When the file was written that the piece was found in, where that is known. */
  readonly modifiedMs?: number
  /** Equal for files of one schema; absent of most. */
  readonly schemaKind?: number
}

export function isWhole(piece: FilePiece): boolean {
  return piece.start === 0 && piece.length === piece.fileLength
}

/** A file, in the smallest pieces that can be read by themselves. */
export interface FoundFile {
  readonly path: string
  readonly pieces: readonly FilePiece[]
}

export interface FilesDescription {
  /** The files that may have rows that are wanted. */
  readonly files: readonly FoundFile[]
  /** How many were found, with those that their folders rule out. */
  readonly found: number
  readonly schema: readonly SchemaField[]
  /** What readers need to know of columns beforehand, so that all tasks read the same types. */
  readonly columns: readonly SqlColumn[]
  /** Whether some files were not looked at, and may have other columns. */
  readonly isSampled?: boolean
}

/** A column as DuckDB sees it. */
export interface SqlColumn {
  readonly name: string
  readonly type: string
  /** Whether no value was found in it: its type is then only a guess. */
  readonly isEmpty?: boolean
  /** Where it comes from, if not out of the files. */
  readonly origin?: 'partition' | 'path'
}

/** How many files of a source are read, of how many that were found. */
export interface FileCount {
  readonly read: number
  readonly found: number
}

/** What opening a file costs, as bytes that could be read meanwhile: tiny files are not free. */
const openedBytes = 4096

/** What reading a piece costs, as bytes. */
const sizeOf = (piece: FilePiece): number => Math.max(piece.bytes, openedBytes)

/** Which pieces each task reads: neighbours share a task while they stay below `blockBytes`. */
export function groupPieces(
  files: readonly FoundFile[],
  blockBytes: number,
): readonly (readonly FilePiece[])[] {
  let bytes = 0
  return cutBetween(files, (size) => {
    bytes += size
    if (bytes <= blockBytes) return false
    bytes = size
    return true
  })
}

/** Pieces of one group and more for every other: what comes of cutting between them is even. */
const piecesPerGroupMin = 4

/**
 * The same with at most `count` groups, of about the same size, so that tasks end together;
 * undefined where pieces are too large for that.
 */
export function sharePieces(
  files: readonly FoundFile[],
  count: number,
): readonly (readonly FilePiece[])[] | undefined {
  const pieces = files.flatMap((file) => file.pieces)
  if (pieces.length < piecesPerGroupMin * count) return undefined
  const share = sumOf(pieces) / count
  let before = 0
  let current = 0
  const groups = cutBetween(files, (size) => {
    // Where its middle lies decides where a piece belongs.
    const group = Math.floor((before + size / 2) / share)
    before += size
    const isNext = group > current
    current = group
    return isNext
  })
  const isEven = groups.every((group) => sumOf(group) < share * (1 + 1 / piecesPerGroupMin))
  return isEven ? groups : undefined
}

/** What reading pieces costs together. */
export function sumOf(pieces: readonly FilePiece[]): number {
  return pieces.reduce((sum, piece) => sum + sizeOf(piece), 0)
}

/** Begins a group wherever `isFirst` says so of a piece, which it is told the size of. */
function cutBetween(
  files: readonly FoundFile[],
  isFirst: (size: number) => boolean,
): readonly (readonly FilePiece[])[] {
  const groups: FilePiece[][] = []
  for (const piece of files.flatMap((file) => file.pieces)) {
    const isCut = isFirst(sizeOf(piece))
    const group = groups.at(-1)
    if (isCut || group === undefined) {
      groups.push([piece])
      continue
    }
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
      // Where a piece is counted in rows it can be shortened.
      const isLong = piece.rows > left && piece.rows === piece.length
      pieces.push(isLong ? { ...piece, rows: left, length: left } : piece)
      left -= piece.rows
    }
    if (pieces.length > 0) taken.push({ ...file, pieces })
  }
  return taken
}
