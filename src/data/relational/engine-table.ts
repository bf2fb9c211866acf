// Rows that the engine can query, wherever they are: in a block, in files, or in two blocks that
// are joined.
//
// Only columns that an expression looks at are shown to the engine. The others are moved as they
// lie in memory, by the numbers of the rows that the engine answers with: that is faster than
// taking them through it, and keeps their types, dictionaries among them.

import { type Data, DataType, Int32, makeData } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfData } from '../block/block.js'
import { dataOfBlock } from '../block/gather.js'
import { plainBlock } from '../block/plain-data.js'
import { withBlock } from '../engine/block-scan.js'
import { quoteName } from '../engine/engine.js'

/** What a query needs of a table. */
export interface TableUse {
  readonly columns: readonly string[]
  /** Dictionary columns of which the codes are enough. */
  readonly codes?: readonly string[]
}

/** A column in memory, and the position of its row's number among those of the table. */
export interface StoredColumn {
  readonly data: Data
  readonly side: number
}

export interface EngineTable {
  readonly names: readonly string[]
  /** Whether each row is a row of the stored columns, at the same place. */
  readonly isDirect: boolean
  /** The names of columns that number the rows of each side, from 0; none for files. */
  readonly rowNames: readonly string[]
  /** Undefined for columns that only the engine can give. */
  stored(name: string): StoredColumn | undefined
  /** Calls `body` with what goes behind FROM. */
  use<T>(use: TableUse, body: (from: string) => T): T
}

/** Hidden from users, whose columns are unlikely to have such a name. */
const rowName = (side: number): string => `typeray row ${side}`

/** A block as a table. */
export class BlockTable implements EngineTable {
  readonly names: readonly string[]
  readonly isDirect = true
  readonly rowNames = [rowName(0)]
  readonly rows: number
  readonly #data: ReadonlyMap<string, Data>

  constructor(block: Block) {
    this.names = block.schema.fields.map((field) => field.name)
    this.rows = block.numRows
    const data = dataOfBlock(block)
    this.#data = new Map(this.names.map((name, i) => [name, data[i] as Data]))
  }

  stored(name: string): StoredColumn | undefined {
    const data = this.#data.get(name)
    return data && { data, side: 0 }
  }

  use<T>(use: TableUse, body: (from: string) => T): T {
    return withBlock(this.scanBlock(use, rowName(0)), body)
  }

  /** The columns that the engine is to see, and the numbers of the rows. */
  scanBlock({ columns, codes = [] }: TableUse, row: string): Block {
    const names: string[] = []
    const datas: Data[] = []
    for (const name of new Set([...columns, ...codes])) {
      const data = this.#data.get(name)
      if (data === undefined) continue
      names.push(name)
      datas.push(codes.includes(name) ? codesOf(data) : data)
    }
    return plainBlock(blockOfData([...names, row], [...datas, numbersTo(this.rows)]))
  }
}

/** What a reader makes of files. */
export class FilesTable implements EngineTable {
  readonly names: readonly string[]
  readonly isDirect = false
  readonly rowNames = []
  readonly #sql: string

  constructor(names: readonly string[], sql: string) {
    this.names = names
    this.#sql = sql
  }

  stored(): undefined {
    return undefined
  }

  use<T>(_use: TableUse, body: (from: string) => T): T {
    return body(`(${this.#sql})`)
  }
}

/** A column of a join: which side it is from, and what it is called there. */
export interface JoinColumn {
  readonly name: string
  readonly side: 0 | 1
  readonly from: string
  /** The right column that has the value where the left one has no row: of keys in full joins. */
  readonly orRight?: string
}

export interface JoinParts {
  readonly left: BlockTable
  readonly right: BlockTable
  /** Such as `LEFT JOIN`. */
  readonly join: string
  /** What holds of rows that belong together: keys of `l` and `r`. */
  readonly on: readonly (readonly [left: string, right: string])[]
  readonly columns: readonly JoinColumn[]
}

/** Two blocks, joined. */
export class JoinTable implements EngineTable {
  readonly names: readonly string[]
  readonly isDirect = false
  readonly rowNames: readonly string[]
  readonly #parts: JoinParts
  readonly #columns: ReadonlyMap<string, JoinColumn>

  constructor(parts: JoinParts) {
    this.#parts = parts
    this.names = parts.columns.map(({ name }) => name)
    this.#columns = new Map(parts.columns.map((column) => [column.name, column]))
    const hasRight = parts.columns.some(({ side }) => side === 1)
    this.rowNames = hasRight ? [rowName(0), rowName(1)] : [rowName(0)]
  }

  stored(name: string): StoredColumn | undefined {
    const column = this.#columns.get(name)
    if (column === undefined || column.orRight !== undefined) return undefined
    const side = column.side === 0 ? this.#parts.left : this.#parts.right
    const stored = side.stored(column.from)
    return stored && { data: stored.data, side: column.side }
  }

  use<T>({ columns }: TableUse, body: (from: string) => T): T {
    const { left, right, join, on } = this.#parts
    const wanted = columns.flatMap((name) => this.#columns.get(name) ?? [])
    const ofSide = (side: 0 | 1): string[] => {
      const keys = on.map((pair) => pair[side])
      return [...keys, ...wanted.filter((each) => each.side === side).map((each) => each.from)]
    }
    return withBlock(left.scanBlock({ columns: ofSide(0) }, rowName(0)), (l) =>
      withBlock(right.scanBlock({ columns: ofSide(1) }, rowName(1)), (r) =>
        body(`(${joinSql(wanted, { left: l, right: r, join, on }, this.rowNames)})`),
      ),
    )
  }
}

export interface JoinText {
  /** Both sides, as they stand behind FROM. */
  readonly left: string
  readonly right: string
  readonly join: string
  readonly on: JoinParts['on']
}

/** The query that gives columns of two sides, and the numbers of the rows of each. */
export function joinSql(
  columns: readonly JoinColumn[],
  { left, right, join, on }: JoinText,
  rowNames: readonly string[] = [],
): string {
  const condition = on.map(([l, r]) => `l.${quoteName(l)} = r.${quoteName(r)}`).join(' AND ')
  const rows = rowNames.map((row, side) => `${'lr'.charAt(side)}.${quoteName(row)}`)
  const list = columns.map(({ name, side, from, orRight }) => {
    const value = `${'lr'.charAt(side)}.${quoteName(from)}`
    const either = orRight === undefined ? value : `coalesce(${value}, r.${quoteName(orRight)})`
    return `${either} AS ${quoteName(name)}`
  })
  return `SELECT ${[...list, ...rows].join(', ')} FROM ${left} l ${join} ${right} r ON ${condition}`
}

/** The codes of a dictionary column as plain integers. */
function codesOf(data: Data): Data {
  const { length, nullCount, nullBitmap, offset, values } = data
  const codes = values as Int32Array
  const parts = { type: new Int32(), length, offset, nullCount, nullBitmap, data: codes }
  return makeData(parts as unknown as Parameters<typeof makeData>[0])
}

/** Whether the codes of a column say all that its values do. */
export function hasCodes(data: Data): boolean {
  return DataType.isDictionary(data.type) && data.values instanceof Int32Array
}

/** Values for codes that a query gave back. */
export function dataOfCodes(codes: Data, like: Data): Data {
  const { length, nullCount, nullBitmap, values } = codes
  const { type, dictionary } = like
  const bitmap = nullCount > 0 ? nullBitmap : null
  const parts = { type, length, nullCount, nullBitmap: bitmap, data: values, dictionary }
  return makeData(parts as unknown as Parameters<typeof makeData>[0])
}

function numbersTo(rows: number): Data {
  const data = new Int32Array(rows)
  for (let i = 0; i < rows; i++) data[i] = i
  return makeData({ type: new Int32(), length: rows, nullCount: 0, nullBitmap: null, data })
}

/** @throws RayError when the table has no such column */
export function requireColumns(names: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.find((name) => !names.includes(name))
  if (missing === undefined) return
  // Columns that nothing else asks for were not read.
  const others = names.length === 0 ? '' : `; the columns are ${names.join(', ')}`
  throw new RayError(`There is no column "${missing}"${others}.`, { fields: { column: missing } })
}
