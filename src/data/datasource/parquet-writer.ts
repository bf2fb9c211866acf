// Blocks as Parquet files.

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type Data, DataType } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfData, columnAt, toOneBatch } from '../block/block.js'
import { dataOfColumn } from '../block/column-data.js'
import { columnOfVector } from '../block/column.js'
import { dictionaryStrings, encodeStrings } from '../block/utf8.js'
import { withBlock } from '../engine/block-scan.js'
import { execute, quoteText } from '../engine/engine.js'

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

function dataAt(block: Block, index: number): Data {
  const [data] = columnAt(block, index).data
  if (data === undefined) throw new RayError('A block has a column without data.')
  return data
}
