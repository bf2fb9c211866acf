import assert from 'node:assert/strict'
import { meetUsersArrow } from './arrow-library.js'
import { concatBlocks, toOneBatch } from './concat.js'
import { before, test } from 'node:test'
import {
  Dictionary,
  Int32,
  Table,
  tableFromIPC,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import {
  blockOfColumns,
  blockOfData,
  columnsOfBlock,
  lazyColumnsOfBlock,
  schemaOfBlock,
  sliceBlock,
} from './block.js'
import { DictionaryColumn, dictionaryEncode } from './dictionary-column.js'
import { dataOfBlock, gatherBlock } from './gather.js'
import { blockOfRows, rowsOfBlock } from './rows.js'

before(meetUsersArrow)

const day = (n: number): Date => new Date(Date.UTC(2020, 0, n, 12, 30, 1, 7))

const mixedRows = [
  { a: 1, b: 'x', c: true, d: day(1), e: 1n },
  { a: 2.5, b: null, c: null, d: null, e: -5n },
  { a: null, b: 'ü', c: false, d: day(2), e: null },
]

test('rows come back as they went in, nulls and all', () => {
  assert.deepEqual(rowsOfBlock(blockOfRows(mixedRows)), mixedRows)
})

test('a block survives the trip through an Arrow message', () => {
  const many = Array.from({ length: 201 }, (_, i) => ({ i, word: `w${i % 3}`, at: day(i % 28) }))
  const travelled = tableFromIPC(tableToIPC(blockOfRows(many)))
  assert.deepEqual(rowsOfBlock(travelled), many)
})

test('numeric columns without nulls are the typed arrays of the block', () => {
  const values = Float64Array.of(1, 2, 3)
  const { x } = columnsOfBlock(blockOfColumns({ x: values }))
  assert.ok(x instanceof Float64Array)
  assert.equal(x.buffer, values.buffer)
})

test('strings that repeat are stored once and read as an array of strings', () => {
  const words = Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? null : `word${i % 5}`))
  const block = blockOfColumns({ words })
  assert.match(String(block.schema.fields[0]?.type), /Dictionary/)
  assert.deepEqual(columnsOfBlock(block).words, words)
  assert.deepEqual(schemaOfBlock(block), [{ name: 'words', type: 'Utf8' }])
})

test('a dictionary column is accepted as it is', () => {
  const { codes, values } = dictionaryEncode(['LAX', 'SFO', 'LAX'])
  assert.deepEqual([...codes], [0, 1, 0])
  const block = blockOfColumns({ route: new DictionaryColumn(codes, values) })
  assert.deepEqual(columnsOfBlock(block).route, ['LAX', 'SFO', 'LAX'])
})

test('timestamps are given out as numbers and taken back as timestamps', () => {
  const block = blockOfColumns({ at: [day(1), day(2)] })
  const columns = columnsOfBlock(block, 'number')
  assert.ok(columns.at instanceof Float64Array)
  const back = blockOfColumns(columns, block, { dates: 'number' })
  assert.deepEqual(rowsOfBlock(back), [{ at: day(1) }, { at: day(2) }])
  const plain = blockOfColumns(columns, block, { dates: 'date' })
  assert.equal(String(plain.schema.fields[0]?.type), 'Float64')
})

test('integers keep their type while every value fits', () => {
  const before = blockOfColumns({ n: Int32Array.of(1, 2) })
  const types = [
    [3, null],
    [3.5, 4],
  ].map((n) => schemaOfBlock(blockOfColumns({ n }, before))[0]?.type)
  assert.deepEqual(types, ['Int32', 'Float64'])
})

test('gathering picks rows of every kind of column', () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({
    n: i,
    big: BigInt(i),
    word: `w${i % 3}`,
    unique: `u${i}é`,
    at: day(i % 28),
    flag: i % 2 === 0,
    gap: i % 5 === 0 ? null : i,
  }))
  const indices = Uint32Array.of(99, 3, 5, 5)
  const picked = rowsOfBlock(gatherBlock(blockOfRows(rows), indices))
  assert.deepEqual(
    picked,
    Array.from(indices, (i) => rows[i]),
  )
})

test('slices share memory, joins restore the whole', () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({
    i,
    w: `w${i % 4}`,
    at: day(1),
    gap: i % 3 ? i : null,
  }))
  const block = blockOfRows(rows)
  const parts = [sliceBlock(block, 0, 33), sliceBlock(block, 33, 34), sliceBlock(block, 34, 100)]
  assert.deepEqual(rowsOfBlock(parts[1] ?? block), rows.slice(33, 34))
  assert.deepEqual(rowsOfBlock(concatBlocks(parts)), rows)
  assert.deepEqual(rowsOfBlock(toOneBatch(block.concat(block))), [...rows, ...rows])
})

test('columns are read when they are touched, and can be replaced', () => {
  const lazy = lazyColumnsOfBlock(blockOfRows(mixedRows))
  assert.deepEqual(Object.keys(lazy), ['a', 'b', 'c', 'd', 'e'])
  lazy.a = ['replaced']
  assert.deepEqual(lazy.a, ['replaced'])
  assert.equal(lazy.b, lazy.b)
})

test('a column named __proto__ is a column', () => {
  const row = JSON.parse('{"__proto__": 5, "a": 1}') as Record<string, unknown>
  const [back] = rowsOfBlock(
    blockOfColumns(Object.fromEntries(Object.entries(row).map(([k, v]) => [k, [v]]))),
  )
  assert.equal(Object.getOwnPropertyDescriptor(back, '__proto__')?.value, 5)
})

test('columns of different lengths and values of different types are refused by name', () => {
  assert.throws(() => blockOfColumns({ a: [1], b: [1, 2] }), /"b" has 2/)
  assert.throws(() => blockOfColumns({ a: [1, 'x'] }), /column "a" differ in type: row 1/)
})

test('columns of several blocks keep their dictionaries, whatever numbers these have', () => {
  const vectors = [
    ['x', 'y'],
    ['p', 'q'],
    ['x', 'y'],
  ].map((values) => {
    const type = new Dictionary(new Utf8(), new Int32(), 7)
    const block = new Table({ word: vectorFromArray(values, type) })
    const [data] = dataOfBlock(tableFromIPC(tableToIPC(block)))
    return data ?? assert.fail('a column is there')
  })
  const joined = tableFromIPC(tableToIPC(blockOfData(['a', 'b', 'c'], vectors)))
  assert.deepEqual(rowsOfBlock(joined), [
    { a: 'x', b: 'p', c: 'x' },
    { a: 'y', b: 'q', c: 'y' },
  ])
})
