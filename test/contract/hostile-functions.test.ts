// Functions of the user that throw, or give what is no rows: each error says which operator it was,
// in which file, and at which row; and nothing that a function gives is lost in silence.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import path from 'node:path'
import {
  AggregateFn,
  col,
  DataContext,
  Dataset,
  type Datasink,
  range,
  readCsv,
  readDatasource,
  readText,
  udf,
} from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { temporaryFolder, writeFiles } from './read-in-process.js'

/** The same dataset, run in this process. */
const here = <R>(dataset: Dataset<R>): Dataset<R> =>
  new Dataset<R>(new DatasetSession(new InProcessRunner()), dataset.plan)

const lines = (from: number): string =>
  `n\n${Array.from({ length: 10 }, (_, i) => from + i).join('\n')}\n`

// Three files of ten rows, which are one block.
const folder = writeFiles(temporaryFolder('hostile'), {
  'a.csv': lines(0),
  'b.csv': lines(10),
  'c.csv': lines(20),
})
const three = () => here(readCsv<{ n: bigint }>(folder))
const two = () => here(range(20, { overrideNumBlocks: 2 }))
const inFolder = (name: string): string => path.join(folder, name)

function refuse(n: bigint): bigint {
  if (n === 13n) throw new RangeError('thirteen')
  return n
}

test('an error names the file, of several in a block, and the row in it', async () => {
  const row = new RegExp(` failed at row 3 of ${inFolder('b.csv')}: RangeError: thirteen$`)
  const cases = [
    three().map(({ n }) => ({ n: refuse(n) })),
    three().map(async ({ n }) => ({ n: refuse(n) })),
    three().filter(({ n }) => refuse(n) < 5n),
    three().flatMap(function* ({ n }) {
      yield { n: refuse(n) }
    }),
  ]
  for (const dataset of cases) await assert.rejects(dataset.takeAll(), row)

  const batches = three().mapBatches(({ n }) => ({ n: Array.from(n, refuse) }), { batchSize: 4 })
  const [a, b] = [inFolder('a.csv'), inFolder('b.csv')]
  await assert.rejects(batches.takeAll(), new RegExp(`in rows 2 to 5 of ${b}: RangeError`))
  const large = three().mapBatches(({ n }) => ({ n: Array.from(n, refuse) }), { batchSize: 14 })
  await assert.rejects(large.takeAll(), new RegExp(`from row 0 of ${a} to row 3 of ${b}: Range`))
  const added = three().addColumn('m', ({ n }) => Array.from(n, refuse))
  await assert.rejects(added.takeAll(), /from row 0 of .*a\.csv to row 9 of .*c\.csv: Range/)

  const text = here(readText([inFolder('a.csv'), inFolder('b.csv')]))
  const read = text.map(({ text: line }) => ({ n: line === '13' ? refuse(13n) : 0n }))
  await assert.rejects(read.takeAll(), /failed at row 4 of .*b\.csv: RangeError: thirteen$/)
})

test('where a step has dropped rows, or a column is computed, the files are named', async () => {
  const dropped = three()
    .filter(({ n }) => n > 4n)
    .map(({ n }) => ({ n: refuse(n) }))
  await assert.rejects(
    dropped.takeAll(),
    /map\(anonymous\) failed in 3 pieces, .*a\.csv to .*c\.csv/,
  )
  const thrown = udf((n: ArrayLike<bigint>) => Array.from(n, refuse))
  await assert.rejects(
    three()
      .withColumn('m', thrown(col('n')))
      .takeAll(),
    /udf .* failed in 3 pieces, .*: RangeError: thirteen$/,
  )
  const one = here(readCsv<{ n: bigint }>(inFolder('b.csv')))
  await assert.rejects(one.map(({ n }) => ({ n: refuse(n) })).takeAll(), /at row 3 of .*b\.csv/)
})

test('sources, sinks and aggregates of the user are named in errors', async () => {
  const parts = here(
    readDatasource({
      name: 'mine',
      getReadTasks: () => [{ name: 'part 7', read: () => [{ n: refuse(13n) }] }],
    }),
  )
  await assert.rejects(parts.takeAll(), (error: Error) => {
    assert.match(error.message, /^part 7 failed: RangeError: thirteen$/)
    assert.ok(error.cause instanceof RangeError)
    return true
  })
  const broken = here(readDatasource({ name: 'mine', getReadTasks: () => undefined as never }))
  await assert.rejects(broken.takeAll(), /mine: getReadTasks must give an array of objects/)

  let told: unknown
  const sink: Datasink<bigint> = {
    name: 'mine',
    write: () => refuse(13n),
    onWriteFailed: (error) => {
      told = error
      throw new Error('and so did this')
    },
  }
  const failed = /^RayError: mine failed in rows 0 to 9 of range: RangeError: thirteen$/
  await assert.rejects(two().writeDatasink(sink), failed)
  assert.match(String(told), failed)

  const sum = AggregateFn({
    name: 'sum',
    init: () => 0n,
    accumulate: (state: bigint) => state + refuse(13n),
    finalize: (state) => state,
  })
  await assert.rejects(three().aggregate(sum), /aggregate\(sum\) failed: RangeError: thirteen$/)
})

const cyclic: Record<string, unknown> = { n: 1 }
Object.assign(cyclic, { self: cyclic, list: [cyclic, cyclic] })

test('what is no value of a column is refused, and not stored as nothing', async () => {
  const value = (make: () => unknown) => two().map(() => ({ value: make() }) as { value: number })
  const refused: readonly [() => unknown, RegExp][] = [
    [() => Promise.resolve(1), /The values of column "value" are promises: await them\.$/],
    [() => [Promise.resolve(1)], /The values of column "value\[\]" are promises/],
    [() => new URL('http://localhost'), /"value" have no common Arrow type/],
    [() => () => 1, /column "value" have no common Arrow type: row 0 is a function\. Return num/],
    [() => Symbol('a'), /column "value" have no common Arrow type: row 0 is a symbol\. Return num/],
    [() => ({ a: () => 1 }), /column "value\.a" have .* row 0 is a function\. Return num/],
    [() => new WeakMap(), /column "value" have .* row 0 is a value of class WeakMap\. Return/],
    [() => cyclic, /in rows 0 to 9 of range: .* Row 0 of column "value" contains itself, .*JSON/],
    [() => [[{ cyclic }]], /Row 0 of column "value" contains itself/],
    [() => 2n ** 70n, /"value" do not fit into 64 bits: row 0 is 1180591620717411303424/],
  ]
  for (const [make, message] of refused) await assert.rejects(value(make).takeAll(), message)
  const map = two().map(() => new Map([['a', 1]]) as unknown as { a: number })
  await assert.rejects(map.takeAll(), /must return a row, an object, and returned a Map$/)
  const short = two().withColumn('m', udf(() => [1])(col('id')))
  await assert.rejects(short.takeAll(), /udf .* in rows 0 to 9 of range: .* 1 values for 10 rows/)
})

test('integers keep their type while they fit, and are signed or not as they must', async () => {
  const large = await here(range(2))
    .map(({ id }) => ({ n: 2n ** 63n + BigInt(id) }))
    .map(({ n }) => ({ n: n + 1n, below: n - 2n ** 63n - 1n }))
    .takeAll()
  assert.deepEqual(large, [
    { n: 2n ** 63n + 1n, below: -1n },
    { n: 2n ** 63n + 2n, below: 0n },
  ])
  const less = here(range(1)).map(() => ({ n: 2n ** 63n }))
  assert.deepEqual(await less.map(() => ({ n: -1n })).takeAll(), [{ n: -1n }])
})

test('rows are waited for where only some of them are promises', async () => {
  const some = (rest: number) =>
    two().map(({ id }) => (id % 2 === rest ? Promise.resolve({ id }) : { id }) as { id: number })
  for (const rest of [0, 1]) {
    assert.deepEqual(
      (await some(rest).takeAll()).map(({ id }) => id),
      Array.from({ length: 20 }, (_, id) => id),
    )
  }
})

test('blocks that may fail are left out of exchanges too, but not of a zip', async () => {
  const context = DataContext.getCurrent()
  context.maxErroredBlocks = 1
  try {
    const some = () =>
      two().map(({ id }) => {
        if (id === 3) throw new RangeError('three')
        return { id }
      })
    const others = Array.from({ length: 10 }, (_, i) => 10 + i)
    const ids = async (dataset: Dataset<{ id: number }>): Promise<number[]> =>
      (await dataset.takeAll()).map(({ id }) => id).sort((a, b) => a - b)
    assert.deepEqual(await ids(some().randomShuffle({ seed: 1 })), others)
    assert.deepEqual(await ids(some().sort('id')), others)
    assert.deepEqual(await ids(some().repartition(3)), others)
    assert.deepEqual(await ids(some().join(two(), { on: 'id' })), others)
    assert.equal(await some().sum('id'), 145)
    assert.equal((await some().unique('id')).length, 10)
    await assert.rejects(some().zip(two()).takeAll(), /map\(anonymous\) failed at row 3 of range/)
    context.maxErroredBlocks = 0
    await assert.rejects(some().sort('id').takeAll(), /map\(anonymous\) failed at row 3 of range/)
  } finally {
    context.maxErroredBlocks = 0
  }
})
