// What one query of the engine gives and what exchanges between blocks give is the same: files that
// fit in memory go the first way, the blocks of a materialized dataset the second.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import {
  AsList,
  col,
  Count,
  CountDistinct,
  Dataset,
  DataContext,
  Max,
  Mean,
  Min,
  Quantile,
  readCsv,
  readParquet,
  Sum,
} from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { filesOf, temporaryFolder } from './read-in-process.js'

const folder = temporaryFolder('whole-query')

interface Row {
  readonly i: number
  readonly k: string | null
  readonly n: number | null
  readonly big: bigint
  readonly at: Date
}

const rowAt = (i: number): Row => ({
  i,
  k: i % 11 === 0 ? null : `k${(i * 7919) % 5}`,
  n: i % 7 === 0 ? null : ((i * 31) % 13) / 4,
  big: BigInt(i % 3),
  at: new Date(1_600_000_000_000 + (i % 17) * 1000),
})

async function made(runner: InProcessRunner): Promise<Dataset<Row>> {
  const out = path.join(folder, 'rows')
  if (!fs.existsSync(out)) {
    const rows = Array.from({ length: 5000 }, (_, i) => rowAt(i))
    const source = { kind: 'items', rows: rows as never, blocks: 5 } as const
    const session = new DatasetSession(new InProcessRunner())
    await new Dataset(session, { source, steps: [] }).writeParquet(out)
  }
  const plan = { source: filesOf(readParquet(out)), steps: [] }
  return new Dataset<Row>(new DatasetSession(runner), plan)
}

/** The same rows, in blocks that are there. */
async function inBlocks(): Promise<Dataset<Row>> {
  return (await made(new InProcessRunner())).repartition(5).materialize()
}

type Work = (rows: Dataset<Row>) => { takeAll(): Promise<readonly unknown[]> }

const all = [Count(), Sum('n'), Sum('big'), Mean('n'), Min('at'), Max('i')] as const

const works: Readonly<Record<string, Work>> = {
  'a group of computed columns': (rows) =>
    rows
      .filter(col('i').gt(100))
      .withColumn('even', col('i').mod(2))
      .groupBy(['k', 'even'])
      .aggregate(...all),
  'aggregates that need all values': (rows) =>
    rows
      .groupBy('k')
      .aggregate(Quantile('n', { q: 0.25 }), CountDistinct('at'))
      .sort('k'),
  'lists of values': (rows) =>
    rows.filter(col('i').lt(30)).groupBy('k').aggregate(AsList('i')).sort('k'),
  'a group of groups, filtered': (rows) =>
    rows
      .groupBy(['k', 'big'])
      .aggregate(Count(undefined, { alias: 'rows' }))
      .filter(col('k').isNull().not())
      .groupBy('big')
      .aggregate(Sum('rows'), Max('k')),
  'groups in another order': (rows) =>
    rows
      .groupBy(['k', 'big'])
      .aggregate(Count(undefined, { alias: 'rows' }))
      .select(['rows', 'big'])
      .sort('big', { descending: true }),
  'the first of a sort': (rows) => rows.sort('n').limit(40),
  'a sort by several keys': (rows) =>
    rows.sort(['k', 'n'], { descending: [true, false], nulls: 'first' }),
  'a sort by an expression': (rows) =>
    rows.withColumn('n', col('n').mul(-1)).sort(col('n').add(1) as never),
  'a filter, and columns in another order': (rows) =>
    rows.filter(col('n').gt(1)).select(['n', 'i', 'at']).sort('at'),
  'what is left to JavaScript': (rows) =>
    rows
      .groupBy('k')
      .aggregate(Count())
      .map((row) => ({ ...row, twice: Number(row['count()']) * 2 })),
  'nothing at all': (rows) => rows.filter(col('i').lt(0)).groupBy('k').aggregate(Count()),
}

for (const [name, work] of Object.entries(works)) {
  test(`one query and exchanges agree on ${name}`, async () => {
    const runner = new InProcessRunner()
    const result = await work(await made(runner)).takeAll()
    assert.equal(runner.tasks.length, 1, runner.tasks.join('; '))
    assert.deepEqual(result, await work(await inBlocks()).takeAll())
  })
}

for (const how of ['inner', 'left_outer', 'right_outer', 'full_outer', 'left_semi'] as const) {
  test(`one query and exchanges agree on a group of a join, ${how}`, async () => {
    const work = (left: Dataset<Row>, right: Dataset<Row>) => {
      const few = right.filter(col('i').lt(50)).select(['i', 'k'])
      const joined = left.filter(col('i').gt(20)).join(few, { on: 'i', how, rightSuffix: '_r' })
      return joined.groupBy('k').aggregate(Count(), Sum('i'))
    }
    const runner = new InProcessRunner()
    const result = await work(await made(runner), await made(runner)).takeAll()
    assert.equal(runner.tasks.length, 1, runner.tasks.join('; '))
    const blocks = await inBlocks()
    assert.deepEqual(result, await work(blocks, blocks).takeAll())
  })
}

test('groups of lines of text are sorted, and lines themselves are by an exchange', async () => {
  const out = path.join(folder, 'lines')
  await (await made(new InProcessRunner())).select(['k', 'i']).writeCsv(out)
  const runner = new InProcessRunner()
  const lines = new Dataset<Row>(new DatasetSession(runner), {
    source: filesOf(readCsv(out)),
    steps: [],
  })
  const groups = await lines.groupBy('k').aggregate(Count()).sort('k').takeAll()
  assert.equal(runner.tasks.length, 1)
  assert.deepEqual(groups, await (await inBlocks()).groupBy('k').aggregate(Count()).takeAll())
  const sorted = await lines.sort('i').takeAll()
  assert.deepEqual(
    sorted.map(({ i }) => Number(i)),
    Array.from({ length: 5000 }, (_, i) => i),
  )
})

test('rows that are few are written by the engine itself, as one file in their order', async () => {
  const runner = new InProcessRunner()
  const rows = await made(runner)
  for (const [name, ds] of Object.entries({
    filtered: rows.filter(col('i').mod(3).eq(0)).select(['i', 'k', 'at']),
    sorted: rows.sort('k').select(['k', 'i', 'at']),
  })) {
    runner.tasks.length = 0
    const out = path.join(folder, name)
    const files = await ds.writeParquet(out)
    assert.deepEqual(
      files.map((file) => path.basename(file)),
      ['part-00000.parquet'],
    )
    assert.equal(runner.tasks.length, 1)
    const written = new Dataset(new DatasetSession(new InProcessRunner()), {
      source: filesOf(readParquet(out)),
      steps: [],
    })
    assert.deepEqual(await written.takeAll(), await ds.takeAll())
    assert.deepEqual(fs.readdirSync(out), ['part-00000.parquet'])
  }
})

test('what the engine cannot write is told as the longer way tells it', async () => {
  const rows = await made(new InProcessRunner())
  const broken = rows.select({ day: col('k').cast('timestamp') })
  await assert.rejects(broken.writeParquet(path.join(folder, 'broken')), /select\(.*failed/)
  assert.ok(!fs.existsSync(path.join(folder, 'broken')))
})

test('a column that is not there is named with the step that asked for it', async () => {
  const rows = await made(new InProcessRunner())
  await assert.rejects(
    rows.groupBy('k').aggregate(Sum('nix')).takeAll(),
    /There is no column "nix"/,
  )
  await assert.rejects(rows.sort(col('nix')).limit(2).takeAll(), /There is no column "nix"/)
})

test('where blocks may fail, files are not all one query', async () => {
  const context = DataContext.getCurrent()
  context.maxErroredBlocks = 1
  try {
    const runner = new InProcessRunner()
    await (await made(runner)).groupBy('k').aggregate(Count()).takeAll()
    assert.ok(runner.tasks.length > 1)
  } finally {
    context.maxErroredBlocks = 0
  }
})
