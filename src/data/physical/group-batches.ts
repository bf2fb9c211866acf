// A function of the user, called once for each group of a block that has all rows of its groups.

import { RayError } from '../../base/errors.js'
import { type Block, sliceBlock } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'
import { rowReader } from '../block/rows.js'
import { groupRows } from '../relational/groups.js'
import { mapBatches, operatorError } from './function-transforms.js'
import type { FunctionTransform } from './operators.js'
import { Place } from './row-origin.js'

type GroupBatches = Extract<FunctionTransform, { readonly kind: 'group-batches' }>

export async function mapGroups(transform: GroupBatches, block: Block): Promise<Block> {
  const grouped = groupRows(block, transform.keys)
  const batches = { ...transform, kind: 'batches', batchSize: undefined } as const
  // Rows of a group come from many places.
  const place = new Place(undefined)
  const results: Block[] = []
  let start = 0
  for (const end of grouped.ends) {
    const rows = sliceBlock(grouped.block, start, end)
    try {
      results.push(await mapBatches(batches, rows, place))
    } catch (error) {
      const cause = error instanceof RayError ? error.cause : error
      throw operatorError(`mapGroups(${transform.name})`, placeOf(rows, transform.keys), cause)
    }
    start = end
  }
  return results.length === 0 ? block : concatBlocks(results)
}

/** Such as ` in the group k = a, n = null`. */
function placeOf(rows: Block, keys: readonly string[]): string {
  const first = rowReader(sliceBlock(rows, 0, 1))(0)
  return ` in the group ${keys.map((key) => `${key} = ${String(first[key])}`).join(', ')}`
}
