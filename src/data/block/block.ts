// A block: some thousand to some million rows of a dataset, as one Arrow record batch.
//
// One batch and not several, so that a numeric column is one typed array, in the object store and
// in every process that maps it from there.

import { inspect, type InspectOptions } from 'node:util'
import {
  type Data,
  DataType,
  Dictionary,
  Field,
  makeData,
  Null,
  RecordBatch,
  Schema as ArrowSchema,
  Struct,
  Table,
  type Vector,
} from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type ColumnBatch, columnOfVector, type DateFormat } from './column.js'
import { dataOfColumn } from './column-data.js'

export type Block = Table

/** Name and Arrow type of a column, as text that travels anywhere. */
export interface SchemaField {
  readonly name: string
  readonly type: string
}

/** Names and Arrow types of the columns of a dataset. */
export interface Schema {
  /** Names of the columns, in order. */
  readonly names: readonly string[]
  /** Their Arrow types, in the same order, such as `Float64`. */
  readonly types: readonly string[]
}

export function schemaOf(fields: readonly SchemaField[]): Schema {
  return { names: fields.map(({ name }) => name), types: fields.map(({ type }) => type) }
}

/** Whether something is a table of apache-arrow, of whichever copy of it. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && 'batches' in value && 'schema' in value
}

/**
 * Puts Arrow columns of equal length together. Rows without a column are rows, and are counted: who
 * may have none says how many there are.
 */
export function blockOfData(
  names: readonly string[],
  columns: readonly Data[],
  rows = columns[0]?.length ?? 0,
): Block {
  const children = withOwnDictionaries(columns)
  const fields = children.map((data, i) => new Field(names[i] ?? '', data.type, true))
  for (const [i, data] of columns.entries()) {
    if (data.length === rows) continue
    const others = columns[0]?.length === rows ? `"${names[0] ?? ''}" has` : 'there are'
    throw new RayError(
      `The columns of a batch must have one length: ${others} ${rows} rows, ` +
        `"${names[i] ?? ''}" has ${data.length}.`,
    )
  }
  const schema = new ArrowSchema(fields)
  const type = new Struct(fields)
  const data = makeData({ type, length: rows, nullCount: 0, children })
  // No schema beside the batch: comparing the two fails for types of another copy of apache-arrow.
  return new Table([new RecordBatch(schema, data)])
}

/**
 * The columns with a number for each dictionary. Every process counts its own, so that columns from
 * several blocks may have one number for two dictionaries, which a message could not tell apart.
 */
function withOwnDictionaries(columns: readonly Data[]): Data[] {
  const known = new Map<number, Data['dictionary']>()
  return columns.map((data) => {
    if (!DataType.isDictionary(data.type)) return data
    let { type } = data
    while (known.has(type.id) && known.get(type.id) !== data.dictionary) {
      type = new Dictionary(type.dictionary, type.indices, null, type.isOrdered)
    }
    known.set(type.id, data.dictionary)
    return type === data.type ? data : data.clone(type)
  })
}

/**
 * Builds a block from JavaScript columns. `like` says which types its columns had before, `dates`
 * how its timestamps were shown: doubles become timestamps again only where they were given out as
 * such.
 */
export function blockOfColumns(
  columns: ColumnBatch,
  like?: Block,
  { dates, rows }: { readonly dates?: DateFormat; readonly rows?: number } = {},
): Block {
  const names = Object.keys(columns)
  const data = names.map((name) => {
    const column = columns[name] ?? []
    const hint = typeIn(like, name)
    const isHint = dates === 'number' || !(column instanceof Float64Array)
    return dataOfColumn(name, column, isHint ? hint : undefined)
  })
  return blockOfData(names, data, rows)
}

function typeIn(block: Block | undefined, name: string): DataType | undefined {
  return block?.schema.fields.find((field) => field.name === name)?.type
}

type ReadColumn = ReturnType<typeof columnOfVector>

/**
 * The columns of a block, typed arrays without a copy where there are no nulls.
 *
 * @example
 * for await (const { block } of range(1000).iterRefBundles()) {
 *   const { id } = columnsOf(await ray.get(block))
 *   console.log(id)
 * }
 */
export function columnsOfBlock(block: Block, dates?: DateFormat): Record<string, ReadColumn> {
  const entries = block.schema.fields.map((field, i) => {
    return [field.name, columnOfVector(columnAt(block, i), dates)] as const
  })
  return Object.fromEntries(entries)
}

/**
 * The same, each column read when it is first touched: a function pays for the columns that it
 * uses.
 */
export function lazyColumnsOfBlock(block: Block, dates?: DateFormat): Record<string, ReadColumn> {
  const columns: Record<string, ReadColumn> = {}
  block.schema.fields.forEach((field, i) => {
    const settle = (value: unknown): void => {
      const property = { value, enumerable: true, configurable: true, writable: true }
      Object.defineProperty(columns, field.name, property)
    }
    Object.defineProperty(columns, field.name, {
      enumerable: true,
      configurable: true,
      get: () => {
        const column = columnOfVector(columnAt(block, i), dates)
        settle(column)
        return column
      },
      set: settle,
    })
  })
  // A console would show getters that nobody has called.
  Object.defineProperty(columns, Symbol.for('nodejs.util.inspect.custom'), {
    value: (_depth: number, options: InspectOptions) => inspect({ ...columns }, options),
  })
  return columns
}

export function columnAt(block: Block, index: number): Vector {
  const vector = block.getChildAt(index)
  if (vector === null) throw new RayError(`The block has no column ${index}.`)
  return vector
}

/** Rows `start` to `end`, without a copy. */
export function sliceBlock(block: Block, start: number, end: number): Block {
  if (start === 0 && end >= block.numRows) return block
  return block.slice(start, end)
}

/** A block of the named columns only. */
export function projectBlock(block: Block, names: readonly string[]): Block {
  const missing = names.find((name) => typeIn(block, name) === undefined)
  if (missing === undefined) return block.select([...names])
  if (block.numRows > 0) throw noColumn(missing, schemaOfBlock(block))
  // Nothing said what columns a function would have made, had there been rows.
  const columns = names.map((name) =>
    makeData({ type: typeIn(block, name) ?? new Null(), length: 0 }),
  )
  return blockOfData(names, columns)
}

export function noColumn(name: string, schema: readonly SchemaField[]): RayError {
  const present = schema.map((field) => field.name).join(', ')
  return new RayError(`There is no column "${name}"; the columns are ${present}.`, {
    fields: { column: name },
  })
}

export function schemaOfBlock(block: Block): SchemaField[] {
  return block.schema.fields.map(({ name, type }) => ({ name, type: typeName(type) }))
}

export function blockBytes(block: Block): number {
  return block.data.reduce((sum, data) => sum + data.byteLength, 0)
}

/** Whether strings are stored as a dictionary is the block's affair and not part of the schema. */
function typeName(type: DataType): string {
  const name = String(DataType.isDictionary(type) ? type.dictionary : type)
  // The library writes digits and scale as if they were one number: Decimal[38e+2].
  return name.replace(/Decimal\[(\d+)e\+?(-?\d+)\]/g, 'Decimal<$1, $2>')
}
