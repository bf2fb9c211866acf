// Blocks as rows, and rows as blocks.
//
// Row functions are written for objects, and an object per row is the price. It is paid with a
// constructor that is generated for the columns at hand: with it a row of five columns costs some
// 30 ns, with a loop over names 200.

import { type Block, blockOfColumns, columnsOfBlock } from './block.js'

export type Row = Record<string, unknown>

type RowFactory = (columns: readonly ArrayLike<unknown>[]) => (row: number) => Row

/** Gives a function that makes the row at an index. */
export function rowReader(block: Block): (row: number) => Row {
  const columns = columnsOfBlock(block)
  return rowFactory(Object.keys(columns))(Object.values(columns) as ArrayLike<unknown>[])
}

export function rowsOfBlock(block: Block): Row[] {
  const read = rowReader(block)
  const rows = new Array<Row>(block.numRows)
  for (let i = 0; i < rows.length; i++) rows[i] = read(i)
  return rows
}

/** Generated functions by the names of their columns, for the next block of the same dataset. */
const factories = new Map<string, RowFactory>()
const factoriesMax = 100

function rowFactory(names: readonly string[]): RowFactory {
  const key = JSON.stringify(names)
  let factory = factories.get(key)
  if (factory === undefined) {
    if (factories.size >= factoriesMax) factories.clear()
    factory = generateFactory(names)
    factories.set(key, factory)
  }
  return factory
}

function generateFactory(names: readonly string[]): RowFactory {
  // In an object literal "__proto__" would set the prototype; computed keys never do.
  const properties = names.map((name, i) => `[${JSON.stringify(name)}]: c${i}[i]`)
  const locals = names.map((_, i) => `c${i} = columns[${i}]`)
  const header = locals.length === 0 ? '' : `const ${locals.join(', ')};`
  const body = `${header} return (i) => ({ ${properties.join(', ')} })`
  return new Function('columns', body) as RowFactory
}

/** The rows of several blocks; those of a block that lacks a column of another have null there. */
export function joinRows(parts: readonly Row[][]): Row[] {
  const names = new Set(parts.flatMap(([first = {}]) => Object.keys(first)))
  return parts.flatMap((rows) => {
    const [first = {}] = rows
    const missing = [...names].filter((name) => !Object.hasOwn(first, name))
    if (missing.length === 0) return rows
    const nulls = Object.fromEntries(missing.map((name) => [name, null]))
    return rows.map((row) => ({ ...row, ...nulls }))
  })
}

/** Builds a block from objects; a property that a row lacks is null. */
export function blockOfRows(rows: readonly Readonly<Row>[], like?: Block): Block {
  const columns = new Map<string, unknown[]>()
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? {}
    for (const key of Object.keys(row)) {
      let column = columns.get(key)
      if (column === undefined) {
        column = new Array<unknown>(rows.length).fill(null)
        columns.set(key, column)
      }
      column[i] = row[key]
    }
  }
  const known = like?.schema.fields.map((field) => field.name) ?? []
  // Without rows nothing says what the columns are but the block they came from.
  if (rows.length === 0) for (const name of known) columns.set(name, [])
  const named = Object.fromEntries(columns) as Record<string, unknown[]>
  return blockOfColumns(named, like, { rows: rows.length })
}
