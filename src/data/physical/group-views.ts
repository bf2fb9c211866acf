// Groups of rows, as functions of the user see them.
//
// Groups may be small and many: to slice an Arrow table and read its columns costs 30 us, for three
// rows as for thousands. So consecutive groups share a window of some thousand rows, whose columns
// are read once, and see parts of these. Only columns that functions have touched are read ahead.

import { inspect, type InspectOptions } from 'node:util'
import { DataType, type Vector } from 'apache-arrow'
import { type BatchOptions, batchOfBlock } from '../block/batch.js'
import { type Block, columnAt, sliceBlock } from '../block/block.js'
import { columnOfVector } from '../block/column.js'
import { type Row, rowReader } from '../block/rows.js'

/** Rows of a window; a group of more is one by itself. */
const windowRowsMax = 8192

type Values = ReturnType<typeof columnOfVector>

export class GroupViews {
  readonly #block: Block
  /** Where groups end: they follow each other. */
  readonly #ends: readonly number[]
  readonly #options: BatchOptions
  readonly #names: readonly string[]
  /** Columns that a function has read, of whichever group. */
  readonly #touched = new Set<number>()
  #window: Window

  constructor(block: Block, ends: readonly number[], options: BatchOptions) {
    this.#block = block
    this.#ends = ends
    this.#options = options
    this.#names = block.schema.fields.map(({ name }) => name)
    this.#window = new Window(block, { start: 0, end: 0 }, options)
  }

  /** The rows of a group. */
  rowsOf(group: number): Block {
    return sliceBlock(this.#block, this.#ends[group - 1] ?? 0, this.#ends[group] ?? 0)
  }

  /** A group in the format that was asked for; groups are asked for in their order. */
  view(group: number): unknown {
    const start = this.#ends[group - 1] ?? 0
    const end = this.#ends[group] ?? 0
    const { batchFormat } = this.#options
    if (batchFormat === 'arrow' || end - start > windowRowsMax) {
      return batchOfBlock(this.rowsOf(group), this.#options)
    }
    if (end > this.#window.end) this.#open(group, start)
    if (batchFormat === 'columns') return this.#columns(start, end)
    const { read } = this.#window
    return Array.from({ length: end - start }, (_, i) => read(start + i))
  }

  #open(group: number, start: number): void {
    let last = group
    while ((this.#ends[last + 1] ?? Infinity) - start <= windowRowsMax) last++
    const range = { start, end: this.#ends[last] ?? start }
    this.#window = new Window(this.#block, range, this.#options)
  }

  #columns(start: number, end: number): Record<string, Values> {
    const columns: Record<string, Values> = {}
    const window = this.#window
    let isRead = true
    for (const [i, name] of this.#names.entries()) {
      if (this.#touched.has(i) && name !== '__proto__') {
        columns[name] = window.values(i, start, end)
        continue
      }
      isRead = false
      const settle = (value: unknown): void => {
        const property = { value, enumerable: true, configurable: true, writable: true }
        Object.defineProperty(columns, name, property)
      }
      const get = (): Values => {
        this.#touched.add(i)
        const values = window.values(i, start, end)
        settle(values)
        return values
      }
      Object.defineProperty(columns, name, {
        enumerable: true,
        configurable: true,
        get,
        set: settle,
      })
    }
    if (isRead) return columns
    // A console would show getters that nobody has called.
    Object.defineProperty(columns, inspect.custom, {
      value: (_depth: number, options: InspectOptions) => inspect({ ...columns }, options),
    })
    return columns
  }
}

interface Range {
  readonly start: number
  readonly end: number
}

/** Consecutive groups, their columns read when they are first asked for. */
class Window {
  readonly end: number
  readonly #start: number
  readonly #block: Block
  readonly #options: BatchOptions
  readonly #columns: (Values | undefined)[] = []
  #read: ((row: number) => Row) | undefined

  constructor(block: Block, { start, end }: Range, options: BatchOptions) {
    this.#start = start
    this.end = end
    this.#block = sliceBlock(block, start, end)
    this.#options = options
  }

  readonly read = (row: number): Row => {
    this.#read ??= rowReader(this.#block)
    return this.#read(row - this.#start)
  }

  values(column: number, start: number, end: number): Values {
    const vector = columnAt(this.#block, column)
    const from = start - this.#start
    const to = end - this.#start
    const { dates } = this.#options
    // A group without nulls is a typed array, whatever is in the groups around it.
    if (vector.nullCount > 0 && isTyped(vector)) {
      return columnOfVector(vector.slice(from, to), dates)
    }
    const values = (this.#columns[column] ??= columnOfVector(vector, dates))
    return ArrayBuffer.isView(values) ? values.subarray(from, to) : values.slice(from, to)
  }
}

function isTyped({ type }: Vector): boolean {
  return (
    DataType.isInt(type) ||
    DataType.isFloat(type) ||
    DataType.isTimestamp(type) ||
    DataType.isDate(type)
  )
}
