// Batches: what functions of the user see of a block, and what they may give back.

import type { Table } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { type Block, blockOfColumns, lazyColumnsOfBlock, sliceBlock } from './block.js'
import { toOneBatch } from './concat.js'
import type { ColumnBatch, DateFormat } from './column.js'
import { blockOfRows, type Row, rowsOfBlock } from './rows.js'

/**
 * How a batch shows its rows: 'columns' by name, an 'arrow' table of apache-arrow, or 'rows', an
 * array of objects.
 */
export type BatchFormat = 'columns' | 'arrow' | 'rows'

export const batchFormats: readonly BatchFormat[] = ['columns', 'arrow', 'rows']

export interface BatchOptions {
  readonly batchFormat: BatchFormat
  readonly dates: DateFormat
}

/** Shows a block in a batch format. */
export function batchOfBlock(
  block: Block,
  options: BatchOptions,
): Table | ColumnBatch | readonly Row[] {
  switch (options.batchFormat) {
    case 'arrow':
      return block
    case 'columns':
      return lazyColumnsOfBlock(block, options.dates)
    case 'rows':
      return rowsOfBlock(block)
  }
}

/** Takes what a batch function returned; `like` is the batch that it was given. */
export function blockOfBatch(batch: unknown, like: Block, options: BatchOptions): Block {
  if (options.batchFormat === 'arrow') {
    if (isTable(batch)) return toOneBatch(batch)
    throw new RayError(`must return an Arrow table, and returned ${describe(batch)}`)
  }
  if (options.batchFormat === 'rows') {
    if (Array.isArray(batch)) return blockOfRows(batch as readonly Row[], like)
    throw new RayError(`must return an array of rows, and returned ${describe(batch)}`)
  }
  if (typeof batch !== 'object' || batch === null || Array.isArray(batch) || isTable(batch)) {
    throw new RayError(`must return an object of columns, and returned ${describe(batch)}`)
  }
  return blockOfColumns(batch as ColumnBatch, like, { dates: options.dates })
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && 'batches' in value && 'schema' in value
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object'
    ? `a ${value.constructor?.name ?? 'object'}`
    : `a ${typeof value}`
}

/** Cuts a block into batches of `size` rows, the last one shorter. */
export function* splitBlock(block: Block, size: number | undefined): Generator<Block> {
  if (size === undefined || size >= block.numRows) {
    yield block
    return
  }
  for (let start = 0; start < block.numRows; start += size) {
    yield sliceBlock(block, start, Math.min(start + size, block.numRows))
  }
}
