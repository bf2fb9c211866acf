// What a worker runs: makes or takes one block, puts it through the transforms, and reports what
// came out.
//
// DuckDB is loaded when a task needs it, and never by importing this module.

import path from 'node:path'
import { assertNever } from '../../base/assert.js'
import { RayError } from '../../base/errors.js'
import { shareArrow } from '../block/arrow-library.js'
import { batchOfBlock, blockOfBatch, splitBlock } from '../block/batch.js'
import { type Block, blockOfColumns, joinBlocks, projectBlock, sliceBlock } from '../block/block.js'
import { gatherBlock } from '../block/gather.js'
import { type BlockMetadata, describeBlock } from '../block/metadata.js'
import { blockOfRows, type Row, rowReader } from '../block/rows.js'
import type { FilesDescription, FilesSource } from '../datasource/files.js'
import type { TaskInput, Transform } from './operators.js'

// When this module is loaded, in driver or worker, and so before blocks are decoded for it.
shareArrow()

export interface BlockTask {
  /** Absent where the task is given a block. */
  readonly input?: TaskInput
  /** Position of the block in the output of its operator; names the file that is written. */
  readonly index: number
}

/** Runs as a task: gives a block, and as a second return what the driver needs to know of it. */
export async function runBlockTask(
  task: BlockTask,
  transforms: readonly Transform[],
  block: Block | undefined,
): Promise<[Block, BlockMetadata]> {
  const startedMs = performance.now()
  let current = block ?? (await makeBlock(task.input))
  let metadata = describeBlock(current, startedMs)
  for (const transform of transforms) {
    switch (transform.kind) {
      case 'discard':
        metadata = { ...describeBlock(current, startedMs), bytes: 0 }
        return [blockOfColumns({}), metadata]
      case 'write': {
        const file = partFile(transform.folder, task.index)
        const { writeParquetFile } = await import('../datasource/parquet-writer.js')
        writeParquetFile(current, file)
        return [blockOfColumns({}), { ...describeBlock(current, startedMs), file }]
      }
      default:
        current = await applyTransform(transform, current)
    }
  }
  metadata = describeBlock(current, startedMs)
  return [current, metadata]
}

/** Runs as a task: finds files and what is in them. */
export async function runDescribeFiles(source: FilesSource): Promise<FilesDescription> {
  const { describeFiles } = await import('../datasource/file-readers.js')
  return describeFiles(source)
}

/** The file that block `index` is written to. */
function partFile(folder: string, index: number): string {
  return path.join(folder, `part-${String(index).padStart(5, '0')}.parquet`)
}

async function makeBlock(input: TaskInput | undefined): Promise<Block> {
  switch (input?.kind) {
    case undefined:
      throw new RayError('A block task was given neither a block nor an input.')
    case 'files': {
      const { readFiles } = await import('../datasource/file-readers.js')
      return readFiles(input.request)
    }
    case 'rows':
      return blockOfRows(input.rows)
    case 'range': {
      const { start, rows } = input
      return blockOfColumns({ id: Float64Array.from({ length: rows }, (_, i) => start + i) })
    }
    default:
      return assertNever(input)
  }
}

type BlockTransform = Exclude<Transform, { kind: 'discard' | 'write' }>

/** One transform of one block. */
async function applyTransform(transform: BlockTransform, block: Block): Promise<Block> {
  switch (transform.kind) {
    case 'batches':
      return mapBatches(transform, block)
    case 'rows':
      return mapRows(transform, block)
    case 'filter':
      return filterRows(transform, block)
    case 'select':
      return projectBlock(block, transform.columns)
    case 'head':
      return sliceBlock(block, 0, transform.rows)
    default:
      return assertNever(transform)
  }
}

type MapBatches = Extract<Transform, { kind: 'batches' }>
type RowTransform = Extract<Transform, { kind: 'rows' | 'filter' }>

async function mapBatches(transform: MapBatches, block: Block): Promise<Block> {
  const fn = transform.fn as (batch: unknown) => unknown
  const results: Block[] = []
  for (const part of splitBlock(block, transform.batchSize)) {
    if (part.numRows === 0) continue
    try {
      const result = await fn(batchOfBlock(part, transform))
      results.push(blockOfBatch(result, part, transform))
    } catch (error) {
      throw operatorError(`mapBatches(${transform.name})`, error)
    }
  }
  return results.length === 0 ? block : joinBlocks(results)
}

async function mapRows(transform: RowTransform, block: Block): Promise<Block> {
  const fn = transform.fn as (row: Row) => unknown
  const read = rowReader(block)
  const results = new Array<unknown>(block.numRows)
  try {
    for (let i = 0; i < results.length; i++) results[i] = fn(read(i))
    const rows = results[0] instanceof Promise ? await Promise.all(results) : results
    for (let i = 0; i < rows.length; i++) assertRow(rows[i])
    return blockOfRows(rows as readonly Row[], block)
  } catch (error) {
    throw operatorError(`map(${transform.name})`, error)
  }
}

function assertRow(value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  throw new RayError(`must return a row, an object, and returned ${String(value)}`)
}

function filterRows(transform: RowTransform, block: Block): Block {
  const fn = transform.fn as (row: Row) => unknown
  const read = rowReader(block)
  const kept = new Uint32Array(block.numRows)
  let count = 0
  try {
    for (let i = 0; i < kept.length; i++) {
      const answer = fn(read(i))
      // A promise is always true: without this check an async predicate would silently keep
      // everything.
      if (answer instanceof Promise) {
        throw new RayError('must answer at once, and returned a promise')
      }
      if (answer) kept[count++] = i
    }
    return count === block.numRows ? block : gatherBlock(block, kept.subarray(0, count))
  } catch (error) {
    throw operatorError(`filter(${transform.name})`, error)
  }
}

/** Says which operator failed; what the user's function threw is the cause. */
function operatorError(operator: string, cause: unknown): RayError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  return new RayError(`${operator} failed: ${reason}`, { fields: { operator }, cause })
}
