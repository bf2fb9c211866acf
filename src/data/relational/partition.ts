// Cuts a block into parts, by the hash of keys, by ranges of them, or at random. The engine only
// says where each row goes; its columns are then moved as they lie in memory.

import { type Data, DataType } from 'apache-arrow'
import { type Block, blockOfData } from '../block/block.js'
import type { KeySample } from '../block/metadata.js'
import { dataOfBlock, gatherBlock, gatherData } from '../block/gather.js'
import { query, quoteName } from '../engine/engine.js'
import { columnsOfNode } from '../expression/node.js'
import { sqlOfLiteral, sqlOfNode } from '../expression/sql.js'
import type { PartitionBy } from '../physical/exchange-transforms.js'
import { BlockTable, requireColumns } from './engine-table.js'
import { sortableNumbers } from './key-numbers.js'
import { randomParts } from './sample.js'
import { type SortKey, sortKeySql } from './sort-key.js'

export interface PartitionOptions {
  readonly count: number
  readonly index: number
  /** How a part is made of its rows. */
  readonly gather?: (block: Block, rows: Uint32Array) => Block
}

/** Gives `count` parts; `index` is the position of the block. */
export function partitionBlock(
  block: Block,
  by: PartitionBy,
  { count, index, gather = gatherBlock }: PartitionOptions,
): readonly Block[] {
  if (count === 1) return [block]
  if (block.numRows === 0) return Array.from({ length: count }, () => block)
  const numbers = numbersOf(block, by, { count, index })
  const { order, ends } = orderBy(numbers, count)
  return Array.from({ length: count }, (_, part) => {
    return gather(block, order.subarray(part === 0 ? 0 : ends[part - 1], ends[part]))
  })
}

/** The part of each row. */
function numbersOf(
  block: Block,
  by: PartitionBy,
  { count, index }: { readonly count: number; readonly index: number },
): Int32Array {
  switch (by.kind) {
    case 'random':
      return randomParts(block.numRows, { seed: by.seed, index, count })
    case 'hash':
      return hashNumbers(new BlockTable(block), by.keys, count)
    case 'range':
      return rangeNumbers(new BlockTable(block), by, count)
  }
}

type ByRange = Extract<PartitionBy, { kind: 'range' }>

function rangeNumbers(table: BlockTable, by: ByRange, count: number): Int32Array {
  const { keys, boundaries, firsts } = by
  const columns = columnsOfNode(...keys.map(({ value }) => value))
  requireColumns(table.names, columns)
  const [first] = keys
  const data = firstColumn(table, first)
  const values = data && sortableFirsts(data)
  if (first !== undefined && firsts !== undefined && data && values !== undefined) {
    return searchAll(values, { firsts, first, count, data })
  }
  return table.use({ columns }, (from) => {
    const number = numberSql(boundaries.map(sqlOfLiteral))
    const sql = by.isWide === true ? wideKeySql(table, keys) : sortKeySql(keys)
    const key = `SELECT ${sql} AS k FROM ${from}`
    return valuesOf(query(`SELECT ${number} AS part FROM (${key})`))
  })
}

function firstColumn(table: BlockTable, first: SortKey | undefined): Data | undefined {
  return first?.value.kind === 'column' ? table.stored(first.value.name)?.data : undefined
}

/** The first key as numbers, which compare faster than bytes. */
function sortableFirsts(data: Data): Float64Array | undefined {
  // Codes of one block say nothing of another's.
  if (DataType.isDictionary(data.type)) return undefined
  const stored: unknown = data.values
  // Rounding keeps the order, which is all that is asked of the first key alone.
  const isWide = stored instanceof BigInt64Array
  return sortableNumbers(data) ?? (isWide ? Float64Array.from(stored, Number) : undefined)
}

interface Search {
  readonly firsts: readonly number[]
  readonly first: SortKey
  readonly count: number
  readonly data: Data
}

/** The part of each value: the number of boundaries that are not beyond it. */
function searchAll(values: Float64Array, search: Search): Int32Array {
  const { firsts, first, count, data } = search
  const sign = first.isDescending ? -1 : 1
  const bounds = Float64Array.from(firsts, (bound) => sign * bound)
  const ofNulls = first.nulls === 'first' ? 0 : count - 1
  // The engine has NaN behind all numbers.
  const ofNan = first.isDescending ? 0 : count - 1
  const hasNulls = data.nullCount > 0
  const parts = new Int32Array(values.length)
  for (let i = 0; i < parts.length; i++) {
    const value = sign * (values[i] ?? 0)
    let low = 0
    let high = bounds.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (value < (bounds[middle] ?? 0)) high = middle
      else low = middle + 1
    }
    if (hasNulls && !data.getValid(i)) parts[i] = ofNulls
    else parts[i] = Number.isNaN(value) ? ofNan : low
  }
  return parts
}

function valuesOf(block: Block): Int32Array {
  return dataOfBlock(block)[0]?.values as Int32Array
}

function hashNumbers(table: BlockTable, keys: readonly string[], count: number): Int32Array {
  requireColumns(table.names, keys)
  const hashed = keys.map((name) => {
    const type = table.stored(name)?.data.type
    return type === undefined ? quoteName(name) : canonicalSql(quoteName(name), type)
  })
  const number = `(hash(${hashed.join(', ')}) % ${count})::INTEGER`
  return table.use({ columns: keys }, (from) =>
    valuesOf(query(`SELECT ${number} AS part FROM ${from}`)),
  )
}

/** Equal values of different types, such as 1 in int32 and in double, must go to the same part. */
function canonicalSql(sql: string, type: DataType): string {
  if (DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type)) {
    return `${sql}::DOUBLE`
  }
  return DataType.isTimestamp(type) || DataType.isDate(type) ? `${sql}::TIMESTAMP` : sql
}

/** Sort keys that compare with those of blocks of other types. */
function wideKeySql(table: BlockTable, keys: readonly SortKey[]): string {
  return sortKeySql(keys, ({ value }) => {
    const type = value.kind === 'column' ? table.stored(value.name)?.data.type : undefined
    return type === undefined ? sqlOfNode(value) : canonicalSql(sqlOfNode(value), type)
  })
}

/** A binary search for the part of `k`, as nested conditions. */
function numberSql(boundaries: readonly string[], from = 0): string {
  if (boundaries.length === 0) return `${from}::INTEGER`
  const middle = boundaries.length >> 1
  const less = numberSql(boundaries.slice(0, middle), from)
  const more = numberSql(boundaries.slice(middle + 1), from + middle + 1)
  return `CASE WHEN k < ${boundaries[middle] ?? ''} THEN ${less} ELSE ${more} END`
}

/** Rows in the order of their parts, and where each part ends: a counting sort. */
function orderBy(numbers: Int32Array, count: number) {
  const ends = new Uint32Array(count)
  countRows(numbers, ends)
  let sum = 0
  const next = new Uint32Array(count)
  for (let part = 0; part < count; part++) {
    next[part] = sum
    sum += ends[part] ?? 0
    ends[part] = sum
  }
  const order = new Uint32Array(numbers.length)
  placeRows(numbers, next, order)
  return { order, ends }
}

// Loops of their own: see `sample.ts`.
function countRows(numbers: Int32Array, counts: Uint32Array): void {
  for (let i = 0; i < numbers.length; i++) {
    const part = numbers[i] ?? 0
    counts[part] = (counts[part] ?? 0) + 1
  }
}

function placeRows(numbers: Int32Array, next: Uint32Array, order: Uint32Array): void {
  for (let i = 0; i < numbers.length; i++) {
    const part = numbers[i] ?? 0
    const at = next[part] ?? 0
    order[at] = i
    next[part] = at + 1
  }
}

/** The sort keys of about `rows` rows of a block. */
export function sampleKeys(
  block: Block,
  keys: readonly SortKey[],
  rows: number,
): readonly KeySample[] {
  if (block.numRows === 0) return []
  const every = Math.max(1, Math.floor(block.numRows / rows))
  const picked = Uint32Array.from({ length: Math.ceil(block.numRows / every) }, (_, i) => i * every)
  const table = new BlockTable(block)
  const columns = columnsOfNode(...keys.map(({ value }) => value))
  requireColumns(table.names, columns)
  const some = blockOfData(
    columns,
    columns.flatMap((name) => {
      const data = table.stored(name)?.data
      return data === undefined ? [] : gatherData(data, picked, name)
    }),
  )
  const sampled = new BlockTable(some)
  const data = firstColumn(sampled, keys[0])
  const firsts = data && sortableFirsts(data)
  return sampled.use({ columns }, (from) => {
    const wide = wideKeySql(sampled, keys)
    const isSame = wide === sortKeySql(keys)
    const list = `${sortKeySql(keys)} AS k${isSame ? '' : `, ${wide} AS w`}`
    const result = query(`SELECT ${list} FROM ${from}`)
    return Array.from(result, ({ k, w }, i) => {
      const first = data?.getValid(i) === true ? (firsts?.[i] ?? Number.NaN) : Number.NaN
      const key = {
        key: Uint8Array.from(k as Uint8Array),
        first: Number.isNaN(first) ? null : first,
      }
      return isSame ? key : { ...key, wide: Uint8Array.from(w as Uint8Array) }
    })
  })
}
