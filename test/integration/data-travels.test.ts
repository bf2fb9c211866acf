// Datasets, and what belongs to them, as arguments of tasks and in what functions capture.

import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import {
  col,
  Count,
  type DataIterator,
  type Dataset,
  type Expression,
  fromItems,
  range,
  Sum,
} from '../../src/data/index.js'
import { inCluster } from './in-cluster.js'

async function rowsOf(rows: DataIterator<{ id: number }>): Promise<number> {
  let count = 0
  for await (const { id } of rows.iterBatches()) count += id.length
  return count
}

inCluster(
  'Datasets that travel',
  { numCpus: 2 },
  {
    'are run by the task that is given one': async () => {
      const factor = 3
      const scaled = range(100).map(({ id }) => ({ scaled: id * factor }))
      const total = ray.remote(async (rows: Dataset<{ scaled: number }>) => rows.sum('scaled'))
      assert.equal(await ray.get(total.remote(scaled)), 3 * 4950)
      const more = ray.remote((rows: Dataset<{ scaled: number }>) => rows.limit(2))
      const limited = await ray.get(more.remote(scaled))
      assert.deepEqual(await limited.takeAll(), [{ scaled: 0 }, { scaled: 3 }])
    },

    'are run where a function or an actor has captured them': async () => {
      const kinds = range(10).join(
        fromItems([
          { id: 1, kind: 'one' },
          { id: 2, kind: 'two' },
        ]),
        { on: 'id' },
      )
      assert.equal(await ray.get(ray.remote(() => kinds.count()).remote()), 2)
      const Reader = ray.remote(
        class {
          async names(): Promise<string[]> {
            return (await kinds.sort('id').takeAll()).map(({ kind }) => kind)
          }
        },
      )
      assert.deepEqual(await ray.get(Reader.remote().names.remote()), ['one', 'two'])
    },

    'are read from the object store where they are materialized': async () => {
      const held = await range(1000, { overrideNumBlocks: 4 }).materialize()
      const looked = ray.remote(async (rows: typeof held) => [
        await rows.numBlocks(),
        await rows.count(),
      ])
      assert.deepEqual(await ray.get(looked.remote(held)), [4, 1000])
    },

    'bring groups and expressions along': async () => {
      const groups = range(10)
        .map(({ id }) => ({ id, odd: id % 2 }))
        .groupBy('odd')
      const aggregated = ray.remote(async (given: typeof groups) =>
        given.aggregate(Count(), Sum('id')).sort('odd').takeAll(),
      )
      assert.deepEqual(await ray.get(aggregated.remote(groups)), [
        { odd: 0, 'count()': 5, 'sum(id)': 20 },
        { odd: 1, 'count()': 5, 'sum(id)': 25 },
      ])
      const isLarge = col('id').gte(7).and(col('id').isNull().not())
      const kept = ray.remote(async (predicate: Expression) => [
        String(predicate),
        await range(10).filter(predicate).takeAll(),
      ])
      assert.deepEqual(await ray.get(kept.remote(isLarge)), [
        String(isLarge),
        [{ id: 7 }, { id: 8 }, { id: 9 }],
      ])
    },

    'are read anew by each task that is given an end of a streaming split': async () => {
      const ends = range(100, { overrideNumBlocks: 4 }).streamingSplit(2, { equal: true })
      const read = ray.remote(rowsOf)
      for (let epoch = 0; epoch < 3; epoch++) {
        assert.deepEqual(await ray.get(ends.map((end) => read.remote(end))), [50, 50])
      }
      assert.deepEqual(await Promise.all(ends.map(rowsOf)), [50, 50])
    },

    'are read from the start by a task that runs again since it failed': async () => {
      const [end] = range(100, { overrideNumBlocks: 10 }).streamingSplit(1)
      assert.ok(end !== undefined)
      const read = ray.remote(
        { retryExceptions: true, maxRetries: 1 },
        async (rows: typeof end) => {
          const { attempt } = ray.getRuntimeContext()
          let count = 0
          for await (const { id } of rows.iterBatches()) {
            count += id.length
            if (attempt === 0) throw new Error('after the first block')
          }
          return count
        },
      )
      assert.equal(await ray.get(read.remote(end)), 100)
    },
  },
)
