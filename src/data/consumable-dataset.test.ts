import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DataContext } from './data-context.js'
import { Dataset } from './dataset.js'
import { DatasetSession } from './dataset-session.js'
import { InProcessRunner } from './execution/in-process-runner.js'
import type { Source } from './logical/plan.js'
import type { AnyRow } from './planned-dataset.js'

function start<Row = AnyRow>(source: Source, runner = new InProcessRunner()) {
  const dataset = new Dataset<Row>(new DatasetSession(runner), { source, steps: [] })
  return { dataset, runner }
}

const numbers = (rows: number) => start<{ id: number }>({ kind: 'range', rows }).dataset

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('a dataset iterates over its rows', async () => {
  assert.deepEqual(await collect(numbers(3)), [{ id: 0 }, { id: 1 }, { id: 2 }])
})

test('batches come in every format, and a short last one can be left out', async () => {
  const rows = await collect(numbers(5).iterBatches({ batchFormat: 'rows', batchSize: 2 }))
  assert.deepEqual(rows, [[{ id: 0 }, { id: 1 }], [{ id: 2 }, { id: 3 }], [{ id: 4 }]])
  const tables = await collect(
    numbers(5).iterBatches({ batchFormat: 'arrow', batchSize: 2, dropLast: true }),
  )
  assert.deepEqual(
    tables.map(({ numRows }) => numRows),
    [2, 2],
  )
  assert.deepEqual(await numbers(9).takeBatch(2, { batchFormat: 'rows' }), [{ id: 0 }, { id: 1 }])
  assert.deepEqual((await numbers(9).takeBatch(3)).id, Float64Array.of(0, 1, 2))
})

test('a local shuffle keeps every row, and repeats with its seed', async () => {
  const read = async (localShuffleSeed: number) => {
    const options = { batchSize: 100, localShuffleBufferSize: 500, localShuffleSeed }
    const batches = await collect(numbers(5000).iterBatches(options))
    assert.ok(batches.every(({ id }) => id.length === 100))
    return batches.flatMap(({ id }) => [...id])
  }
  const [one, again, other] = [await read(1), await read(1), await read(2)]
  assert.deepEqual(one, again)
  assert.notDeepEqual(one, other)
  assert.notDeepEqual(one, Array.from(one.keys()))
  assert.deepEqual(
    [...one].sort((a, b) => a - b),
    Array.from(one.keys()),
  )
  const lonely = numbers(1).iterBatches({ localShuffleSeed: 1 })
  await assert.rejects(lonely.next(), /localShuffleSeed needs localShuffleBufferSize/)
})

test('all rows come as one table or as columns', async () => {
  assert.equal((await numbers(2500).toArrow()).numRows, 2500)
  const { id } = await numbers(2500).toColumns()
  assert.equal(id[2499], 2499)
  await assert.rejects(numbers(2500).takeAll({ limit: 2000 }), /more rows than its limit, 2000/)
})

test('the size of blocks is known where they are, and computed where not', async () => {
  assert.equal(await numbers(2500).sizeBytes(), 20_000)
  const { dataset, runner } = start<{ id: number }>({ kind: 'range', rows: 2500 })
  const done = await dataset.materialize()
  const ran = runner.tasks.length
  assert.equal(await done.sizeBytes(), 20_000)
  assert.equal(runner.tasks.length, ran)
})

test('a summary counts, and merges what blocks say of their columns', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({
    n: 1e9 + (i % 10),
    word: `w${i % 3}`,
    gap: i % 4 === 0 ? null : i % 2,
  }))
  const summary = await start({ kind: 'items', rows }).dataset.summary()
  assert.equal(summary.rows, 3000)
  const { mean, std, min, max } = summary.column('n')
  assert.deepEqual([mean, min, max], [1e9 + 4.5, 1e9, 1e9 + 9])
  assert.ok(Math.abs((std ?? 0) - Math.sqrt((8.25 * 3000) / 2999)) < 1e-9)
  const word = summary.column('word')
  assert.deepEqual([word.count, word.min, word.max, word.mean], [3000, 'w0', 'w2', null])
  const gap = summary.column('gap')
  assert.deepEqual([gap.count, gap.missing, gap.zeros], [2250, 750, 1 / 3])
  assert.match(String(summary), /^name +type +count/)
  assert.throws(() => summary.column('x'), /no column "x"; it has n, word, gap/)
})

test('splitting gives consecutive parts, whole blocks where it can', async () => {
  const { dataset, runner } = start<{ id: number }>({ kind: 'range', rows: 5000 })
  const parts = await dataset.split(2)
  assert.equal(runner.tasks.filter((name) => name === 'split').length, 2)
  const [first, second] = await Promise.all(parts.map((part) => part.takeAll()))
  assert.deepEqual([first?.length, second?.length, second?.[0]?.id], [2500, 2500, 2500])
  const equal = await numbers(10).split(3, { equal: true })
  assert.deepEqual(await Promise.all(equal.map((part) => part.count())), [3, 3, 3])
  const many = await numbers(2).split(4)
  assert.deepEqual(await Promise.all(many.map((part) => part.count())), [0, 1, 0, 1])
})

test('splitting at indices and by shares is exact', async () => {
  const counts = (parts: readonly Dataset<{ id: number }>[]) =>
    Promise.all(parts.map((part) => part.count()))
  assert.deepEqual(await counts(await numbers(10).splitAtIndices([2, 5])), [2, 3, 5])
  assert.deepEqual(await counts(await numbers(10).splitAtIndices([8, 12, 40])), [8, 2, 0, 0])
  await assert.rejects(numbers(10).splitAtIndices([5, 2]), /must ascend, and 2 follows 5/)
  await assert.rejects(numbers(10).splitAtIndices([-1]), /must be a whole number/)
  assert.deepEqual(await counts(await numbers(10).splitProportionately([0.1, 0.2])), [1, 2, 7])
  await assert.rejects(numbers(10).splitProportionately([0.5, 0.5]), /less than 1 together/)
  const { train, test: tested } = await numbers(10).trainTestSplit(0.3)
  assert.deepEqual(await counts([train, tested]), [7, 3])
  const fixed = await numbers(10).trainTestSplit(4)
  assert.deepEqual((await fixed.test.takeAll())[0], { id: 6 })
  await assert.rejects(numbers(10).trainTestSplit(10), /below the 10 rows/)
})

test('blocks that fail are left out, as many as may', async () => {
  const context = DataContext.getCurrent()
  const failing = numbers(5000).map((row) => {
    if (row.id % 2000 === 500) throw new RangeError(`no ${row.id}`)
    return row
  })
  try {
    context.maxErroredBlocks = 3
    assert.equal(await failing.count(), 2000)
    assert.equal(
      (
        await failing
          .filter(() => true)
          .limit(1500)
          .takeAll()
      ).length,
      1500,
    )
    context.maxErroredBlocks = 2
    await assert.rejects(failing.count(), /map\(anonymous\) failed at row 4500 of range/)
    context.maxErroredBlocks = -1
    assert.equal(await failing.count(), 2000)
  } finally {
    context.maxErroredBlocks = 0
  }
  await assert.rejects(failing.count(), /failed at row 500 of range: RangeError: no 500/)
})
