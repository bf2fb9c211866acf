import assert from 'node:assert/strict'
import test from 'node:test'
import type { NodeEvent } from './node-table.js'
import { NodeTable } from './node-table.js'

function tableWith(...nodeIds: readonly string[]): NodeTable {
  const table = new NodeTable()
  for (const nodeId of nodeIds) {
    const where = { nodeId, address: nodeId, labels: {}, isHead: false }
    table.handle({ kind: 'registered', ...where, resources: { CPU: 2 } }, 0)
  }
  return table
}

const check = { kind: 'healthCheck', deadlineMs: 1000 } as const
const report = (nodeId: string, cpus = 2): NodeEvent => ({
  kind: 'reported',
  nodeId,
  available: { CPU: cpus },
  total: { CPU: 2 },
})

test('a node that is silent beyond the deadline dies, and stays dead', () => {
  const table = tableWith('a', 'b')
  for (let now = 200; now <= 1000; now += 200) assert.deepEqual(table.handle(check, now), [])
  table.handle(report('a'), 900)
  assert.deepEqual(table.handle(check, 1200), [{ kind: 'nodeDied', nodeId: 'b' }])
  assert.deepEqual(table.handle(report('b'), 1300), [])
  assert.equal(table.isAlive('b'), false)
  assert.deepEqual(
    table.rows().map((row) => [row.nodeId, row.alive]),
    [
      ['a', true],
      ['b', false],
    ],
  )
})

test('nobody dies because this process was stopped', () => {
  const table = tableWith('a')
  table.handle(check, 200)
  assert.deepEqual(table.handle(check, 60_000), [])
  assert.deepEqual(table.handle(check, 60_200), [])
  for (let now = 60_400; now <= 61_000; now += 200) table.handle(check, now)
  assert.deepEqual(table.handle(check, 61_200), [{ kind: 'nodeDied', nodeId: 'a' }])
})

test('a placement counts until it is answered, whatever is reported meanwhile', () => {
  const table = tableWith('a')
  table.claim('a', 'actor', { CPU: 1.5 })
  assert.deepEqual(table.view()[0]?.available, { CPU: 0.5 })
  const effects = table.handle(report('a'), 1)
  assert.deepEqual(effects, [{ kind: 'availableChanged', nodeId: 'a' }])
  assert.deepEqual(table.view()[0]?.available, { CPU: 0.5 })
  table.unclaim('a', 'actor')
  assert.deepEqual(table.view()[0]?.available, { CPU: 2 })
  table.unclaim('a', 'actor')
  assert.deepEqual(table.view()[0]?.available, { CPU: 2 })
})
