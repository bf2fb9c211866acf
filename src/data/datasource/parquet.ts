// Parquet files: what is in them, their row groups as blocks, and blocks as files.
//
// A row group is read by the numbers of its rows: DuckDB skips the other groups (8 ms instead of 80
// for one of the eleven groups of a 13 MB file), so a task reads what it needs and nothing else.
// Strings that repeat become dictionaries right here, before any JavaScript string is made.

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type Data, DataType } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfData, columnAt, schemaOfBlock, toOneBatch } from '../block/block.js'
import { dataOfColumn } from '../block/column-data.js'
import { columnOfVector } from '../block/column.js'
import { compactStrings, dictionaryStrings, encodeStrings } from '../block/utf8.js'
import { withBlock } from '../engine/block-scan.js'
import { execute, query } from '../engine/engine.js'
import { quoteName, quoteText } from '../expression/sql.js'
import type {
  ParquetDescription,
  ParquetFragment,
  ParquetReadOptions,
  RowGroup,
} from './parquet-fragments.js'

/** Finds the files and reads their footers: no data. */
export function describeParquet(
  paths: readonly string[],
  options: ParquetReadOptions,
): ParquetDescription {
  const found = paths.flatMap(filesOf)
  const [first] = found
  if (first === undefined) throw new RayError('readParquet was given no paths.')
  const list = found.map((file) => quoteText(literalGlob(file))).join(', ')
  const groups = query(
    `SELECT file_name AS file, row_group_id::INTEGER AS id,
       any_value(row_group_num_rows)::DOUBLE AS rows, sum(total_uncompressed_size)::DOUBLE AS bytes
     FROM parquet_metadata([${list}]) GROUP BY ALL ORDER BY ALL`,
  )
  const byFile = new Map<string, RowGroup[]>(found.map((file) => [file, []]))
  for (const { file, rows, bytes } of groups) {
    byFile.get(String(file))?.push({ rows: Number(rows), bytes: Number(bytes) })
  }
  const empty = query(`SELECT ${selection(first, options)} FROM ${source(first)} LIMIT 0`)
  const files = [...byFile].map(([file, rowGroups]) => ({ path: file, rowGroups }))
  return { files, schema: schemaOfBlock(empty) }
}

/** Reads a fragment as one block. */
export function readParquetFragment(fragment: ParquetFragment, options: ParquetReadOptions): Block {
  const { path: file, start, rows } = fragment
  const block = query(
    `SELECT ${selection(file, options)} FROM ${source(file)}
     WHERE file_row_number >= ${start} AND file_row_number < ${start + rows}`,
  )
  const { fields } = block.schema
  const columns = fields.map((_, i) => compact(dataAt(block, i)))
  return blockOfData(
    fields.map((field) => field.name),
    columns,
  )
}

function compact(data: Data): Data {
  return DataType.isUtf8(data.type) ? compactStrings(data as Data<typeof data.type>) : data
}

function dataAt(block: Block, index: number): Data {
  const [data] = columnAt(block, index).data
  if (data === undefined) throw new RayError('A block has a column without data.')
  return data
}

/**
 * Writes a block as a Parquet file. The file appears under its name when it is complete, so a
 * reader, or a task that is run again, never meets half of one.
 */
export function writeParquetFile(block: Block, file: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  const name = `.${path.basename(file)}.${randomBytes(6).toString('hex')}.tmp`
  const temporary = path.join(path.dirname(file), name)
  const plain = plainBlock(toOneBatch(block))
  try {
    withBlock(plain, (table) => {
      execute(`COPY (SELECT * FROM ${table}) TO ${quoteText(temporary)} (FORMAT parquet)`)
    })
    fs.renameSync(temporary, file)
  } finally {
    fs.rmSync(temporary, { force: true })
  }
}

/** The block as the engine takes it: no dictionaries, no slices with bitmaps. */
function plainBlock(block: Block): Block {
  const { fields } = block.schema
  if (fields.length === 0)
    throw new RayError('writeParquet: a block without columns cannot be written.')
  const columns = fields.map((field, i) => {
    const data = dataAt(block, i)
    const strings = dictionaryStrings(data)
    if (strings !== undefined) return strings
    // Parquet has no column without a type; one in which every value is null may as well be of
    // strings.
    if (DataType.isNull(data.type)) return encodeStrings(new Array<null>(data.length).fill(null))
    if (data.offset === 0) return data
    return dataOfColumn(field.name, columnOfVector(columnAt(block, i)), field.type)
  })
  return blockOfData(
    fields.map((field) => field.name),
    columns,
  )
}

/** The SQL of a table that reads one file. */
function source(file: string): string {
  return `read_parquet(${quoteText(literalGlob(file))})`
}

function selection(file: string, options: ParquetReadOptions): string {
  if (options.columns === undefined && options.int64 !== 'number') return '*'
  const described = query(`DESCRIBE SELECT * FROM ${source(file)}`)
  const types = new Map<string, string>()
  for (const { column_name: name, column_type: type } of described) {
    types.set(String(name), String(type))
  }
  const columns = options.columns ?? [...types.keys()]
  const expressions = columns.map((name) => {
    const type = types.get(name)
    if (type === undefined) {
      const present = [...types.keys()].join(', ')
      throw new RayError(`readParquet: ${file} has no column "${name}"; it has ${present}.`, {
        fields: { column: name, file },
      })
    }
    const isWide = options.int64 === 'number' && (type === 'BIGINT' || type === 'UBIGINT')
    return isWide ? `${quoteName(name)}::DOUBLE AS ${quoteName(name)}` : quoteName(name)
  })
  return expressions.join(', ')
}

const globCharacters = /[*?[\]{}]/

/** A path with the characters that DuckDB's glob would interpret taken literally. */
function literalGlob(file: string): string {
  return file.replace(/[*?[]/g, '[$&]')
}

/**
 * The files that a path names: itself, the Parquet files below a folder, or what a glob matches.
 */
function filesOf(given: string): readonly string[] {
  const absolute = path.resolve(given)
  const stat = fs.statSync(absolute, { throwIfNoEntry: false })
  if (stat?.isFile() === true) return [absolute]
  if (stat?.isDirectory() === true) return filesBelow(absolute)
  if (!globCharacters.test(given)) {
    throw new RayError(`readParquet: there is no file or folder ${absolute}.`, {
      fields: { path: absolute },
    })
  }
  const files = [...query(`SELECT file FROM glob(${quoteText(absolute)}) ORDER BY file`)]
  if (files.length === 0) throw new RayError(`readParquet: no file matches ${absolute}.`)
  return files.map(({ file }) => String(file))
}

function filesBelow(folder: string): readonly string[] {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && /^[^._].*\.parquet$/.test(entry.name))
    .map((entry) => path.join(entry.path, entry.name))
    .sort()
  if (files.length === 0) {
    throw new RayError(`readParquet: there are no .parquet files in ${folder}.`)
  }
  return files
}
