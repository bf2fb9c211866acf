// What is in the columns of a dataset: counted per block where the blocks are, put together here.
//
// Means and deviations are merged by Chan's formula and not from sums of squares, which lose all
// digits where values are large and close together.

import { DataType } from 'apache-arrow'
import { type Block, columnAt, schemaOfBlock } from '../block/block.js'
import { columnOfVector } from '../block/column.js'
import { formatRows } from '../show-rows.js'

/** What is known of one column. */
export interface ColumnSummary {
  /** Name of the column. */
  readonly name: string
  /** Its Arrow type. */
  readonly type: string
  /** Rows in which it has a value. */
  readonly count: number
  /** Rows in which it is null. */
  readonly missing: number
  /** Smallest value, where values have an order. */
  readonly min: unknown
  /** Largest value, where values have an order. */
  readonly max: unknown
  /** Mean of numbers. */
  readonly mean: number | null
  /** Standard deviation of numbers (of a sample: divided by one less than their count). */
  readonly std: number | null
  /** Share of zeros among numbers. */
  readonly zeros: number | null
}

/**
 * Counts, extremes and moments of every column; prints as a table.
 *
 * @example
 * const summary = await range(1000).summary()
 * console.log(summary.column('id').mean) // 499.5
 */
export class DatasetSummary {
  /** Number of rows. */
  readonly rows: number
  /** The columns, in order. */
  readonly columns: readonly ColumnSummary[]

  constructor(rows: number, columns: readonly ColumnSummary[]) {
    this.rows = rows
    this.columns = columns
  }

  /** The column of that name. */
  column(name: string): ColumnSummary {
    const found = this.columns.find((each) => each.name === name)
    if (found !== undefined) return found
    const names = this.columns.map((each) => each.name).join(', ')
    throw new RangeError(`The summary has no column "${name}"; it has ${names}.`)
  }

  toString(): string {
    return formatRows(this.columns as unknown as readonly Record<string, unknown>[])
  }
}

/** Of some rows of a column; adds up. */
export interface PartialSummary {
  readonly name: string
  readonly type: string
  readonly isNumeric: boolean
  readonly count: number
  readonly missing: number
  readonly min: unknown
  readonly max: unknown
  readonly mean: number
  /** Sum of the squares of the distances from the mean. */
  readonly squares: number
  readonly zeros: number
}

/** Looks at every column of a block. */
export function summarizeBlock(block: Block): PartialSummary[] {
  return schemaOfBlock(block).map(({ name, type }, i) => {
    const vector = columnAt(block, i)
    const isNumeric =
      DataType.isInt(vector.type) ||
      DataType.isFloat(vector.type) ||
      DataType.isDecimal(vector.type)
    const values = columnOfVector(vector) as ArrayLike<unknown>
    return { name, type, isNumeric, ...(isNumeric ? ofNumbers(values) : ofOthers(values)) }
  })
}

type Counted = Omit<PartialSummary, 'name' | 'type' | 'isNumeric'>

/** The mean first, then the distances from it; sums start at a value, which keeps them small. */
function ofNumbers(values: ArrayLike<unknown>): Counted {
  let [count, zeros, sum, squares] = [0, 0, 0, 0]
  let min: number | bigint | null = null
  let max: number | bigint | null = null
  let base = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number | bigint | null | undefined
    if (value === null || value === undefined) continue
    if (min === null || value < min) min = value
    if (max === null || value > max) max = value
    const number = Number(value)
    if (number === 0) zeros++
    if (count++ === 0) base = number
    sum += number - base
  }
  const mean = count === 0 ? 0 : base + sum / count
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value === null || value === undefined) continue
    squares += (Number(value) - mean) ** 2
  }
  return { count, missing: values.length - count, min, max, mean, squares, zeros }
}

function ofOthers(values: ArrayLike<unknown>): Counted {
  let count = 0
  let min: unknown = null
  let max: unknown = null
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value === null || value === undefined) continue
    count++
    if (!isOrdered(value)) continue
    if (min === null || value < (min as string)) min = value
    if (max === null || value > (max as string)) max = value
  }
  return { count, missing: values.length - count, min, max, mean: 0, squares: 0, zeros: 0 }
}

function isOrdered(value: unknown): value is string {
  return typeof value === 'string' || typeof value === 'boolean' || value instanceof Date
}

/** Puts the parts of all blocks together; a column that a block lacks is null in its rows. */
export function joinSummaries(parts: readonly (readonly PartialSummary[])[]): DatasetSummary {
  const columns = new Map<string, PartialSummary>()
  const rowsOf = (part: readonly PartialSummary[]): number =>
    part.reduce((most, { count, missing }) => Math.max(most, count + missing), 0)
  let rows = 0
  for (const part of parts) {
    for (const each of part) {
      const known = columns.get(each.name)
      // Rows before the first block that has the column.
      const before = known ?? { ...each, ...ofOthers([]), missing: rows }
      columns.set(each.name, merge(before, each))
    }
    rows += rowsOf(part)
    for (const [name, known] of columns) {
      const missing = rows - known.count
      if (missing !== known.missing) columns.set(name, { ...known, missing })
    }
  }
  return new DatasetSummary(rows, Array.from(columns.values(), finish))
}

function merge(a: PartialSummary, b: PartialSummary): PartialSummary {
  const count = a.count + b.count
  const distance = b.mean - a.mean
  const mean = count === 0 ? 0 : a.mean + (distance * b.count) / count
  const squares =
    count === 0 ? 0 : a.squares + b.squares + (distance * distance * a.count * b.count) / count
  return {
    name: a.name,
    type: a.count === 0 ? b.type : a.type,
    isNumeric: a.count === 0 ? b.isNumeric : a.isNumeric,
    count,
    missing: a.missing + b.missing,
    min: better(a.min, b.min, (x, y) => x < y),
    max: better(a.max, b.max, (x, y) => x > y),
    mean,
    squares,
    zeros: a.zeros + b.zeros,
  }
}

function better(a: unknown, b: unknown, isBetter: (x: number, y: number) => boolean): unknown {
  if (a === null || b === null) return a ?? b
  return isBetter(b as number, a as number) ? b : a
}

function finish(part: PartialSummary): ColumnSummary {
  const { name, type, isNumeric, count, missing, min, max } = part
  const hasMoments = isNumeric && count > 0
  return {
    name,
    type,
    count,
    missing,
    min,
    max,
    mean: hasMoments ? part.mean : null,
    std: hasMoments && count > 1 ? Math.sqrt(part.squares / (count - 1)) : null,
    zeros: hasMoments ? part.zeros / count : null,
  }
}
