// JSON files as blocks: one object per line, an array of objects, or objects behind each other.
//
// As with CSV, types are found once and every task reads with them. Of files that were looked at
// whole, all keys are known; of the others the keys are compared before they are read, because the
// engine would drop one that it was not told of.

import { RayError } from '../../base/errors.js'
import { refuseTwins } from '../engine/column-twins.js'
import { query, quoteText } from '../engine/engine.js'
import { linePieces, wholeFile } from './byte-pieces.js'
import { type Codec, codecOf } from './compression.js'
import { withDates } from './date-columns.js'
import { describeLines } from './describe-lines.js'
import { addedKey, hasPathColumn, withAddedColumns } from './file-columns.js'
import type { JsonFormat } from './file-format.js'
import type { DescribedFiles, FoundColumns, OpenRequest, SqlReader } from './file-readers.js'
import {
  type FilePiece,
  type FilesSource,
  isWhole,
  type ListedFile,
  type SqlColumn,
} from './files.js'
import { mapInOrder } from './map-in-order.js'
import { namedValue } from './named-value.js'
import type { OpenPieces } from './open-pieces.js'
import { describeSql } from './sql-columns.js'
import { isLocal, storageOf } from './storage.js'

/** What the engine decompresses shows no end that is missing: that would be fewer rows. */
const engineCodecs: readonly Codec[] = ['none']
/** Objects, or arrays of them, that the engine's own bound lets pass. */
const objectBytesMin = 16 * 1024 * 1024
const objectBytesMax = 1024 * 1024 * 1024
/** A file up to this size is looked at whole. */
const wholeBytesMax = 64 * 1024 * 1024

export function jsonReader(format: JsonFormat): SqlReader {
  return {
    kind: 'sql',
    describe: (files, source, open) => describe(files, { source, format, open }),
    tables: (request) => tablesOf(request, format),
  }
}

interface Describing {
  readonly source: FilesSource
  readonly format: JsonFormat
  readonly open: OpenPieces
}

async function describe(
  files: DescribedFiles,
  { source, format, open }: Describing,
): Promise<FoundColumns> {
  const found = await describeLines(files, source, {
    columnsOf: async (file) => {
      const piece = wholeFile(file)
      return findTypes(source, format, { piece, path: await open.path(piece, engineCodecs) })
    },
    piecesOf: async (file) => {
      const isLines = await hasLines(source, format, file)
      return isLines ? linePieces(source, file, undefined) : [wholeFile(file)]
    },
  })
  const isWholly = files.looked.every(({ size = 0 }) => size <= wholeBytesMax)
  return { ...found, isSampled: found.isSampled === true || !isWholly }
}

interface OpenedPiece {
  readonly piece: FilePiece
  readonly path: string
}

function findTypes(
  source: FilesSource,
  format: JsonFormat,
  { piece, path }: OpenedPiece,
): readonly SqlColumn[] {
  const sample = piece.fileLength <= wholeBytesMax ? -1 : 100_000
  const options = [
    ...optionsOf(source, format, { pieces: [piece], paths: [path] }),
    `sample_size = ${sample}`,
    // Objects stay structs, however rarely their keys repeat.
    'map_inference_threshold = -1',
    'field_appearance_threshold = 0',
    `dateformat = 'iso'`,
    `timestampformat = 'iso'`,
  ]
  const columns = describeSql(`FROM read_json(${quoteText(path)}, ${options.join(', ')})`)
  const opened = { piece, path }
  if (hasNoObjects(source, format, { opened, columns })) return []
  const types = columns.map(({ name, type }) => {
    return { name, type: namedValue(format.columnTypes, name) ?? plainType(type) }
  })
  const open = types.filter(({ type }) => type === 'VARCHAR')
  const own = optionsOf(source, format, { pieces: [piece], paths: [path] })
  const wanted = open.map(({ name }) => `${quoteText(name)}: 'VARCHAR'`)
  const text = [...own, `columns = {${wanted.join(', ')}}`, `records = 'true'`]
  return withDates(`read_json(${quoteText(path)}, ${text.join(', ')})`, types, format.columnTypes)
}

interface FoundKeys {
  readonly opened: OpenedPiece
  readonly columns: readonly SqlColumn[]
}

/**
 * Whether the file is an empty array. The engine makes up a name where there are no keys, and where
 * keys differ only in the case of letters, which is refused.
 */
function hasNoObjects(
  source: FilesSource,
  format: JsonFormat,
  { opened: { piece, path }, columns }: FoundKeys,
): boolean {
  const names = columns.map(({ name }) => name)
  const lower = new Set(names.map((name) => name.toLowerCase()))
  const isNumbered = (name: string): boolean => {
    const plain = /^(.*)_\d+$/s.exec(name)?.[1]
    return plain !== undefined && lower.has(plain.toLowerCase())
  }
  if (!names.some(isNumbered) && names.join() !== 'json') return false
  const { keys, objects } = keysIn(source, format, { pieces: [piece], paths: [path] })
  refuseTwins(keys, `${source.operator}: ${piece.path}: `)
  if (keys.length > 0 || objects === 0) return objects === 0
  throw new RayError(`${source.operator}: ${piece.path} has no objects with keys.`, {
    fields: { path: piece.path },
  })
}

/** The keys of the objects in files, and how many objects there are. */
function keysIn(
  source: FilesSource,
  format: JsonFormat,
  scan: JsonScan,
): { readonly keys: readonly string[]; readonly objects: number } {
  const options = optionsOf(source, format, scan).join(', ')
  const list = scan.paths.map(quoteText).join(', ')
  const from = `FROM read_json_objects([${list}], ${options})`
  const [counted] = [...query(`SELECT count(*)::DOUBLE AS objects ${from}`)]
  const keys = query(`SELECT DISTINCT unnest(json_keys(json)) AS key ${from}`)
  return { keys: [...keys].map(({ key }) => String(key)), objects: Number(counted?.objects) }
}

/** JSON is what the engine calls values without a type in common: they are read as text. */
function plainType(type: string): string {
  return type.replace(/\b(JSON|UUID)\b/g, 'VARCHAR')
}

interface JsonScan {
  readonly pieces: readonly FilePiece[]
  readonly paths: readonly string[]
}

function optionsOf(
  source: FilesSource,
  format: JsonFormat,
  { pieces, paths }: JsonScan,
): readonly string[] {
  const [piece] = pieces
  const codec =
    piece === undefined || paths[0] !== piece.path ? 'none' : codecOf(source, piece.path)
  const longest = Math.max(objectBytesMin, ...pieces.map(({ length }) => length))
  const isLines = format.lines === true || (piece !== undefined && !isWhole(piece))
  return [
    `format = '${isLines ? 'newline_delimited' : 'auto'}'`,
    `compression = ${quoteText(codec === 'none' ? 'uncompressed' : codec)}`,
    'hive_partitioning = false',
    `maximum_object_size = ${Math.min(longest, objectBytesMax)}`,
  ]
}

/** Whether a file may be cut at its line ends: not if it is one array. */
async function hasLines(
  source: FilesSource,
  format: JsonFormat,
  file: ListedFile,
): Promise<boolean> {
  if (format.lines !== undefined) return format.lines
  if (file.size === undefined || codecOf(source, file.path) !== 'none') return false
  const storage = await storageOf(source.operator, file.path, source.filesystem)
  const length = Math.min(file.size, 64 * 1024)
  const text = (await storage.read(file.path, { start: 0, length })).toString('latin1')
  const [first = ''] = text.trimStart().split('\n', 1)
  return /^\{.*\}\s*$/.test(first)
}

async function tablesOf(request: OpenRequest, format: JsonFormat): Promise<readonly string[]> {
  const { source, pieces, columns, open } = request
  const batches: { key: string | undefined; pieces: FilePiece[] }[] = []
  for (const piece of pieces) {
    const key = isWhole(piece) ? keyOf(request, piece) : undefined
    const last = batches.at(-1)
    if (last !== undefined && key !== undefined && last.key === key) last.pieces.push(piece)
    else batches.push({ key, pieces: [piece] })
  }
  return Promise.all(
    batches.map(async (batch) => {
      const paths = await mapInOrder(batch.pieces, (each) => open.path(each, engineCodecs))
      refuseUnknownKeys(request, format, { pieces: batch.pieces, paths })
      const [piece] = batch.pieces
      const hasPath = batch.pieces.length > 1 && hasPathColumn(columns)
      const table = `FROM ${jsonTable(request, format, { pieces: batch.pieces, paths })}`
      return piece === undefined
        ? table
        : withAddedColumns(source, columns, { table, piece, hasPath })
    }),
  )
}

function keyOf({ source, columns }: OpenRequest, { path, length }: FilePiece): string {
  // A file with a huge object gets a buffer of its own size, and the others need not.
  const isHuge = length > objectBytesMin ? path : ''
  const codec = codecOf(source, path)
  // The engine knows the path only of a file that it opens by itself.
  const isOpened = isLocal(path) && engineCodecs.includes(codec)
  const own = hasPathColumn(columns) && !isOpened ? path : ''
  return `${codec} ${isHuge} ${own} ${addedKey(source, path, columns)}`
}

function jsonTable(request: OpenRequest, format: JsonFormat, scan: JsonScan): string {
  const { source, columns } = request
  const inFiles = columns.filter(({ origin }) => origin === undefined)
  const pairs = inFiles.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`)
  const hasPath = scan.pieces.length > 1 && hasPathColumn(columns)
  const options = [
    ...optionsOf(source, format, scan),
    // Without a column that is wanted the engine still needs one to count rows by.
    `columns = {${pairs.length === 0 ? `'typeray_none': 'VARCHAR'` : pairs.join(', ')}}`,
    `records = 'true'`,
    ...(hasPath ? [`filename = 'path'`] : []),
  ]
  return `read_json([${scan.paths.map(quoteText).join(', ')}], ${options.join(', ')})`
}

function refuseUnknownKeys(request: OpenRequest, format: JsonFormat, scan: JsonScan): void {
  const { source, columns, isSampled } = request
  if (isSampled !== true || source.columns !== undefined || scan.pieces.length === 0) return
  const known = new Set(columns.map(({ name }) => name))
  const unknown = keysIn(source, format, scan).keys.find((key) => !known.has(key))
  if (unknown === undefined) return
  const [first] = scan.pieces
  throw new RayError(
    `readJson: a row has a key "${unknown}" that the rows looked at do not have (reading ` +
      `${first?.path ?? ''}). Name the keys to read with \`columns\`, or give its type with ` +
      '`columnTypes`.',
    { fields: { column: unknown, path: first?.path ?? '' } },
  )
}
