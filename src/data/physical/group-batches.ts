// A function of the user, called once for each group of a block that has all rows of its groups.

import { RayError } from '../../base/errors.js'
import { type Block, sliceBlock } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'
import { rowReader } from '../block/rows.js'
import { isPure } from '../expression/node.js'
import { groupRows } from '../relational/groups.js'
import { mapBatches, operatorError } from './function-transforms.js'
import type { FunctionTransform, GroupColumnTransform } from './operators.js'
import { Place } from './place.js'

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
      const where = placeOf(rows, transform.keys)
      throw operatorError(`mapGroups(${transform.name})`, where, causeOf(error))
    }
    start = end
  }
  return results.length === 0 ? block : concatBlocks(results)
}

/** What the engine computes does not depend on the other rows: all groups are one query. */
export async function addGroupColumn(
  { keys, step }: GroupColumnTransform,
  block: Block,
): Promise<Block> {
  const { block: rows, ends } = groupRows(block, keys)
  const [{ BlockTable }, { runRelational }] = await Promise.all([
    import('../relational/engine-table.js'),
    import('../relational/run.js'),
  ])
  const compute = (part: Block, index: number): Promise<Block> => {
    return runRelational(new BlockTable(part), [step], { index })
  }
  if (step.kind === 'project' && step.outputs.every(({ value }) => isPure(value))) {
    return compute(rows, 0)
  }
  const results: Block[] = []
  for (const [i, end] of ends.entries()) {
    const part = sliceBlock(rows, ends[i - 1] ?? 0, end)
    try {
      results.push(await compute(part, i))
    } catch (error) {
      throw operatorError('withColumn', placeOf(part, keys), causeOf(error))
    }
  }
  return results.length === 0 ? compute(rows, 0) : concatBlocks(results)
}

function causeOf(error: unknown): unknown {
  return error instanceof RayError ? (error.cause ?? error) : error
}

/** Such as ` in the group k = a, n = null`. */
function placeOf(rows: Block, keys: readonly string[]): string {
  const first = rowReader(sliceBlock(rows, 0, 1))(0)
  return ` in the group ${keys.map((key) => `${key} = ${String(first[key])}`).join(', ')}`
}
