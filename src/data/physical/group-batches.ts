// A function of the user, called once for each group of a block that has all rows of its groups.

import { type Block, sliceBlock } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'
import { groupRows } from '../relational/groups.js'
import { mapBatches } from './function-transforms.js'
import type { FunctionTransform } from './operators.js'
import { Place } from './row-origin.js'

type GroupBatches = Extract<FunctionTransform, { readonly kind: 'group-batches' }>

export async function mapGroups(transform: GroupBatches, block: Block): Promise<Block> {
  const grouped = groupRows(block, transform.keys)
  // Rows of a group come from many places.
  const place = new Place(undefined)
  const results: Block[] = []
  let start = 0
  for (const end of grouped.ends) {
    const rows = sliceBlock(grouped.block, start, end)
    const batches = { ...transform, kind: 'batches', batchSize: undefined } as const
    results.push(await mapBatches(batches, rows, place))
    start = end
  }
  return results.length === 0 ? block : concatBlocks(results)
}
