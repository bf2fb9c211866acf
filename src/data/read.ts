// Where datasets begin.

import { RayError } from '../base/errors.js'
import type { Row } from './block/rows.js'
import { Dataset } from './dataset.js'
import { DatasetSession } from './dataset-session.js'
import type { Int64Format } from './datasource/files.js'
import { RayTaskRunner } from './execution/ray-task-runner.js'
import type { Source } from './logical/plan.js'
import type { AnyRow } from './planned-dataset.js'
import { refuseUnknown, rowCount, whole } from './step-options.js'

/** What is read of Parquet files. */
export interface ReadParquetOptions {
  /** Columns to read; all unless told otherwise. */
  readonly columns?: readonly string[]
  /** 64-bit integers as 'bigint', the default, or as 'number', which is exact up to 2^53. */
  readonly int64?: Int64Format
}

/** One per process: it holds no state but the functions it submits. */
const session = new DatasetSession(new RayTaskRunner())

/**
 * Reads Parquet files: a file, a folder, a glob, or a list of these. Nothing is read before the
 * dataset is consumed.
 *
 * @example
 * const flights = readParquet<{ origin: string; delay: bigint }>('flights/*.parquet')
 */
export function readParquet<R = AnyRow>(
  paths: string | readonly string[],
  options: ReadParquetOptions = {},
): Dataset<R> {
  refuseUnknown('readParquet', options, ['columns', 'int64'])
  const list = typeof paths === 'string' ? [paths] : [...paths]
  if (list.length === 0) throw new RayError('readParquet was given no paths.')
  const { columns, int64 = 'bigint' } = options
  if (columns?.length === 0) throw new RayError('readParquet: `columns` names no column.')
  return start({
    kind: 'files',
    operator: 'readParquet',
    format: { kind: 'parquet', int64 },
    paths: list,
    columns,
    limit: Number.POSITIVE_INFINITY,
  })
}

/**
 * Makes a dataset of rows, or of plain values, which become the column `item`.
 *
 * @example
 * const people = fromItems([{ name: 'Ada', born: 1815 }, { name: 'Alan', born: 1912 }])
 * console.log(await people.count()) // 2
 */
export function fromItems<R extends object>(items: readonly R[], options?: Blocks): Dataset<R>
export function fromItems<V>(items: readonly V[], options?: Blocks): Dataset<{ item: V }>
export function fromItems(items: readonly unknown[], options: Blocks = {}): Dataset<AnyRow> {
  const blocks = blockCount('fromItems', options)
  return start({ kind: 'items', rows: items.map(rowOfItem), blocks })
}

/**
 * Makes a dataset of the numbers from 0 to `rows`, in the column `id`.
 *
 * @example
 * console.log(await range(1000).filter(({ id }) => id % 2 === 0).count()) // 500
 */
export function range(rows: number, options: Blocks = {}): Dataset<{ id: number }> {
  const blocks = blockCount('range', options)
  return start({ kind: 'range', rows: rowCount('range', rows), blocks })
}

/** Into how many blocks rows in memory are divided. */
export interface Blocks {
  /** Number of blocks; as many as keep the cluster busy unless told otherwise. */
  readonly overrideNumBlocks?: number
}

function blockCount(operator: string, options: Blocks): number | undefined {
  refuseUnknown(operator, options, ['overrideNumBlocks'])
  return whole(operator, 'overrideNumBlocks', options.overrideNumBlocks)
}

function rowOfItem(item: unknown): Row {
  const isRow = typeof item === 'object' && item !== null && !Array.isArray(item)
  return isRow && !(item instanceof Date) ? (item as Row) : { item }
}

function start<R>(source: Source): Dataset<R> {
  return new Dataset<R>(session, { source, steps: [] })
}
