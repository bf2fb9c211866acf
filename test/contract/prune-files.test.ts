// Filters by what folders and paths say: files that cannot have rows are not read.

import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { col, Dataset, lit, readCsv, readParquet, readText } from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { filesOf, temporaryFolder, writeFiles } from './read-in-process.js'

const folder = temporaryFolder('prune')
let count = 0
const write = (files: Readonly<Record<string, string | Uint8Array>>): string => {
  return writeFiles(path.join(folder, String(count++)), files)
}

/** The same dataset, run in this process. */
function here<R>(dataset: Dataset<R>): Dataset<R> {
  const plan = { source: filesOf(dataset), steps: [] }
  return new Dataset<R>(new DatasetSession(new InProcessRunner()), plan)
}

/** The column `n`, and how many files were read of how many. */
async function read<R>(dataset: Dataset<R>): Promise<readonly [ns: unknown[], files: string]> {
  const ns = (await dataset.takeAll()).map((row) => Number((row as { n: unknown }).n))
  const { files } = dataset.stats().operators[0] ?? {}
  assert.match(
    await dataset.explain(),
    new RegExp(`; ${files?.read} of ${files?.found} files?$`, 'm'),
  )
  return [ns, `${files?.read} of ${files?.found}`]
}

const years = () => {
  const months = [2022, 2023, 2024].flatMap((year) => [1, 2, 3].map((month) => [year, month]))
  return write(
    Object.fromEntries(
      months.map(([year, month], i) => [`year=${year}/month=${month}/a.csv`, `n,m\n${i},1\n`]),
    ),
  )
}

test('a filter by what folders say reads only the files below those', async () => {
  const ds = here(readCsv(years()))
  assert.deepEqual(await read(ds), [[0, 1, 2, 3, 4, 5, 6, 7, 8], '9 of 9'])
  assert.deepEqual(await read(ds.filter(col('year').eq(2024))), [[6, 7, 8], '3 of 9'])
  const both = ds.filter(col('year').gte(2023)).filter(col('month').eq(3))
  assert.deepEqual(await read(both), [[5, 8], '2 of 9'])
  // Numbers are compared as numbers.
  assert.deepEqual(await read(ds.filter(col('month').gt(2))), [[2, 5, 8], '3 of 9'])
  assert.deepEqual(await read(ds.filter(col('year').isIn([2022, 2024]))), [
    [0, 1, 2, 6, 7, 8],
    '6 of 9',
  ])
})

test('what is asked of columns in the files is left to the rows', async () => {
  const ds = here(readCsv(years()))
  const part = col('year').eq(2024).and(col('n').gt(6))
  assert.deepEqual(await read(ds.filter(part)), [[7, 8], '3 of 9'])
  const either = col('year')
    .eq(2024)
    .and(col('n').eq(7))
    .or(col('month').eq(1).and(col('n').gte(0)))
  assert.deepEqual(await read(ds.filter(either)), [[0, 3, 6, 7], '5 of 9'])
  assert.deepEqual(await read(ds.filter(col('year').eq(2024).or(col('n').eq(0)))), [
    [0, 6, 7, 8],
    '9 of 9',
  ])
  assert.deepEqual(await read(ds.filter(col('n').lt(2))), [[0, 1], '9 of 9'])
  assert.deepEqual(await read(ds.filter(lit(true))), [[0, 1, 2, 3, 4, 5, 6, 7, 8], '9 of 9'])
  const computed = ds.withColumn('next', col<number>('year').add(1)).filter(col('next').eq(2025))
  assert.deepEqual(await read(computed), [[6, 7, 8], '3 of 9'])
})

test('where no folder fits there are no rows, and all columns', async () => {
  const none = here(readCsv(years())).filter(col('year').eq(1999))
  assert.deepEqual(await read(none), [[], '0 of 9'])
  assert.equal(await none.count(), 0)
})

test('columns and their types do not depend on the filter', async () => {
  const own = write({
    'k=a/1.csv': 'n,late\n1,x\n',
    'k=b/1.csv': 'n\n2.5\n',
    'k=7/1.csv': 'n\n3\n',
  })
  const ds = here(readCsv(own)).filter(col('k').eq('b'))
  assert.deepEqual(await ds.takeAll(), [{ n: 2.5, late: null, k: 'b' }])
  // One of the folders is no number, so none is.
  const seven = here(readCsv(own)).filter(col('k').eq('7'))
  assert.deepEqual(await seven.takeAll(), [{ n: 3, late: null, k: '7' }])
  assert.equal(seven.stats().operators[0]?.files?.read, 1)
})

test('a column in the files counts, and not the folder of that name', async () => {
  const own = write({ 'k=1/a.csv': 'n,k\n1,2\n', 'k=2/a.csv': 'n,k\n2,1\n' })
  assert.deepEqual(await read(here(readCsv(own)).filter(col('k').eq(1))), [[2], '2 of 2'])
})

test('nulls, folders by their place, paths and text', async () => {
  const hive = '__HIVE_DEFAULT_PARTITION__'
  const own = write({ [`k=${hive}/a.csv`]: 'n\n1\n', 'k=x/a.csv': 'n\n2\n', 'k=y/b.csv': 'n\n3\n' })
  const ds = here(readCsv(own, { includePaths: true }))
  assert.deepEqual(await read(ds.filter(col('k').isNull())), [[1], '1 of 3'])
  assert.deepEqual(await read(ds.filter(col('k').ne('x'))), [[3], '1 of 3'])
  assert.deepEqual(await read(ds.filter(col('path').str.endsWith('b.csv'))), [[3], '1 of 3'])
  const partitioning = { style: 'dir', fieldNames: ['kind'], baseDir: own } as const
  const texts = here(readText(own, { partitioning })).filter(col('kind').eq('k=y'))
  assert.deepEqual(
    (await texts.takeAll()).map(({ text }) => text),
    ['n', '3'],
  )
  assert.equal(texts.stats().operators[0]?.files?.read, 1)
})

test('what cannot be computed of a folder is the error of the filter', async () => {
  const own = write({ 'k=x/a.csv': 'n\n1\n', 'k=2/a.csv': 'n\n2\n' })
  const ds = here(readCsv(own)).filter(col('k').cast('int64').gt(1))
  await assert.rejects(ds.takeAll(), /filter\(.*cast\(k, int64\).*Could not convert string 'x'/)
})

test('a limit and a filter of partitions count the files that are read', async () => {
  const own = path.join(folder, String(count++))
  const items = {
    kind: 'items',
    rows: Array.from({ length: 40 }, (_, n) => ({ n, k: n % 4 })),
  } as const
  const made = new Dataset(new DatasetSession(new InProcessRunner()), { source: items, steps: [] })
  await made.writeParquet(own, { partitionCols: ['k'] })
  const ds = here(readParquet(own))
  assert.deepEqual(await read(ds.filter(col('k').eq(3)).limit(2)), [[3, 7], '1 of 4'])
  assert.deepEqual(await read(ds.limit(3)), [[0, 4, 8], '1 of 4'])
})
