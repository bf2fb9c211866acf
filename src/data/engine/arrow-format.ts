// The type strings of the Arrow C data interface, for the types that travel between DuckDB and
// blocks.

import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  Null,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  Timestamp,
  Type,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
} from 'apache-arrow'
import { RayError } from '../../base/errors.js'

const simple: ReadonlyMap<string, () => DataType> = new Map<string, () => DataType>([
  ['n', () => new Null()],
  ['b', () => new Bool()],
  ['c', () => new Int8()],
  ['C', () => new Uint8()],
  ['s', () => new Int16()],
  ['S', () => new Uint16()],
  ['i', () => new Int32()],
  ['I', () => new Uint32()],
  ['l', () => new Int64()],
  ['L', () => new Uint64()],
  ['f', () => new Float32()],
  ['g', () => new Float64()],
  ['u', () => new Utf8()],
  ['z', () => new Binary()],
  ['tdD', () => new DateDay()],
  ['tdm', () => new DateMillisecond()],
  ['tts', () => new TimeSecond()],
  ['ttm', () => new TimeMillisecond()],
  ['ttu', () => new TimeMicrosecond()],
  ['ttn', () => new TimeNanosecond()],
])

const units = 'smun'

/** The Arrow type that `format` names; `column` is for the message when Typeray does not map it. */
export function typeOfFormat(format: string, column: string): DataType {
  const make = simple.get(format)
  if (make !== undefined) return make()
  if (format.startsWith('ts')) {
    return new Timestamp(units.indexOf(format.charAt(2)), format.slice(4) || null)
  }
  if (format.startsWith('d:')) {
    const [precision = 38, scale = 0, bits = 128] = format.slice(2).split(',').map(Number)
    return new Decimal(scale, precision, bits)
  }
  throw new RayError(
    `Column "${column}" has a type that Typeray does not read (Arrow format "${format}"). ` +
      'Name the other columns in the `columns` option.',
    { fields: { column, format } },
  )
}

/** DuckDB's number of a logical type, with precision and scale if it is a decimal. */
export interface DuckdbType {
  readonly id: number
  readonly decimal?: { readonly precision: number; readonly scale: number }
}

/** The format string and the DuckDB type of a column that goes into DuckDB. */
export function formatOfType(type: DataType, column: string): { format: string; type: DuckdbType } {
  const found = formats.get(type.typeId) ?? formatOfParameterised(type)
  if (found !== undefined) return { format: found[0], type: found[2] ?? { id: found[1] } }
  throw new RayError(
    `Column "${column}" has type ${String(type)}, which the engine does not take.`,
    { fields: { column, type: String(type) } },
  )
}

type Format = readonly [format: string, id: number, type?: DuckdbType]

const formats: ReadonlyMap<number, Format> = new Map<number, Format>([
  [Type.Bool, ['b', 1]],
  [Type.Utf8, ['u', 17]],
  [Type.Binary, ['z', 18]],
  [Type.LargeUtf8, ['U', 17]],
  [Type.LargeBinary, ['Z', 18]],
])

const integers: readonly Format[] = [
  ['c', 2],
  ['s', 3],
  ['i', 4],
  ['l', 5],
  ['C', 6],
  ['S', 7],
  ['I', 8],
  ['L', 9],
]

function formatOfParameterised(type: DataType): Format | undefined {
  const { typeId } = type
  if (typeId === Type.Int && 'bitWidth' in type && 'isSigned' in type) {
    const width = [8, 16, 32, 64].indexOf(Number(type.bitWidth))
    return integers[width + (type.isSigned === true ? 0 : 4)]
  }
  if (typeId === Type.Float && 'precision' in type) {
    return type.precision === 1 ? ['f', 10] : type.precision === 2 ? ['g', 11] : undefined
  }
  if (typeId === Type.Date && 'unit' in type) return [type.unit === 0 ? 'tdD' : 'tdm', 13]
  if (typeId === Type.Time && 'unit' in type) {
    // DuckDB's times count microseconds.
    return Number(type.unit) < 3 ? [`tt${units.charAt(Number(type.unit))}`, 14] : undefined
  }
  if (typeId === Type.Timestamp && 'unit' in type && 'timezone' in type) {
    return formatOfTimestamp(Number(type.unit), String(type.timezone ?? ''))
  }
  if (typeId === Type.Decimal && 'precision' in type && 'scale' in type) {
    const decimal = { precision: Number(type.precision), scale: Number(type.scale) }
    if (decimal.precision > 38) return undefined
    return [`d:${decimal.precision},${decimal.scale}`, 19, { id: 19, decimal }]
  }
  return undefined
}

function formatOfTimestamp(unit: number, timezone: string): Format {
  // A timestamp with a time zone has its own type in DuckDB, which counts microseconds.
  if (timezone !== '') return [`tsu:${timezone}`, 31]
  const id = [20, 21, 12, 22][unit] ?? 12
  return [`ts${units.charAt(unit)}:`, id]
}
