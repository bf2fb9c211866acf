// Runs as a task: what there is to know of a table that somebody else put into the object store.

import type { Table } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, isTable } from '../block/block.js'
import { toOneBatch } from '../block/concat.js'
import { type BlockMetadata, describeBlock } from '../block/metadata.js'

export interface DescribedTable {
  /** Whether the table is a block as it is; the first return is one made of it otherwise. */
  readonly isBlock: boolean
  readonly metadata: BlockMetadata
}

export function runDescribeTable(table: Table): [Block | null, DescribedTable] {
  const startedMs = performance.now()
  if (!isTable(table)) {
    const operator = 'fromArrowRefs'
    throw new RayError(
      `${operator}: a ref is of something else than an apache-arrow table: ${typeof table}.`,
      { fields: { operator } },
    )
  }
  const isBlock = table.batches.length === 1
  const block = isBlock ? table : toOneBatch(table)
  return [isBlock ? null : block, { isBlock, metadata: describeBlock(block, startedMs) }]
}
