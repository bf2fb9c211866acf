// Expressions that the engine cannot compute: functions of the user, random numbers, row numbers.
// Each is computed for a whole block and put beside its columns; in the expression stays a column.

import { randomUUID } from 'node:crypto'
import { type Data } from 'apache-arrow'
import { blockOfData, columnAt } from '../block/block.js'
import { type Column, columnOfVector } from '../block/column.js'
import { dataOfColumn } from '../block/column-data.js'
import { dataOfBlock } from '../block/gather.js'
import { RayError } from '../../base/errors.js'
import {
  childrenOf,
  type DownloadNode,
  type ExpressionNode,
  type GenerateNode,
  isPure,
  mapChildren,
  type NamedNode,
  type UdfNode,
} from '../expression/node.js'
import { BlockTable, type EngineTable } from './engine-table.js'
import { operatorError } from '../physical/function-transforms.js'
import { runQuery, wholeTable } from './run-query.js'
import { randomColumn } from './sample.js'
import type { RelationalStep } from './steps.js'

/** Where rows are evaluated, for what depends on it. */
export interface EvaluationPlace {
  /** Position of the block among those of its operator. */
  readonly index: number
  /** Where its rows come from, for errors; absent where nobody knows. */
  readonly place?: { whole(): string }
}

/** Rows of a block that row numbers leave room for. */
const rowsPerBlock = 2 ** 33

/** The table with a column for each part of the step that the engine cannot compute. */
export async function withComputed(
  table: EngineTable,
  step: RelationalStep,
  place: EvaluationPlace,
): Promise<{ table: BlockTable; step: RelationalStep }> {
  const computing = new Computing(table, place)
  const changed = await computing.step(step)
  return { table: computing.table, step: changed }
}

class Computing {
  table: BlockTable
  readonly #place: EvaluationPlace
  readonly #names: string[]
  readonly #columns: Data[]

  constructor(table: EngineTable, place: EvaluationPlace) {
    const block = runQuery(table, wholeTable(table.names))
    this.#names = [...table.names]
    this.#columns = [...dataOfBlock(block)]
    this.table = new BlockTable(block)
    this.#place = place
  }

  async step(step: RelationalStep): Promise<RelationalStep> {
    if (step.kind === 'where') return { ...step, predicate: await this.#replace(step.predicate) }
    if (step.kind !== 'project') return step
    const outputs: NamedNode[] = []
    for (const { name, value } of step.outputs) {
      outputs.push({ name, value: await this.#replace(value) })
    }
    return { ...step, outputs }
  }

  /** The node with columns instead of what the engine cannot compute. */
  async #replace(node: ExpressionNode): Promise<ExpressionNode> {
    if (isPure(node)) return node
    const children: ExpressionNode[] = []
    for (const child of childrenOf(node)) children.push(await this.#replace(child))
    const over = mapChildren(node, () => children.shift() ?? node)
    if (over.kind === 'generate') return this.#add(generate(over, this.table.rows, this.#place))
    if (over.kind === 'download') return this.#add(await this.#download(over))
    return over.kind === 'udf' ? this.#call(over) : over
  }

  #add(column: Column): ExpressionNode {
    const name = `typeray value ${this.#names.length}`
    if (typeof column !== 'object' || column === null) {
      throw new RayError(`must return an array of values, and returned ${String(column)}`)
    }
    const data = dataOfColumn(name, column)
    if (data.length !== this.table.rows) {
      throw new RayError(
        `must return one value per row: it returned ${data.length} values for ` +
          `${this.table.rows} rows.`,
      )
    }
    this.#names.push(name)
    this.#columns.push(data)
    this.table = new BlockTable(blockOfData(this.#names, this.#columns))
    return { kind: 'column', name }
  }

  /** What the engine makes of expressions. */
  #values(nodes: readonly ExpressionNode[]): readonly Column[] {
    if (nodes.length === 0) return []
    const outputs = nodes.map((value, i) => ({ name: `c${i}`, value }))
    const block = runQuery(this.table, { predicates: [], outputs })
    return outputs.map((_, i) => columnOfVector(columnAt(block, i)))
  }

  async #download({ value, filesystem }: DownloadNode): Promise<Column> {
    if (this.table.rows === 0) return []
    const [uris = []] = this.#values([value])
    const { downloadAll } = await import('../datasource/download.js')
    return downloadAll(Array.from(uris as ArrayLike<unknown>), filesystem)
  }

  async #call({ name, fn, args }: UdfNode): Promise<ExpressionNode> {
    if (this.table.rows === 0) return this.#add([])
    const columns = this.#values(args)
    try {
      return this.#add((await (fn as (...columns: unknown[]) => unknown)(...columns)) as Column)
    } catch (error) {
      throw operatorError(`udf ${name}`, this.#place.place?.whole() ?? '', error)
    }
  }
}

function generate(node: GenerateNode, rows: number, { index }: EvaluationPlace): Column {
  switch (node.what) {
    case 'random':
      return randomColumn(rows, { seed: node.seed, index })
    case 'uuid':
      return Array.from({ length: rows }, () => randomUUID())
    case 'row-id':
      return Float64Array.from({ length: rows }, (_, row) => index * rowsPerBlock + row)
  }
}
