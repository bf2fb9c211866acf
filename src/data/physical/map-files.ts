// Functions of rows put to work on files in which a file is a row, such as images: each file is
// read while the function works on the one before, and no block is made of what was read.

import type { Block } from '../block/block.js'
import { blockOfRows, type Row } from '../block/rows.js'
import { type ReadRequest, streamFiles } from '../datasource/file-readers.js'
import type { FileRow } from '../datasource/file-rows.js'
import {
  addRows,
  type AnyCall,
  describing,
  operatorError,
  requireRow,
} from './function-transforms.js'
import type { FunctionTransform } from './operators.js'
import { withRetries } from './retries.js'
import { Place } from './place.js'
import { originOfPiece } from './row-origin.js'

type RowTransform = Extract<FunctionTransform, { readonly kind: 'rows' | 'flat-rows' | 'filter' }>
export type FileTransform = RowTransform & { readonly kind: 'rows' | 'flat-rows' }

/** What becomes of the rows of a request; undefined where its format makes blocks only. */
export async function mapFiles(
  request: ReadRequest,
  transform: FileTransform,
): Promise<Block | undefined> {
  const files = request.pieces.length === 0 ? undefined : await streamFiles(request)
  if (files === undefined) return undefined
  const pending: Promise<Row[]>[] = []
  let hasFailed = false
  for await (const file of files.rows) {
    const results = withRetries(transform, () => callOne(transform, file))
    results.catch(() => (hasFailed = true))
    pending.push(results)
    // Lets a function that has thrown say so before the next file is worked on.
    await new Promise((resolve) => setImmediate(resolve))
    if (hasFailed) break
  }
  const rows = (await Promise.all(pending)).flat()
  const where = async (): Promise<string> => ` in ${request.pieces.length} files`
  return describing(nameOf(transform), where, () => blockOfRows(rows, files.like()))
}

function nameOf({ kind, name }: FileTransform): string {
  return `${kind === 'rows' ? 'map' : 'flatMap'}(${name})`
}

/** The rows that the function makes of the row of a file. */
async function callOne(transform: FileTransform, { row, piece }: FileRow): Promise<Row[]> {
  try {
    const result: unknown = await (transform.fn as AnyCall)(row)
    const rows: Row[] = []
    if (transform.kind === 'flat-rows') await addRows(rows, result)
    else rows.push(requireRow(result))
    return rows
  } catch (error) {
    throw operatorError(nameOf(transform), await new Place(originOfPiece(piece)).row(0), error)
  }
}
