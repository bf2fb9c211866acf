// Blocks as files of a folder.
//
// A file gets its name when it is complete: locally it is renamed, in S3 it appears by itself. A
// reader, or a task that is run again, never meets half of one.

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { assert } from '../../base/assert.js'
import { RayError } from '../../base/errors.js'
import type { Block } from '../block/block.js'
import { plainBlock } from '../block/plain-data.js'
import { withBlock } from '../engine/block-scan.js'
import { query, quoteName, quoteText, withThreads } from '../engine/engine.js'
import type { FolderSink, OutputFormat, Sink } from '../logical/write-step.js'
import { partName } from './part-files.js'
import { isLocal, storageOf } from './storage.js'

/** Rows that are written: what they are called, and how the engine is shown them. */
interface Rows {
  readonly names: readonly string[]
  use<T>(body: (from: string) => T): T
}

interface Part {
  readonly name: string
  readonly sink: FolderSink
}

/** Writes a block as part `index` of a folder; gives the paths of its files. */
export async function writeBlock(
  block: Block,
  index: number,
  part: Part,
): Promise<readonly string[]> {
  const names = block.schema.fields.map((field) => field.name)
  const use = <T>(body: (from: string) => T): T => withBlock(plainBlock(block), body)
  return (await writeRows({ names, use }, index, part)).written
}

/** What was written: how many rows, and the paths of the files. */
export interface WrittenRows {
  readonly rows: number
  readonly written: readonly string[]
}

/** Whether a sink takes rows as the engine has them. */
export function canWriteQuery(sink: Sink): sink is FolderSink {
  // Several threads would make several files in each folder of a partition.
  return sink.kind === 'folder' && sink.partitionCols.length === 0
}

/** Writes the rows of a query over files as part `index` of a folder, by several threads. */
export function writeQuery(
  { names, sql, threads }: { names: readonly string[]; sql: string; threads: number },
  index: number,
  part: Part,
): Promise<WrittenRows> {
  const use = <T>(body: (from: string) => T): T => withThreads(threads, () => body(`(${sql})`))
  return writeRows({ names, use }, index, part)
}

async function writeRows(rows: Rows, index: number, { name, sink }: Part): Promise<WrittenRows> {
  if (rows.names.length === 0) {
    throw new RayError(`${name}: a block without columns cannot be written.`)
  }
  const { folder, prefix, format } = sink
  const isHere = isLocal(folder)
  const temporary = path.join(
    isHere ? folder : os.tmpdir(),
    `.${partName(prefix, index)}.${randomBytes(6).toString('hex')}.tmp`,
  )
  const file = `${partName(prefix, index)}.${extensionOf(format)}`
  fs.mkdirSync(temporary, { recursive: true })
  try {
    const { count, files: inner } = copyOut(rows, { name, sink, temporary, file })
    const written = inner.map((each) => `${folder}/${each}`)
    for (const [i, each] of inner.entries()) {
      const from = path.join(temporary, each)
      await place(sink, from, written[i] ?? '')
    }
    return { rows: count, written }
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true })
  }
}

async function place(sink: FolderSink, from: string, to: string): Promise<void> {
  if (isLocal(to)) {
    fs.mkdirSync(path.dirname(to), { recursive: true })
    fs.renameSync(from, to)
    return
  }
  const storage = await storageOf('write', to, sink.filesystem)
  if (storage.write === undefined) throw new RayError(`${to} cannot be written to.`)
  await storage.write(to, fs.readFileSync(from))
}

interface CopyOut {
  readonly name: string
  readonly sink: FolderSink
  readonly temporary: string
  readonly file: string
}

interface Copied {
  readonly count: number
  /** Paths in the folder. */
  readonly files: readonly string[]
}

/** Writes the files of rows below a folder. */
function copyOut({ names: present, use }: Rows, { name, sink, temporary, file }: CopyOut): Copied {
  const { format, partitionCols } = sink
  const missing = partitionCols.find((column) => !present.includes(column))
  if (missing !== undefined) {
    const list = present.join(', ')
    throw new RayError(`${name}: there is no column "${missing}"; the columns are ${list}.`)
  }
  if (partitionCols.length > 0 && present.every((column) => partitionCols.includes(column))) {
    throw new RayError(`${name}: partitionCols names all columns, and no column is left to write.`)
  }
  const target = partitionCols.length === 0 ? path.join(temporary, file) : temporary
  const options = [...formatOptions(format), ...partitionOptions(partitionCols, format)]
  const [copied] = use((from) => {
    return [
      ...query(`COPY (SELECT * FROM ${from}) TO ${quoteText(target)} (${options.join(', ')})`),
    ]
  })
  const count = Number(copied?.Count)
  if (partitionCols.length === 0) return { count, files: [file] }
  const all = fs.readdirSync(temporary, { recursive: true, withFileTypes: true })
  const files = all
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const folder = path.relative(temporary, entry.path)
      // The engine numbers files in its own way, and makes one per folder.
      const named = path.join(entry.path, file)
      assert(!fs.existsSync(named), `two files of one block in ${folder}`)
      fs.renameSync(path.join(entry.path, entry.name), named)
      return path.join(folder, file)
    })
    .sort()
  return { count, files }
}

function partitionOptions(columns: readonly string[], format: OutputFormat): readonly string[] {
  if (columns.length === 0) return []
  return [
    `PARTITION_BY (${columns.map(quoteName).join(', ')})`,
    'OVERWRITE_OR_IGNORE',
    `FILE_EXTENSION ${quoteText(extensionOf(format))}`,
  ]
}

function formatOptions(format: OutputFormat): readonly string[] {
  const compression = `COMPRESSION ${quoteText(format.compression)}`
  switch (format.kind) {
    case 'parquet':
      return ['FORMAT parquet', compression]
    case 'csv':
      return [
        'FORMAT csv',
        compression,
        `HEADER ${format.hasHeader}`,
        `DELIMITER ${quoteText(format.delimiter)}`,
      ]
    case 'json':
      return ['FORMAT json', compression]
  }
}

/** What is behind the dot of a file of the format. */
export function extensionOf(format: OutputFormat): string {
  if (format.kind === 'parquet') return 'parquet'
  const packed = { none: '', gzip: '.gz', zstd: '.zst' }[format.compression]
  return `${format.kind === 'json' ? 'json' : 'csv'}${packed}`
}
