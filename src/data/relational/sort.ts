// The rows of a block in order; equal rows stay in the order in which they were.

import type { Block } from '../block/block.js'
import { dataOfBlock, gatherBlock } from '../block/gather.js'
import { query, quoteName } from '../engine/engine.js'
import { columnsOfNode } from '../expression/node.js'
import { BlockTable, requireColumns } from './engine-table.js'
import { sortableNumbers } from './key-numbers.js'
import { type NumberKey, radixOrder } from './radix-order.js'
import { orderSql, type SortKey } from './sort-key.js'

export function sortBlock(block: Block, keys: readonly SortKey[]): Block {
  if (block.numRows < 2) return block
  const table = new BlockTable(block)
  requireColumns(table.names, columnsOfNode(...keys.map(({ value }) => value)))
  const numbers = numberKeys(table, keys)
  const order = numbers === undefined ? engineOrder(table, keys) : radixOrder(numbers, table.rows)
  return gatherBlock(block, order)
}

/** The keys as numbers; undefined if one of them is none. */
function numberKeys(table: BlockTable, keys: readonly SortKey[]): readonly NumberKey[] | undefined {
  const numbers: NumberKey[] = []
  for (const { value, isDescending, nulls } of keys) {
    const data = value.kind === 'column' ? table.stored(value.name)?.data : undefined
    const values = data && sortableNumbers(data)
    if (data === undefined || values === undefined) return undefined
    const isValid = data.nullCount === 0 ? undefined : (row: number) => data.getValid(row)
    numbers.push({ values, isValid, isDescending, nulls })
  }
  return numbers
}

/** The engine sorts keys and row numbers only. */
function engineOrder(table: BlockTable, keys: readonly SortKey[]): Int32Array {
  const columns = columnsOfNode(...keys.map(({ value }) => value))
  const [row = ''] = table.rowNames.map(quoteName)
  const order = [...keys.map(orderSql), row].join(', ')
  const result = table.use({ columns }, (from) =>
    query(`SELECT ${row} FROM ${from} ORDER BY ${order}`),
  )
  return (dataOfBlock(result)[0]?.values as Int32Array).subarray(0, table.rows)
}
