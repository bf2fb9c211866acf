// Batches of `mapBatches({ batchSize })` against what it promises: rows in their order, every batch
// full but the last one of a task, and no task but the last with fewer rows than a batch.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { col, Dataset } from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { datasetOf } from './data-blocks.js'

interface Row {
  readonly i: number
}
interface Seen extends Row {
  readonly task: number
  readonly batch: number
}

const blocks = fc.array(fc.nat(9), { minLength: 1, maxLength: 8 }).map((sizes): Row[][] => {
  let i = 0
  return sizes.map((size) => Array.from({ length: size }, () => ({ i: i++ })))
})

/**
 * Notes with each row which batch it was in; the batches of a task have numbers behind each other.
 */
function counting() {
  let batch = 0
  return ({ i }: { readonly i: ArrayLike<number> }) => {
    batch++
    return { i: Array.from(i), batch: Array.from(i, () => batch) }
  }
}

class Counting {
  call = counting()
}

/** The sizes of the batches of each task. */
async function sizesOf(ds: Dataset<{ i: number; batch: number }>): Promise<number[][]> {
  const tasks: number[][] = []
  let next = 0
  for await (const block of ds.blocks()) {
    const sizes = new Map<number, number>()
    for (const row of block) {
      const { i, batch } = row as unknown as Seen
      assert.equal(i, next++)
      sizes.set(batch, (sizes.get(batch) ?? 0) + 1)
    }
    if (sizes.size > 0) tasks.push([...sizes.values()])
  }
  return tasks
}

function check(tasks: readonly (readonly number[])[], size: number, rows: number): void {
  const all = JSON.stringify(tasks)
  let seen = 0
  tasks.forEach((sizes, task) => {
    const sum = sizes.reduce((a, b) => a + b, 0)
    seen += sum
    assert.ok(task === tasks.length - 1 || sum >= size, `a task of ${sum} rows in ${all}`)
    assert.ok(
      sizes.slice(0, -1).every((each) => each === size),
      all,
    )
    assert.ok(
      sizes.every((each) => each <= size),
      all,
    )
  })
  assert.equal(seen, rows)
}

test('batches are filled from consecutive blocks, whatever made them', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.integer({ min: 1, max: 12 }), async (parts, batchSize) => {
      const rows = parts.flat().length
      const ds = datasetOf(parts)
      const all = ds.mapBatches(counting(), { batchSize })
      check(await sizesOf(all), batchSize, rows)
      const done = (await ds.materialize()).mapBatches(counting(), { batchSize })
      check(await sizesOf(done), batchSize, rows)
      const narrow = ds.map((row) => row, { numCpus: 0.5 }).mapBatches(counting(), { batchSize })
      check(await sizesOf(narrow), batchSize, rows)
      const pool = ds.mapBatches(Counting, { batchSize, concurrency: 2 })
      check(await sizesOf(pool), batchSize, rows)
      const cut = ds.limit(7).mapBatches(counting(), { batchSize })
      check(await sizesOf(cut), batchSize, Math.min(7, rows))
      const resized = ds
        .repartition({ targetNumRowsPerBlock: 3 })
        .mapBatches(counting(), { batchSize })
      check(await sizesOf(resized), batchSize, rows)
    }),
    { numRuns: 40 },
  )
})

test('batches behind a filter are filled from what the filter leaves', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.integer({ min: 1, max: 6 }), async (parts, batchSize) => {
      const left = parts.flat().filter(({ i }) => i % 3 === 0)
      const renumbered = datasetOf(parts)
        .filter(col('i').mod(3).eq(0))
        .withColumn('i', col<number>('i').div(3))
        .mapBatches(counting(), { batchSize })
      check(await sizesOf(renumbered), batchSize, left.length)
      const byFunction = datasetOf(parts)
        .filter(({ i }) => i % 3 === 0)
        .map(({ i }) => ({ i: i / 3 }))
        .mapBatches(counting(), { batchSize })
      check(await sizesOf(byFunction), batchSize, left.length)
    }),
    { numRuns: 40 },
  )
})

test('blocks with rows enough share a task with the source', async () => {
  const runner = new InProcessRunner()
  const source = { kind: 'range', rows: 8000 } as const
  const ds = new Dataset<{ id: number }>(new DatasetSession(runner), { source, steps: [] })
  const sized = ds.mapBatches(({ id }) => ({ n: [id.length] }), { batchSize: 400 })
  assert.deepEqual(
    (await sized.takeAll()).slice(0, 6).map(({ n }) => n),
    [400, 400, 200, 400, 400, 200],
  )
  assert.deepEqual(new Set(runner.tasks), new Set(['range -> mapBatches(anonymous)']))
  const large = ds.mapBatches(({ id }) => ({ n: [id.length] }), { batchSize: 3000 })
  assert.deepEqual(
    (await large.takeAll()).map(({ n }) => n),
    [3000, 3000, 2000],
  )
  await assert.rejects(large.numBlocks(), /a batchSize decides the number of blocks/)
})

test('an error in a batch of several blocks names the rows it was given', async () => {
  const session = new DatasetSession(new InProcessRunner())
  const source = { kind: 'range', rows: 100, blocks: 10 } as const
  const ds = new Dataset<{ id: number }>(session, { source, steps: [] })
  const failing = ds.mapBatches(
    ({ id }): { id: number[] } => {
      if (id.includes(77)) throw new RangeError('no')
      return { id: Array.from(id) }
    },
    { batchSize: 15 },
  )
  await assert.rejects(
    failing.takeAll(),
    /mapBatches\(anonymous\) failed in rows 75 to 79 of range: RangeError: no/,
  )
})
