// What a worker runs: makes or takes one block, puts it through the transforms, and reports what
// came out.
//
// DuckDB is loaded when a task needs it, and never by importing this module.

import path from 'node:path'
import { assertNever } from '../../base/assert.js'
import { RayError } from '../../base/errors.js'
import { shareArrow } from '../block/arrow-library.js'
import { type Block, blockOfColumns, projectBlock, sliceBlock } from '../block/block.js'
import { dropColumns, renameColumns } from '../block/column-names.js'
import { type BlockMetadata, describeBlock } from '../block/metadata.js'
import { blockOfRows } from '../block/rows.js'
import type { FilesDescription, FilesSource } from '../datasource/files.js'
import { addColumn, filterRows, flatMapRows, mapBatches, mapRows } from './function-transforms.js'
import type { TaskInput, Transform } from './operators.js'
import { prepareTransforms } from './prepare-transforms.js'
import { originOf, Place, type RowOrigin } from './row-origin.js'

// When this module is loaded, in driver or worker, and so before blocks are decoded for it.
shareArrow()

/** How often a function that throws what it may is called again for a block. */
const retriesMax = 3

export interface BlockTask {
  /** Absent where the task is given a block. */
  readonly input?: TaskInput
  /** Position of the block in the output of its operator; names the file that is written. */
  readonly index: number
  /** Where the rows of the block that it is given come from. */
  readonly origin?: RowOrigin | undefined
}

/** Runs as a task: gives a block, and as a second return what the driver needs to know of it. */
export async function runBlockTask(
  task: BlockTask,
  transforms: readonly Transform[],
  block: Block | undefined,
): Promise<[Block, BlockMetadata]> {
  const startedMs = performance.now()
  const ready = await prepareTransforms(transforms)
  let current = block ?? (await makeBlock(task.input))
  const place = new Place(task.origin ?? (task.input && originOf(task.input)))
  for (const transform of ready) {
    switch (transform.kind) {
      case 'discard':
        return [blockOfColumns({}), { ...describeBlock(current, startedMs), bytes: 0 }]
      case 'report': {
        const report = (transform.fn as (block: Block) => unknown)(current)
        return [blockOfColumns({}), { ...describeBlock(current, startedMs), bytes: 0, report }]
      }
      case 'write': {
        const file = partFile(transform.folder, task.index)
        const { writeParquetFile } = await import('../datasource/parquet-writer.js')
        writeParquetFile(current, file)
        return [blockOfColumns({}), { ...describeBlock(current, startedMs), file }]
      }
      default:
        current = await applyWithRetries(transform, current, place)
    }
  }
  return [current, describeBlock(current, startedMs)]
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

/** Calls a function of the user again while it throws what it may. */
async function applyWithRetries(
  transform: BlockTransform,
  block: Block,
  place: Place,
): Promise<Block> {
  for (let retries = 0; ; retries++) {
    try {
      return await applyTransform(transform, block, place)
    } catch (error) {
      if (retries === retriesMax || !isRetried(transform, error)) throw error
    }
  }
}

function isRetried(transform: BlockTransform, error: unknown): boolean {
  const retried = 'fn' in transform ? (transform.retryExceptions ?? false) : false
  if (typeof retried === 'boolean') return retried
  const { cause } = error as { cause?: unknown }
  return retried.some((Class) => cause instanceof Class)
}

type BlockTransform = Exclude<Transform, { kind: 'discard' | 'write' | 'report' }>

/** One transform of one block. */
async function applyTransform(
  transform: BlockTransform,
  block: Block,
  place: Place,
): Promise<Block> {
  switch (transform.kind) {
    case 'batches':
      return mapBatches(transform, block, place)
    case 'rows':
      return mapRows(transform, block, place)
    case 'flat-rows':
      return flatMapRows(transform, block, place)
    case 'filter':
      return filterRows(transform, block, place)
    case 'add-column':
      return addColumn(transform, block, place)
    case 'select':
      return projectBlock(block, transform.columns)
    case 'drop-columns':
      return dropColumns(block, transform.columns)
    case 'rename-columns':
      return renameColumns(block, transform.names)
    case 'slice':
      place.loseRows()
      return sliceBlock(block, transform.start, transform.end)
    default:
      return assertNever(transform)
  }
}
