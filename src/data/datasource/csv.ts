// CSV files as blocks.
//
// The types of a dataset's columns are found once, in the first rows of up to `describedFilesMax`
// files, and every task reads with these types: blocks of one dataset agree, and a value that does
// not fit is an error that names file and line, not another type in the middle.
//
// A hundred thousand tiny files would cost the engine 0.15 ms each. Those with one header are put
// behind each other instead and read as one; if that fails, they are read one by one, so that the
// error names the file.

import { RayError } from '../../base/errors.js'
import { joinedFileBytesMax } from '../../base/limits.js'
import { linePieces, wholeFile } from './byte-pieces.js'
import { type Codec, codecOf } from './compression.js'
import { type CsvScan, csvTable } from './csv-dialect.js'
import { evenLineEnds } from './csv-line-ends.js'
import { columnNames, firstRecord } from './csv-header.js'
import { hasLongLastLine, hasLongLastLineIn, isOneBuffer, openedBytes } from './csv-last-line.js'
import { findTypes } from './csv-types.js'
import { describeLines } from './describe-lines.js'
import { addedKey, hasPathColumn, withAddedColumns } from './file-columns.js'
import type { CsvFormat } from './file-format.js'
import type { DescribedFiles, FoundColumns, OpenRequest, SqlReader } from './file-readers.js'
import { type FilePiece, type FilesSource, isWhole, type SqlColumn } from './files.js'
import { mapInOrder } from './map-in-order.js'
import { bytesOf, type OpenPieces } from './open-pieces.js'
import { isLineTooLong } from './read-error.js'
import { isLocal, storageOf } from './storage.js'

/** What the engine decompresses by itself. */
const engineCodecs: readonly Codec[] = ['none', 'gzip', 'zstd']
/** Of a file no more than this is read to find its header, and more if it does not end there. */
const headerBytes = 4096

export function csvReader(format: CsvFormat): SqlReader {
  return {
    kind: 'sql',
    describe: (files, source, open) => describe(files, { source, format, open }),
    tables: (request) => tablesOf(request, format),
  }
}

interface Describing {
  readonly source: FilesSource
  readonly format: CsvFormat
  readonly open: OpenPieces
}

function describe(files: DescribedFiles, describing: Describing): Promise<FoundColumns> {
  const { source, format } = describing
  const hidden = quotesThatHide(format)
  return describeLines(files, source, {
    columnsOf: async (file) => {
      const piece = wholeFile(file)
      const { names } = await headerOf(source, format, piece)
      return findTypesAnyhow(describing, piece, names)
    },
    piecesOf: async (file) => {
      // Quotes are counted from the beginning, which is no way to treat a file that is far away.
      const isCut = hidden === undefined || (hidden !== 'unknown' && isLocal(file.path))
      return isCut ? linePieces(source, file, hidden) : [wholeFile(file)]
    },
  })
}

/**
 * Once more and more patiently, where the quick way fails: the error of that is the one to show.
 */
async function findTypesAnyhow(
  { source, format, open }: Describing,
  piece: FilePiece,
  names: readonly string[],
): Promise<readonly SqlColumn[]> {
  const path = await open.path(piece, engineCodecs)
  const scan = scanOf(source, format, { piece, path })
  try {
    return findTypes(format, scan, names)
  } catch (error) {
    const evened = await evenCopy(source, format, { piece, open })
    const limit = isLineTooLong(error) ? { lineBytesMax: openedBytes(evened) + 1 } : {}
    return findTypes(format, { ...scan, paths: [evened], codec: 'none', ...limit }, names)
  }
}

/** A copy of a piece in which all lines end in the same way: the engine takes no others. */
async function evenCopy(
  source: FilesSource,
  { quoteChar, encoding }: CsvFormat,
  { piece, open }: { readonly piece: FilePiece; readonly open: OpenPieces },
): Promise<string> {
  const bytes = await bytesOf(source, piece)
  const quote = quoteChar === '' ? undefined : quoteChar.charCodeAt(0)
  return open.copy(piece.path, encoding === 'utf-16' ? bytes : evenLineEnds(bytes, quote))
}

/** The quote that hides line ends; 'unknown' where counting quotes does not tell. */
function quotesThatHide(format: CsvFormat): number | undefined | 'unknown' {
  const { newlinesInValues, quoteChar, escapeChar } = format
  if (!newlinesInValues || quoteChar === '') return undefined
  return escapeChar === quoteChar || escapeChar === '' ? quoteChar.charCodeAt(0) : 'unknown'
}

function scanOf(
  source: FilesSource,
  format: CsvFormat,
  { piece, path }: { readonly piece: FilePiece; readonly path: string },
): CsvScan {
  const isFirst = piece.start === 0
  return {
    paths: [path],
    codec: path === piece.path ? codecOf(source, piece.path) : 'none',
    hasHeader: isFirst && format.hasHeader,
    skipRows: isFirst ? format.skipRows : 0,
    columns: undefined,
  }
}

interface Header {
  readonly names: readonly string[]
  /** The bytes behind it, where the whole file was read. */
  readonly body: Buffer | undefined
  /** How long a line may be, where the engine would drop the last one of a compressed file. */
  readonly lineBytesMax?: number
}

/** The names of the columns of the file of a piece, in its order. */
async function headerOf(source: FilesSource, format: CsvFormat, piece: FilePiece): Promise<Header> {
  const { path: file, fileLength } = piece
  const isPlain = codecOf(source, file) === 'none'
  const storage = await storageOf(source.operator, file, source.filesystem)
  for (let length = headerBytes; ; length *= 16) {
    const isAll = !isPlain || length >= fileLength
    const bytes = isPlain
      ? await storage.read(file, isAll ? undefined : { start: 0, length })
      : await bytesOf(source, { ...piece, start: 0, length: fileLength })
    const header = readHeader(format, file, { bytes, isAll })
    if (header === undefined) continue
    if (isPlain || !hasLongLastLineIn(bytes)) return header
    return { ...header, lineBytesMax: bytes.length + 1 }
  }
}

/** JavaScript's names of encodings that the engine calls otherwise. */
const encodingNames: Readonly<Record<string, string>> = { 'latin-1': 'latin1' }

const byteOrderMark = '\uFEFF'

/** Undefined if the header goes beyond `bytes`. */
function readHeader(
  format: CsvFormat,
  file: string,
  { bytes, isAll }: { readonly bytes: Buffer; readonly isAll: boolean },
): Header | undefined {
  const decoder = new TextDecoder(encodingNames[format.encoding] ?? format.encoding, {
    ignoreBOM: true,
  })
  const text = decoder.decode(bytes)
  let at = text.startsWith(byteOrderMark) ? 1 : 0
  for (let skipped = 0; skipped < format.skipRows; skipped++) {
    const end = text.indexOf('\n', at)
    if (end === -1) return isAll ? { names: [], body: undefined } : undefined
    at = end + 1
  }
  const record = firstRecord(text.slice(at), format, isAll)
  if (record === undefined) return undefined
  if (at + record.length === 0) return { names: [], body: undefined }
  const names = columnNames(file, record, format)
  if (!isAll || format.encoding !== 'utf-8') return { names, body: undefined }
  const skipped = text.slice(0, at + (format.hasHeader ? record.length : 0))
  return { names, body: bytes.subarray(Buffer.byteLength(skipped)) }
}

/** Files, or a part of one, that are one call of the engine's reader. */
interface Batch {
  /** Equal for files that can be read together; undefined for one that cannot. */
  readonly key: string | undefined
  readonly piece: FilePiece
  readonly columns: readonly SqlColumn[]
  readonly pieces: FilePiece[]
  /** The contents without headers of files that are put behind each other. */
  readonly bodies: Buffer[] | undefined
  readonly lineBytesMax: number | undefined
}

async function tablesOf(request: OpenRequest, format: CsvFormat): Promise<readonly string[]> {
  const { source, columns } = request
  const types = new Map(columns.map((column) => [column.name, column.type]))
  const batches: Batch[] = []
  for (const piece of request.pieces) {
    const { names, body, lineBytesMax } = await headerOf(source, format, piece)
    if (names.length === 0) continue
    refuseUnknownColumns(request, piece.path, names)
    const columnsHere = names.map((name) => {
      // A column that nobody wants is not converted: it may hold anything.
      return { name, type: types.get(name) ?? 'VARCHAR' }
    })
    const isJoined = body !== undefined && canJoin(request, format, { piece, body })
    const isShared = isWhole(piece) && !request.isCareful && lineBytesMax === undefined
    const key = isShared ? JSON.stringify([isJoined, names, keyOf(request, piece)]) : undefined
    const last = batches.at(-1)
    if (last !== undefined && key !== undefined && last.key === key) {
      last.pieces.push(piece)
      if (isJoined) last.bodies?.push(body)
    } else {
      const bodies = isJoined ? [body] : undefined
      batches.push({ key, piece, columns: columnsHere, pieces: [piece], bodies, lineBytesMax })
    }
  }
  return Promise.all(batches.map((batch) => tableOf(request, format, batch)))
}

function keyOf({ source, columns }: OpenRequest, { path: file }: FilePiece): string {
  const codec = codecOf(source, file)
  // The engine knows the path only of a file that it opens by itself.
  const isOpened = isLocal(file) && engineCodecs.includes(codec)
  const own = hasPathColumn(columns) && !isOpened ? file : ''
  return `${codec} ${isOpened} ${own} ${addedKey(source, file, columns)}`
}

/** Whether a file may be put behind others: not if its rows must be told from theirs. */
function canJoin(
  { source, columns, isCareful }: OpenRequest,
  format: CsvFormat,
  { piece, body }: { readonly piece: FilePiece; readonly body: Buffer },
): boolean {
  if (isCareful || !isWhole(piece) || piece.fileLength > joinedFileBytesMax) return false
  if (hasPathColumn(columns) || codecOf(source, piece.path) !== 'none') return false
  return hasEvenQuotes(body, format)
}

/** A quote that is never closed would swallow the next file. */
function hasEvenQuotes(body: Buffer, { quoteChar, escapeChar }: CsvFormat): boolean {
  if (quoteChar === '') return true
  const quote = quoteChar.charCodeAt(0)
  let count = 0
  for (let at = body.indexOf(quote); at !== -1; at = body.indexOf(quote, at + 1)) count++
  return count === 0 || (count % 2 === 0 && escapeChar === quoteChar)
}

async function tableOf(request: OpenRequest, format: CsvFormat, batch: Batch): Promise<string> {
  const { source, open } = request
  const { piece, pieces, columns, bodies } = batch
  const hasPath = pieces.length > 1 && hasPathColumn(request.columns)
  const table = (scan: CsvScan): string => {
    const longest = scan.codec === 'none' ? longestLine(request, scan, pieces) : batch.lineBytesMax
    const limit = longest === undefined ? {} : { lineBytesMax: longest }
    return withAddedColumns(source, request.columns, {
      table: `FROM ${csvTable(format, { ...scan, ...limit, columns, hasPath })}`,
      piece,
      hasPath,
    })
  }
  if (bodies !== undefined) {
    const path = open.copy(piece.path, joined(bodies))
    return table({ paths: [path], codec: 'none', hasHeader: false, skipRows: 0, columns })
  }
  if (request.isCareful) {
    const path = await evenCopy(source, format, { piece, open })
    return table({ ...scanOf(source, format, { piece, path }), paths: [path] })
  }
  const paths = await mapInOrder(pieces, (each) => open.path(each, engineCodecs))
  return table({ ...scanOf(source, format, { piece, path: paths[0] ?? '' }), paths })
}

/** What the engine must be told of lines that it would drop; undefined where there are none. */
function longestLine(
  { source, lineBytesMax }: OpenRequest,
  { paths }: CsvScan,
  pieces: readonly FilePiece[],
): number | undefined {
  // Of most files their length says that none would be lost.
  const isSmall = pieces.every((each) => isOneBuffer(each) && codecOf(source, each.path) === 'none')
  const isLost = (path: string): boolean => !isSmall && hasLongLastLine(path)
  if (lineBytesMax === undefined && !paths.some(isLost)) return undefined
  return Math.max(...paths.map(openedBytes)) + 1
}

const lineEnd = Buffer.from('\n')

function joined(bodies: readonly Buffer[]): Buffer {
  const parts = bodies.flatMap((body) => {
    return body.length === 0 || body.at(-1) === 10 ? [body] : [body, lineEnd]
  })
  return Buffer.concat(parts)
}

/** Only where not all files were looked at can one have a column that the dataset has not. */
function refuseUnknownColumns(
  { source, columns, isSampled }: OpenRequest,
  file: string,
  names: readonly string[],
): void {
  if (!isSampled || source.columns !== undefined) return
  const known = new Set(columns.map(({ name }) => name))
  const unknown = names.find((name) => !known.has(name))
  if (unknown === undefined) return
  throw new RayError(
    `readCsv: ${file} has a column "${unknown}" that the first files do not have. Name the ` +
      'columns to read with `columns`, or the types of all with `columnTypes`.',
    { fields: { path: file, column: unknown } },
  )
}
