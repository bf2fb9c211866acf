// A node that leaves takes nothing with it that others need.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { observe } from '../../src/node/observer.js'
import { isAlive, type SessionFile } from '../../src/node/session-file.js'
import { until } from '../../src/testing/index.js'
import { rejection } from './in-cluster.js'
import type { Nodes } from './many-nodes.js'
import { on, onNodes, preferring } from './on-nodes.js'

async function drain({ sessions }: Nodes, node: SessionFile, deadlineMs: number): Promise<void> {
  const observer = await observe(sessions[0] ?? assert.fail(), 60_000)
  try {
    const query = { what: 'drainNode', nodeId: node.nodeId, reason: 'a test', deadlineMs } as const
    assert.equal(await observer.query(query), '')
  } finally {
    observer.close()
  }
}

/** Which attempt at its task made it, and a large value. */
const make = ray.remote((n: number) => {
  const { attempt, nodeId } = ray.getRuntimeContext()
  return { attempt, nodeId, values: new Float64Array(20_000).fill(n) }
})
const putThere = ray.remote(() => [ray.put(new Float64Array(20_000).fill(7))] as const)
const read = ray.remote(({ attempt, values }: { attempt: number; values: Float64Array }) => [
  attempt,
  values[5],
])

void test('values that only the leaving node has go to others, and no task runs again', () =>
  onNodes(2, async (nodes, [leaving, other]) => {
    assert.ok(leaving && other)
    const refs = Array.from({ length: 10 }, (_, n) => make.options(on(leaving)).remote(n))
    await ray.wait(refs, { numReturns: refs.length, fetchLocal: false })
    await drain(nodes, leaving, 120_000)
    await until(() => !isAlive(leaving), { timeoutMs: 100_000 })
    const values = await ray.get(refs)
    assert.deepEqual(
      values.map(({ attempt, values: [, second] }) => [attempt, second]),
      refs.map((_, n) => [0, n]),
    )
    assert.ok(values.every(({ nodeId }) => nodeId === leaving.nodeId))
    assert.deepEqual(await ray.get(read.options(on(other)).remote(refs[3]!)), [0, 3])
  }))

void test('a leaving node waits for objects of its own as long as others hold them', () =>
  onNodes(2, async (nodes, [leaving, other]) => {
    assert.ok(leaving && other)
    const [owned] = await ray.get(putThere.options(on(leaving)).remote())
    await drain(nodes, leaving, 120_000)
    // It stays as long as there is a ref to a value.
    assert.equal((await ray.get(owned))[5], 7)
    assert.ok(isAlive(leaving))
    owned.free()
    await until(() => !isAlive(leaving), { timeoutMs: 100_000 })
  }))

void test('when the time of a leaving node is up, what it could not give away is made again', () =>
  onNodes(2, async (nodes, [leaving]) => {
    assert.ok(leaving)
    const ref = make.options(preferring(leaving)).remote(1)
    const [owned] = await ray.get(putThere.options(on(leaving)).remote())
    await ray.wait([ref], { fetchLocal: false })
    await drain(nodes, leaving, 1)
    await until(() => !isAlive(leaving), { timeoutMs: 100_000 })
    assert.equal((await ray.get(ref)).values[5], 1)
    assert.ok((await rejection(ray.get(owned))) instanceof ray.OwnerDiedError)
  }))
