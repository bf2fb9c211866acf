import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeView } from '../scheduling/node-view.js'
import { StarvingWatch, type StarvingFacts, type StarvingWaiter } from './starving-watch.js'

const node = (nodeId: string, free: number): NodeView => ({
  nodeId,
  alive: true,
  labels: {},
  total: { CPU: 2, GPU: 1 },
  available: { CPU: 2, GPU: free },
})

const facts: StarvingFacts = {
  nodes: [node('a', 0), node('b', 0.5)],
  actors: () => [
    { name: 'Model', resources: { GPU: 0.5 } },
    { name: 'Model', resources: { GPU: 1 } },
    { name: 'Counter', resources: { CPU: 1 } },
  ],
  isHeldByGroups: () => false,
}

const waits = (key: string, more: Partial<StarvingWaiter> = {}): StarvingWaiter => ({
  key,
  jobId: 'j',
  shape: 'gpu',
  name: 'Actor Model',
  need: { GPU: 1 },
  ...more,
})

test('who starves for long is told of, once, with what it lacks and who holds it', () => {
  const watch = new StarvingWatch()
  assert.deepEqual(watch.look([waits('1'), waits('2')], facts, 0), [])
  assert.deepEqual(watch.look([waits('1'), waits('2')], facts, 9999), [])
  const [said, ...more] = watch.look([waits('1'), waits('2')], facts, 10_000)
  assert.deepEqual(more, [])
  assert.equal(said?.jobId, 'j')
  const what = 'Warning: Actor Model, and 1 more like it, cannot be scheduled right now: it needs 1'
  assert.match(said.text, new RegExp(`^${what} GPU, and no node will have that when its tasks`))
  assert.match(
    said.text,
    /Free in the cluster are 0.5 of 2 GPU on 2 nodes; held by actor Model \(2/,
  )
  assert.deepEqual(watch.look([waits('1')], facts, 50_000), [])
  assert.deepEqual(watch.look([waits('1')], facts, 90_000), [])
})

test('a line that moves, or that had room meanwhile, does not starve', () => {
  const watch = new StarvingWatch()
  watch.look([waits('1'), waits('2')], facts, 0)
  assert.deepEqual(watch.look([waits('2')], facts, 10_000), [])
  assert.deepEqual(watch.look([], facts, 19_000), [])
  assert.deepEqual(watch.look([waits('2')], facts, 20_000), [])
  assert.equal(watch.look([waits('2')], facts, 30_000).length, 1)
})

test('each job is told for itself, and a group that holds it is named', () => {
  const watch = new StarvingWatch()
  const lines = [waits('1'), waits('2', { jobId: 'k' })]
  const held = { ...facts, isHeldByGroups: (resource: string) => resource === 'GPU' }
  watch.look(lines, held, 0)
  const said = watch.look(lines, held, 10_000)
  assert.deepEqual(
    said.map(({ jobId }) => jobId),
    ['j', 'k'],
  )
  assert.match(said[0]?.text ?? '', /held by actor Model \(2\), placement groups\./)
  watch.jobFinished('j')
  watch.look(lines, held, 20_000)
  assert.equal(watch.look(lines, held, 30_000).length, 1, 'the job is new')
})
