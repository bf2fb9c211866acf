// Operators with two inputs: both are run to their end, then put together.

import { RayError } from '../../base/errors.js'
import type { JoinOperator, ZipOperator } from '../physical/exchange-operators.js'
import type { PhysicalPlan } from '../physical/operators.js'
import type { RowRange } from '../physical/exchange-transforms.js'
import { type DrainedBlock, drain, rowsBetween } from './drain.js'
import { Combiner } from './exchange.js'
import type { Execution } from './streaming-executor.js'
import type { PendingBlock } from './task-runner.js'

type Blocks = AsyncGenerator<PendingBlock, void, void>
type Run = (plan: PhysicalPlan) => Blocks

export async function* joinBlocks(operator: JoinOperator, execution: Execution, run: Run): Blocks {
  const left = await drain(run(operator.left), execution)
  const right = await drain(run(operator.right), execution)
  const combiner = new Combiner(operator, execution)
  const combination = { kind: 'join', ...operator.spec } as const
  for (let part = 0; part < operator.count; part++) {
    const [ofLeft, ofRight] = [partsAt(left, part), partsAt(right, part)]
    yield combiner.submit(combination, [...ofLeft, ...ofRight], { left: ofLeft.length })
  }
}

function partsAt(drained: readonly DrainedBlock[], part: number): readonly DrainedBlock[] {
  return drained.flatMap(({ parts, ...rest }) => {
    const block = parts[part]
    return block === undefined ? [] : { ...rest, block, parts: [] }
  })
}

/** Each block of the left side with the rows of the right one that are beside it. */
export async function* zipBlocks(operator: ZipOperator, execution: Execution, run: Run): Blocks {
  const left = await drain(run(operator.left), execution)
  const right = await drain(run(operator.right), execution)
  const [rows, others] = [left, right].map((side) => {
    return side.reduce((sum, { metadata }) => sum + metadata.rows, 0)
  })
  if (rows !== others) {
    throw new RayError(
      'zip: both datasets must have one length, and they have ' +
        `${rows ?? 0} and ${others ?? 0} rows.`,
    )
  }
  const combiner = new Combiner(operator, execution)
  let start = 0
  for (const input of left) {
    const end = start + input.metadata.rows
    const beside = rowsBetween(right, [start, end])
    const ranges: RowRange[] = [[0, input.metadata.rows], ...beside.ranges]
    yield combiner.submit({ kind: 'zip' }, [input, ...beside.inputs], { left: 1, ranges })
    start = end
  }
}
