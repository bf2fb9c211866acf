// Blocks as Parquet files.

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { RayError } from '../../base/errors.js'
import type { Block } from '../block/block.js'
import { plainBlock } from '../block/plain-data.js'
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
  if (block.schema.fields.length === 0) {
    throw new RayError('writeParquet: a block without columns cannot be written.')
  }
  const plain = plainBlock(block)
  try {
    withBlock(plain, (table) => {
      execute(`COPY (SELECT * FROM ${table}) TO ${quoteText(temporary)} (FORMAT parquet)`)
    })
    fs.renameSync(temporary, file)
  } finally {
    fs.rmSync(temporary, { force: true })
  }
}
