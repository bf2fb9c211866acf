// Where batches are filled: what `batchSize` asks of the blocks that a task is given.

import type { BlockStep } from '../logical/plan.js'
import type { PhysicalPlan, TaskInput } from '../physical/operators.js'

type Part = PhysicalPlan['source'] | PhysicalPlan['operators'][number]

/** Rows that tasks of these steps are to have, so that only their last batch is short. */
export function rowsForBatches(steps: readonly BlockStep[]): number | undefined {
  let rows = 1
  for (const step of steps) {
    if (step.kind === 'map-batches') rows = Math.max(rows, step.batchSize ?? 1)
  }
  return rows === 1 ? undefined : rows
}

/** Whether each block that the part makes, but for the last one, surely has so many rows. */
export function fillsBatches(part: Part, rows: number | undefined): boolean {
  if (rows === undefined) return true
  // A filter may leave any number of them.
  if (!('transforms' in part) || part.transforms.length > 0) return false
  switch (part.kind) {
    case 'source':
      return part.inputs.slice(0, -1).every((input) => (rowsOfInput(input) ?? 0) >= rows)
    case 'exchange': {
      const { exchange } = part
      if (exchange.kind === 'resize') return exchange.rows >= rows
      return exchange.kind === 'gather'
    }
    default:
      return false
  }
}

/** Undefined where only reading tells. */
function rowsOfInput(input: TaskInput): number | undefined {
  switch (input.kind) {
    case 'files': {
      let rows = 0
      for (const piece of input.request.pieces) {
        if (piece.rows === undefined) return undefined
        rows += piece.rows
      }
      return rows
    }
    case 'rows':
      return input.rows.length
    case 'range':
      return input.rows
    case 'query':
    case 'read-task':
      return undefined
  }
}
