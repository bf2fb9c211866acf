// The rows of a block, group by group.

import type { Block } from '../block/block.js'
import { dataOfBlock, gatherBlock } from '../block/gather.js'
import { query, quoteName } from '../engine/engine.js'
import { BlockTable, requireColumns } from './engine-table.js'

/** The block with the rows of each group together, in the order of keys, and where groups end. */
export interface GroupedBlock {
  readonly block: Block
  readonly ends: readonly number[]
}

export function groupRows(block: Block, keys: readonly string[]): GroupedBlock {
  const rows = block.numRows
  if (rows === 0) return { block, ends: [] }
  if (keys.length === 0) return { block, ends: [rows] }
  const table = new BlockTable(block)
  requireColumns(table.names, keys)
  const [row = ''] = table.rowNames.map(quoteName)
  const order = keys.map((key) => `${quoteName(key)} NULLS LAST`).join(', ')
  const result = table.use({ columns: keys }, (from) => {
    const ranked = `SELECT ${row}, dense_rank() OVER (ORDER BY ${order})::INTEGER AS g FROM ${from}`
    return query(`SELECT ${row}, g FROM (${ranked}) ORDER BY g, ${row}`)
  })
  const [numbers, groups] = dataOfBlock(result).map((data) => data.values as Int32Array)
  const ends: number[] = []
  for (let i = 1; i < rows; i++) if (groups?.[i] !== groups?.[i - 1]) ends.push(i)
  ends.push(rows)
  return { block: gatherBlock(block, (numbers ?? new Int32Array(0)).subarray(0, rows)), ends }
}
