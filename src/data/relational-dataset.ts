// Methods that speak of columns instead of functions: the engine computes them.

import { RayError } from '../base/errors.js'
import type { Dataset } from './dataset.js'
import { col, Expression, nodeOfColumn } from './expression/expression.js'
import { type NamedNode, nameOfNode, withoutAlias } from './expression/node.js'
import type { ValueIn } from './expression/row-value.js'
import { textOfNode } from './expression/text.js'
import { type Callable, MappableDataset } from './mappable-dataset.js'
import { compileFunction, refuseUnknown, type StepOptions } from './step-options.js'

type Named<Name extends string, Value> = { [K in Name]: Value }

/** The row that a record of expressions makes. */
export type RowOfExpressions<Row, Columns> = {
  -readonly [K in keyof Columns]: Columns[K] extends Expression<infer T> ? ValueIn<Row, T> : never
}

type SelectedName<Column> = Column extends string
  ? Column
  : Column extends Expression<unknown, infer Name>
    ? Name
    : never
/** The row of columns that are chosen by name or computed. */
export type Selected<Row, Column> = {
  [C in Column as SelectedName<C>]: C extends keyof Row
    ? Row[C]
    : C extends Expression<infer T>
      ? ValueIn<Row, T>
      : unknown
}

/** How `randomSample` draws. */
export interface SampleOptions {
  /** The same seed draws the same rows. */
  readonly seed?: number
}

/** A dataset whose columns can be computed with. */
export abstract class RelationalDataset<Row> extends MappableDataset<Row> {
  /**
   * Keeps the rows for which an expression holds, or a function returns true. Expressions are much
   * faster: the engine computes them, and readers skip what they rule out.
   *
   * @example
   * const late = readParquet('flights/*.parquet').filter(col('delay').gt(60))
   */
  filter(predicate: Expression): Dataset<Row>
  filter(fn: Callable<Row, boolean>, options?: StepOptions): Dataset<Row>
  filter(by: Expression | Callable<Row, boolean>, options: StepOptions = {}): Dataset<Row> {
    if (!(by instanceof Expression)) {
      return this.derive({ kind: 'filter', ...compileFunction('filter', by, options) })
    }
    refuseUnknown('filter by an expression', options, [])
    return this.derive({ kind: 'where', predicate: withoutAlias(by.node) })
  }

  /**
   * Adds a column that an expression computes, or replaces the one of that name.
   *
   * @example
   * const squares = range(3).withColumn('square', col<number>('id').mul(col('id')))
   * console.log(await squares.takeAll()) // [{ id: 0, square: 0 }, ...]
   */
  withColumn<Name extends string, T>(
    name: Name,
    expression: Expression<T>,
  ): Dataset<Omit<Row, Name> & Named<Name, ValueIn<Row, T>>>
  withColumn(name: string, expression: Expression, options: object = {}): unknown {
    refuseUnknown('withColumn', options, [])
    const outputs = [{ name, value: nodeOfColumn('withColumn', expression) }]
    return this.derive({ kind: 'project', operator: 'withColumn', outputs, keepsOthers: true })
  }

  /**
   * Adds columns that expressions compute, or replaces those of the same names. All are computed
   * from the columns that were there before.
   *
   * @example
   * const id = col<number>('id')
   * const more = range(3).withColumns({ square: id.mul(id), next: id.add(1) })
   * console.log(await more.takeAll()) // [{ id: 0, square: 0, next: 1 }, ...]
   */
  withColumns<Columns extends Readonly<Record<string, Expression>>>(
    columns: Columns,
  ): Dataset<Omit<Row, keyof Columns> & RowOfExpressions<Row, Columns>>
  withColumns(columns: Readonly<Record<string, Expression>>, options: object = {}): unknown {
    refuseUnknown('withColumns', options, [])
    const outputs = Object.entries(columns).map(([name, value]) => {
      return { name, value: nodeOfColumn('withColumns', value) }
    })
    if (outputs.length === 0) throw new RayError('withColumns was given no columns.')
    return this.derive({ kind: 'project', operator: 'withColumn', outputs, keepsOthers: true })
  }

  /**
   * Keeps only some columns: names, expressions under the names that `alias` gave them, or a record
   * of expressions by name.
   *
   * @example
   * const halves = range(10).select({ half: col<number>('id').div(2) })
   * console.log(await halves.take(2)) // [{ half: 0 }, { half: 0.5 }]
   */
  select<K extends keyof Row & string>(columns: readonly K[]): Dataset<Pick<Row, K>>
  select<const Columns extends readonly ((keyof Row & string) | Expression)[]>(
    columns: Columns,
  ): Dataset<Selected<Row, Columns[number]>>
  select<Columns extends Readonly<Record<string, Expression>>>(
    columns: Columns,
  ): Dataset<RowOfExpressions<Row, Columns>>
  select(
    columns: readonly (string | Expression)[] | Readonly<Record<string, Expression>>,
    options: object = {},
  ): unknown {
    refuseUnknown('select', options, [])
    const outputs = outputsOf(columns)
    const names = outputs.map(({ name }) => name)
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (outputs.length === 0) throw new RayError('select was given no columns.')
    if (twice !== undefined) throw new RayError(`select: there are two columns "${twice}".`)
    const areNames = outputs.every(({ name, value }) => isColumn(value, name))
    if (areNames) return this.derive({ kind: 'select', columns: names })
    return this.derive({ kind: 'project', operator: 'select', outputs, keepsOthers: false })
  }

  /**
   * Keeps the named columns. Right behind a reader the others are not even read.
   *
   * @example
   * const flights = readParquet<{ origin: string; delay: bigint }>('flights/')
   * const delays = flights.selectColumns(['delay'])
   */
  selectColumns<K extends keyof Row & string>(columns: readonly K[]): Dataset<Pick<Row, K>>
  selectColumns(columns: readonly string[], options: object = {}): unknown {
    refuseUnknown('selectColumns', options, [])
    if (columns.length === 0) throw new RayError('selectColumns was given no columns.')
    return this.derive({ kind: 'select', columns: [...columns] })
  }

  /**
   * The plan as text: what was asked for, what the rules made of it, and the tasks that would run.
   *
   * @example
   * console.log(await range(1000).filter(col('id').gt(5)).sort('id').explain())
   */
  explain(): Promise<string> {
    return this.session.explain(this.plan)
  }

  /**
   * Keeps each row with a probability.
   *
   * @example
   * const tenth = range(1000).randomSample(0.1, { seed: 7 })
   */
  randomSample(fraction: number, options: SampleOptions = {}): Dataset<Row> {
    refuseUnknown('randomSample', options, ['seed'])
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new RayError(`randomSample: the fraction must be from 0 to 1, not ${fraction}.`)
    }
    return this.derive({ kind: 'sample', fraction, seed: options.seed })
  }
}

function outputsOf(
  columns: readonly (string | Expression)[] | Readonly<Record<string, Expression>>,
): readonly NamedNode[] {
  if (!Array.isArray(columns)) {
    return Object.entries(columns).map(([name, value]) => {
      return { name, value: nodeOfColumn('select', value) }
    })
  }
  return (columns as readonly (string | Expression)[]).map((column) => {
    const { node } = typeof column === 'string' ? col(column) : column
    return { name: nameOfNode(node) ?? textOfNode(node), value: withoutAlias(node) }
  })
}

function isColumn(node: NamedNode['value'], name: string): boolean {
  return node.kind === 'column' && node.name === name
}
