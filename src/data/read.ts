// Where datasets begin.

import type { Row } from './block/rows.js'
import { isTensor, isTypedArray } from './block/tensor.js'
import type { Dataset } from './dataset.js'
import type { AnyRow } from './planned-dataset.js'
import { startDataset } from './start-dataset.js'
import { rowCount } from './step-options.js'

/**
 * Makes a dataset of rows, or of plain values, which become the column `item`.
 *
 * @example
 * const people = fromItems([{ name: 'Ada', born: 1815 }, { name: 'Alan', born: 1912 }])
 * console.log(await people.count()) // 2
 */
export function fromItems<R extends object>(items: readonly R[]): Dataset<R>
export function fromItems<V>(items: readonly V[]): Dataset<{ item: V }>
export function fromItems(items: readonly unknown[]): Dataset<AnyRow> {
  return startDataset({ kind: 'items', rows: items.map(rowOfItem) })
}

/**
 * Makes a dataset of the numbers from 0 to `rows`, in the column `id`.
 *
 * @example
 * console.log(await range(1000).filter(({ id }) => id % 2 === 0).count()) // 500
 */
export function range(rows: number): Dataset<{ id: number }> {
  return startDataset({ kind: 'range', rows: rowCount('range', rows) })
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
