// Datasets of what is in the memory of this process, and of sources that the user wrote.

import type { Table } from 'apache-arrow'
import { RayError } from '../base/errors.js'
import { dataBlockBytes } from '../base/limits.js'
import * as ray from '../ray/index.js'
import { type Block, blockBytes, blockOfColumns, isTable, sliceBlock } from './block/block.js'
import { toOneBatch } from './block/concat.js'
import type { Column, RowOfColumns } from './block/column.js'
import type { Tensor } from './block/tensor.js'
import type { Dataset } from './dataset.js'
import type { Datasource } from './datasource-port.js'
import type { AnyRow } from './planned-dataset.js'
import { startDataset } from './start-dataset.js'
import { type Blocks, blockCount } from './read.js'
import { rowCount, whole } from './step-options.js'
import { storeBlock } from './store-block.js'

/**
 * Makes a dataset of apache-arrow tables, which are put into the object store, each as a block of
 * its own or as several if it is large.
 *
 * @example
 * import { tableFromArrays } from 'apache-arrow'
 *
 * const table = tableFromArrays({ id: Int32Array.of(1, 2, 3) })
 * console.log(await fromArrow<{ id: number }>(table).count()) // 3
 */
export function fromArrow<R = AnyRow>(
  tables: Table | readonly Table[],
  options: Blocks = {},
): Dataset<R> {
  const list = Array.isArray(tables) ? (tables as readonly Table[]) : [tables as Table]
  for (const table of list) if (!isTable(table)) throw notTable('fromArrow', table)
  const blocks = blockCount('fromArrow', options)
  const dataset = ofBlocks<R>(list.flatMap((table) => cut(toOneBatch(table))))
  return blocks === undefined ? dataset : dataset.repartition(blocks)
}

/**
 * Makes a dataset of refs of apache-arrow tables, as tasks and `toArrowRefs` give them: a block
 * each.
 *
 * @example
 * const refs = await range(1000).map(({ id }) => ({ half: id / 2 })).toArrowRefs()
 * console.log(await fromArrowRefs<{ half: number }>(refs).count()) // 1000
 */
export function fromArrowRefs<R = AnyRow>(
  refs: ray.ObjectRef<Table> | readonly ray.ObjectRef<Table>[],
): Dataset<R> {
  const list = Array.isArray(refs) ? (refs as readonly ray.ObjectRef<Table>[]) : [refs]
  const tasks = list.map((ref) => ({ read: () => ray.get(ref as ray.ObjectRef<Table>) }))
  return readDatasource({ name: 'fromArrowRefs', getReadTasks: () => tasks })
}

/**
 * Makes a dataset of columns: arrays, typed arrays, `DictionaryColumn` and `TensorColumn`.
 *
 * @example
 * const points = fromColumns({ x: Float64Array.of(1, 2), name: ['a', 'b'] })
 * console.log(await points.takeAll()) // [{ x: 1, name: 'a' }, { x: 2, name: 'b' }]
 */
export function fromColumns<C extends Readonly<Record<keyof C, Column>>>(
  columns: C,
): Dataset<RowOfColumns<C>> {
  return ofBlocks(cut(blockOfColumns(columns as Readonly<Record<string, Column>>)))
}

/** What was given where a table of apache-arrow should be. */
function notTable(operator: string, given: unknown): TypeError {
  const kind = given === null ? 'null' : typeof given
  return new TypeError(
    `${operator} takes tables of apache-arrow, and was given ${kind}; fromItems takes objects, ` +
      'and fromColumns arrays by name.',
  )
}

function cut(block: Block): readonly Block[] {
  const parts = Math.max(1, Math.ceil(blockBytes(block) / dataBlockBytes))
  const rows = Math.ceil(block.numRows / parts)
  return Array.from({ length: parts }, (_, i) => {
    return sliceBlock(block, i * rows, Math.min((i + 1) * rows, block.numRows))
  })
}

function ofBlocks<R>(blocks: readonly Block[]): Dataset<R> {
  return startDataset({ kind: 'blocks', bundles: blocks.map((block) => storeBlock(block)) })
}

/**
 * Makes a dataset of `rows` tensors, in the column `data`; each is full of its number.
 *
 * @example
 * const tensors = rangeTensor(1000, { shape: [64, 64] })
 */
export function rangeTensor(
  rows: number,
  options: Blocks & { readonly shape?: readonly number[] } = {},
): Dataset<{ data: Tensor | Float64Array }> {
  const blocks = blockCount('rangeTensor', options, ['shape'])
  const { shape = [1] } = options
  for (const length of shape) whole('rangeTensor', 'each length in shape', length)
  if (shape.length === 0) throw new RayError('rangeTensor: `shape` has no dimension.')
  return startDataset({ kind: 'range', rows: rowCount('rangeTensor', rows), shape, blocks })
}

/**
 * Makes a dataset of a source that you wrote: it says which parts it has, and each part is read by
 * a task.
 *
 * @example
 * const squares = readDatasource<{ n: number }>({
 *   getReadTasks: (parallelism) =>
 *     Array.from({ length: parallelism }, (_, n) => ({ read: () => [{ n: n * n }] })),
 * })
 */
export function readDatasource<R = AnyRow>(
  datasource: Datasource,
  options: Blocks = {},
): Dataset<R> {
  const parallelism = blockCount('readDatasource', options)
  return startDataset({ kind: 'datasource', datasource, parallelism })
}
