import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { blockOfColumns, columnsOfBlock, schemaOfBlock, sliceBlock } from '../block/block.js'
import { blockOfRows, rowsOfBlock } from '../block/rows.js'
import type { Block } from '../block/block.js'
import { type FilesSource, groupPieces } from './files.js'
import { describeFiles, readFiles } from './file-readers.js'
import { writeBlock } from './file-writer.js'
import { beginWrite, publishWrite } from './folder-write.js'

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

function sourceOf(file: string, options: Partial<FilesSource> = {}): FilesSource {
  return {
    kind: 'files',
    operator: 'readParquet',
    format: { kind: 'parquet', int64: 'bigint' },
    paths: [file],
    columns: undefined,
    limit: Number.POSITIVE_INFINITY,
    ...options,
  }
}

/** Writes a block as one file of this name. */
async function writeParquetFile(block: Block, file: string): Promise<void> {
  const format = { kind: 'parquet', compression: 'snappy' } as const
  const sink = {
    kind: 'folder',
    folder: path.dirname(file),
    writeId: 'test',
    writer: 'test',
    prefix: 'part-',
    filenameProvider: undefined,
    rowsPerFileMax: undefined,
    format,
    partitionCols: [],
    filesystem: undefined,
  } as const
  const name = 'writeParquet'
  await beginWrite(name, sink, 'append')
  const [written] = await writeBlock(block, 0, { name, sink })
  assert.ok(written !== undefined)
  await publishWrite(name, sink, { staged: [{ ...written, path: file }], stale: [] })
}

/** The blocks of a source, in pieces of about `blockBytes`. */
async function readAll(source: FilesSource, blockBytes = 1e9): Promise<Block[]> {
  const { files, columns } = await describeFiles(source)
  const groups = groupPieces(files, blockBytes)
  return Promise.all(groups.map((pieces) => readFiles({ source, pieces, columns })))
}

test('what is written is read back: nulls, strings, dates, 64-bit integers', async () => {
  const file = path.join(folder, 'all.parquet')
  await writeParquetFile(blockOfRows(rows), file)
  const [block] = await readAll(sourceOf(file))
  assert.ok(block)
  assert.deepEqual(rowsOfBlock(block), rows)
  assert.deepEqual(fs.readdirSync(folder), ['all.parquet'])
})

test('a slice is written as the slice it is', async () => {
  const file = path.join(folder, 'slice', 'part.parquet')
  await writeParquetFile(sliceBlock(blockOfRows(rows), 1001, 2003), file)
  const [block] = await readAll(sourceOf(file, { columns: ['unique', 'flag'] }))
  assert.ok(block)
  const expected = rows.slice(1001, 2003).map(({ unique, flag }) => ({ unique, flag }))
  assert.deepEqual(rowsOfBlock(block), expected)
})

test('an empty block becomes a file without rows', async () => {
  const file = path.join(folder, 'empty', 'part.parquet')
  await writeParquetFile(blockOfColumns({ n: new Float64Array(0), s: ['x'].slice(1) }), file)
  const { files, schema } = await describeFiles(sourceOf(file))
  assert.deepEqual(groupPieces(files, 1), [])
  assert.equal(schema[0]?.type, 'Float64')
})

test('folders, globs and odd file names are found', async () => {
  const odd = path.join(folder, 'deep', "it's [1]", 'a*b.parquet')
  await writeParquetFile(blockOfRows([{ a: 1 }]), odd)
  await writeParquetFile(blockOfRows([{ a: 2 }]), path.join(folder, 'deep', 'z.parquet'))
  const count = async (given: string) => (await describeFiles(sourceOf(given))).files.length
  assert.equal(await count(odd), 1)
  assert.equal(await count(path.join(folder, 'deep')), 2)
  assert.equal(await count(path.join(folder, 'deep', '*.parquet')), 1)
  await assert.rejects(count(path.join(folder, 'none')), /no file or folder/)
  await assert.rejects(count(path.join(folder, 'none*')), /no file matches/)
})

test('row groups become blocks of about the size asked for', async () => {
  const { files, schema } = await describeFiles(sourceOf(flights))
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
  const each = groupPieces(files, 1)
  assert.equal(each.length, 11)
  assert.equal(groupPieces(files, 1e12).length, 1)
  const total = each.flat().reduce((sum, piece) => sum + piece.length, 0)
  assert.equal(total, 3_000_000)
})

test('one row group is read by itself, and 64-bit integers as numbers if so wished', async () => {
  const format = { kind: 'parquet', int64: 'number' } as const
  const source = sourceOf(flights, { columns: ['delay', 'origin'], format })
  const { columns } = await describeFiles(source)
  const piece = {
    path: flights,
    start: 272_727,
    length: 1000,
    fileLength: 3e6,
    rows: 1000,
    bytes: 0,
  }
  const block = await readFiles({ source, pieces: [piece], columns })
  assert.equal(block.numRows, 1000)
  const { delay, origin } = columnsOfBlock(block)
  assert.ok(delay instanceof Float64Array)
  assert.ok(Array.isArray(origin) && /^[A-Z]{3}$/.test(String(origin[0])))
  assert.deepEqual(
    schemaOfBlock(block).map((field) => field.name),
    ['delay', 'origin'],
  )
})

test('a column that is not there is named', async () => {
  await assert.rejects(
    describeFiles(sourceOf(flights, { columns: ['dleay'] })),
    /no column "dleay"; it has date/,
  )
})

test('files of one dataset may lack columns, and may have narrower types', async () => {
  const mixed = path.join(folder, 'mixed')
  await writeParquetFile(blockOfColumns({ a: Int32Array.of(1) }), path.join(mixed, '1.parquet'))
  const wider = blockOfColumns({ b: ['x'], a: Float64Array.of(2.5) })
  await writeParquetFile(wider, path.join(mixed, '2.parquet'))
  const [block] = await readAll(sourceOf(mixed))
  assert.ok(block)
  assert.deepEqual(rowsOfBlock(block), [
    { a: 1, b: null },
    { a: 2.5, b: 'x' },
  ])
  await writeParquetFile(blockOfColumns({ a: ['x'] }), path.join(mixed, '3.parquet'))
  await assert.rejects(
    describeFiles(sourceOf(mixed)),
    /disagree about column "a": it is INTEGER in .*1\.parquet and VARCHAR in .*3\.parquet/,
  )
})

test('a column without values in some files has the type that it has in the others', async () => {
  const mixed = path.join(folder, 'nulls')
  const values = [[1, 2], 'x', { b: 1 }, new Date(0), 5n]
  const files = values.map((value) => blockOfColumns({ a: [null, value], n: Int32Array.of(1, 2) }))
  for (const [i, block] of files.entries()) {
    const of = path.join(mixed, String(i))
    const nulls = blockOfColumns({ a: [null, null], n: Int32Array.of(3, 4) })
    await writeParquetFile(nulls, path.join(of, '0.parquet'))
    await writeParquetFile(block, path.join(of, '1.parquet'))
    const none = blockOfColumns({ a: [], n: new Int32Array(0) })
    await writeParquetFile(none, path.join(of, '2.parquet'))
    await writeParquetFile(block, path.join(of, '3.parquet'))
    const rows = (await readAll(sourceOf(of))).flatMap((each) => rowsOfBlock(each))
    const expected = [null, null, null, values[i], null, values[i]].map((a, at) => {
      return { a, n: [3, 4, 1, 2, 1, 2][at] }
    })
    assert.deepEqual(rows, expected)
  }
})
