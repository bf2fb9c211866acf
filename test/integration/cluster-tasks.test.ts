// Tasks run on every node of a cluster, whoever submits them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withNodes } from './many-nodes.js'

void test('tasks of one program run on all nodes', () =>
  withNodes(2, async ({ run }) => {
    const out = await run(`
      await ray.init()
      const where = ray.remote(async function where() {
        await new Promise((resolve) => setTimeout(resolve, 200))
        return ray.getRuntimeContext().nodeId
      })
      const nodes = await ray.get(Array.from({ length: 8 }, () => where.remote()))
      console.log(new Set(nodes).size, nodes.length)
    `)
    assert.equal(out, '2 8\n')
  }))
