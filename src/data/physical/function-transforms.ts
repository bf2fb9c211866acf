// Functions of the user, put to work on a block.

import { RayError } from '../../base/errors.js'
import { describeThrown } from '../../base/thrown.js'
import { meetUsersArrow } from '../block/arrow-library.js'
import { batchOfBlock, blockOfBatch, splitBlock } from '../block/batch.js'
import { type Block, blockOfData, columnAt } from '../block/block.js'
import { compactBlock } from '../block/compact-block.js'
import { concatBlocks, toOneBatch } from '../block/concat.js'
import type { Column } from '../block/column.js'
import { dataOfColumn } from '../block/column-data.js'
import { gatherBlock } from '../block/gather.js'
import { blockOfRows, type Row, rowReader } from '../block/rows.js'
import type { FunctionTransform } from './operators.js'
import type { Place } from './place.js'

type Of<Kind> = Extract<FunctionTransform, { readonly kind: Kind }>
type RowTransform = Extract<FunctionTransform, { readonly kind: 'rows' | 'flat-rows' | 'filter' }>
export type AnyCall = (rows: unknown) => unknown

/** Batches in, batches out; a function may give one, or generate any number. */
export async function mapBatches(
  transform: Of<'batches'>,
  block: Block,
  place: Place,
): Promise<Block> {
  const fn = transform.fn as AnyCall
  const results: Block[] = []
  let start = 0
  if (transform.batchFormat === 'arrow') await meetUsersArrow()
  for (const part of splitBlock(block, transform.batchSize)) {
    if (part.numRows === 0) continue
    try {
      const result = await fn(batchOfBlock(part, transform))
      if (isGenerated(result)) {
        for await (const each of result) results.push(blockOfBatch(each, part, transform))
      } else {
        results.push(blockOfBatch(result, part, transform))
      }
    } catch (error) {
      const rows = await place.rows(start, start + part.numRows)
      throw operatorError(`mapBatches(${transform.name})`, rows, error)
    }
    start += part.numRows
  }
  place.loseRows()
  if (results.length > 0) {
    const where = async (): Promise<string> => place.rows(0, block.numRows)
    return describing(`mapBatches(${transform.name})`, where, () => {
      // What repeats over batches need not repeat in one of them.
      return results.length === 1 ? concatBlocks(results) : compactBlock(concatBlocks(results))
    })
  }
  return block.numRows === 0 ? block : blockOfRows([])
}

/** Arrays and Arrow tables iterate as well, and are batches or mistakes. */
export function isGenerated(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof value !== 'object' || value === null || !('next' in value)) return false
  return Symbol.iterator in value || Symbol.asyncIterator in value
}

export async function mapRows(transform: RowTransform, block: Block, place: Place): Promise<Block> {
  const results = await callPerRow(transform, 'map', { block, place })
  for (let i = 0; i < results.length; i++) {
    try {
      requireRow(results[i])
    } catch (wrong) {
      throw operatorError(`map(${transform.name})`, await place.row(i), wrong)
    }
  }
  const where = async (): Promise<string> => place.rows(0, block.numRows)
  return describing(`map(${transform.name})`, where, () => {
    return blockOfRows(results as readonly Row[], block)
  })
}

/** Any number of rows for each row: what is iterable, synchronously or not, is taken. */
export async function flatMapRows(
  transform: RowTransform,
  block: Block,
  place: Place,
): Promise<Block> {
  const name = `flatMap(${transform.name})`
  const results = await callPerRow(transform, 'flatMap', { block, place })
  const rows: Row[] = []
  for (let i = 0; i < results.length; i++) {
    try {
      await addRows(rows, results[i])
    } catch (error) {
      throw operatorError(name, await place.row(i), error)
    }
  }
  const where = async (): Promise<string> => place.rows(0, block.numRows)
  const made = await describing(name, where, () => blockOfRows(rows, block))
  place.loseRows()
  return made
}

/** Adds what a function of `flatMap` returned. */
export async function addRows(rows: Row[], result: unknown): Promise<void> {
  const mistake = 'must return rows, an iterable of objects, and returned'
  if (typeof result !== 'object' || result === null) {
    throw new RayError(`${mistake} ${show(result)}`)
  }
  const add = (row: unknown): void => {
    if (!isRow(row)) throw new RayError(`${mistake} one with ${show(row)} in it`)
    rows.push(row)
  }
  if (Symbol.iterator in result) {
    for (const row of result as Iterable<unknown>) add(row)
  } else if (Symbol.asyncIterator in result) {
    for await (const row of result as AsyncIterable<unknown>) add(row)
  } else {
    throw new RayError(`${mistake} a single object; put it into an array`)
  }
}

interface Rows {
  readonly block: Block
  readonly place: Place
}

/** What the function says of each row; promises are waited for together. */
async function callPerRow(
  transform: RowTransform,
  operator: string,
  { block, place }: Rows,
): Promise<readonly unknown[]> {
  const fn = transform.fn as AnyCall
  const read = rowReader(block)
  const results = new Array<unknown>(block.numRows)
  let i = 0
  try {
    let isPending = false
    for (; i < results.length; i++) {
      const result = fn(read(i))
      isPending ||= result instanceof Promise
      results[i] = result
    }
    if (!isPending) return results
    return await Promise.all(
      results.map(async (result, row) => {
        try {
          return await result
        } catch (error) {
          throw new AtRow(row, error)
        }
      }),
    )
  } catch (error) {
    const [row, cause] = error instanceof AtRow ? [error.row, error.cause] : [i, error]
    throw operatorError(`${operator}(${transform.name})`, await place.row(row), cause)
  }
}

/** Carries the row of a rejected promise to where all of them are waited for. */
class AtRow extends Error {
  readonly row: number

  constructor(row: number, cause: unknown) {
    super('', { cause })
    this.row = row
  }
}

export async function filterRows(
  transform: RowTransform,
  block: Block,
  place: Place,
): Promise<Block> {
  const fn = transform.fn as AnyCall
  const read = rowReader(block)
  const kept = new Uint32Array(block.numRows)
  let count = 0
  let i = 0
  try {
    for (; i < kept.length; i++) {
      const answer = fn(read(i))
      // A promise is always true: without this check an async predicate would silently keep
      // everything.
      if (answer instanceof Promise) {
        throw new RayError('must answer at once, and returned a promise')
      }
      if (answer) kept[count++] = i
    }
  } catch (error) {
    throw operatorError(`filter(${transform.name})`, await place.row(i), error)
  }
  if (count === block.numRows) return block
  place.loseRows()
  return gatherBlock(block, kept.subarray(0, count))
}

/** Leaves the other columns as they are, unread unless the function reads them. */
export async function addColumn(
  transform: Of<'add-column'>,
  block: Block,
  place: Place,
): Promise<Block> {
  const one = toOneBatch(block)
  const { column: name } = transform
  const at = one.schema.fields.findIndex((field) => field.name === name)
  const names = one.schema.fields.map((field) => field.name)
  const columns = names.map((_, i) => dataAt(one, i))
  if (transform.batchFormat === 'arrow') await meetUsersArrow()
  try {
    const batch = batchOfBlock(one, { batchFormat: transform.batchFormat, dates: 'date' })
    const values = (await (transform.fn as AnyCall)(batch)) as Column
    const data = dataOfColumn(name, arrowColumn(values), one.schema.fields[at]?.type)
    if (at >= 0) columns[at] = data
    else columns.push(data)
    return blockOfData(at >= 0 ? names : [...names, name], columns, one.numRows)
  } catch (error) {
    throw operatorError(`addColumn(${name})`, await place.rows(0, block.numRows), error)
  }
}

/** A function that was given an Arrow table may answer with a vector. */
function arrowColumn(values: unknown): Column {
  const isVector = typeof values === 'object' && values !== null && 'toArray' in values
  const { toArray } = (isVector ? values : {}) as { toArray?: () => unknown }
  if (toArray === undefined || 'codes' in (values as object)) return values as Column
  return toArray.call(values) as Column
}

function dataAt(block: Block, index: number) {
  const [data] = columnAt(block, index).data
  if (data === undefined) throw new RayError('A block has a column without data.')
  return data
}

/** Says where it was if what functions returned makes no block. */
export async function describing(
  operator: string,
  where: () => Promise<string>,
  make: () => Block,
): Promise<Block> {
  try {
    return make()
  } catch (error) {
    throw operatorError(operator, await where(), error)
  }
}

/** What a function of `map` returned, which must be a row. */
export function requireRow(value: unknown): Row {
  if (isRow(value)) return value
  throw new RayError(`must return a row, an object, and returned ${show(value)}`)
}

function isRow(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null) return false
  // What iterates has its values elsewhere than in properties: a Map would be a row of nothing.
  return !(Symbol.iterator in value)
}

function show(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : `a ${value.constructor.name}`
}

/** Says which operator failed and where; what the user's function threw is the cause. */
export function operatorError(operator: string, where: string, cause: unknown): RayError {
  const reason = describeThrown(cause)
  return new RayError(`${operator} failed${where}: ${reason}`, { fields: { operator }, cause })
}
