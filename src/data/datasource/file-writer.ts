// Blocks as files of a folder: one each, or several where a file is to have no more than some rows.

import { DataType } from 'apache-arrow'
import fs from 'node:fs'
import path from 'node:path'
import { assert } from '../../base/assert.js'
import { RayError } from '../../base/errors.js'
import { type Block, sliceBlock } from '../block/block.js'
import { plainBlock } from '../block/plain-data.js'
import { withBlock } from '../engine/block-scan.js'
import { query, quoteName, quoteText, withThreads } from '../engine/engine.js'
import type { FolderSink, OutputFormat, Sink } from '../logical/write-step.js'
import { finiteColumns } from './json-values.js'
import { extensionOf } from './output-extension.js'
import type { OutputStorage, StagedFile } from './output-storage.js'
import { fileName, partName } from './part-files.js'
import { storageOf } from './storage.js'

/** Rows that are written: what they are called, and how the engine is shown them. */
interface Rows {
  readonly names: readonly string[]
  /** Those of them that are doubles, or may be: as folders, they are written as integers. */
  readonly floats?: readonly string[]
  use<T>(body: (from: string) => T): T
}

interface Part {
  readonly name: string
  readonly sink: FolderSink
}

/** Writes a block as part `index` of a folder; its files are seen when they are published. */
export function writeBlock(
  block: Block,
  index: number,
  part: Part,
): Promise<readonly StagedFile[]> {
  const { name, sink } = part
  return stageFiles(part, function* (stage) {
    // Nobody has said which columns there are, as in `fromItems([])`: there is nothing to write.
    if (block.numRows === 0 && block.numCols === 0) return
    for (const { block: some, slice } of slicesOf(block, sink)) {
      const file = fileName(name, sink, { index, slice }, some)
      const { fields } = some.schema
      const names = fields.map((field) => field.name)
      const floats = fields.filter(({ type }) => DataType.isFloat(type)).map(({ name: of }) => of)
      const use = <T>(body: (from: string) => T): T => withBlock(plainBlock(some), body)
      yield stage({ names, floats, use }, { file, slice: slice ?? 0 })
    }
  })
}

/** What was written: how many rows, and the files. */
export interface WrittenRows {
  readonly rows: number
  readonly written: readonly StagedFile[]
}

/** Whether a sink takes rows as the engine has them. */
export function canWriteQuery(sink: Sink): sink is FolderSink {
  if (sink.kind !== 'folder' || sink.filenameProvider !== undefined) return false
  // Several threads would make several files in each folder of a partition.
  return sink.partitionCols.length === 0 && sink.rowsPerFileMax === undefined
}

/** Writes the rows of a query over files as part `index` of a folder, by several threads. */
export async function writeQuery(
  { names, sql, threads }: { names: readonly string[]; sql: string; threads: number },
  index: number,
  part: Part,
): Promise<WrittenRows> {
  const file = `${partName(part.sink.prefix, index)}.${extensionOf(part.sink.format)}`
  const use = <T>(body: (from: string) => T): T => withThreads(threads, () => body(`(${sql})`))
  let rows = 0
  const written = await stageFiles(part, (stage) => {
    const copied = stage({ names, use }, { file, slice: 0 })
    rows = copied.rows
    return [copied]
  })
  return { rows, written }
}

/** Files of rows, of an attempt. */
interface Copied {
  readonly rows: number
  readonly files: readonly CopiedFile[]
}

interface CopiedFile {
  /** Where it is. */
  readonly at: string
  /** Where it is to be, in the folder that is written to. */
  readonly path: string
}

type Stage = (rows: Rows, place: { readonly file: string; readonly slice: number }) => Copied

/** Has files written where nobody looks for them. */
async function stageFiles(
  { name, sink }: Part,
  write: (stage: Stage) => Iterable<Copied>,
): Promise<readonly StagedFile[]> {
  const output = await outputOf(name, sink)
  const attempt = output.openAttempt(sink)
  let isDone = false
  try {
    const staged: StagedFile[] = []
    const copies = write((rows, { file, slice }) => {
      return copyOut(rows, { name, sink, target: attempt.path(slice), file })
    })
    for (const { files } of copies) {
      for (const { at, path: inner } of files) {
        staged.push(await output.stage(at, `${sink.folder}/${inner}`))
      }
    }
    isDone = true
    return staged
  } finally {
    if (!isDone || !output.isStagedInPlace) attempt.remove()
  }
}

/** Where a sink writes to. */
export async function outputOf(name: string, sink: FolderSink): Promise<OutputStorage> {
  const { output } = await storageOf(name, sink.folder, sink.filesystem)
  if (output !== undefined) return output
  throw new RayError(`${name}: ${sink.folder} cannot be written to.`, {
    fields: { path: sink.folder },
  })
}

interface Slice {
  readonly block: Block
  /** Undefined where blocks are not divided. */
  readonly slice: number | undefined
}

function* slicesOf(block: Block, { rowsPerFileMax: rows }: FolderSink): Generator<Slice> {
  if (rows === undefined) {
    yield { block, slice: undefined }
    return
  }
  let start = 0
  let slice = 0
  do {
    const end = Math.min(block.numRows, start + rows)
    yield { block: sliceBlock(block, start, end), slice: slice++ }
    start = end
  } while (start < block.numRows)
}

interface CopyOut {
  readonly name: string
  readonly sink: FolderSink
  /** A file, or with partitions a folder, that is made. */
  readonly target: string
  readonly file: string
}

/** Writes rows to a file, or to the files of their partitions. */
function copyOut(
  { names: present, floats = [], use }: Rows,
  { name, sink, target, file }: CopyOut,
): Copied {
  const { partitionCols } = sink
  if (present.length === 0) {
    throw new RayError(`${name}: rows without columns cannot be written.`)
  }
  if (present.includes('')) {
    throw new RayError(
      `${name}: a column has no name, and readers would give it one of theirs. Name it with ` +
        'renameColumns.',
      { fields: { column: '' } },
    )
  }
  const missing = partitionCols.find((column) => !present.includes(column))
  if (missing !== undefined) {
    const list = present.join(', ')
    throw new RayError(`${name}: there is no column "${missing}"; the columns are ${list}.`)
  }
  if (partitionCols.length > 0 && present.every((column) => partitionCols.includes(column))) {
    throw new RayError(`${name}: partitionCols names all columns, and no column is left to write.`)
  }
  const isDivided = partitionCols.length > 0
  if (isDivided) fs.mkdirSync(target)
  const rows = use((from) => {
    const { select, options } = copyOf(sink, { names: present, floats, from })
    const sql = `COPY (${select} FROM ${from}) TO ${quoteText(target)} (${options.join(', ')})`
    return runCopy(sql, `${name}: ${sink.folder}/${file}`)
  })
  if (!isDivided) return { rows, files: [{ at: target, path: file }] }
  const all = fs.readdirSync(target, { recursive: true, withFileTypes: true })
  const files = all
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const inner = path.relative(target, entry.path)
      // The engine numbers files in its own way, and makes one per folder.
      const named = path.join(entry.path, file)
      assert(!fs.existsSync(named), `two files of one block in ${inner}`)
      fs.renameSync(path.join(entry.path, entry.name), named)
      return { at: named, path: path.join(inner, file) }
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  return { rows, files }
}

/**
 * Gives the number of rows. Errors of the engine name a file that nobody knows: the name that it
 * was to have is added.
 */
function runCopy(sql: string, place: string): number {
  try {
    const [copied] = [...query(sql)]
    return Number(copied?.Count)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new RayError(`${place}: ${reason}`, { cause })
  }
}

/** What is written, and how. */
function copyOf(
  { format, partitionCols }: FolderSink,
  { names, floats = [], from }: Pick<Rows, 'names' | 'floats'> & { readonly from: string },
): { readonly select: string; readonly options: readonly string[] } {
  const divided = partitionOptions(partitionCols, format)
  const replaced = format.kind === 'json' ? finiteColumns(from) : new Map<string, string>()
  if (divided.length === 0) return { select: replacing(replaced), options: formatOptions(format) }
  const kept = names.filter((name) => !partitionCols.includes(name)).map(quoteName)
  const keys = partitionCols.map((name) => {
    return floats.includes(name) ? folderValue(quoteName(name)) : quoteName(name)
  })
  if (format.kind !== 'json') {
    const select = `SELECT ${[...kept, ...keys].join(', ')}`
    return { select, options: [...formatOptions(format), ...divided] }
  }
  // The engine divides files of all formats but JSON: objects are made here, and are lines of text.
  const values = new Map(Array.from(replaced, ([name, sql]) => [quoteName(name), sql]))
  const pairs = kept.map((column) => `${column} := ${values.get(column) ?? column}`)
  const json = `to_json(struct_pack(${pairs.join(', ')})) AS ${quoteName(unusedName(names))}`
  const plain = [`QUOTE ''`, `ESCAPE ''`, `DELIMITER '\n'`, 'HEADER false']
  const options = ['FORMAT csv', `COMPRESSION ${quoteText(format.compression)}`, ...plain]
  return { select: `SELECT ${[json, ...keys].join(', ')}`, options: [...options, ...divided] }
}

/** All columns, some of them as other values. */
function replacing(columns: ReadonlyMap<string, string>): string {
  if (columns.size === 0) return 'SELECT *'
  const values = Array.from(columns, ([name, sql]) => `${sql} AS ${quoteName(name)}`)
  return `SELECT * REPLACE (${values.join(', ')})`
}

/**
 * A double as the name of a folder. Numbers of JavaScript are doubles: without a fraction they are
 * written as integers, which is what readers take them for.
 */
function folderValue(column: string): string {
  const isWhole = `${column} = trunc(${column}) AND abs(${column}) < ${2 ** 53}`
  const whole = `${column}::BIGINT::VARCHAR`
  return `CASE WHEN ${isWhole} THEN ${whole} ELSE ${column}::VARCHAR END AS ${column}`
}

function unusedName(present: readonly string[]): string {
  let name = 'json'
  while (present.some((column) => column.toLowerCase() === name)) name += '_'
  return name
}

function partitionOptions(columns: readonly string[], format: OutputFormat): readonly string[] {
  if (columns.length === 0) return []
  return [
    `PARTITION_BY (${columns.map(quoteName).join(', ')})`,
    'OVERWRITE_OR_IGNORE',
    `FILE_EXTENSION ${quoteText(extensionOf(format))}`,
  ]
}

/** Options of COPY. */
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
