import { inspect } from 'node:util'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { Dataset } from './dataset.js'
import { DatasetSession } from './dataset-session.js'
import { InProcessRunner } from './execution/in-process-runner.js'
import type { Source } from './logical/plan.js'
import type { AnyRow } from './planned-dataset.js'
import { fromItems } from './read.js'
import { readParquet } from './read-files.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'typeray-dataset-'))
after(() => fs.rmSync(folder, { recursive: true }))
const datasets = path.dirname(createRequire(import.meta.url).resolve('vega-datasets'))
const flights = path.join(datasets, '../data/flights-3m.parquet')

function start<R = AnyRow>(source: Source, runner = new InProcessRunner()) {
  return { runner, ds: new Dataset<R>(new DatasetSession(runner), { source, steps: [] }) }
}

const numbers = (rows: number) => start<{ id: number }>({ kind: 'range', rows })

const parquet = (columns?: readonly string[]) =>
  start<{ delay: number; origin: string }>({
    kind: 'files',
    operator: 'readParquet',
    format: { kind: 'parquet', int64: 'number' },
    paths: [flights],
    columns,
    limit: Number.POSITIVE_INFINITY,
  })

test('map, filter and mapBatches give what arrays would, in order', async () => {
  const { ds, runner } = numbers(10_000)
  const rows = await ds
    .map(({ id }) => ({ id, half: id / 2 }))
    .filter(({ half }) => Number.isInteger(half))
    .mapBatches(({ id, half }) => ({ sum: Float64Array.from(id, (v, i) => v + (half[i] ?? 0)) }))
    .takeAll()
  const expected = Array.from({ length: 5000 }, (_, i) => ({ sum: 2 * i + i }))
  assert.deepEqual(rows, expected)
  assert.deepEqual(
    new Set(runner.tasks),
    new Set(['range -> map(anonymous) -> filter(anonymous) -> mapBatches(anonymous)']),
  )
})

test('batches have the size asked for, the last one of a task fewer', async () => {
  const { ds } = numbers(8000)
  const sizes = ds.mapBatches(({ id }) => ({ n: [id.length] }), { batchSize: 300 })
  const seen = (await sizes.takeAll()).map(({ n }) => n)
  assert.deepEqual(seen.slice(0, 4), [300, 300, 300, 100])
  const lengths: number[] = []
  let next = 0
  for await (const { id } of ds.iterBatches({ batchSize: 3000 })) {
    lengths.push(id.length)
    for (const value of id) assert.equal(value, next++)
  }
  assert.deepEqual(lengths, [3000, 3000, 2000])
})

test('arrow batches are tables in and out', async () => {
  const { ds } = numbers(2000)
  const sliced = ds.mapBatches<{ id: number }>((table) => table.slice(0, 1), {
    batchFormat: 'arrow',
  })
  assert.deepEqual(await sliced.takeAll(), [{ id: 0 }, { id: 1000 }])
})

test('a batch function may be async and may change the number of rows', async () => {
  const { ds } = numbers(10)
  const doubled = ds.mapBatches(async ({ id }) => ({ id: [...id, ...id] }))
  assert.equal(await doubled.count(), 20)
})

test('take reads no more than it must, from files and behind a filter', async () => {
  const { ds, runner } = parquet()
  assert.equal((await ds.map(({ origin }) => ({ origin })).take(5)).length, 5)
  assert.equal(runner.tasks.length, 1)
  const filtered = numbers(100_000)
  const rows = await filtered.ds.filter(({ id }) => id % 2 === 1).take(3)
  assert.deepEqual(rows, [{ id: 1 }, { id: 3 }, { id: 5 }])
  assert.ok(filtered.runner.tasks.length <= 4, `ran ${filtered.runner.tasks.length} tasks`)
})

test('limits in the middle of a plan cut the rows, not the blocks', async () => {
  const { ds } = numbers(10_000)
  const limited = ds.filter(({ id }) => id % 2 === 0).limit(1500)
  const rows = await limited.map(({ id }) => ({ id })).takeAll()
  assert.equal(rows.length, 1500)
  assert.deepEqual(rows.at(-1), { id: 2998 })
  assert.equal((await limited.limit(0).takeAll()).length, 0)
})

test('counting a file, and a selection of it, reads no data', async () => {
  const { ds, runner } = parquet()
  assert.equal(await ds.count(), 3_000_000)
  assert.equal(await ds.selectColumns(['origin']).limit(10).count(), 10)
  assert.deepEqual(runner.tasks, [])
  assert.deepEqual(await ds.columns(), ['date', 'delay', 'distance', 'origin', 'destination'])
  assert.deepEqual(await ds.selectColumns(['delay']).schema(), {
    names: ['delay'],
    types: ['Float64'],
  })
  assert.deepEqual(runner.tasks, [])
})

test('a count behind a function runs the function and moves no rows', async () => {
  const { ds, runner } = numbers(5000)
  assert.equal(await ds.filter(({ id }) => id < 10).count(), 10)
  assert.ok(runner.tasks.every((name) => name.endsWith('-> count')))
})

test('a slow consumer stops the readers, one that leaves cancels them', async () => {
  const { ds, runner } = numbers(100_000)
  const batches = ds.iterBatches()
  await batches.next()
  assert.ok(runner.unreadMax <= 4, `${runner.unreadMax} blocks were ahead`)
  await batches.return()
  assert.ok(runner.cancelled > 0)
  assert.ok(runner.tasks.length <= 5)
})

test('steps that want other resources get tasks of their own', async () => {
  const { ds, runner } = numbers(2000)
  const one = ds.map(({ id }) => ({ id }), { concurrency: 1 })
  const two = one.map(({ id }) => ({ id: id + 1 }), { concurrency: 2 })
  assert.deepEqual(await two.take(1), [{ id: 1 }])
  assert.deepEqual(new Set(runner.tasks), new Set(['range -> map(anonymous)', 'map(anonymous)']))
})

test('a method of Ray that is not built says so', () => {
  const ds = numbers(1).ds as unknown as Record<string, () => void>
  assert.throws(() => ds['writeNumpy']?.(), /Dataset\.writeNumpy is not built/)
  assert.throws(() => ds['toPandas']?.(), /There is no Dataset\.toPandas: toColumns\(\) gives/)
})

test('a console shows the columns of a batch', async () => {
  for await (const batch of numbers(3).ds.iterBatches({ batchFormat: 'columns' })) {
    assert.match(inspect(batch), /id: .*\[ 0, 1, 2 \]/)
    assert.deepEqual(Object.keys(batch), ['id'])
  }
})

test('an error names the operator and keeps the error of the user', async () => {
  const { ds } = numbers(10)
  const failing = ds.mapBatches(function explode(): { id: number[] } {
    throw new TypeError('no')
  })
  await assert.rejects(failing.takeAll(), (error: Error) => {
    assert.match(
      error.message,
      /mapBatches\(explode\) failed in rows 0 to 9 of range: TypeError: no/,
    )
    return error.cause instanceof TypeError
  })
  const wrong = numbers(10).ds.mapBatches((() => 5) as never)
  await assert.rejects(wrong.takeAll(), /must return an object of columns, and returned a number/)
  const promised = numbers(10).ds.filter((async () => false) as never)
  await assert.rejects(promised.takeAll(), /returned a promise/)
})

test('writing makes one file per block, replaces what was there, and reads back', async () => {
  const out = path.join(folder, 'out')
  const { ds } = numbers(5000)
  const files = await ds.writeParquet(out)
  assert.equal(files.length, 5)
  assert.equal(path.basename(files[4] ?? ''), 'part-00004.parquet')
  await ds.limit(1500).writeParquet(out)
  assert.equal(fs.readdirSync(out).length, 2)
  const source = {
    kind: 'files',
    operator: 'readParquet',
    format: { kind: 'parquet', int64: 'bigint' },
    paths: [out],
    columns: undefined,
    limit: 1e9,
  } as const
  const back = start<{ id: number }>(source).ds
  assert.deepEqual((await back.takeAll()).at(-1), { id: 1499 })
  await assert.rejects(back.writeParquet(out), /write to another folder/)
})

test('a materialized dataset is computed once', async () => {
  const { ds, runner } = numbers(5000)
  const done = await ds.map(({ id }) => ({ id })).materialize()
  const ran = runner.tasks.length
  assert.equal(await done.count(), 5000)
  assert.deepEqual(await done.columns(), ['id'])
  assert.equal((await done.takeAll()).length, 5000)
  assert.equal(runner.tasks.length, ran)
  assert.equal(await done.numBlocks(), 5)
  assert.match(String(done.stats()), /range -> map\(anonymous\): 5 tasks, 5000 rows/)
})

test('progress is told block by block', async () => {
  const told: number[] = []
  await numbers(3000)
    .ds.map((row) => row)
    .count({ onProgress: ({ rows }) => told.push(rows) })
  assert.deepEqual(told, [1000, 2000, 3000])
})

test('plain values become the column item', async () => {
  const rows = [{ item: 'a' }, { item: null }]
  assert.deepEqual(await start({ kind: 'items', rows }).ds.takeAll(), rows)
  assert.deepEqual(await start({ kind: 'items', rows: [] }).ds.takeAll(), [])
})

test('options are checked at the call', () => {
  const { ds } = numbers(1)
  assert.throws(() => ds.mapBatches((b) => b, { batchSize: 0 }), /batchSize must be at least 1/)
  assert.throws(() => ds.limit(-1), /whole number/)
  assert.throws(() => ds.stats(), /not been executed/)
})

test('refuses options that do not exist, and says which are to come', async () => {
  const rows = fromItems([{ a: 1 }])
  const refused: [() => unknown, RegExp][] = [
    [() => rows.mapBatches((b) => b, { batchSiz: 1 } as object), /Did you mean 'batchSize'/],
    [() => rows.mapBatches((b) => b, { compute: 1 } as object), /the option concurrency/],
    [() => rows.map((row) => row, { batchSize: 1 } as object), /map: 'batchSize' is not an option/],
    [() => readParquet('x.parquet', { column: ['a'] } as object), /Did you mean 'columns'/],
  ]
  for (const [call, message] of refused) assert.throws(call, message)
  await assert.rejects(
    rows.writeParquet('/nowhere', { partitionCols: ['a'], mode: 'ignore' }),
    /no column is left/,
  )
  await assert.rejects(rows.iterBatches({ size: 1 } as object).next(), /'size' is not an option/)
})

test('a union has the rows of its parts in order, and knows their number', async () => {
  const { ds, runner } = numbers(2500)
  const both = ds.union(numbers(3).ds, ds.limit(2))
  assert.equal(await both.count(), 2505)
  assert.deepEqual(runner.tasks, [])
  const ids = (await both.map(({ id }) => ({ id: id + 1 })).takeAll()).map(({ id }) => id)
  assert.deepEqual(ids.slice(2498), [2499, 2500, 1, 2, 3, 1, 2])
  assert.equal(await both.numBlocks(), 5)
  assert.deepEqual((await both.limit(2502).takeAll()).slice(2500), [{ id: 0 }, { id: 1 }])
})
