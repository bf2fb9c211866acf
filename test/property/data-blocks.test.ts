// Moving rows of blocks against plain arrays: gathered, sliced and put together, of every kind of
// Arrow column, with nulls in all of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Int32,
  Int64,
  List,
  makeVector,
  Map_ as MapType,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  TimestampMicrosecond,
  Uint64,
  Uint8,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { concatBlocks } from '../../src/data/block/concat.js'
import { gatherBlock } from '../../src/data/block/gather.js'

const int32 = new Int32()
const entries = [new Field('key', new Utf8()), new Field('value', int32)]
const kinds: readonly (readonly [name: string, type: DataType, value: (n: number) => unknown])[] = [
  ['bool', new Bool(), (n) => n % 2 === 0],
  ['uint8', new Uint8(), (n) => n % 256],
  ['int32', int32, (n) => -n],
  ['int64', new Int64(), (n) => -BigInt(n)],
  ['uint64', new Uint64(), (n) => BigInt(n)],
  ['float32', new Float32(), (n) => n / 2],
  ['utf8', new Utf8(), (n) => 'ü'.repeat(n % 40)],
  ['binary', new Binary(), (n) => Uint8Array.of(n % 256, 1, 2)],
  ['fixed binary', new FixedSizeBinary(3), (n) => Uint8Array.of(n % 256, 1, 2)],
  ['decimal', new Decimal(2, 20, 128), (n) => Uint32Array.of(n, 0, 0, 0)],
  ['date', new DateDay(), (n) => new Date(n * 86_400_000)],
  ['timestamp', new TimestampMicrosecond(), (n) => n * 1000],
  ['dictionary', new Dictionary(new Utf8(), new Int32()), (n) => `w${n % 3}`],
  ['list', new List(new Field('item', int32, true)), (n) => Array.from({ length: n % 4 }, () => n)],
  ['fixed list', new FixedSizeList(2, new Field('item', int32, true)), (n) => [n, n + 1]],
  [
    'struct',
    new Struct<never>([new Field('a', int32, true), new Field('b', new Utf8(), true)] as never),
    (n) => ({ a: n, b: `s${n}` }),
  ],
  [
    'map',
    new MapType(new Field('entries', new Struct(entries as never)) as never),
    (n) => new Map([[`k${n}`, n]]),
  ],
]

/** A block of one column of each kind; every fifth value or so is null. */
function blockOf(seed: number, rows: number): Table {
  const columns = kinds.map(([name, type, value], k) => {
    const values = Array.from({ length: rows }, (_, i) => {
      const n = (seed + 31 * i + 7 * k) % 251
      return n % 5 === 0 ? null : value(n)
    })
    return [name, vectorFromArray(values, type)] as const
  })
  return new Table(Object.fromEntries(columns))
}

function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array)
  if (value instanceof Map) return [...value].map(plain)
  if (Symbol.iterator in value) return Array.from(value as Iterable<unknown>, plain)
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}` : each))
}

/** The rows of a table, with what each kind of column gives made comparable. */
function rowsOf(table: Table): unknown[][] {
  return Array.from({ length: table.numRows }, (_, i) => {
    return kinds.map(([name]) => plain(table.getChild(name)?.get(i)))
  })
}

const throughMessage = (table: Table): Table => tableFromIPC(tableToIPC(table))

test('gathering rows gives what picking them from arrays does', () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.integer({ min: 1, max: 70 }),
      fc.array(fc.nat(69), { maxLength: 80 }),
      fc.nat(20),
      (seed, rows, picks, start) => {
        for (const block of [blockOf(seed, rows), throughMessage(blockOf(seed, rows))]) {
          const from = Math.min(start, rows - 1)
          const sliced = block.slice(from, rows)
          const expected = rowsOf(sliced)
          const indices = Int32Array.from(picks, (pick) => pick % expected.length)
          const made = rowsOf(gatherBlock(sliced, indices))
          assert.deepEqual(
            made,
            Array.from(indices, (i) => expected[i]),
          )
          // Rows that are not there are null in all columns.
          const [missing] = rowsOf(gatherBlock(sliced, Int32Array.of(-1)))
          assert.ok(missing?.every((value) => value === null))
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('blocks put together have the rows of all, slices and messages among them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1000), fc.nat(40), fc.nat(20), fc.boolean()), {
        minLength: 1,
        maxLength: 4,
      }),
      (parts) => {
        const blocks = parts.map(([seed, rows, start, isMessage]) => {
          const block = blockOf(seed, rows).slice(Math.min(start, rows), rows)
          return isMessage ? throughMessage(block) : block
        })
        const joined = concatBlocks(blocks)
        assert.deepEqual(rowsOf(joined), blocks.flatMap(rowsOf))
        assert.ok(joined.batches.length <= 1)
      },
    ),
    { numRuns: 40 },
  )
})

test('columns of other types are widened, and refused by name where they cannot be', () => {
  const of = (values: readonly unknown[], type: DataType): Table => {
    return new Table({ c: vectorFromArray([...values], type) })
  }
  const numbers = concatBlocks([
    of([1, null], int32),
    of([0.5], new Float32()),
    of([2n], new Int64()),
  ])
  assert.deepEqual([...(numbers.getChild('c') ?? [])], [1, null, 0.5, 2])
  const words = concatBlocks([of(['a'], kinds[12]?.[1] ?? int32), of(['b'], new Utf8())])
  assert.deepEqual([...(words.getChild('c') ?? [])], ['a', 'b'])
  const nothing = new Table({ c: makeVector(vectorFromArray([null, null]).data[0] as never) })
  assert.deepEqual(
    [...(concatBlocks([nothing, of([3], int32)]).getChild('c') ?? [])],
    [null, null, 3],
  )
  assert.throws(() => concatBlocks([of([1], int32), of(['x'], new Utf8())]), /"c" is Int32 in one/)
})
