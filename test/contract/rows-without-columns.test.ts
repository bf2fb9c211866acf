// Rows that have no column are rows all the same: they are counted, moved and divided, until
// something is asked of them that they have not.

import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { col, Count, Dataset, fromItems, lit, range, readJson, udf } from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { temporaryFolder, writeFiles } from './read-in-process.js'

const here = <R>(dataset: Dataset<R>): Dataset<R> =>
  new Dataset<R>(new DatasetSession(new InProcessRunner()), dataset.plan)

const ten = (): Dataset<{ id: number }> => here(range(10, { overrideNumBlocks: 3 }))
const nothing = Array.from({ length: 10 }, () => ({}))

const waysToNothing: Readonly<Record<string, () => Dataset<object>>> = {
  map: () => ten().map(() => ({})),
  'async map': () => ten().map(async () => ({})),
  flatMap: () => here(range(5, { overrideNumBlocks: 2 })).flatMap(() => [{}, {}]),
  'batches of rows': () =>
    ten().mapBatches((rows) => rows.map(() => ({})), { batchFormat: 'rows' }),
  'small batches': () => {
    const options = { batchFormat: 'rows', batchSize: 3 } as const
    return ten().mapBatches((rows) => rows.map(() => ({})), options)
  },
  'batches of Arrow': () => ten().mapBatches((table) => table.select([]), { batchFormat: 'arrow' }),
  dropColumns: () => ten().dropColumns(['id']),
}

for (const [way, make] of Object.entries(waysToNothing)) {
  test(`rows are counted and moved when ${way} leaves them without a column`, async () => {
    assert.equal(await make().count(), 10)
    const same: Readonly<Record<string, (ds: Dataset<object>) => Dataset<object>>> = {
      nothing: (ds) => ds,
      filter: (ds) => ds.filter(() => true),
      expression: (ds) => ds.filter(lit(1).eq(1)),
      map: (ds) => ds.map((row) => row),
      mapBatches: (ds) => ds.mapBatches((rows) => rows, { batchFormat: 'rows' }),
      shuffle: (ds) => ds.randomShuffle({ seed: 1 }),
      order: (ds) => ds.randomizeBlockOrder({ seed: 1 }),
      repartition: (ds) => ds.repartition(2),
      'repartition by rows': (ds) => ds.repartition({ targetNumRowsPerBlock: 4 }),
      'rows in random order': (ds) => ds.repartition(2, { shuffle: true, seed: 1 }),
      union: (ds) => ds.limit(4).union(ds.limit(6)),
      sample: (ds) => ds.randomSample(1),
      zip: (ds) => ds.zip(ds),
      'zip with columns': (ds) => ds.zip(ten()).dropColumns(['id']),
    }
    for (const [operator, run] of Object.entries(same)) {
      assert.deepEqual(await run(make()).takeAll(), nothing, operator)
      assert.equal(await run(make()).count(), 10, operator)
    }
    assert.equal(await make().filter(lit(1).eq(2)).count(), 0)
    assert.equal(await make().limit(7).count(), 7)
    assert.equal(await (await make().materialize()).count(), 10)
    assert.equal((await make().toArrow()).numRows, 10)
    const parts = await make().splitAtIndices([3])
    assert.deepEqual(await Promise.all(parts.map((part) => part.count())), [3, 7])
    assert.deepEqual(await make().aggregate(Count()), { 'count()': 10 })
    let rows = 0
    const options = { batchFormat: 'rows', batchSize: 4, localShuffleBufferSize: 6 } as const
    for await (const batch of make().iterBatches(options)) rows += batch.length
    assert.equal(rows, 10)
  })

  test(`columns are added when ${way} leaves none`, async () => {
    const numbered = make().withColumn('one', lit(1)) as Dataset<object>
    assert.deepEqual(
      await numbered.takeAll(),
      nothing.map(() => ({ one: 1 })),
    )
    const counted = make().map((_row) => ({ two: 2 }))
    assert.equal(await counted.sum('two'), 20)
    const called = make().withColumn('three', udf<number>(() => [])())
    await assert.rejects(called.takeAll(), /must return one value per row/)
  })
}

test('of blocks of which some have no columns, all rows stay, with nulls', async () => {
  const some = ten().map(({ id }) => (id < 4 ? {} : { id }) as { id: number })
  const expected = Array.from({ length: 10 }, (_, id) => ({ id: id < 4 ? null : id }))
  assert.equal(await some.count(), 10)
  assert.deepEqual(await some.repartition(1).takeAll(), expected)
  assert.deepEqual(await some.repartition(1).filter(col('id').isNull()).count(), 4)
  assert.equal((await some.takeAll()).length, 10)
})

test('items without columns are rows, and lines without keys are refused', async () => {
  assert.equal(await here(fromItems([{}, {}, {}])).count(), 3)
  const folder = writeFiles(temporaryFolder('no-columns'), { 'a.jsonl': '{}\n{}\n{}\n' })
  const lines = here(readJson(path.join(folder, 'a.jsonl')))
  await assert.rejects(lines.count(), /a\.jsonl has no objects with keys/)
})

test('what needs a column says so', async () => {
  const rows = (): Dataset<{ id: number }> => ten().map(() => ({}) as { id: number })
  const missing = /There is no column "id"/
  await assert.rejects(rows().sort('id').takeAll(), missing)
  await assert.rejects(rows().groupBy('id').count().takeAll(), missing)
  await assert.rejects(rows().join(ten(), { on: 'id' }).takeAll(), missing)
  await assert.rejects(rows().select(['id']).takeAll(), missing)
  const folder = temporaryFolder('no-columns')
  await assert.rejects(rows().writeParquet(folder), /rows without columns cannot be written/)
  await assert.rejects(rows().writeJson(folder), /rows without columns cannot be written/)
  assert.throws(() => ten().select([]), /select was given no columns/)
  assert.throws(() => ten().selectColumns([]), /selectColumns was given no columns/)
})
