// Columns of every Arrow type: the same five values in each, over and over, and nulls.

import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  DurationMicrosecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  LargeBinary,
  LargeUtf8,
  List,
  Map_ as MapType,
  Null,
  Struct,
  TimeMicrosecond,
  Timestamp,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  TimeUnit,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'

/** A type, and its value of a number from 0 to 4; greater numbers have greater values. */
export interface ColumnKind {
  readonly name: string
  readonly type: DataType
  readonly value: (n: number) => unknown
}

const int32 = new Int32()
const utf8 = new Utf8()
const big = 2n ** 53n
const members = [new Field('a', int32, true), new Field('b', utf8, true)]
const entries = new Struct([new Field('key', utf8), new Field('value', int32)] as never)
const micros = 1_700_000_000_123_456n
const item = (type: DataType) => new Field('item', type as Int32, true)

const kind = (name: string, type: DataType, value: ColumnKind['value']): ColumnKind => {
  return { name, type, value }
}

export const columnKinds: readonly ColumnKind[] = [
  kind('null', new Null(), () => null),
  kind('bool', new Bool(), (n) => n > 2),
  kind('int8', new Int8(), (n) => n - 2),
  kind('int16', new Int16(), (n) => 300 * n),
  kind('int32', int32, (n) => 70_000 * n),
  kind('int64', new Int64(), (n) => -(2n ** 63n) + BigInt(n)),
  kind('uint8', new Uint8(), (n) => 200 + n),
  kind('uint16', new Uint16(), (n) => 65_000 + n),
  kind('uint32', new Uint32(), (n) => 4_000_000_000 + n),
  kind('uint64', new Uint64(), (n) => 2n ** 64n - 5n + BigInt(n)),
  kind('int64 beyond 2^53', new Int64(), (n) => big + BigInt(n)),
  kind('float16', new Float16(), (n) => n / 2),
  kind('float32', new Float32(), (n) => n / 4),
  kind('float64', new Float64(), (n) => n / 10),
  kind('decimal', new Decimal(2, 20, 128), (n) => Uint32Array.of(n * 1001, 0, 0, 0)),
  kind('utf8', utf8, (n) => `${n}ü`),
  kind('large utf8', new LargeUtf8(), (n) => `${n}ü`),
  kind('binary', new Binary(), (n) => Uint8Array.of(n, 255)),
  kind('large binary', new LargeBinary(), (n) => Uint8Array.of(n, 255)),
  kind('fixed binary', new FixedSizeBinary(3), (n) => Uint8Array.of(n, 1, 2)),
  kind('date', new DateDay(), (n) => new Date(n * 86_400_000)),
  kind('date in ms', new DateMillisecond(), (n) => new Date(n * 86_400_000)),
  kind('time', new TimeMicrosecond(), (n) => micros / 1_000_000n + BigInt(n)),
  kind('timestamp s', new TimestampSecond(), (n) => 1_700_000_000_000 + n * 1000),
  kind('timestamp ms', new TimestampMillisecond(), (n) => 1_700_000_000_000 + n),
  kind('timestamp ns', new TimestampNanosecond(), (n) => 1_700_000 + n),
  kind('timestamp us in a zone', new Timestamp(TimeUnit.MICROSECOND, 'Europe/Berlin'), (n) => {
    return 1_700_000_000_000 + n
  }),
  kind('duration', new DurationMicrosecond(), (n) => micros + BigInt(n)),
  kind('dictionary', new Dictionary(utf8, int32), (n) => `${n}ü`),
  kind('dictionary of int8 codes', new Dictionary(utf8, new Int8()), (n) => `${n}ü`),
  kind('dictionary of integers', new Dictionary(int32, int32), (n) => 10 * n),
  kind('list', new List(item(int32)), (n) => Array.from({ length: n }, (_, i) => i)),
  kind('list of strings', new List(item(utf8)), (n) => [`${n}`, 'x']),
  kind('fixed list', new FixedSizeList(2, item(int32)), (n) => [n, n + 1]),
  kind('struct', new Struct<never>(members as never), (n) => ({ a: n, b: `s${n}` })),
  kind('map', new MapType(new Field('entries', entries) as never), (n) => new Map([[`k${n}`, n]])),
]

/** A column with the value of each number, and null where it is null. */
export function dataOfKind({ type, value }: ColumnKind, numbers: readonly (number | null)[]): Data {
  const values = numbers.map((n) => (n === null ? null : value(n)))
  return vectorFromArray(values, type).data[0] as Data
}
