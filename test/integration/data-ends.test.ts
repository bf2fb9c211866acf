// Datasets that end early leave nothing in the object store: not when they fail, and not when their
// consumer has enough.

import assert from 'node:assert/strict'
import { type Dataset, range } from '../../src/data/index.js'
import * as state from '../../src/state/index.js'
import { inCluster } from './in-cluster.js'
import { until } from './fault-session.js'

/** Blocks of several megabytes, whose parts are stored. */
const wide = (): Dataset<{ id: number; a: number }> => {
  return range(2_000_000, { overrideNumBlocks: 8 }).mapBatches(({ id }) => ({ id, a: id.slice() }))
}

/** How many objects are stored: asked often, without making garbage that would be collected. */
async function stored(): Promise<number> {
  return (await state.listObjects({ filters: [['isStored', '=', true]] })).length
}

const hasNothingStored = async (): Promise<boolean> => (await stored()) === 0
/** What a consumer has been given, and what was fetched ahead for it, stays while it may look. */
const hasLittleStored = async (): Promise<boolean> => (await stored()) <= 4

inCluster(
  'datasets that end early',
  { numCpus: 2 },
  {
    'a join that fails lets go of what it cut': async () => {
      const joined = wide().join(wide(), { on: 'id', rightSuffix: '' })
      await assert.rejects(joined.count(), /both sides have a column "a"/)
      await until('an empty store', hasNothingStored)
    },

    'a function that throws lets go of the blocks that others have made': async () => {
      const failing = wide()
        .sort('a')
        .mapBatches((batch) => {
          if ((batch.id[0] ?? 0) > 0) throw new Error('enough')
          return batch
        })
      await assert.rejects(failing.count(), /enough/)
      await until('an empty store', hasNothingStored)
    },

    'a consumer that stops lets go of the parts that it did not ask for': async () => {
      for await (const { id } of wide().randomShuffle({ seed: 1 }).iterBatches()) {
        assert.ok(id.length > 0)
        break
      }
      assert.equal((await wide().repartition(5).take(3)).length, 3)
      await until('an almost empty store', hasLittleStored)
    },
  },
)
