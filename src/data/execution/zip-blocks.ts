// Rows of two datasets side by side: both are run to their end, then put together.

import { RayError } from '../../base/errors.js'
import type { ZipOperator } from '../physical/exchange-operators.js'
import type { PhysicalPlan } from '../physical/operators.js'
import type { RowRange } from '../physical/exchange-transforms.js'
import { drain, rowsBetween } from './drain.js'
import { Combiner } from './exchange.js'
import type { Execution } from './streaming-executor.js'
import type { PendingBlock } from './task-runner.js'

type Blocks = AsyncGenerator<PendingBlock, void, void>
type Run = (plan: PhysicalPlan) => Blocks

/** Each block of the left side with the rows of the right one that are beside it. */
export async function* zipBlocks(operator: ZipOperator, execution: Execution, run: Run): Blocks {
  // What is beside a block that failed would be beside another one.
  const { runner, cpus } = execution
  const left = await drain(run(operator.left), { runner, cpus })
  const right = await drain(run(operator.right), { runner, cpus })
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
