// Relational operators of datasets on real workers, some of which die in the middle.

import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { col, Count, fromItems, Mean, range, Sum } from '../../src/data/index.js'
import { inCluster, rejection } from './in-cluster.js'

/** Kills the worker that first comes to a row, once. */
function dieOnce(id: number, at: number): void {
  const { attempt } = ray.getRuntimeContext() as { attempt?: number }
  if (id === at && attempt === 0) process.kill(process.pid, 'SIGKILL')
}

const rows = 8000
const sevens = { 'count()': Math.ceil(rows / 7), 'sum(id)': 0 }
for (let id = 0; id < rows; id += 7) sevens['sum(id)'] += id

inCluster(
  'Relational operators of datasets',
  { numCpus: 2 },
  {
    'a sort is right although workers die while they make and while they cut blocks': async () => {
      const sorted = range(rows)
        .map(({ id }) => {
          dieOnce(id, 5000)
          return { id, key: (id * 7919) % 1000 }
        })
        .sort(['key', 'id'], { descending: [true, false] })
      const made = await sorted.takeAll()
      const expected = Array.from({ length: rows }, (_, id) => ({ id, key: (id * 7919) % 1000 }))
      expected.sort((a, b) => b.key - a.key || a.id - b.id)
      assert.deepEqual(made, expected)
    },

    'groups are whole although a worker dies in the function that is given them': async () => {
      const groups = await range(rows)
        .withColumn('key', col<number>('id').mod(7))
        .groupBy('key', { numPartitions: 3 })
        .mapGroups(({ key, id }) => {
          dieOnce(Number(key[0]), 3)
          return { key: [Number(key[0])], rows: [id.length] }
        })
        .sort('key')
        .takeAll()
      assert.deepEqual(
        groups.map(({ key }) => key),
        [0, 1, 2, 3, 4, 5, 6],
      )
      assert.equal(
        groups.reduce((sum, group) => sum + group.rows, 0),
        rows,
      )
    },

    'a join behind a shuffle behind a filter, aggregated': async () => {
      const names = fromItems(Array.from({ length: 7 }, (_, key) => ({ key, name: `n${key % 2}` })))
      const joined = range(rows)
        .withColumn('key', col<number>('id').mod(7))
        .randomShuffle({ seed: 3 })
        .join(names, { on: 'key', how: 'left' })
        .filter(col('key').eq(0))
        .groupBy('name')
        .aggregate(Count(), Sum('id'))
      assert.deepEqual(await joined.takeAll(), [{ name: 'n0', ...sevens }])
    },

    'results of all rows come without groups': async () => {
      const all = await range(101).aggregate(Count(), Mean('id'), Sum('id', { alias: 'total' }))
      assert.deepEqual(all, { 'count()': 101, 'mean(id)': 50, total: 5050 })
      assert.equal(await range(101).max('id'), 100)
      assert.deepEqual(await range(5).withColumn('k', col<number>('id').mod(2)).unique('k'), [0, 1])
      const none = range(5).filter(col('id').gt(9))
      assert.deepEqual(await none.aggregate(Count(), Sum('id')), { 'count()': 0, 'sum(id)': null })
    },

    'an expression that fails names the operator and what it was over': async () => {
      const missing = await rejection(range(5).filter(col('x').gt(1)).takeAll())
      assert.match(String(missing), /filter\(\(x > 1\)\) failed.*no column "x"; the columns are id/)
      const words = fromItems([{ word: 'ten' }]).withColumn('n', col('word').cast('int32'))
      assert.match(
        String(await rejection(words.takeAll())),
        /withColumn\(n = cast\(word, int32\)\)/,
      )
      const mixed = fromItems([{ a: 1 }]).union(fromItems([{ a: 'x' }]) as never)
      assert.match(
        String(await rejection(mixed.sort('a').takeAll())),
        /"a" is Float64 in one block/,
      )
    },
  },
)
