import assert from 'node:assert/strict'
import test from 'node:test'
import { Simulator } from '../../src/testing/simulation/simulator.js'

for (let seed = 1; seed <= 20; seed++) {
  test(`a cluster keeps its promises under the faults of seed ${seed}`, () => {
    new Simulator({ seed }).run()
  })
}

test('a task that blocks in a bundle that was just removed leaves its CPU to the node', () => {
  new Simulator({ seed: 1088, nodes: 3 }).run()
})

test('without faults no task fails for a crash, and the same seed gives the same trace', () => {
  const options = { seed: 7, nodes: 3, faults: false }
  const first = new Simulator(options).run()
  const second = new Simulator(options).run()
  assert.deepEqual(second, first)
  const other = new Simulator({ ...options, seed: 8 }).run()
  assert.notEqual(other.hash, first.hash)
})
