// A function of the user, called once for each group of a block that has all rows of its groups.

import { RayError } from '../../base/errors.js'
import { meetUsersArrow } from '../block/arrow-library.js'
import { AtBatch, BatchJoiner } from '../block/batch-joiner.js'
import { type Block, sliceBlock } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'
import { rowReader } from '../block/rows.js'
import { isPure } from '../expression/node.js'
import { groupRows } from '../relational/groups.js'
import { type AnyCall, isGenerated, operatorError } from './function-transforms.js'
import { GroupViews } from './group-views.js'
import type { FunctionTransform, GroupColumnTransform } from './operators.js'

type GroupBatches = Extract<FunctionTransform, { readonly kind: 'group-batches' }>

export async function mapGroups(transform: GroupBatches, block: Block): Promise<Block> {
  const { block: rows, ends } = groupRows(block, transform.keys)
  if (ends.length === 0) return block
  if (transform.batchFormat === 'arrow') await meetUsersArrow()
  const fn = transform.fn as AnyCall
  const views = new GroupViews(rows, ends, transform)
  const joiner = new BatchJoiner(rows, transform)
  const failed = (group: number, cause: unknown): Error => {
    const where = placeOf(views.rowsOf(group), transform.keys)
    return operatorError(`mapGroups(${transform.name})`, where, cause)
  }
  for (let group = 0; group < ends.length; group++) {
    try {
      const result = await fn(views.view(group))
      if (isGenerated(result)) for await (const each of result) joiner.add(each, group)
      else joiner.add(result, group)
    } catch (error) {
      throw error instanceof AtBatch ? failed(error.number, error.cause) : failed(group, error)
    }
  }
  try {
    return joiner.finish()
  } catch (error) {
    throw error instanceof AtBatch ? failed(error.number, error.cause) : error
  }
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
