// Tables to try plans on: columns of the kinds that data has, in blocks of any length. Every block
// is Arrow, with the types that files and functions give; a kind may have another type in each.

import {
  type Data,
  DataType,
  Bool,
  Decimal,
  Dictionary,
  Field,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  List,
  Null,
  Struct,
  TimestampMicrosecond,
  TimestampMillisecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import type { Prng } from '../../src/base/prng.js'
import { type Block, blockOfData } from '../../src/data/block/block.js'

export type Kind =
  'int' | 'big' | 'float' | 'text' | 'flag' | 'time' | 'decimal' | 'list' | 'struct' | 'nothing'
export type Row = Record<string, unknown>

export interface TableColumn {
  readonly name: string
  readonly kind: Kind
}

export interface RandomTable {
  readonly columns: readonly TableColumn[]
  readonly blocks: readonly Block[]
  readonly rows: readonly Row[]
}

const int32 = new Int32()
const utf8 = new Utf8()
const members = [new Field('a', int32, true), new Field('b', utf8, true)]

/** The values of each kind; a null comes with them. */
export const valuesOf: Readonly<Record<Kind, readonly unknown[]>> = {
  int: [0, 1, -1, 2, 3, 7, -5],
  big: [0n, 1n, -1n, 5n, 2n ** 40n, -(2n ** 53n) - 1n],
  float: [0, -0, 1, 0.5, -2.25, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  text: ['', 'a', 'b', 'ü', "it's", 'Zoë x', '日本', '😀a', 'A'],
  flag: [true, false],
  time: [0, 1_700_000_000_000, -34_560_000_001, 1_709_164_800_123].map((ms) => new Date(ms)),
  decimal: [0, 1.01, -2.5, 10.99],
  list: [[], [1], [2, 3], [1, null, 1]],
  struct: [
    { a: 1, b: 'x' },
    { a: null, b: 'y' },
    { a: 2, b: null },
  ],
  nothing: [],
}

/** The types that a kind has; the first one is the usual one. */
const typesOf: Readonly<Record<Kind, readonly DataType[]>> = {
  int: [int32, new Int16()],
  big: [new Int64()],
  float: [new Float64(), new Float32()],
  text: [utf8, new Dictionary(utf8, int32)],
  flag: [new Bool()],
  time: [new TimestampMicrosecond(), new TimestampMillisecond()],
  decimal: [new Decimal(2, 10, 128)],
  list: [new List(new Field('item', int32, true))],
  struct: [new Struct(members as never) as DataType],
  nothing: [new Null()],
}

/** Names that SQL does not take as they are are among them. */
const names: readonly string[] = ['n', 'order', 'a b', 'q"t', "it's", 'key', 'x.y', 'ü']

function stored(kind: Kind, value: unknown): unknown {
  if (value === null) return null
  if (kind === 'time') return (value as Date).getTime()
  if (kind !== 'decimal') return value
  const scaled = BigInt(Math.round(Number(value) * 100))
  const words = BigInt.asUintN(128, scaled)
  return Uint32Array.from([0n, 32n, 64n, 96n], (at) => Number((words >> at) & 0xffff_ffffn))
}

function dataOf(prng: Prng, kind: Kind, values: readonly unknown[]): Data {
  const isEmpty = values.every((value) => value === null)
  const usual = isEmpty && prng.chance(0.3) ? new Null() : prng.pick(typesOf[kind])
  // Each with a number of its own.
  const type = DataType.isDictionary(usual) ? new Dictionary(utf8, int32) : usual
  const all = values.map((value) => stored(kind, value))
  return vectorFromArray(all, type).data[0] as Data
}

function valueOf(prng: Prng, kind: Kind): unknown {
  return valuesOf[kind].length === 0 || prng.chance(0.2) ? null : prng.pick(valuesOf[kind])
}

/** A table of `sizes` rows per block. */
export function randomTable(prng: Prng, sizes: readonly number[]): RandomTable {
  const kinds = Object.keys(valuesOf) as Kind[]
  const count = prng.integer(2, 5)
  const columns = names.slice(0, count).map((name): TableColumn => {
    return { name, kind: prng.chance(0.3) ? 'int' : prng.pick(kinds) }
  })
  const rows: Row[] = []
  const blocks = sizes.map((size) => {
    const made = columns.map(({ name, kind }) => {
      const isEmpty = prng.chance(0.1)
      const values = Array.from({ length: size }, () => (isEmpty ? null : valueOf(prng, kind)))
      return { name, values, data: dataOf(prng, kind, values) }
    })
    for (let i = 0; i < size; i++) {
      rows.push(Object.fromEntries(made.map(({ name, values }) => [name, values[i]])))
    }
    return blockOfData(
      made.map(({ name }) => name),
      made.map(({ data }) => data),
    )
  })
  return { columns, blocks, rows }
}
