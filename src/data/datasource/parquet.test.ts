import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { blockOfColumns, columnsOfBlock, schemaOfBlock, sliceBlock } from '../block/block.js'
import { blockOfRows, rowsOfBlock } from '../block/rows.js'
import { fragmentsOf } from './parquet-fragments.js'
import { describeParquet, readParquetFragment, writeParquetFile } from './parquet.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'typeray-parquet-'))
after(() => fs.rmSync(folder, { recursive: true }))
const datasets = path.dirname(createRequire(import.meta.url).resolve('vega-datasets'))
const flights = path.join(datasets, '../data/flights-3m.parquet')

const rows = Array.from({ length: 5000 }, (_, i) => ({
  id: i,
  big: i % 10 === 0 ? null : BigInt(i) * 10_000_000_000n,
  word: i % 11 === 0 ? null : `word${i % 5}`,
  unique: `ünique-${i}`,
  flag: i % 3 === 0 ? null : i % 2 === 0,
  at: new Date(Date.UTC(2024, 1, 1 + (i % 28), 3, 4, 5, 6)),
}))

function readAll(file: string, columns?: readonly string[]) {
  const { files } = describeParquet([file], { columns })
  return fragmentsOf(files, 1e9).map((fragment) => readParquetFragment(fragment, { columns }))
}

test('what is written is read back: nulls, strings, dates, 64-bit integers', () => {
  const file = path.join(folder, 'all.parquet')
  writeParquetFile(blockOfRows(rows), file)
  const [block] = readAll(file)
  assert.ok(block)
  assert.deepEqual(rowsOfBlock(block), rows)
  assert.deepEqual(fs.readdirSync(folder), ['all.parquet'])
})

test('a slice is written as the slice it is', () => {
  const file = path.join(folder, 'slice', 'part.parquet')
  writeParquetFile(sliceBlock(blockOfRows(rows), 1001, 2003), file)
  const [block] = readAll(file, ['unique', 'flag'])
  assert.ok(block)
  const expected = rows.slice(1001, 2003).map(({ unique, flag }) => ({ unique, flag }))
  assert.deepEqual(rowsOfBlock(block), expected)
})

test('an empty block becomes a file without rows', () => {
  const file = path.join(folder, 'empty', 'part.parquet')
  writeParquetFile(blockOfColumns({ n: new Float64Array(0), s: ['x'].slice(1) }), file)
  const { files, schema } = describeParquet([file], {})
  assert.deepEqual(fragmentsOf(files, 1), [])
  assert.equal(schema[0]?.type, 'Float64')
})

test('folders, globs and odd file names are found', () => {
  const odd = path.join(folder, 'deep', "it's [1]", 'a*b.parquet')
  writeParquetFile(blockOfRows([{ a: 1 }]), odd)
  writeParquetFile(blockOfRows([{ a: 2 }]), path.join(folder, 'deep', 'z.parquet'))
  const count = (given: string) => describeParquet([given], {}).files.length
  assert.equal(count(odd), 1)
  assert.equal(count(path.join(folder, 'deep')), 2)
  assert.equal(count(path.join(folder, 'deep', '*.parquet')), 1)
  assert.throws(() => count(path.join(folder, 'none')), /no file or folder/)
  assert.throws(() => count(path.join(folder, 'none*')), /no file matches/)
})

test('row groups become fragments of about the size asked for', () => {
  const { files, schema } = describeParquet([flights], {})
  assert.deepEqual(
    schema.map((field) => `${field.name} ${field.type}`),
    [
      'date Timestamp<MICROSECOND>',
      'delay Int64',
      'distance Int64',
      'origin Utf8',
      'destination Utf8',
    ],
  )
  const each = fragmentsOf(files, 1)
  assert.equal(each.length, 11)
  assert.equal(fragmentsOf(files, 1e12).length, 1)
  const total = each.reduce((sum, fragment) => sum + fragment.rows, 0)
  assert.equal(total, 3_000_000)
})

test('one row group is read by itself, and 64-bit integers as numbers if so wished', () => {
  const fragment = { path: flights, start: 272_727, rows: 1000, bytes: 0 }
  const options = { columns: ['delay', 'origin'], int64: 'number' } as const
  const block = readParquetFragment(fragment, options)
  assert.equal(block.numRows, 1000)
  const { delay, origin } = columnsOfBlock(block)
  assert.ok(delay instanceof Float64Array)
  assert.ok(Array.isArray(origin) && /^[A-Z]{3}$/.test(String(origin[0])))
  assert.deepEqual(
    schemaOfBlock(block).map((field) => field.name),
    ['delay', 'origin'],
  )
})

test('a column that is not there is named', () => {
  assert.throws(
    () => describeParquet([flights], { columns: ['dleay'] }),
    /no column "dleay"; it has date/,
  )
})
