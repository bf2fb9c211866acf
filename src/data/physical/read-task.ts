// Runs the part of a source that a user wrote.

import { type Block, blockOfColumns, isTable } from '../block/block.js'
import { concatBlocks, toOneBatch } from '../block/concat.js'
import type { ColumnBatch } from '../block/column.js'
import { blockOfRows, type Row } from '../block/rows.js'
import { RayError } from '../../base/errors.js'
import type { ReadBatch, ReadTask } from '../datasource-port.js'
import { operatorError } from './function-transforms.js'

/** The rows of a read task as one block. */
export async function blockOfReadTask(task: ReadTask, name: string): Promise<Block> {
  try {
    return await blockOfRead(task)
  } catch (error) {
    throw operatorError(name, '', error)
  }
}

async function blockOfRead(task: ReadTask): Promise<Block> {
  const given = await task.read()
  const blocks: Block[] = []
  if (isBatches(given)) {
    for await (const batch of given) blocks.push(blockOf(batch))
  } else {
    blocks.push(blockOf(given))
  }
  return blocks.length === 0 ? blockOfColumns({}) : concatBlocks(blocks)
}

type Batches = Iterable<ReadBatch> | AsyncIterable<ReadBatch>

/** A generator of batches; tables and arrays of rows iterate too, and are one batch. */
function isBatches(given: unknown): given is Batches {
  if (typeof given !== 'object' || given === null || isTable(given)) return false
  if (Symbol.asyncIterator in given) return true
  return Symbol.iterator in given && !Array.isArray(given)
}

function blockOf(batch: unknown): Block {
  if (Array.isArray(batch)) return blockOfRows(batch as readonly Row[])
  if (typeof batch === 'object' && batch !== null) {
    return isTable(batch) ? toOneBatch(batch) : blockOfColumns(batch as ColumnBatch)
  }
  throw new RayError(
    `A read task must give tables, columns or arrays of rows, and gave ${String(batch)}.`,
  )
}
