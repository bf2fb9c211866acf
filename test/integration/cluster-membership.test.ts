// Nodes join a cluster, are seen by all, and are missed when they are gone.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { observe } from '../../src/node/observer.js'
import { isAlive } from '../../src/node/session-file.js'
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

void test('a node that drains takes nothing new, finishes what it has, and ends', (t) =>
  withNodes(2, async ({ driver, sessions }) => {
    const [head, leaving] = sessions
    const folder = mkdtempSync(path.join(os.tmpdir(), 'drain-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const program = driver(`
      import { existsSync, writeFileSync } from 'node:fs'
      await ray.init()
      const pause = () => new Promise((resolve) => setTimeout(resolve, 20))
      const here = ray.getRuntimeContext().nodeId
      const [begun, go] = ${JSON.stringify(['begun', 'go'].map((name) => path.join(folder, name)))}
      const held = ray.remote(async function held() {
        writeFileSync(begun, '')
        while (!existsSync(go)) await pause()
        return ray.getRuntimeContext().nodeId
      })
      const where = ray.remote(() => ray.getRuntimeContext().nodeId)
      const there = { schedulingStrategy: { nodeId: '${leaving?.nodeId}', soft: true } }
      const running = held.options(there).remote()
      while (!existsSync(begun)) await pause()
      console.log('started')
      while (!(await ray.nodes()).some((node) => node.isDraining)) await pause()
      const next = await ray.get([1, 2].map(() => where.options(there).remote()))
      writeFileSync(go, '')
      console.log(next.every((node) => node === here), (await ray.get(running)) !== here)
    `)
    await program.said('started')
    assert(head !== undefined && leaving !== undefined)
    const observer = await observe(head, 60_000)
    const drain = (of: string): Promise<unknown> =>
      observer.query({ what: 'drainNode', nodeId: of, reason: 'a test', deadlineMs: 60_000 })
    assert.match(String(await drain('nobody')), /no node nobody that is alive/)
    assert.match(String(await drain(head.nodeId)), /is the head/)
    assert.equal(await drain(leaving.nodeId), '')
    observer.close()
    const { stdout, stderr, code } = await program.ended
    assert.equal(code, 0, stdout + stderr)
    assert.equal(stdout, 'started\ntrue true\n')
    await until(() => !isAlive(leaving))
  }))
