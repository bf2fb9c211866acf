// What Ray's own tests of datasets ask, where no other test here does.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Dataset, fromItems, range, Sum } from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'

/** The same dataset, run in this process. */
const here = <R>(dataset: Dataset<R>): Dataset<R> =>
  new Dataset<R>(new DatasetSession(new InProcessRunner()), dataset.plan)

test('sums of groups leave nulls out, or are null where there is one', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({ A: i % 3, B: i }))
  const sums = async (items: readonly { A: number; B: number | null }[], ignoreNulls: boolean) => {
    const groups = here(fromItems(items, { overrideNumBlocks: 4 }))
      .groupBy('A')
      .aggregate(Sum('B', { ignoreNulls, alias: 'sum' }))
      .sort('A')
    return (await groups.takeAll()).map((row) => row.sum)
  }
  assert.deepEqual(await sums(rows, true), [1683, 1617, 1650])
  const withNull = [...rows, { A: 0, B: null }]
  assert.deepEqual(await sums(withNull, true), [1683, 1617, 1650])
  assert.deepEqual(await sums(withNull, false), [null, 1617, 1650])
})

test('a shuffle without a seed differs each time, and one of nothing is empty', async () => {
  const orders = new Set<string>()
  for (let i = 0; i < 3; i++) {
    const rows = await here(range(100)).randomShuffle().takeAll()
    orders.add(rows.map(({ id }) => id).join())
  }
  assert.equal(orders.size, 3)
  assert.deepEqual(await here(range(0)).randomShuffle({ seed: 1 }).takeAll(), [])
})

test('splits at indices may be empty, and refuse indices out of order or below zero', async () => {
  const ten = here(range(10, { overrideNumBlocks: 3 }))
  const parts = await ten.splitAtIndices([0, 4, 4, 10, 50])
  const lengths = await Promise.all(parts.map((part) => part.count()))
  assert.deepEqual(lengths, [0, 4, 0, 6, 0, 0])
  await assert.rejects(async () => ten.splitAtIndices([4, 2]), /RayError/)
  await assert.rejects(async () => ten.splitAtIndices([-1]), /RayError/)
  const equal = await ten.split(3, { equal: true })
  assert.deepEqual(await Promise.all(equal.map((part) => part.count())), [3, 3, 3])
})

test('sorts of nothing, and of what a filter left nothing of, are empty', async () => {
  assert.deepEqual(await here(range(0)).sort('id').takeAll(), [])
  const none = here(range(10)).filter(({ id }) => id > 99)
  assert.deepEqual(await none.sort('id', { descending: true }).takeAll(), [])
})
