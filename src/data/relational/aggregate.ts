// Groups of rows and what is computed of each: of the rows of a block, of the results of several
// blocks, or of all rows at once.
//
// Keys that are dictionary columns are grouped by their codes, integers, and become strings again
// in the result.

import { type Data, DataType, Float64, makeData, Null } from 'apache-arrow'
import type { EngineAggregate } from '../aggregate/spec.js'
import {
  finalSql,
  finishedSql,
  meansSql,
  partialSql,
  type TypeOf,
  wholeSql,
} from '../aggregate/sql.js'
import { type Block, blockOfColumns, blockOfData } from '../block/block.js'
import { nullsOf } from '../block/concat.js'
import { dataOfBlock } from '../block/gather.js'
import { query, quoteName } from '../engine/engine.js'
import { columnsOfNode, type ExpressionNode, substitute } from '../expression/node.js'
import { sqlOfNode, sqlOfOutput } from '../expression/sql.js'
import {
  BlockTable,
  dataOfCodes,
  type EngineTable,
  type FilesTable,
  hasCodes,
  requireColumns,
} from './engine-table.js'
import { type FlatQuery, isNothing, outputNodes, whereSql } from './run-query.js'
import type { PartialAggregateStep } from './steps.js'

/** Groups what a query gives, as far as one block can. */
export function partialAggregate(
  table: EngineTable,
  flat: FlatQuery,
  step: PartialAggregateStep,
): Block {
  const specs = step.aggregates as readonly EngineAggregate[]
  const outputs = flat.outputs.map(({ name }) => name)
  if (isWithoutColumns(table, wantedOf(step.keys, specs), outputs)) return blockOfColumns({})
  return group(table, flat, {
    keys: step.keys,
    values: valuesOf(specs),
    results: [],
    isPartial: true,
    aggregates: (over, typeOf) => {
      return specs.flatMap((spec, i) => partialSql(rewritten(spec, over), i, typeOf))
    },
  })
}

/** Computes aggregates of all rows. */
export function wholeAggregate(
  table: EngineTable,
  flat: FlatQuery,
  of: { readonly keys: readonly string[]; readonly specs: readonly EngineAggregate[] },
): Block {
  const { keys, specs } = of
  return group(table, flat, {
    keys,
    values: valuesOf(specs),
    results: specs.map(({ value }) => value),
    isPartial: false,
    aggregates: (over, typeOf) =>
      specs.map((spec) => `${wholeSql(rewritten(spec, over), typeOf)} AS ${quoteName(spec.name)}`),
  })
}

/** The query that computes aggregates of all rows of files; groups come in the order of keys. */
export function aggregateSql(
  table: FilesTable,
  flat: FlatQuery,
  of: { readonly keys: readonly string[]; readonly specs: readonly EngineAggregate[] },
): string {
  const { keys, specs } = of
  const outputs = outputNodes(table, flat)
  const values = valuesOf(specs)
  requireColumns([...outputs.keys()], [...keys, ...columnsOfNode(...values)])
  const over: Over = (node) => substitute(node, outputs)
  return table.use({ columns: [] }, (from) => {
    const typeOf = typesOf(
      from,
      values.map((node) => sqlOfNode(typed(over(node)))),
    )
    const list = [
      ...keys.map((name) => sqlOfOutput({ name, value: over({ kind: 'column', name }) })),
      ...specs.map((spec) => {
        return `${wholeSql(rewritten(spec, over), typeOf)} AS ${quoteName(spec.name)}`
      }),
    ]
    const by = groupSql(keys.map((_, i) => i + 1))
    return `SELECT ${list.join(', ')} FROM ${from}${whereSql(flat.predicates)} ${by}`
  })
}

/** Puts together what blocks computed; groups come in the order of their keys. */
export function finalAggregate(
  block: Block,
  keys: readonly string[],
  specs: readonly EngineAggregate[],
): Block {
  const table = new BlockTable(withNumbers(block, keys))
  const typeOf = (sql: string): string => {
    return table.use({ columns: table.names }, (from) => typesIn(from, [sql]).get(sql) ?? '')
  }
  const names = keys.map(quoteName)
  const outputs = specs.map((spec, i) => `${finalSql(spec, i, typeOf)} AS ${quoteName(spec.name)}`)
  const means = meansSql(specs, keys)
  const result = table.use({ columns: table.names }, (from) => {
    const source = means === '' ? from : `(SELECT *${means} FROM ${from})`
    const grouped = `SELECT ${[...names, ...outputs].join(', ')} FROM ${source} ${groupSql(names)}`
    return query(
      finished(
        grouped,
        keys,
        specs.map((spec, i) => [spec.name, finishedSql(spec, i, typeOf)]),
      ),
      'coded',
    )
  })
  const isUnknown = dataOfBlock(block).map(({ type }) => DataType.isNull(type))
  const hasUnknown = isUnknown.includes(true)
  const columns = dataOfBlock(result).map((data, i) => {
    const mayBeUnknown = i < keys.length ? isUnknown[i] === true : hasUnknown
    return mayBeUnknown ? untyped(data) : data
  })
  return blockOfData(
    result.schema.fields.map((field) => field.name),
    columns,
  )
}

/** The query with more made of some of its columns; it is left alone where there are none. */
function finished(
  grouped: string,
  keys: readonly string[],
  made: readonly (readonly [name: string, sql: string | undefined])[],
): string {
  if (made.every(([, sql]) => sql === undefined)) return grouped
  const names = keys.map(quoteName)
  const outputs = made.map(([name, sql]) => {
    return sql === undefined ? quoteName(name) : `${sql} AS ${quoteName(name)}`
  })
  return `SELECT ${[...names, ...outputs].join(', ')} FROM (${grouped}) ${orderSql(names)}`
}

/** Without values a column has no type, which lets other blocks decide what it is. */
function untyped(data: Data): Data {
  const { length, nullCount } = data
  return nullCount === length ? makeData({ type: new Null(), length }) : data
}

/** The block with numbers where no block had values to say otherwise. */
function withNumbers(block: Block, keys: readonly string[]): Block {
  const names = block.schema.fields.map((field) => field.name)
  const columns = dataOfBlock(block).map((data, i) => {
    const isUnknown = DataType.isNull(data.type) && !keys.includes(names[i] ?? '')
    return isUnknown ? nullsOf(new Float64(), data.length) : data
  })
  return blockOfData(names, columns)
}

/** A block of results for no rows at all, of which not even the columns are known. */
export function aggregateOfNothing(
  keys: readonly string[],
  specs: readonly EngineAggregate[],
): Block {
  if (keys.length > 0) return blockOfColumns({})
  const outputs = specs.map(({ name, kind }) => {
    return `${kind === 'count' ? '0::DOUBLE' : 'NULL::DOUBLE'} AS ${quoteName(name)}`
  })
  return query(`SELECT ${outputs.join(', ')}`)
}

/** Whether a block has no rows, and so perhaps not the columns that are wanted. */
export function isWithoutColumns(
  table: EngineTable,
  wanted: readonly string[],
  names = table.names,
): boolean {
  const isEmpty = table instanceof BlockTable && table.rows === 0
  return isEmpty && (names.length === 0 || wanted.some((name) => !names.includes(name)))
}

/** The columns that a group looks at. */
export function wantedOf(
  keys: readonly string[],
  specs: readonly EngineAggregate[],
): readonly string[] {
  return [...keys, ...columnsOfNode(...valuesOf(specs))]
}

/** Groups come in the order of their keys, wherever that is known. */
function groupSql(names: readonly (string | number)[]): string {
  if (names.length === 0) return ''
  return `GROUP BY ${names.join(', ')} ${orderSql(names)}`
}

function orderSql(names: readonly (string | number)[]): string {
  if (names.length === 0) return ''
  return `ORDER BY ${names.map((name) => `${name} NULLS LAST`).join(', ')}`
}

type Over = (node: ExpressionNode) => ExpressionNode

interface Grouping {
  readonly keys: readonly string[]
  /** What is aggregated, over the outputs of the query. */
  readonly values: readonly ExpressionNode[]
  /** What each column of the result is made of, behind the keys, where it is one value. */
  readonly results: readonly (ExpressionNode | undefined)[]
  /** Whether the result is to be put together with those of other blocks. */
  readonly isPartial: boolean
  readonly aggregates: (over: Over, typeOf: TypeOf) => readonly string[]
}

function valuesOf(specs: readonly EngineAggregate[]): readonly ExpressionNode[] {
  return specs.flatMap(({ value }) => value ?? [])
}

function rewritten(spec: EngineAggregate, over: Over): EngineAggregate {
  return spec.value === undefined ? spec : { ...spec, value: typed(over(spec.value)) }
}

/** Aggregates must know what they aggregate, even if it is nothing. */
function typed(node: ExpressionNode): ExpressionNode {
  return isNothing(node) ? { kind: 'cast', value: node, type: 'float64', isTry: false } : node
}

function group(table: EngineTable, flat: FlatQuery, grouping: Grouping): Block {
  const { keys, values } = grouping
  const outputs = outputNodes(table, flat)
  requireColumns([...outputs.keys()], [...keys, ...columnsOfNode(...values)])
  const over: Over = (node) => substitute(node, outputs)
  const keyNodes = keys.map((name) => over({ kind: 'column', name }))
  const read = columnsOfNode(...flat.predicates, ...values.map(over))
  const coded = keyNodes.map((node) => codedKey(table, node, read))
  const codes = columnsOfNode(...keyNodes.filter((_, i) => coded[i] !== undefined))
  const columns = [...read, ...columnsOfNode(...keyNodes)].filter((name) => !codes.includes(name))
  const where = whereSql(flat.predicates)
  const result = table.use({ columns, codes }, (from) => {
    const typeOf = typesOf(
      from,
      values.map((node) => sqlOfNode(typed(over(node)))),
    )
    const positions = keys.map((_, i) => i + 1)
    const keySql = keyNodes.map((node, i) => `${sqlOfNode(node)} AS k${i}`)
    const list = [...keySql, ...grouping.aggregates(over, typeOf)].join(', ')
    const by = groupSql(positions)
    return query(`SELECT ${list} FROM ${from}${where} ${by}`, 'coded')
  })
  const nothing = grouping.results.map((node) => node !== undefined && isNothing(over(node)))
  const isUnknown = [...keyNodes.map(isNothing), ...nothing]
  const data = dataOfBlock(result).map((each, i) => {
    const like = coded[i]
    if (like !== undefined) return dataOfCodes(each, like)
    return grouping.isPartial || isUnknown[i] === true ? untyped(each) : each
  })
  const names = result.schema.fields.map((field, i) => keys[i] ?? field.name)
  return blockOfData(names, data)
}

/** The column of a key of which the codes are enough. */
function codedKey(
  table: EngineTable,
  node: ExpressionNode,
  read: readonly string[],
): Data | undefined {
  if (node.kind !== 'column' || read.includes(node.name)) return undefined
  const data = table.stored(node.name)?.data
  return data !== undefined && table.isDirect && hasCodes(data) ? data : undefined
}

/** Asks for the types of several expressions at once, and only if one is wanted. */
function typesOf(from: string, expressions: readonly string[]): TypeOf {
  let types: ReadonlyMap<string, string> | undefined
  return (sql) => {
    types ??= typesIn(from, expressions)
    return types.get(sql) ?? 'DOUBLE'
  }
}

function typesIn(from: string, expressions: readonly string[]): ReadonlyMap<string, string> {
  const described = query(`DESCRIBE SELECT ${expressions.join(', ')} FROM ${from}`)
  return new Map([...described].map((row, i) => [expressions[i] ?? '', String(row.column_type)]))
}
