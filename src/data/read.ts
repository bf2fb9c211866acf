// Where datasets begin.

import type { Row } from './block/rows.js'
import { isTensor, isTypedArray, type Tensor } from './block/tensor.js'
import type { Dataset } from './dataset.js'
import { startDataset } from './start-dataset.js'
import { refuseUnknown, rowCount, whole } from './step-options.js'

/** Objects that are one value, and not a row; see `isValue`. */
type ObjectValue =
  readonly unknown[] | Date | ArrayBufferView | Tensor | ReadonlyMap<unknown, unknown>

/**
 * Makes a dataset of rows, or of plain values, which become the column `item`.
 *
 * @example
 * const people = fromItems([{ name: 'Ada', born: 1815 }, { name: 'Alan', born: 1912 }])
 * console.log(await people.count()) // 2
 */
export function fromItems<V extends ObjectValue>(
  items: readonly V[] & (0 extends 1 & V ? never : unknown),
  options?: Blocks,
): Dataset<{ item: V }>
export function fromItems<R extends object>(items: readonly R[], options?: Blocks): Dataset<R>
export function fromItems<V>(items: readonly V[], options?: Blocks): Dataset<{ item: V }>
export function fromItems(items: readonly unknown[], options: Blocks = {}): unknown {
  const blocks = blockCount('fromItems', options)
  return startDataset({ kind: 'items', rows: items.map(rowOfItem), blocks })
}

/**
 * Makes a dataset of the numbers from 0 to `rows`, in the column `id`.
 *
 * @example
 * console.log(await range(1000).filter(({ id }) => id % 2 === 0).count()) // 500
 */
export function range(rows: number, options: Blocks = {}): Dataset<{ id: number }> {
  const blocks = blockCount('range', options)
  return startDataset({ kind: 'range', rows: rowCount('range', rows), blocks })
}

/** Into how many blocks rows in memory are divided. */
export interface Blocks {
  /** Number of blocks; as many as keep the cluster busy unless told otherwise. */
  readonly overrideNumBlocks?: number
}

/** The number of blocks, of options that may have others beside it. */
export function blockCount(
  operator: string,
  options: Blocks,
  known: readonly string[] = [],
): number | undefined {
  refuseUnknown(operator, options, ['overrideNumBlocks', ...known])
  return whole(operator, 'overrideNumBlocks', options.overrideNumBlocks)
}

function rowOfItem(item: unknown): Row {
  if (typeof item !== 'object' || item === null || isValue(item)) return { item }
  return item as Row
}

/** Objects that are one value, and not a row. */
function isValue(item: object): boolean {
  if (Array.isArray(item) || isTypedArray(item) || isTensor(item)) return true
  return item instanceof Date || item instanceof Map
}
