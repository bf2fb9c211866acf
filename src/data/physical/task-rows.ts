// The rows that a task works on: a block; or files, of which the engine reads only what the steps
// behind them ask for; or rows in memory.
//
// Neighbouring relational steps are run together, so that they become one query.

import { assert, assertNever } from '../../base/assert.js'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfColumns } from '../block/block.js'
import { blockOfRows } from '../block/rows.js'
import { sizeOf, TensorColumn } from '../block/tensor.js'
import type { EvaluationPlace } from '../relational/computed.js'
import { isRelational, type RelationalStep } from '../relational/steps.js'
import type { TaskInput, Transform } from './operators.js'

/** A transform, or neighbouring ones that the engine runs as one. */
export type TransformGroup =
  | Exclude<Transform, RelationalStep>
  | { readonly kind: 'relational'; readonly steps: readonly RelationalStep[] }

export function groupRelational(transforms: readonly Transform[]): readonly TransformGroup[] {
  const groups: TransformGroup[] = []
  for (const transform of transforms) {
    const last = groups.at(-1)
    if (!isRelational(transform)) groups.push(transform)
    else if (last?.kind !== 'relational') groups.push({ kind: 'relational', steps: [transform] })
    else groups[groups.length - 1] = { ...last, steps: [...last.steps, transform] }
  }
  return groups
}

/** Runs relational steps over a block. */
export async function applyRelational(
  block: Block,
  steps: readonly RelationalStep[],
  place: EvaluationPlace,
): Promise<Block> {
  if (steps.length === 0) return block
  const [{ BlockTable }, { runRelational }] = await Promise.all([
    import('../relational/engine-table.js'),
    import('../relational/run.js'),
  ])
  return runRelational(new BlockTable(block), steps, place)
}

/** Makes the block of an input, and runs the relational steps behind it. */
export async function readInput(
  input: TaskInput | undefined,
  steps: readonly RelationalStep[],
  place: EvaluationPlace,
): Promise<Block> {
  if (input?.kind === 'files' && steps.length > 0) {
    const { request } = input
    const [{ queryFiles }, { FilesTable }, { runRelational }] = await Promise.all([
      import('../datasource/file-readers.js'),
      import('../relational/engine-table.js'),
      import('../relational/run.js'),
    ])
    const names = request.columns.map(({ name }) => name)
    const result = await queryFiles(request, (sql) => {
      return runRelational(new FilesTable(names, sql), steps, place)
    })
    if (result !== undefined) return result
  }
  const block = await makeBlock(input)
  return applyRelational(block, steps, place)
}

async function makeBlock(input: TaskInput | undefined): Promise<Block> {
  switch (input?.kind) {
    case undefined:
      throw new RayError('A block task was given neither a block nor an input.')
    case 'files': {
      const { readFiles } = await import('../datasource/file-readers.js')
      return readFiles(input.request)
    }
    case 'query': {
      const { readQuery } = await import('./query-task.js')
      const block = await readQuery(input)
      assert(block !== undefined, 'a query was planned over files that the engine does not read')
      return block
    }
    case 'rows':
      return blockOfRows(input.rows)
    case 'range':
      return rangeBlock(input)
    case 'read-task': {
      const { blockOfReadTask } = await import('./read-task.js')
      return blockOfReadTask(input.task, input.name)
    }
    default:
      return assertNever(input)
  }
}

/** Numbers, or tensors each full of its number. */
function rangeBlock({ start, rows, shape }: Extract<TaskInput, { kind: 'range' }>): Block {
  if (shape === undefined) {
    // Written out: `Float64Array.from` takes thirty times as long.
    const id = new Float64Array(rows)
    for (let i = 0; i < rows; i++) id[i] = start + i
    return blockOfColumns({ id })
  }
  const size = sizeOf(shape)
  const data = new Float64Array(rows * size)
  for (let i = 0; i < rows; i++) data.fill(start + i, i * size, (i + 1) * size)
  return blockOfColumns({ data: new TensorColumn(data, shape) })
}
