import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { Dataset, readCsv, readJson, readParquet, Tensor } from '../../src/data/index.js'
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
  for (const compression of ['snappy', 'zstd', 'gzip', 'none'] as const) {
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

test('a write that fails leaves no file that a reader would take for whole', async () => {
  const to = path.join(folder, 'failed')
  const broken = dataset().map((row) => {
    if (row.n === 2400) throw new Error('broken')
    return row
  })
  await assert.rejects(broken.writeParquet(to), /broken/)
  const whole = fs.readdirSync(to).filter((name) => !name.startsWith('.'))
  assert.ok(whole.length < 3)
  for (const name of whole) assert.ok((await rowsOf(readParquet(path.join(to, name)))).length > 0)
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
