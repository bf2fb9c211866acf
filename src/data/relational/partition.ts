// Cuts a block into parts, by the hash of keys, by ranges of them, or at random. The engine only
// says where each row goes; its columns are then moved as they lie in memory.

import { DataType } from 'apache-arrow'
import { type Block, blockOfData } from '../block/block.js'
import { dataOfBlock, gatherData } from '../block/gather.js'
import { query, quoteName } from '../engine/engine.js'
import { columnsOfNode } from '../expression/node.js'
import { sqlOfLiteral } from '../expression/sql.js'
import type { PartitionBy } from '../physical/exchange-transforms.js'
import { BlockTable, requireColumns } from './engine-table.js'
import { randomNumbers } from './sample.js'
import { sortKeySql } from './sort-key.js'

/** Gives `count` parts; `index` is the position of the block. */
export function partitionBlock(
  block: Block,
  by: PartitionBy,
  { count, index }: { readonly count: number; readonly index: number },
): readonly Block[] {
  if (count === 1) return [block]
  if (block.numRows === 0) return Array.from({ length: count }, () => block)
  const numbers = numbersOf(block, by, { count, index })
  const { order, ends } = orderBy(numbers, count)
  const names = block.schema.fields.map((field) => field.name)
  const data = dataOfBlock(block)
  return Array.from({ length: count }, (_, part) => {
    const rows = order.subarray(part === 0 ? 0 : ends[part - 1], ends[part])
    return blockOfData(
      names,
      data.map((each, i) => gatherData(each, rows, names[i])),
    )
  })
}

/** The part of each row. */
function numbersOf(
  block: Block,
  by: PartitionBy,
  { count, index }: { readonly count: number; readonly index: number },
): ArrayLike<number> {
  switch (by.kind) {
    case 'random': {
      const next = randomNumbers({ seed: by.seed, index })
      const numbers = new Int32Array(block.numRows)
      for (let i = 0; i < numbers.length; i++) numbers[i] = Math.floor(next() * count)
      return numbers
    }
    case 'hash':
      return hashNumbers(new BlockTable(block), by.keys, count)
    case 'range': {
      const table = new BlockTable(block)
      const columns = columnsOfNode(...by.keys.map(({ value }) => value))
      requireColumns(table.names, columns)
      const number = numberSql(by.boundaries, 0, by.boundaries.length)
      const keys = `SELECT ${sortKeySql(by.keys)} AS k`
      return table.use({ columns }, (from) => {
        return valuesOf(query(`SELECT ${number} AS part FROM (${keys} FROM ${from})`))
      })
    }
  }
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

/** A binary search for the part of `k`, as nested conditions. */
function numberSql(boundaries: readonly Uint8Array[], from: number, to: number): string {
  if (from === to) return `${from}::INTEGER`
  const middle = (from + to) >> 1
  const boundary = sqlOfLiteral(boundaries[middle] ?? null)
  const below = numberSql(boundaries, from, middle)
  const above = numberSql(boundaries, middle + 1, to)
  return `CASE WHEN k < ${boundary} THEN ${below} ELSE ${above} END`
}

/** Rows in the order of their parts, and where each part ends: a counting sort. */
function orderBy(numbers: ArrayLike<number>, count: number) {
  const ends = new Uint32Array(count)
  for (let i = 0; i < numbers.length; i++) {
    const part = numbers[i] ?? 0
    ends[part] = (ends[part] ?? 0) + 1
  }
  let sum = 0
  const next = new Uint32Array(count)
  for (let part = 0; part < count; part++) {
    next[part] = sum
    sum += ends[part] ?? 0
    ends[part] = sum
  }
  const order = new Uint32Array(numbers.length)
  for (let i = 0; i < numbers.length; i++) {
    const part = numbers[i] ?? 0
    const at = next[part] ?? 0
    order[at] = i
    next[part] = at + 1
  }
  return { order, ends }
}

/** Sort keys, as bytes, of about `rows` rows of a block. */
export function sampleKeys(
  block: Block,
  keys: Extract<PartitionBy, { kind: 'range' }>['keys'],
  rows: number,
): readonly Uint8Array[] {
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
  return new BlockTable(some).use({ columns }, (from) => {
    const result = query(`SELECT DISTINCT ${sortKeySql(keys)} AS k FROM ${from}`)
    return Array.from(result, ({ k }) => Uint8Array.from(k as Uint8Array))
  })
}
