// The types that an expression can be cast to, under the names that Arrow gives them.

import { RayError } from '../../base/errors.js'
import { didYouMean } from '../../base/nearest-name.js'

const types: Readonly<Record<string, string>> = {
  bool: 'BOOLEAN',
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
  uint8: 'UTINYINT',
  uint16: 'USMALLINT',
  uint32: 'UINTEGER',
  uint64: 'UBIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'VARCHAR',
  binary: 'BLOB',
  date: 'DATE',
  time: 'TIME',
  'timestamp[s]': 'TIMESTAMP_S',
  'timestamp[ms]': 'TIMESTAMP_MS',
  'timestamp[us]': 'TIMESTAMP',
  'timestamp[ns]': 'TIMESTAMP_NS',
  timestamp: 'TIMESTAMP',
}

/** What a value that was cast to a type is in JavaScript. */
export type CastValue<Type extends CastType> = Type extends 'string'
  ? string
  : Type extends 'bool'
    ? boolean
    : Type extends 'int64' | 'uint64' | 'time'
      ? bigint
      : Type extends 'binary'
        ? Uint8Array
        : Type extends 'date' | `timestamp${string}`
          ? Date
          : number

/** A type to cast to; also `decimal(precision, scale)`. */
export type CastType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float32'
  | 'float64'
  | 'string'
  | 'binary'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamp[s]'
  | 'timestamp[ms]'
  | 'timestamp[us]'
  | 'timestamp[ns]'
  | `decimal(${number},${number})`
  | `decimal(${number}, ${number})`

/** The engine's name of a type. */
export function sqlOfType(type: string): string {
  const known = Object.hasOwn(types, type) ? types[type] : undefined
  if (known !== undefined) return known
  const decimal = /^decimal\((\d+), ?(\d+)\)$/.exec(type)
  const [, precision = '0', scale = '0'] = decimal ?? []
  if (Number(precision) >= 1 && Number(precision) <= 38 && Number(scale) <= Number(precision)) {
    return `DECIMAL(${precision},${scale})`
  }
  const names = Object.keys(types)
  throw new RayError(
    `cast: '${type}' is not a type.${didYouMean(type, names)} Types are: ${names.join(', ')}, ` +
      'decimal(precision,scale).',
    { fields: { type } },
  )
}
