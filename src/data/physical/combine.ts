// Makes one block of several: what stands at the receiving end of every exchange.

import { assertNever } from '../../base/assert.js'
import { RayError } from '../../base/errors.js'
import type { EngineAggregate } from '../aggregate/spec.js'
import { type Block, blockOfColumns, blockOfData, sliceBlock } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'
import { dataOfBlock } from '../block/gather.js'
import { deferScatter, gatherTo } from '../block/scatter.js'
import { aggregateOfNothing, finalAggregate } from '../relational/aggregate.js'
import { aggregateBlock } from '../relational/custom-aggregate.js'
import { joinTable } from '../relational/join.js'
import { runRelational } from '../relational/run.js'
import { permutation } from '../relational/sample.js'
import { sortBlock } from '../relational/sort.js'
import type { RelationalStep } from '../relational/steps.js'
import type { Combination, CombineInputs, JoinType } from './exchange-transforms.js'
import { operatorError } from './function-transforms.js'
import { applyRelational } from './task-rows.js'

export interface CombineTask {
  readonly name: string
  readonly combination: Combination
  readonly inputs: CombineInputs
  /** Steps behind it, which the engine may run with it as one query. */
  readonly steps: readonly RelationalStep[]
  readonly index: number
  /** Whether the task returns the block, and nobody looks at it before. */
  readonly isLast: boolean
}

export async function combineBlocks(task: CombineTask, blocks: readonly Block[]): Promise<Block> {
  const { combination, inputs, steps, index, isLast } = task
  const taken = blocks.map((block, i) => {
    const range = inputs.ranges?.[i]
    return range === undefined ? block : sliceBlock(block, range[0], range[1])
  })
  try {
    if (combination.kind === 'join') {
      const left = concatBlocks(taken.slice(0, inputs.left))
      const right = concatBlocks(taken.slice(inputs.left))
      // Of a side without rows perhaps not even the columns are known: nothing is made of nothing.
      if (isNothing(left, right, combination.how)) {
        return await applyRelational(blockOfColumns({}), steps, { index })
      }
      return await runRelational(joinTable(left, right, combination), steps, { index })
    }
    const place = { left: inputs.left ?? 0, index, isLast }
    const block = await combine(combination, taken, place)
    return await applyRelational(block, steps, { index })
  } catch (error) {
    const isNamed = error instanceof RayError && 'operator' in error.fields
    throw isNamed ? error : operatorError(task.name, '', error)
  }
}

/** Whether a join surely has no rows, because the side that they come from is unknown. */
function isNothing(left: Block, right: Block, how: JoinType): boolean {
  const [isLeft, isRight] = [left, right].map(({ numRows, numCols }) => numRows + numCols === 0)
  if (how === 'inner') return isLeft === true || isRight === true
  if (how === 'full_outer') return isLeft === true && isRight === true
  return (how.startsWith('left') ? isLeft : isRight) === true
}

interface CombinePlace {
  readonly left: number
  readonly index: number
  readonly isLast: boolean
}

async function combine(
  combination: Exclude<Combination, { kind: 'join' }>,
  blocks: readonly Block[],
  { left, index, isLast }: CombinePlace,
): Promise<Block> {
  if (combination.kind === 'zip') {
    return zipBlocks(concatBlocks(blocks.slice(0, left)), concatBlocks(blocks.slice(left)))
  }
  if (combination.kind === 'shuffle') {
    const rows = blocks.reduce((sum, { numRows }) => sum + numRows, 0)
    // Another sequence than the one that decided where rows went.
    const seed = combination.seed === undefined ? undefined : combination.seed ^ 0x5bd1e995
    const to = permutation(rows, { seed, index })
    return isLast ? deferScatter(blocks, to) : gatherTo(concatBlocks(blocks), to)
  }
  const { isMixed } = combination as { readonly isMixed?: boolean }
  const block = concatBlocks(blocks, { isMixed })
  switch (combination.kind) {
    case 'concat':
      return block
    case 'sort':
      return sortBlock(block, combination.keys)
    case 'final-aggregate': {
      const aggregates = combination.aggregates as readonly EngineAggregate[]
      if (block.schema.fields.length === 0) return aggregateOfNothing(combination.keys, aggregates)
      return finalAggregate(block, combination.keys, aggregates)
    }
    case 'whole-aggregate':
      return aggregateBlock(block, combination.keys, combination.aggregates)
    default:
      return assertNever(combination)
  }
}

/** The columns of both, side by side. A name that the left side has gets a number on the right. */
function zipBlocks(left: Block, right: Block): Block {
  const names = left.schema.fields.map((field) => field.name)
  for (const { name } of right.schema.fields) {
    let free = name
    for (let i = 1; names.includes(free); i++) free = `${name}_${i}`
    names.push(free)
  }
  return blockOfData(names, [...dataOfBlock(left), ...dataOfBlock(right)], left.numRows)
}
