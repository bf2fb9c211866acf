import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import {
  Dataset,
  type FilenameProvider,
  readCsv,
  readJson,
  readParquet,
  Tensor,
  type WriteParquetOptions,
} from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { partName } from '../../src/data/datasource/part-files.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import type { Source } from '../../src/data/logical/plan.js'
import { rowsOf, temporaryFolder } from './read-in-process.js'

const folder = temporaryFolder('write')

function start<R extends object>(source: Source): Dataset<R> {
  return new Dataset<R>(new DatasetSession(new InProcessRunner()), { source, steps: [] })
}

const rows = Array.from({ length: 2500 }, (_, i) => ({
  n: i,
  word: i % 7 === 0 ? null : `wörd,"${i % 3}"`,
  at: new Date(Date.UTC(2024, 0, 1 + (i % 20), 3, 4, 5, 6)),
  kind: i % 4 === 0 ? null : `a/${i % 3}`,
}))
const dataset = () => start<(typeof rows)[number]>({ kind: 'items', rows })

test('what is written is read back in order, in every format', async () => {
  for (const compression of ['none', 'gzip'] as const) {
    const csv = await dataset().writeCsv(path.join(folder, `csv-${compression}`), { compression })
    assert.equal(csv.length, 3)
    assert.deepEqual(await rowsOf(readCsv(csv, { int64: 'number' })), rows)
    const json = await dataset().writeJson(path.join(folder, `json-${compression}`), {
      compression,
    })
    assert.deepEqual(await rowsOf(readJson(json, { int64: 'number' })), rows)
  }
  for (const compression of ['snappy', 'zstd', 'gzip', 'brotli', 'lz4', 'none'] as const) {
    const to = path.join(folder, `parquet-${compression}`)
    const parquet = await dataset().writeParquet(to, { compression })
    assert.deepEqual(
      parquet.map((file) => path.basename(file)),
      ['part-00000.parquet', 'part-00001.parquet', 'part-00002.parquet'],
    )
    assert.deepEqual(await rowsOf(readParquet(to)), rows)
    assert.deepEqual(
      fs.readdirSync(to),
      parquet.map((file) => path.basename(file)),
    )
  }
})

test('JSON has null for numbers that it cannot say, wherever they are', async () => {
  const odd = [
    { a: NaN, list: [1, NaN], inner: { x: -Infinity, 'y z': [{ deep: Infinity }] }, k: 'a' },
    { a: 1.5, list: null, inner: null, k: 'b' },
  ]
  const said = [
    { a: null, list: [1, null], inner: { x: null, 'y z': [{ deep: null }] }, k: 'a' },
    { a: 1.5, list: null, inner: null, k: 'b' },
  ]
  const map = new Map([['m', NaN]])
  const parsed = (files: readonly string[]): unknown[] => {
    const lines = files.flatMap((file) => fs.readFileSync(file, 'utf8').trim().split('\n'))
    return lines.map((line) => JSON.parse(line) as unknown)
  }
  const write = (items: typeof odd, to: string, options = {}) => {
    return start<object>({ kind: 'items', rows: items }).writeJson(path.join(folder, to), options)
  }
  assert.deepEqual(parsed(await write(odd, 'finite')), said)
  const divided = await write(odd, 'finite-divided', { partitionCols: ['k'] })
  assert.deepEqual(
    parsed(divided),
    said.map(({ k: _k, ...rest }) => rest),
  )
  const maps = start<object>({ kind: 'items', rows: [{ map }, { map: null }] })
  const files = await maps.writeJson(path.join(folder, 'finite-maps'))
  assert.deepEqual(parsed(files), [{ map: { m: null } }, { map: null }])
})

test('columns become folders, and are read back out of them', async () => {
  const to = path.join(folder, 'partitioned')
  await dataset().writeParquet(to, { partitionCols: ['kind'] })
  assert.deepEqual(fs.readdirSync(to).sort(), [
    'kind=__HIVE_DEFAULT_PARTITION__',
    'kind=a%2F0',
    'kind=a%2F1',
    'kind=a%2F2',
  ])
  const back = await rowsOf(readParquet(to))
  back.sort((a, b) => Number(a.n) - Number(b.n))
  assert.deepEqual(back, rows)
  const json = path.join(folder, 'partitioned-json')
  const files = await dataset().writeJson(json, { partitionCols: ['kind'], compression: 'gzip' })
  assert.equal(files.length, 12)
  const fromJson = await rowsOf(readJson(json, { int64: 'number' }))
  fromJson.sort((a, b) => Number(a.n) - Number(b.n))
  assert.deepEqual(fromJson, rows)
  const plain = await dataset().writeJson(path.join(folder, 'plain-json'))
  const divided = await dataset().writeJson(json, { partitionCols: ['kind'] })
  const [line = ''] = fs.readFileSync(divided[0] ?? '', 'utf8').split('\n')
  assert.ok(fs.readFileSync(plain[0] ?? '', 'utf8').startsWith(line.slice(0, -1)))
  await assert.rejects(
    dataset().writeParquet(path.join(folder, 'none'), { partitionCols: ['knd'] }),
    /writeParquet: there is no column "knd"; the columns are n, word, at, kind/,
  )
})

test('a folder that has parts is overwritten, added to, refused or left alone', async () => {
  const to = path.join(folder, 'modes')
  await dataset().writeCsv(to)
  const few = start<{ n: number }>({ kind: 'items', rows: [{ n: 1 }] })
  await assert.rejects(few.writeCsv(to, { mode: 'error' }), /has 3 parts already/)
  assert.deepEqual(await few.writeCsv(to, { mode: 'ignore' }), [])
  await few.writeCsv(to)
  assert.deepEqual(fs.readdirSync(to), ['part-00000.csv'])
  await start({ kind: 'items', rows: [{ n: 2 }] }).writeCsv(to, { mode: 'append' })
  assert.deepEqual(await rowsOf(readCsv(to, { int64: 'number' })), [{ n: 1 }, { n: 2 }])
})

test('a write that fails leaves the folder as it was', async () => {
  const to = path.join(folder, 'failed')
  const broken = dataset().map((row) => {
    if (row.n === 2400) throw new Error('broken')
    return row
  })
  await assert.rejects(broken.writeParquet(to), /broken/)
  assert.equal(fs.existsSync(to), false)
  await start({ kind: 'items', rows: [{ n: 1 }] }).writeParquet(to)
  await assert.rejects(broken.writeParquet(to), /broken/)
  assert.deepEqual(fs.readdirSync(to), ['part-00000.parquet'])
  assert.deepEqual(await rowsOf(readParquet(to)), [{ n: 1 }])
})

test('a write that comes to nothing leaves no folders, and none is made of a file', async () => {
  const outer = path.join(folder, 'nothing')
  const to = path.join(outer, 'in', 'here')
  const broken = dataset().map((row) => {
    if (row.n === 2000) throw new Error('no')
    return row
  })
  await assert.rejects(broken.writeParquet(to), /Error: no/)
  assert.equal(fs.existsSync(outer), false)
  fs.mkdirSync(outer)
  await assert.rejects(broken.writeCsv(to), /Error: no/)
  assert.deepEqual(fs.readdirSync(outer), [])
  const file = path.join(outer, 'file')
  fs.writeFileSync(file, 'x')
  await assert.rejects(dataset().writeJson(file), /nothing\/file is a file/)
  await assert.rejects(dataset().writeJson(`${file}/below`), /file\/below cannot be written to/)
  await assert.rejects(
    dataset().writeJson('/proc/here'),
    /\/proc\/here cannot be written to: ENOENT/,
  )
})

test('no rows and no columns are nothing to write', async () => {
  const to = path.join(folder, 'no-columns')
  assert.deepEqual(await start({ kind: 'items', rows: [] }).writeParquet(to), [])
  assert.deepEqual(await dataset().writeCsv(to), await dataset().writeCsv(to))
  assert.deepEqual(await start({ kind: 'items', rows: [] }).writeCsv(to), [])
})

test('blocks of few rows share a file, and those of many are divided', async () => {
  const write = async (name: string, options: WriteParquetOptions) => {
    const ten = start<{ n: number }>({
      kind: 'items',
      rows: rows.map(({ n }) => ({ n })),
      blocks: 10,
    })
    const to = path.join(folder, name)
    const files = await ten.writeParquet(to, options)
    assert.deepEqual(
      (await rowsOf(readParquet(to))).map(({ n }) => n),
      rows.map(({ n }) => n),
    )
    assert.deepEqual([...files].sort(), files)
    const lengths = await Promise.all(
      files.map(async (file) => (await rowsOf(readParquet(file))).length),
    )
    return lengths.join()
  }
  assert.equal(await write('min', { minRowsPerFile: 600 }), '750,750,750,250')
  assert.equal(
    await write('max', { maxRowsPerFile: 100 }),
    Array(30).fill([100, 100, 50]).flat().slice(0, 30).join(),
  )
  assert.equal(
    await write('both', { minRowsPerFile: 500, maxRowsPerFile: 500 }),
    '500,500,500,500,500',
  )
  assert.equal(await write('all', { minRowsPerFile: 1e9, concurrency: 1 }), '2500')
  await assert.rejects(write('none', { minRowsPerFile: 2, maxRowsPerFile: 1 }), /is 2, above maxR/)
})

test('files are called as the provider says, with the modes that there are', async () => {
  const to = path.join(folder, 'named')
  const seen = new Set<string>()
  const filenameProvider: FilenameProvider = {
    getFilenameForBlock: (block, { writeUuid, taskIndex, blockIndex }) => {
      seen.add(writeUuid)
      return `${taskIndex}-${blockIndex}-${block.numRows}.csv`
    },
  }
  const files = await dataset().writeCsv(to, { filenameProvider, maxRowsPerFile: 800 })
  assert.equal(seen.size, 1)
  const names = ['0-0-800', '0-1-33', '1-0-800', '1-1-33', '2-0-800', '2-1-34']
  assert.deepEqual(
    files.map((file) => path.basename(file, '.csv')),
    names,
  )
  assert.deepEqual(await rowsOf(readCsv(to, { int64: 'number' })), rows)
  await assert.rejects(dataset().writeCsv(to, { filenameProvider }), /has 6 parts already/)
  await dataset().writeCsv(to, { filenameProvider, mode: 'overwrite' })
  assert.deepEqual(fs.readdirSync(to), ['0-0-833.csv', '1-0-833.csv', '2-0-834.csv'])
  await assert.rejects(
    dataset().writeCsv(to, { filenameProvider, mode: 'append' }),
    /filenameProvider names two files .*0-0-833\.csv/,
  )
  const same = { getFilenameForBlock: () => 'same.csv' }
  await assert.rejects(
    dataset().writeCsv(path.join(folder, 'same'), { filenameProvider: same }),
    /two files/,
  )
  for (const name of ['.hidden.csv', 'a/b.csv', 'a.parquet', '']) {
    const bad = { filenameProvider: { getFilenameForBlock: () => name } }
    await assert.rejects(dataset().writeCsv(path.join(folder, 'bad'), bad), /filenameProvider gave/)
  }
  assert.equal(fs.existsSync(path.join(folder, 'bad')), false)
  assert.throws(
    () => dataset().writeCsv(to, { filenameProvider: {} as FilenameProvider }),
    /no method getFilenameForBlock/,
  )
})

test('options of Ray that mean nothing here say what does', async () => {
  for (const option of ['numRowsPerFile', 'tryCreateDir', 'arrowParquetArgs', 'rayRemoteArgs']) {
    await assert.rejects(
      async () => dataset().writeParquet(folder, { [option]: 1 }),
      new RegExp(`writeParquet: there is no option '${option}': `),
    )
  }
  await assert.rejects(
    async () => dataset().writeParquet(folder, { mode: 'upsert' as 'append' }),
    /mode must be one of 'overwrite', 'append', 'error', 'ignore'/,
  )
})

test('names of parts sort as their numbers do', () => {
  const numbers = [0, 9, 99_999, 100_000, 999_999, 1_000_000, 12_345_678]
  const names = numbers.map((index) => partName('part-', index))
  assert.deepEqual([...names].sort(), names)
})

test('a sink of the user gets every block, and hears of the end', async () => {
  const heard: unknown[] = []
  const sink = {
    name: 'counter',
    onWriteStart: () => void heard.push('start'),
    write: (block: { numRows: number }, { index }: { index: number }) => [index, block.numRows],
    onWriteComplete: (results: unknown) => void heard.push(results),
    onWriteFailed: (error: unknown) => void heard.push(String(error)),
  }
  const results = await dataset().writeDatasink(sink)
  assert.deepEqual(results, [
    [0, 833],
    [1, 833],
    [2, 834],
  ])
  assert.deepEqual(heard, ['start', results])
  const broken = { ...sink, write: () => { throw new Error('full') } } // prettier-ignore
  await assert.rejects(dataset().writeDatasink(broken), /full/)
  assert.match(String(heard.at(-1)), /full/)
})

test('a source of the user gives tables, columns, rows, or several of them', async () => {
  const datasource = {
    name: 'mine',
    getReadTasks: (parallelism: number) => [
      { read: () => [{ n: parallelism }, { n: 1 }] },
      { read: () => ({ n: Float64Array.of(2, 3) }) },
      {
        async *read() {
          yield [{ n: 4 }]
          yield { n: [5] }
        },
      },
    ],
  }
  const ds = start<{ n: number }>({ kind: 'datasource', datasource, parallelism: 7 })
  assert.deepEqual(
    (await ds.takeAll()).map(({ n }) => n),
    [7, 1, 2, 3, 4, 5],
  )
  assert.equal(await ds.count(), 6)
  assert.deepEqual(await ds.limit(3).takeAll(), [{ n: 7 }, { n: 1 }, { n: 2 }])
})

test('tensors of numbers', async () => {
  const [, second] = await start<{ data: Tensor }>({
    kind: 'range',
    rows: 3,
    shape: [2, 2],
  }).takeAll()
  assert.deepEqual(second?.data, new Tensor(Float64Array.of(1, 1, 1, 1), [2, 2]))
})
