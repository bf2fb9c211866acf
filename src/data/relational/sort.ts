// The rows of a block in order. The engine sorts keys and row numbers only; equal rows stay in the
// order in which they were.

import type { Block } from '../block/block.js'
import { dataOfBlock, gatherBlock } from '../block/gather.js'
import { query, quoteName } from '../engine/engine.js'
import { columnsOfNode } from '../expression/node.js'
import { BlockTable, requireColumns } from './engine-table.js'
import { orderSql, type SortKey } from './sort-key.js'

export function sortBlock(block: Block, keys: readonly SortKey[]): Block {
  if (block.numRows < 2) return block
  const table = new BlockTable(block)
  const columns = columnsOfNode(...keys.map(({ value }) => value))
  requireColumns(table.names, columns)
  const [row = ''] = table.rowNames.map(quoteName)
  const order = [...keys.map(orderSql), row].join(', ')
  const result = table.use({ columns }, (from) =>
    query(`SELECT ${row} FROM ${from} ORDER BY ${order}`),
  )
  const values = dataOfBlock(result)[0]?.values as Int32Array
  return gatherBlock(block, values.subarray(0, block.numRows))
}
