// Tasks whose rows come from one query over files: the engine hands them out as a block, or writes
// them itself, so that they never pass through JavaScript.

import { availableParallelism } from 'node:os'
import type { Block } from '../block/block.js'
import { canWriteQuery, writeQuery, type WrittenRows } from '../datasource/file-writer.js'
import { query, withThreads } from '../engine/engine.js'
import { isPure } from '../expression/node.js'
import type { WriteStep } from '../logical/write-step.js'
import type { RelationalStep } from '../relational/steps.js'
import { type QueryStep, type WholeQuery, withWholeQuery } from '../relational/whole-query.js'
import type { TaskInput } from './operators.js'

/** A query, and how many threads it may have. */
export interface QueryRun {
  readonly query: WholeQuery
  readonly threads: number
}

/** What a task without an input block computes, if it is one query over files. */
export function queryRunOf(
  input: TaskInput | undefined,
  steps: readonly RelationalStep[],
): QueryRun | undefined {
  if (input?.kind === 'query') return steps.length === 0 ? input : undefined
  if (input?.kind !== 'files' || !steps.every(isOneQuery)) return undefined
  return { query: { source: { kind: 'files', request: input.request }, steps }, threads: 1 }
}

function isOneQuery(step: RelationalStep): step is RelationalStep & QueryStep {
  switch (step.kind) {
    case 'where':
      return isPure(step.predicate)
    case 'project':
      return step.outputs.every(({ value }) => isPure(value))
    case 'keep':
      return true
    case 'sample':
    case 'partial-aggregate':
      return false
  }
}

/** The rows of a query as a block. */
export function readQuery({ query: whole, threads }: QueryRun): Promise<Block | undefined> {
  return withWholeQuery(whole, ({ sql }) => {
    return withThreads(bounded(threads), () => query(sql, 'coded'))
  })
}

/**
 * Writes the rows of a query; undefined where they must become a block first. Also where it fails:
 * the engine does not say whether reading or writing did, which the longer way finds out.
 */
export async function writeQueryRows(
  { query: whole, threads }: QueryRun,
  { name, sink }: WriteStep,
  index: number,
): Promise<WrittenRows | undefined> {
  if (!canWriteQuery(sink)) return undefined
  try {
    return await withWholeQuery(whole, (text) => {
      return writeQuery({ ...text, threads: bounded(threads) }, index, { name, sink })
    })
  } catch {
    return undefined
  }
}

/** No more threads than this machine has CPUs for. */
function bounded(threads: number): number {
  return Math.min(threads, availableParallelism())
}
