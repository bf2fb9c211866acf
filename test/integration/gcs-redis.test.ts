// A head that is lost with its machine, and another that goes on with what it has left in Redis.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { NodeOptions } from '../../src/node/node-config.js'
import { isAlive, type SessionFile } from '../../src/node/session-file.js'
import { startHead, stopSession } from '../../src/node/start-head.js'
import { startDriver, until } from '../../src/testing/index.js'
import { SessionTraces } from '../../src/testing/session-traces.js'
import { noRedis, startRedis, type RedisServer } from '../contract/redis-server.js'

interface Place {
  readonly head?: string
  readonly port?: number
  readonly token?: string
}

interface Machines {
  readonly redis: RedisServer
  /** A node on a machine of its own; a head unless it joins one. */
  start(place: Place, options?: NodeOptions): Promise<SessionFile>
  /** What a program wrote that ran on the machine of the session. */
  run(on: SessionFile, source: string): Promise<string>
}

async function withMachines(body: (machines: Machines) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'machines-'))
  const traces = new SessionTraces()
  const redis = await startRedis()
  const sessions: SessionFile[] = []
  const start: Machines['start'] = async (place, options = {}) => {
    const tempDir = path.join(folder, `machine${sessions.length + 1}`)
    mkdirSync(tempDir, { recursive: true })
    const storage = `${redis.url}/0?namespace=moved`
    const how = place.head === undefined ? { storage } : { head: place.head }
    const { port = 0, token = 'token-of-machines' } = place
    const cluster = { host: '127.0.0.1', port, token, ...how }
    const usual = { numCpus: 1, objectStoreMemory: 64_000_000, validate: true }
    Object.assign(process.env, traces.environment)
    try {
      const { session } = await startHead({ ...usual, tempDir, cluster, ...options })
      sessions.push(session)
      return session
    } finally {
      for (const name of Object.keys(traces.environment)) Reflect.deleteProperty(process.env, name)
    }
  }
  const run: Machines['run'] = async (on, source) => {
    const program = `import * as ray from 'typeray'\n${source}`
    const driver = startDriver(program, { env: { TYPERAY_ADDRESS: on.sessionDir } })
    const { code, stdout, stderr } = await driver.ended
    assert.equal(code, 0, stdout + stderr)
    return stdout
  }
  try {
    await body({ redis, start, run })
  } finally {
    for (const session of [...sessions].reverse()) await stopSession(session)
    await redis.stop()
    await traces.assertNone()
    rmSync(folder, { recursive: true })
  }
}

const increment = `
  await ray.init({ namespace: 'app' })
  const counter = await ray.getActor('counter')
  console.log(await ray.get(counter.increment.remote()))
`

test(
  'a head that moved restarts what is detached, with code that only Redis has kept',
  {
    skip: noRedis ?? false,
  },
  () =>
    withMachines(async ({ start, run }) => {
      const first = await start({}, { resources: { home: 1 } })
      const port = Number(first.clusterAddress.split(':').at(-1))
      const other = await start({ head: first.clusterAddress })
      const made = await run(
        other,
        `
      await ray.init({ namespace: 'app' })
      class Counter {
        count = 0
        increment() { return ++this.count }
      }
      const counter = ray.remote(Counter).options({
        name: 'counter',
        lifetime: 'detached',
        maxRestarts: -1,
        resources: { home: 1 },
      }).remote()
      await ray.get(counter.increment.remote())
      console.log(await ray.get(counter.increment.remote()))
    `,
      )
      assert.equal(made, '2\n')
      process.kill(first.pid, 'SIGKILL')
      await until(() => !isAlive(first))
      const second = await start({ port }, { resources: { home: 1 } })
      assert.equal(await run(second, increment), '1\n')
      // The node that stayed has found the new head, and its programs the actor.
      await until(() => isAlive(other))
      assert.equal(await run(other, increment), '2\n')
      const nodes = await run(
        second,
        `
      await ray.init()
      const nodes = await ray.nodes()
      console.log(nodes.filter(({ alive }) => alive).length, nodes.length)
    `,
      )
      assert.equal(nodes, '2 3\n')
    }),
)

test('tables of a cluster with another token are left alone', { skip: noRedis ?? false }, () =>
  withMachines(async ({ start }) => {
    const first = await start({})
    await stopSession(first)
    await assert.rejects(start({ token: 'another-token' }), (error: Error) => {
      assert.match(error.message, /belong to cluster [0-9a-f]{24}, which has another token/)
      return true
    })
    await start({})
  }),
)
