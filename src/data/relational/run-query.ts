// One SELECT over a table: some columns, computed or moved, of the rows that pass.

import { type Data, DataType, makeData, Null } from 'apache-arrow'
import { assert } from '../../base/assert.js'
import { type Block, blockOfData } from '../block/block.js'
import { dataOfBlock, gatherData, type RowIndices } from '../block/gather.js'
import { query, quoteName } from '../engine/engine.js'
import { columnsOfNode, type ExpressionNode, type NamedNode, someNode } from '../expression/node.js'
import { sqlOfNode, sqlOfOutput } from '../expression/sql.js'
import { BlockTable, type EngineTable } from './engine-table.js'

/** What is asked of a table: some columns, computed or not, of the rows that pass. */
export interface FlatQuery {
  readonly predicates: readonly ExpressionNode[]
  readonly outputs: readonly NamedNode[]
}

const nothing: ExpressionNode = { kind: 'literal', value: null }

/**
 * What the outputs of a query stand for in further expressions. A column without a type, because it
 * has no values, is null itself: the engine would have to take it for strings.
 */
export function outputNodes(table: EngineTable, flat: FlatQuery): Map<string, ExpressionNode> {
  return new Map(
    flat.outputs.map(({ name, value }) => {
      const stored = value.kind === 'column' ? table.stored(value.name) : undefined
      return [name, stored !== undefined && DataType.isNull(stored.data.type) ? nothing : value]
    }),
  )
}

/** All columns of all rows. */
export function wholeTable(names: readonly string[]): FlatQuery {
  const outputs = names.map((name) => ({ name, value: { kind: 'column', name } as const }))
  return { predicates: [], outputs }
}

/** Computes the query. Columns that only pass through are moved without the engine. */
export function runQuery(table: EngineTable, { predicates, outputs }: FlatQuery): Block {
  const isPassed = ({ value }: NamedNode): boolean =>
    value.kind === 'column' && table.stored(value.name) !== undefined
  const computed = outputs.filter((output) => !isPassed(output))
  const isMoved = !table.isDirect || predicates.length > 0
  const results = new Map<string, Data>()
  const rows: RowIndices[] = []
  let count = table instanceof BlockTable ? table.rows : 0
  if (computed.length > 0 || isMoved) {
    const hasRows = isMoved && outputs.some(isPassed)
    const result = select(table, { predicates, outputs: computed }, hasRows)
    const data = dataOfBlock(result)
    count = result.numRows
    computed.forEach(({ name, value }, i) => results.set(name, typed(value, required(data[i]))))
    if (hasRows) rows.push(...table.rowNames.map((_, i) => rowsOf(data[computed.length + i])))
  }
  const columns = outputs.map(({ name, value }) => {
    const known = results.get(name)
    if (known !== undefined) return known
    const stored = value.kind === 'column' ? table.stored(value.name) : undefined
    const { data, side } = required(stored)
    const indices = rows[side]
    return indices === undefined ? data : gatherData(data, indices, name)
  })
  return blockOfData(
    outputs.map(({ name }) => name),
    columns,
    count,
  )
}

function select(table: EngineTable, { predicates, outputs }: FlatQuery, hasRows: boolean): Block {
  const used = columnsOfNode(...predicates, ...outputs.map(({ value }) => value))
  // -1 is the row of a side that has none, in an outer join.
  const rowSql = table.rowNames.map(
    (name) => `coalesce(${quoteName(name)}, -1) AS ${quoteName(name)}`,
  )
  const list = [...outputs.map(sqlOfOutput), ...(hasRows ? rowSql : [])]
  const where = whereSql(predicates)
  return table.use({ columns: used }, (from) => {
    const what = list.length === 0 ? '1 AS one' : list.join(', ')
    return query(`SELECT ${what} FROM ${from}${where}`, 'coded')
  })
}

/**
 * What is computed of nulls without a type is null without a type, which takes that of other
 * blocks: the engine would call it an integer.
 */
function typed(value: ExpressionNode, data: Data): Data {
  const { type, length, nullCount } = data
  const isGuess = DataType.isInt(type) && nullCount === length && someNode(value, isNothing)
  return isGuess ? makeData({ type: new Null(), length }) : data
}

/** Whether an expression is the null that has no type. */
export const isNothing = (node: ExpressionNode): boolean => {
  return node.kind === 'literal' && node.value === null
}

/** The WHERE of some predicates, all of which must hold. */
export function whereSql(predicates: readonly ExpressionNode[]): string {
  return predicates.length === 0 ? '' : ` WHERE ${predicates.map(sqlOfNode).join(' AND ')}`
}

function rowsOf(data: Data | undefined): Int32Array {
  const { values, length } = required(data)
  return (values as Int32Array).subarray(0, length)
}

function required<T>(value: T | undefined): T {
  assert(value !== undefined, 'a column is neither kept nor computed')
  return value
}
