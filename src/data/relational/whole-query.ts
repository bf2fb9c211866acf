// Files and the relational steps behind them as one query of the engine, exchanges included.
//
// Used where all rows fit in the memory of one task: what costs an exchange two passes over blocks
// is then one pass of an engine that has all of them. Nothing here runs the query; whoever gets it
// exports its rows or lets the engine write them.

import { assertNever } from '../../base/assert.js'
import type { AggregateSpec, EngineAggregate } from '../aggregate/spec.js'
import { queryFiles, type ReadRequest } from '../datasource/file-readers.js'
import { rowOrderColumn } from '../datasource/row-order.js'
import { quoteName } from '../engine/engine.js'
import { sqlOfOutput } from '../expression/sql.js'
import type { JoinSpec } from '../physical/exchange-transforms.js'
import { operatorError } from '../physical/function-transforms.js'
import { aggregateSql } from './aggregate.js'
import { FilesTable, joinSql, requireColumns } from './engine-table.js'
import { joinColumns, leftOf, sqlOfJoin } from './join.js'
import { fold } from './run.js'
import { type FlatQuery, whereSql, wholeTable } from './run-query.js'
import { orderSql, type SortKey } from './sort-key.js'
import { type KeepStep, type ProjectStep, relationalStepName, type WhereStep } from './steps.js'
import { columnsOfNode } from '../expression/node.js'

/** A step that needs to see all rows. */
export type WholeStep =
  | {
      readonly kind: 'aggregate'
      readonly keys: readonly string[]
      readonly aggregates: readonly AggregateSpec[]
    }
  | { readonly kind: 'sort'; readonly keys: readonly SortKey[] }
  | { readonly kind: 'limit'; readonly rows: number }

export type QueryStep = WhereStep | ProjectStep | KeepStep | WholeStep

export type QuerySource =
  | { readonly kind: 'files'; readonly request: ReadRequest }
  | {
      readonly kind: 'join'
      readonly left: WholeQuery
      readonly right: WholeQuery
      readonly spec: JoinSpec
    }

/** Sources and steps of which the engine makes one query. */
export interface WholeQuery {
  readonly source: QuerySource
  readonly steps: readonly QueryStep[]
}

/** A query and the columns that it gives. */
export interface QueryText {
  readonly names: readonly string[]
  readonly sql: string
}

type Body<T> = (text: QueryText) => T | Promise<T>

/**
 * Calls `body` with the SQL of a query, while its files are open. Gives undefined where another
 * library than the engine reads them.
 */
export async function withWholeQuery<T>(query: WholeQuery, body: Body<T>): Promise<T | undefined> {
  const { source, steps } = query
  switch (source.kind) {
    case 'files': {
      const isOrdered = firstWhole(steps) === 'sort'
      const request = { ...source.request, isOrdered }
      const names = request.columns.map(({ name }) => name)
      const order = isOrdered ? [rowOrderColumn] : []
      return queryFiles(request, (sql) => new Steps(names, sql, order).run(steps, body))
    }
    case 'join':
      return withWholeQuery(source.left, (left) =>
        withWholeQuery(source.right, (right) => {
          const joined = joinText(left, right, source.spec)
          return new Steps(joined.names, joined.sql, []).run(steps, body)
        }),
      )
  }
}

/** Groups have an order of their own: rows need one where they are sorted as they are. */
function firstWhole(steps: readonly QueryStep[]): QueryStep['kind'] | undefined {
  return steps.find(({ kind }) => kind === 'sort' || kind === 'aggregate')?.kind
}

class Steps {
  #table: FilesTable
  #flat: FlatQuery
  /** Columns of the table that say in which order its rows are. */
  #order: readonly string[]
  /** Names of the steps so far, for errors. */
  readonly #names: string[] = []

  constructor(names: readonly string[], sql: string, order: readonly string[]) {
    this.#table = new FilesTable(names, sql)
    this.#flat = wholeTable(names)
    this.#order = order
  }

  async run<T>(steps: readonly QueryStep[], body: Body<T>): Promise<T> {
    try {
      for (const step of steps) {
        this.#names.push(nameOf(step))
        this.#add(step)
      }
      return await body({ names: this.#flat.outputs.map(({ name }) => name), sql: this.#sql([]) })
    } catch (error) {
      if (this.#names.length === 0) throw error
      throw operatorError(this.#names.join(' -> '), '', error)
    }
  }

  #add(step: QueryStep): void {
    switch (step.kind) {
      case 'where':
      case 'project':
      case 'keep':
        this.#flat = fold(this.#table, this.#flat, step)
        return
      case 'aggregate': {
        const specs = step.aggregates as readonly EngineAggregate[]
        const sql = aggregateSql(this.#table, this.#flat, { keys: step.keys, specs })
        this.#restart([...step.keys, ...specs.map(({ name }) => name)], sql)
        this.#order = step.keys.map(quoteName)
        return
      }
      case 'sort': {
        const names = this.#flat.outputs.map(({ name }) => name)
        requireColumns(names, columnsOfNode(...step.keys.map(({ value }) => value)))
        const hidden = this.#order.map((_, i) => quoteName(`typeray order ${i}`))
        const rows = this.#sql(this.#order.map((column, i) => `${column} AS ${hidden[i] ?? ''}`))
        const ties = hidden.map((name) => `${name} NULLS LAST`)
        const order = [...step.keys.map(orderSql), ...ties].join(', ')
        const list = names.map(quoteName).join(', ')
        this.#restart(names, `SELECT ${list} FROM (${rows}) ORDER BY ${order}`)
        this.#order = []
        return
      }
      case 'limit': {
        const names = this.#flat.outputs.map(({ name }) => name)
        this.#restart(names, `${this.#sql([])} LIMIT ${step.rows}`)
        return
      }
      default:
        assertNever(step)
    }
  }

  #restart(names: readonly string[], sql: string): void {
    this.#table = new FilesTable(names, sql)
    this.#flat = wholeTable(names)
  }

  /** The steps since the table, with columns beside those of the user. */
  #sql(hidden: readonly string[]): string {
    const { outputs, predicates } = this.#flat
    const list = [...outputs.map(sqlOfOutput), ...hidden].join(', ')
    const where = whereSql(predicates)
    return this.#table.use({ columns: [] }, (from) => `SELECT ${list} FROM ${from}${where}`)
  }
}

function nameOf(step: QueryStep): string {
  switch (step.kind) {
    case 'aggregate':
      return `groupBy(${step.keys.join(', ')})`
    case 'sort':
    case 'limit':
      return step.kind
    default:
      return relationalStepName(step)
  }
}

function joinText(left: QueryText, right: QueryText, given: JoinSpec): QueryText {
  const { first, second, spec } = leftOf(left, right, given)
  requireColumns(
    first.names,
    spec.on.map(([l]) => l),
  )
  requireColumns(
    second.names,
    spec.on.map(([, r]) => r),
  )
  const columns = joinColumns(first.names, second.names, spec)
  const sql = joinSql(columns, {
    left: `(${first.sql})`,
    right: `(${second.sql})`,
    join: sqlOfJoin[spec.how],
    on: spec.on,
  })
  return { names: columns.map(({ name }) => name), sql }
}
