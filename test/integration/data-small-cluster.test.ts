// Datasets on a cluster of one CPU, in which not even one task of each operator fits: everything
// ends all the same, whatever waits for whatever.

import assert from 'node:assert/strict'
import type { Dataset } from '../../src/data/index.js'
import { range } from '../../src/data/index.js'
import { inCluster } from './in-cluster.js'

class Same {
  call({ id }: { id: ArrayLike<number> }) {
    return { id: Float64Array.from(id) }
  }
}
const same = ({ id }: { id: ArrayLike<number> }) => ({ id: Float64Array.from(id) })

const rows = (): Dataset<{ id: number }> => range(200, { overrideNumBlocks: 10 })
const pooled = (): Dataset<{ id: number }> => rows().mapBatches(Same, { concurrency: 1 })
const ids = Array.from({ length: 200 }, (_, i) => i)

async function sorted(ds: Dataset<{ id: number }>): Promise<number[]> {
  return (await ds.takeAll()).map(({ id }) => id).sort((a, b) => a - b)
}

inCluster(
  'datasets on one CPU',
  { numCpus: 1 },
  {
    'operators that cannot run together take turns': async () => {
      const chain = rows()
        .mapBatches(same, { numCpus: 1 })
        .mapBatches(same, { numCpus: 0.9 })
        .mapBatches(same, { numCpus: 0.8 })
      assert.deepEqual(await sorted(chain.sort('id')), ids)
    },

    'pools behind pools leave room for the exchange behind them': async () => {
      const chain = pooled().mapBatches(Same, { concurrency: { min: 1, max: 2 } })
      assert.deepEqual(await sorted(chain.sort('id')), ids)
      assert.deepEqual(await sorted(pooled().randomShuffle({ seed: 1 })), ids)
      assert.deepEqual(await sorted(pooled().repartition({ keys: ['id'], numBlocks: 3 })), ids)
    },

    'pools on both sides of a join and a zip leave room for its tasks': async () => {
      const joined = pooled().join(pooled(), { on: 'id', numPartitions: 2 })
      assert.deepEqual(await sorted(joined), ids)
      const zipped = await pooled().zip(pooled()).takeAll()
      assert.deepEqual(
        zipped,
        ids.map((id) => ({ id, id_1: id })),
      )
    },

    'pools in a union leave room for the step behind it': async () => {
      const both = pooled().union(pooled()).mapBatches(same, { numCpus: 0.9 })
      assert.equal(await both.count(), 400)
    },
  },
)
