// Nodes join a cluster, are seen by all, and are missed when they are gone.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { until } from '../../src/testing/index.js'
import { withNodes } from './many-nodes.js'

void test('nodes that join are seen from every node, and gone when they are killed', () =>
  withNodes(3, async ({ sessions, run, kill }) => {
    const count = `
      await ray.init()
      const nodes = await ray.nodes()
      console.log(nodes.filter((node) => node.alive).length, nodes.length)
    `
    for (const on of sessions) assert.equal(await run(count, { on }), '3 3\n')
    await kill(sessions[2] ?? assert.fail())
    await until(async () => (await run(count)) === '2 3\n')
  }))

void test('drivers on two nodes have jobs of different names', () =>
  withNodes(2, async ({ sessions, run }) => {
    const job = `console.log((await ray.init()).jobId)`
    const jobs = new Set<string>()
    for (const on of sessions) jobs.add(await run(job, { on }))
    assert.equal(jobs.size, 2)
  }))

void test('a stranger at the port of a node is cut off', () =>
  withNodes(1, async ({ sessions, run }) => {
    const [host, port] = (sessions[0]?.clusterAddress ?? '').split(':')
    const ended = new Promise<void>((resolve) => {
      const socket = connect(Number(port), host, () => socket.write('GET / HTTP/1.1\r\n\r\n'))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
    })
    await ended
    assert.equal(await run(`await ray.init(); console.log('well')`), 'well\n')
  }))
