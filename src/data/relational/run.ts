// Runs of relational steps as one query: `filter`, `withColumn`, `filter`, `select` become one
// SELECT with one WHERE, because each step's expressions are written over the columns that the
// first one read. A function of the user, or anything that depends on a row's place, ends a run.

import type { Block } from '../block/block.js'
import { gatherBlock } from '../block/gather.js'
import {
  columnsOfNode,
  type ExpressionNode,
  isPure,
  substitute,
  withoutAlias,
} from '../expression/node.js'
import { operatorError } from '../physical/function-transforms.js'
import { partialAggregate } from './aggregate.js'
import { type EvaluationPlace, withComputed } from './computed.js'
import { BlockTable, type EngineTable, requireColumns } from './engine-table.js'
import { type FlatQuery, outputNodes, runQuery, wholeTable } from './run-query.js'
import { sampleIndices } from './sample.js'
import { relationalStepName, type RelationalStep, type SampleStep } from './steps.js'

/** Runs the steps over a table. */
export async function runRelational(
  table: EngineTable,
  steps: readonly RelationalStep[],
  place: EvaluationPlace,
): Promise<Block> {
  const run = new RelationalRun(table, place)
  for (const step of steps) await run.add(step)
  return run.result()
}

class RelationalRun {
  #table: EngineTable
  /** What the steps so far ask of the table. */
  #flat: FlatQuery
  /** Names of the steps since the table, for errors. */
  #names: string[] = []
  readonly #place: EvaluationPlace

  constructor(table: EngineTable, place: EvaluationPlace) {
    this.#table = table
    this.#flat = wholeTable(table.names)
    this.#place = place
  }

  result(): Block {
    return this.#named(() => runQuery(this.#table, this.#flat))
  }

  async add(step: RelationalStep): Promise<void> {
    if (step.kind === 'sample') {
      this.#restart(sampleBlock(this.result(), step, this.#place))
      return
    }
    if (!nodesOf(step).every(isPure)) return this.#addComputed(step)
    this.#names.push(relationalStepName(step))
    if (step.kind === 'partial-aggregate') {
      this.#restart(this.#named(() => partialAggregate(this.#table, this.#flat, step)))
    } else {
      this.#flat = this.#named(() => fold(this.#table, this.#flat, step))
    }
  }

  /** Continues with a block that is there. */
  #restart(block: Block): BlockTable {
    const table = new BlockTable(block)
    this.#table = table
    this.#flat = wholeTable(table.names)
    this.#names = []
    return table
  }

  async #addComputed(step: RelationalStep): Promise<void> {
    const { names } = this.#restart(this.result())
    this.#names.push(relationalStepName(step))
    const computed = await withComputed(this.#table, step, this.#place)
    this.#table = computed.table
    const all = wholeTable(computed.table.names)
    const flat = this.#named(() => fold(computed.table, all, computed.step))
    const made = step.kind === 'project' ? step.outputs.map(({ name }) => name) : []
    const shown = new Set([...names, ...made])
    this.#flat = { ...flat, outputs: flat.outputs.filter(({ name }) => shown.has(name)) }
  }

  #named<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (this.#names.length === 0) throw error
      throw operatorError(this.#names.join(' -> '), '', error)
    }
  }
}

/** Blocks without rows may lack columns: nothing said what a function would have made. */
function isEmptyTable(table: EngineTable): boolean {
  return table instanceof BlockTable && table.rows === 0
}

function nodesOf(step: RelationalStep): readonly ExpressionNode[] {
  if (step.kind === 'where') return [step.predicate]
  return step.kind === 'project' ? step.outputs.map(({ value }) => value) : []
}

const nothing: ExpressionNode = { kind: 'literal', value: null }

/** The query with one more step. */
export function fold(table: EngineTable, flat: FlatQuery, step: RelationalStep): FlatQuery {
  const values = outputNodes(table, flat)
  const isEmpty = isEmptyTable(table)
  const over = (node: ExpressionNode): ExpressionNode => {
    const wanted = columnsOfNode(node)
    if (!isEmpty) requireColumns([...values.keys()], wanted)
    const missing = wanted.filter((name) => !values.has(name))
    const known = new Map([...values, ...missing.map((name) => [name, nothing] as const)])
    return withoutAlias(substitute(node, known))
  }
  switch (step.kind) {
    case 'where':
      return { ...flat, predicates: [...flat.predicates, over(step.predicate)] }
    case 'project': {
      const outputs = step.outputs.map(({ name, value }) => ({ name, value: over(value) }))
      if (!step.keepsOthers) return { ...flat, outputs }
      const replaced = new Map(outputs.map((output) => [output.name, output]))
      const kept = flat.outputs.map((output) => replaced.get(output.name) ?? output)
      const present = new Set(kept.map(({ name }) => name))
      return { ...flat, outputs: [...kept, ...outputs.filter(({ name }) => !present.has(name))] }
    }
    case 'keep':
      return { ...flat, outputs: flat.outputs.filter(({ name }) => step.columns.includes(name)) }
    default:
      return flat
  }
}

function sampleBlock(block: Block, { fraction, seed }: SampleStep, place: EvaluationPlace): Block {
  const kept = sampleIndices(block.numRows, { fraction, seed, index: place.index })
  return gatherBlock(block, kept)
}
