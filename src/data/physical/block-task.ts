// What a worker runs: makes or takes one block, puts it through the transforms, and reports what
// came out.
//
// DuckDB is loaded when a task needs it, and never by importing this module.

import { assertNever } from '../../base/assert.js'
import { RayError } from '../../base/errors.js'
import { storeAnyway } from '../../base/stored-value.js'
import { asBlock, meetUsersArrow, shareArrow } from '../block/arrow-library.js'
import { type Block, blockOfColumns, projectBlock, sliceBlock } from '../block/block.js'
import { dropColumns, renameColumns } from '../block/column-names.js'
import { concatBlocks } from '../block/concat.js'
import { deferGather } from '../block/gather.js'
import { type BlockMetadata, describeBlock, describeWritten } from '../block/metadata.js'
import type { FileFormat } from '../datasource/file-format.js'
import type { FilesDescription, FilesSource } from '../datasource/files.js'
import type { Publication } from '../datasource/folder-write.js'
import type { FolderSink, SaveMode, WriteStep } from '../logical/write-step.js'
import {
  addColumn,
  filterRows,
  flatMapRows,
  mapBatches,
  mapRows,
  operatorError,
} from './function-transforms.js'
import type { EvaluationPlace } from '../relational/computed.js'
import type { CombineInputs, ExchangeTransform, PartitionTransform } from './exchange-transforms.js'
import type { FileTransform } from './map-files.js'
import type { TaskInput, Transform } from './operators.js'
import { applyRelational, groupRelational, readInput, type TransformGroup } from './task-rows.js'
import { prepareTransforms } from './prepare-transforms.js'
import { withRetries } from './retries.js'
import { Place } from './place.js'
import { originOf, type RowOrigin } from './row-origin.js'

// When this module is loaded, in driver or worker, and so before blocks are decoded for it.
shareArrow()

export interface BlockTask {
  /** Absent where the task is given a block. */
  readonly input?: TaskInput
  /** Position of the block in the output of its operator; names the file that is written. */
  readonly index: number
  /** Where the rows of the block that it is given come from. */
  readonly origin?: RowOrigin | undefined
  /** Of a task that combines blocks: which of them are what. */
  readonly combine?: CombineInputs
  /** Of a task that cuts its block: whether the parts go to the object store, however small. */
  readonly storesParts?: boolean
}

/** Runs as a task: gives a block, and as a second return what the driver needs to know of it. */
export async function runBlockTask(
  task: BlockTask,
  transforms: readonly Transform[],
  ...blocks: readonly Block[]
): Promise<[Block, BlockMetadata]> {
  const { made, metadata } = await runTask(task, transforms, blocks)
  const [block = blockOfColumns({})] = made
  return [asBlock(block), metadata]
}

/** Runs as a task: several small blocks that each begin with an input, and last all metadata. */
export async function runBlockTasks(
  tasks: readonly BlockTask[],
  transforms: readonly Transform[],
): Promise<(Block | readonly BlockMetadata[])[]> {
  const blocks: Block[] = []
  const all: BlockMetadata[] = []
  for (const task of tasks) {
    const [block, metadata] = await runBlockTask(task, transforms)
    blocks.push(block)
    all.push(metadata)
  }
  return [...blocks, all]
}

/** Runs as a task whose last transform is a partition: gives the parts, and last the metadata. */
export async function runPartitionTask(
  task: BlockTask,
  transforms: readonly Transform[],
  ...blocks: readonly Block[]
): Promise<(Block | BlockMetadata)[]> {
  const { made, metadata } = await runTask(task, transforms, blocks)
  made.forEach(asBlock)
  if (task.storesParts === true) {
    for (const part of made) if (part.numRows > 0) storeAnyway(part)
  }
  return [...made, metadata]
}

interface TaskResult {
  readonly made: readonly Block[]
  readonly metadata: BlockMetadata
}

async function runTask(
  task: BlockTask,
  transforms: readonly Transform[],
  blocks: readonly Block[],
): Promise<TaskResult> {
  const startedMs = performance.now()
  const groups = groupRelational(await prepareTransforms(transforms))
  const queried = await writeQueried(task, groups, startedMs)
  if (queried !== undefined) return queried
  const place = new Place(task.origin ?? (task.input && originOf(task.input)), task.input)
  let { block: current, taken } = await startRows(task, groups, { blocks, place })
  if (taken > 0) place.loseRows()
  let sample: BlockMetadata['sample']
  for (const transform of groups.slice(taken)) {
    switch (transform.kind) {
      case 'discard':
        return { made: [], metadata: { ...describeBlock(current, startedMs), bytes: 0 } }
      case 'report': {
        const report = (transform.fn as (block: Block) => unknown)(current)
        return { made: [], metadata: { ...describeBlock(current, startedMs), bytes: 0, report } }
      }
      case 'write': {
        const written = await write(current, transform, { index: task.index, place })
        return { made: [], metadata: { ...describeBlock(current, startedMs), written } }
      }
      case 'partition': {
        const made = await partition(current, transform, task.index)
        const partRows = made.map(({ numRows }) => numRows)
        return { made, metadata: { ...describeBlock(current, startedMs), partRows } }
      }
      case 'sample-keys': {
        const { sampleKeys } = await import('../relational/partition.js')
        sample = sampleKeys(current, transform.keys, transform.rows)
        break
      }
      case 'relational':
        current = await applyRelational(current, transform.steps, { index: task.index, place })
        place.loseRows()
        break
      case 'combine':
        throw new RayError('Blocks can be combined only where a task begins.')
      default:
        // Of nothing comes nothing: a block without rows may not even know its columns.
        if (current.numRows === 0 && current.schema.fields.length === 0) break
        current = await withRetries(transform, () => applyTransform(transform, current, place))
    }
  }
  const metadata = describeBlock(current, startedMs)
  return { made: [current], metadata: sample === undefined ? metadata : { ...metadata, sample } }
}

async function partition(block: Block, transform: PartitionTransform, index: number) {
  const { partitionBlock } = await import('../relational/partition.js')
  const { by, count } = transform
  // The parts are what the task returns: nobody looks at them here.
  return partitionBlock(block, by, { count, index, gather: deferGather })
}

interface Given {
  readonly blocks: readonly Block[]
  readonly place: Place
}

/** The rows that the task is given or makes, and how many transforms that took. */
async function startRows(
  task: BlockTask,
  groups: readonly TransformGroup[],
  { blocks, place }: Given,
): Promise<{ block: Block; taken: number }> {
  const [first, second] = groups
  const { index } = task
  if (first?.kind === 'combine') {
    const { combineBlocks } = await import('./combine.js')
    const steps = second?.kind === 'relational' ? second.steps : []
    const { name, combination } = first
    const inputs = task.combine ?? {}
    const taken = steps.length === 0 ? 1 : 2
    const isLast = groups.length === 1
    const combining = { name, combination, inputs, steps, index, isLast }
    return { block: await combineBlocks(combining, blocks), taken }
  }
  if (task.input?.kind === 'files' && first !== undefined && takesRows(first)) {
    const { mapFiles } = await import('./map-files.js')
    const block = await mapFiles(task.input.request, first)
    if (block !== undefined) return { block, taken: 1 }
  }
  const steps = first?.kind === 'relational' ? first.steps : []
  const [given] = blocks.length > 1 ? [concatBlocks(blocks)] : blocks
  const block =
    given === undefined
      ? await readInput(task.input, steps, { index, place })
      : await applyRelational(given, steps, { index, place })
  return { block, taken: steps.length === 0 ? 0 : 1 }
}

function takesRows(transform: TransformGroup): transform is FileTransform {
  return transform.kind === 'rows' || transform.kind === 'flat-rows'
}

/** Where rows come out of files and go into files, they need not become a block in between. */
async function writeQueried(
  { input, index }: BlockTask,
  groups: readonly TransformGroup[],
  startedMs: number,
): Promise<TaskResult | undefined> {
  const [first, second] = groups
  const steps = first?.kind === 'relational' ? first.steps : []
  const last = steps.length === 0 ? first : second
  if (last?.kind !== 'write' || (input?.kind !== 'query' && input?.kind !== 'files'))
    return undefined
  const { queryRunOf, writeQueryRows } = await import('./query-task.js')
  const run = queryRunOf(input, steps)
  const done = run && (await writeQueryRows(run, last, index))
  if (done === undefined) return undefined
  return { made: [], metadata: describeWritten(done, startedMs) }
}

/** Runs as a task: finds files and what is in them. */
export async function runDescribeFiles(source: FilesSource): Promise<FilesDescription> {
  const { describeFiles } = await import('../datasource/file-readers.js')
  return describeFiles(source)
}

/** Runs as a task: loads what reads files of a format, for tasks to come. */
export async function runLoadReader(format: FileFormat): Promise<void> {
  const { loadReader } = await import('../datasource/file-readers.js')
  await loadReader(format)
}

/** Runs as a task: makes a folder ready for a write, and gives the parts that it has. */
export async function runBeginWrite(
  name: string,
  sink: FolderSink,
  mode: SaveMode,
): Promise<readonly string[]> {
  const { beginWrite } = await import('../datasource/folder-write.js')
  return beginWrite(name, sink, mode)
}

/** Runs as a task: shows the files that were written. */
export async function runPublishWrite(
  name: string,
  sink: FolderSink,
  publication: Publication,
): Promise<void> {
  const { publishWrite } = await import('../datasource/folder-write.js')
  return publishWrite(name, sink, publication)
}

/** Runs as a task: removes what a write left that failed. */
export async function runEndWrite(name: string, sink: FolderSink): Promise<void> {
  const { endWrite } = await import('../datasource/folder-write.js')
  return endWrite(name, sink)
}

/** Writes a block; gives its files, or what a sink of the user gives. */
async function write(
  block: Block,
  { name, sink }: WriteStep,
  { index, place }: EvaluationPlace & { readonly place: Place },
): Promise<unknown> {
  if (sink.kind === 'custom') {
    await meetUsersArrow()
    try {
      return await sink.datasink.write(block, { index })
    } catch (error) {
      throw operatorError(name, await place.rows(0, block.numRows), error)
    }
  }
  if (sink.filenameProvider !== undefined) await meetUsersArrow()
  const { writeBlock } = await import('../datasource/file-writer.js')
  return writeBlock(block, index, { name, sink })
}

type BlockTransform = Exclude<
  TransformGroup,
  { kind: 'discard' | 'write' | 'report' | 'relational' | ExchangeTransform['kind'] }
>

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
    case 'group-batches': {
      const { mapGroups } = await import('./group-batches.js')
      return mapGroups(transform, block)
    }
    case 'group-column': {
      const { addGroupColumn } = await import('./group-batches.js')
      return addGroupColumn(transform, block)
    }
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
