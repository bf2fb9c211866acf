// Parquet files that are not on this machine: only what is wanted of them is fetched.
//
// The engine reads local files. It is given one of the right size that is empty but for the footer,
// and, when rows are read, for the columns of the row groups that are asked for: everything at the
// place where the engine will look for it.
//
// The engine looks at bloom filters too, also at those of row groups that it will not read. They
// save it from reading columns, which are there by then: instead of fetching them, each is replaced
// by the smallest one, which rules out nothing.

import { RayError } from '../../base/errors.js'
import { query, quoteText } from '../engine/engine.js'
import type { FilePiece, FilesSource, ListedFile, SqlColumn } from './files.js'
import { mapInOrder } from './map-in-order.js'
import type { OpenPieces, PlacedBytes, SparseFile } from './open-pieces.js'
import { type Storage, storageOf } from './storage.js'

/** Of the end of a file so much is fetched at first: most footers fit. */
const tailBytes = 64 * 1024
/** Parts that are no further apart are fetched in one request. */
const gapBytes = 256 * 1024

/** A file whose bytes are there from `presentFrom` to its end. */
interface Ending {
  readonly sparse: SparseFile
  readonly presentFrom: number
}

/** A file with nothing but its footer, and what was fetched with it. */
export async function openFooter(
  source: FilesSource,
  open: OpenPieces,
  file: ListedFile,
): Promise<Ending> {
  const storage = await storageOf(source.operator, file.path, source.filesystem)
  if (file.size === undefined) {
    // A server that does not say how long a file is has to send it.
    const bytes = await storage.read(file.path)
    const whole = open.sparse(file.path, bytes.length)
    whole.fill([{ start: 0, bytes }])
    return { sparse: whole, presentFrom: 0 }
  }
  const { size } = file
  const tail = await readEnd(storage, { ...file, size }, tailBytes)
  const footer = tail.length < 12 ? 0 : tail.readUInt32LE(tail.length - 8) + 8
  if (tail.subarray(-4).toString('latin1') !== 'PAR1' || footer > size) {
    throw new RayError(`${source.operator}: ${file.path} is not a whole Parquet file.`, {
      fields: { path: file.path },
    })
  }
  const end = footer <= tail.length ? tail : await readEnd(storage, { ...file, size }, footer)
  const sparse = open.sparse(file.path, size)
  const magic = Buffer.from('PAR1')
  const presentFrom = size - end.length
  sparse.fill([
    { start: 0, bytes: magic },
    { start: presentFrom, bytes: end },
  ])
  return { sparse, presentFrom }
}

function readEnd(
  storage: Storage,
  { path, size, tag }: ListedFile & { readonly size: number },
  length: number,
): Promise<Buffer> {
  const start = Math.max(0, size - length)
  return storage.read(path, { start, length: size - start, tag })
}

interface Part {
  readonly start: number
  readonly length: number
}

/** Fetches what reading a piece will touch. */
export async function openPiece(
  source: FilesSource,
  open: OpenPieces,
  { piece, columns }: { readonly piece: FilePiece; readonly columns: readonly SqlColumn[] },
): Promise<string> {
  const { path } = piece
  const storage = await storageOf(source.operator, path, source.filesystem)
  const listing = await storage.list(path)
  const [remote = { path, size: undefined }] = listing?.files ?? []
  const { tag } = remote
  const { sparse, presentFrom } = await openFooter(source, open, remote)
  const { parts, blooms } = layoutOf(sparse.path, piece, columns)
  const fetched = await mapInOrder(
    joined(parts.filter((part) => part.start < presentFrom)),
    async ({ start, length }): Promise<PlacedBytes> => {
      return { start, bytes: await storage.read(path, { start, length, tag }) }
    },
  )
  const replaced = blooms.filter((start) => start < presentFrom)
  sparse.fill([...fetched, ...replaced.map((start) => ({ start, bytes: openBloom }))])
  return sparse.path
}

/** A bloom filter that has every value: its header (thrift, compact) and 32 bytes of ones. */
const openBloom = Buffer.from(`15401c1c00001c1c00001c1c000000${'ff'.repeat(32)}`, 'hex')

interface Layout {
  /** The columns in the row groups that the piece has rows of. */
  readonly parts: readonly Part[]
  /** Where the bloom filters of these columns begin, in all row groups. */
  readonly blooms: readonly number[]
}

function layoutOf(
  path: string,
  { start, length }: FilePiece,
  columns: readonly SqlColumn[],
): Layout {
  const wanted = new Set(columns.map(({ name }) => name))
  const chunks = query(
    `SELECT row_group_id::INTEGER AS id, row_group_num_rows::DOUBLE AS rows,
       path_in_schema AS path, data_page_offset::DOUBLE AS data,
       coalesce(dictionary_page_offset, 0)::DOUBLE AS dictionary,
       total_compressed_size::DOUBLE AS bytes, bloom_filter_offset::DOUBLE AS bloom
     FROM parquet_metadata(${quoteText(path)}) ORDER BY id`,
  )
  const parts: Part[] = []
  const blooms: number[] = []
  let group = -1
  let begin = 0
  let end = 0
  for (const chunk of chunks) {
    if (chunk.id !== group) {
      group = Number(chunk.id)
      begin = end
      end += Number(chunk.rows)
    }
    const [name = ''] = String(chunk.path).split(', ')
    if (!wanted.has(name)) continue
    if (chunk.bloom !== null) blooms.push(Number(chunk.bloom))
    if (end <= start || begin >= start + length) continue
    const { data, dictionary, bytes } = chunk as Record<string, unknown>
    const offsets = [Number(data), Number(dictionary)].filter((offset) => offset > 0)
    parts.push({ start: Math.min(...offsets), length: Number(bytes) })
  }
  return { parts, blooms }
}

function joined(parts: readonly Part[]): readonly Part[] {
  const sorted = [...parts].sort((a, b) => a.start - b.start)
  const result: Part[] = []
  for (const part of sorted) {
    const last = result.at(-1)
    const end = last === undefined ? 0 : last.start + last.length
    if (last === undefined || part.start > end + gapBytes) result.push(part)
    else {
      const length = Math.max(end, part.start + part.length) - last.start
      result[result.length - 1] = { start: last.start, length }
    }
  }
  return result
}
