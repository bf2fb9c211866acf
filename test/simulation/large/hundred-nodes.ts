// Whole clusters of 100 nodes, a seed each. Too long for `npm run check`; in halves, so that two
// processes share them.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Simulator } from '../../../src/testing/simulation/simulator.js'

export function hundredNodes(seeds: readonly number[]): void {
  for (const seed of seeds) {
    void test(`a cluster of 100 nodes keeps its promises under the faults of seed ${seed}`, () => {
      const short = { workMs: 2000, actionsPerDriver: 20 }
      assert.equal(new Simulator({ seed, nodes: 100, ...short }).run().nodes, 100)
    })
  }
}
