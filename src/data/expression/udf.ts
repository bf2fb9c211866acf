// Expressions that the engine cannot compute: functions of the user, and values of a row's place.

import { RayError } from '../../base/errors.js'
import type { Column } from '../block/column.js'
import type { FilesystemOptions } from '../datasource/files.js'
import { refuseUnknown } from '../step-options.js'
import { col, Expression, nodeOf, type Operand } from './expression.js'

/**
 * Makes a function of columns into a function of expressions. It is given a block's columns, typed
 * arrays where there are no nulls, and returns a column of the same length.
 *
 * @example
 * const double = udf((x: ArrayLike<number>) => Float64Array.from(x, (v) => 2 * v))
 * const doubled = range(10).withColumn('twice', double(col('id')))
 */
export function udf<T = unknown>(
  fn: (...columns: never[]) => Column | Promise<Column>,
): (...args: readonly Operand[]) => Expression<T> {
  if (typeof fn !== 'function') throw new RayError('udf takes a function of columns.')
  const name = fn.name === '' ? 'udf' : fn.name
  return (...args) => new Expression({ kind: 'udf', name, fn, args: args.map(nodeOf) })
}

/**
 * The bytes of the files that a column names: local paths, `file://`, `http(s)://` and `s3://`; null
 * where there is no name.
 *
 * @example
 * const scans = fromItems([{ uri: '/data/scans/1.png' }]).withColumn('bytes', download('uri'))
 */
export function download(
  uri: string | Expression,
  options: { readonly filesystem?: FilesystemOptions } = {},
): Expression<Uint8Array> {
  refuseUnknown('download', options, ['filesystem'])
  const { node } = uri instanceof Expression ? uri : col(uri)
  return new Expression({ kind: 'download', value: node, filesystem: options.filesystem })
}

/**
 * A random number from 0 to 1 for each row; the same each time if there is a seed.
 *
 * @example
 * const tenth = range(1000).filter(random(7).lt(0.1))
 */
export function random(seed?: number): Expression<number> {
  return new Expression({ kind: 'generate', what: 'random', seed })
}

/**
 * A random UUID for each row.
 *
 * @example
 * const named = range(10).withColumn('key', uuid())
 */
export function uuid(): Expression<string> {
  return new Expression({ kind: 'generate', what: 'uuid', seed: undefined })
}

/**
 * A number for each row that grows from row to row and from block to block, with gaps between
 * blocks.
 *
 * @example
 * const numbered = range(10).withColumn('row', monotonicallyIncreasingId())
 */
export function monotonicallyIncreasingId(): Expression<number> {
  return new Expression({ kind: 'generate', what: 'row-id', seed: undefined })
}
