// Tasks run on every node of a cluster, whoever submits them, and elsewhere when their node dies.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withNodes } from './many-nodes.js'

/** What drivers of these tests begin with. */
const head = `
  await ray.init()
  const here = ray.getRuntimeContext().nodeId
  const where = ray.remote(function where() { return ray.getRuntimeContext().nodeId })
  const slow = ray.remote(async function slow(ms) {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return ray.getRuntimeContext().nodeId
  })
`

/** Tasks of this wait for each other: they end when they run on `count` nodes. */
const meeting = `
  import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
  import { tmpdir } from 'node:os'
  import path from 'node:path'
  const meet = ray.remote(async function meet(folder, count) {
    const { nodeId } = ray.getRuntimeContext()
    writeFileSync(path.join(folder, nodeId), '')
    while (readdirSync(folder).length < count) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return nodeId
  })
  const folders = []
  const place = () => {
    folders.push(mkdtempSync(path.join(tmpdir(), 'meeting-')))
    return folders.at(-1)
  }
  process.once('exit', () => {
    for (const folder of folders) rmSync(folder, { recursive: true })
  })
`

void test('tasks of one program run on all nodes, and so do theirs', () =>
  withNodes(2, async ({ run }) => {
    const out = await run(`${head}${meeting}
      const first = place()
      const nodes = await ray.get(Array.from({ length: 8 }, () => meet.remote(first, 2)))
      console.log(new Set(nodes).size, nodes.length)

      const outer = ray.remote(async function outer(meet, folder) {
        return ray.get([1, 2, 3].map(() => meet.remote(folder, 2)))
      })
      const second = place()
      const inner = await ray.get([outer.remote(meet, second), outer.remote(meet, second)])
      console.log(new Set(inner.flat()).size)

      const short = ray.remote(function short(i) { return [i, ray.getRuntimeContext().nodeId] })
      const seen = new Set()
      // They are over soon: perhaps before the other node has a lease for any of them.
      while (seen.size < 2) {
        const rows = await ray.get(Array.from({ length: 5000 }, (_, i) => short.remote(i)))
        if (!rows.every(([i], at) => i === at)) throw new Error('in another order')
        for (const [, node] of rows) seen.add(node)
      }
    `)
    assert.equal(out, '2 8\n2\n')
  }))

void test('strategies choose nodes: affinity, labels, spread', () =>
  withNodes(1, async ({ run, join }) => {
    await join({ labels: { region: 'eu' } })
    await join({ labels: { region: 'us' } })
    const out = await run(`${head}${meeting}
      const nodes = await ray.nodes()
      const eu = nodes.find((node) => node.labels.region === 'eu').nodeId
      const us = nodes.find((node) => node.labels.region === 'us').nodeId
      const on = (options) => ray.get(where.options(options).remote())
      const affinity = (nodeId, soft) =>
        on({ schedulingStrategy: { nodeId, soft } })
      console.log(await affinity(eu, false) === eu, await affinity(us, true) === us)
      const gone = 'f'.repeat(24)
      const error = await affinity(gone, false).catch((error) => error)
      console.log(error instanceof ray.TaskUnschedulableError, error.message.includes(gone))
      console.log(nodes.some((node) => node.nodeId === gone), typeof await affinity(gone, true))
      console.log(await on({ labelSelector: { region: 'us' } }) === us)
      const notUs = { region: '!us', 'ray.io/node-id': '!' + here }
      console.log(await on({ labelSelector: notUs }) === eu)
      const spread = meet.options({ schedulingStrategy: 'SPREAD', numCpus: 0 })
      const folder = place()
      const three = await ray.get([1, 2, 3].map(() => spread.remote(folder, 3)))
      console.log(new Set(three).size)
      const only = { numCpus: 5, schedulingStrategy: { nodeId: eu, soft: false } }
      const large = await ray.get(where.options(only).remote()).catch((error) => error)
      console.log(large.message)
    `)
    const lines = out.trim().split('\n')
    assert.deepEqual(lines.slice(0, 6), [
      'true true',
      'true true',
      'false string',
      'true',
      'true',
      '3',
    ])
    assert.match(lines[6] ?? '', /needs 5 CPU on node \w+, which has 1 CPU/)
  }))

void test('errors, streams and cancels go between nodes', () =>
  withNodes(2, async ({ run }) => {
    const out = await run(`${head}
      const other = (await ray.nodes()).find((node) => node.nodeId !== here).nodeId
      const there = {
        schedulingStrategy: { nodeId: other, soft: false },
      }
      class Broken extends Error { extra = 7 }
      const fails = ray.remote(function fails() { throw new Broken('far away') }).options(there)
      const error = await ray.get(fails.remote()).catch((error) => error)
      console.log(error instanceof ray.RayTaskError, error.cause.message, error.cause.extra)
      console.log(error.fields.nodeId === other)

      const counts = ray.remote(function* counts(n) {
        for (let i = 0; i < n; i++) yield i
      }).options({ ...there, numReturns: 'streaming' })
      let sum = 0
      for await (const ref of counts.remote(100)) sum += await ray.get(ref)
      console.log(sum)

      const crash = ray.remote(function crash() { process.exit(3) }).options(there)
      const crashed = await ray.get(crash.options({ maxRetries: 0 }).remote()).catch((e) => e)
      console.log(crashed instanceof ray.WorkerCrashedError, crashed.fields.exitCode)

      const spins = ray.remote(function spins() { for (;;); }).options(there)
      const first = spins.remote()
      const behind = spins.remote()
      const queued = spins.remote()
      await slow.options(there).options({ numCpus: 0 }).remote(1)
      ray.cancel(behind)
      ray.cancel(queued)
      ray.cancel(first)
      for (const ref of [first, behind, queued]) {
        const error = await ray.get(ref).catch((error) => error)
        console.log(error.constructor.name)
      }
      console.log(await ray.get(where.options(there).remote()) === other)
    `)
    const cancelled = 'TaskCancelledError\n'.repeat(3)
    assert.equal(out, `true far away 7\ntrue\n4950\ntrue 3\n${cancelled}true\n`)
  }))

void test('what ran on a node that is killed runs elsewhere', () =>
  withNodes(2, async ({ driver, sessions, kill }) => {
    const program = driver(`
      import { existsSync, rmSync, writeFileSync } from 'node:fs'
      import path from 'node:path'
      ${head}
      const nodes = await ray.nodes()
      const running = Array.from({ length: 6 }, () => slow.remote(1500))
      const file = path.join(process.cwd(), 'fragile-' + process.pid)
      const fragile = ray.remote(async function fragile(file) {
        writeFileSync(file, '')
        await new Promise((resolve) => setTimeout(resolve, 60_000))
      })
      const once = fragile.options({
        maxRetries: 0,
        numCpus: 0,
        schedulingStrategy: {
          nodeId: nodes.find((node) => node.nodeId !== here).nodeId, soft: false,
        },
      })
      const lost = once.remote(file)
      while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20))
      rmSync(file)
      console.log('started')
      const error = await ray.get(lost).catch((error) => error)
      console.log(error.constructor.name, error.message)
      const all = await ray.get(running)
      const alive = (await ray.nodes()).filter((node) => node.alive)
      console.log(all.every((node) => node === here), alive.length)
    `)
    const victim = sessions[1] ?? assert.fail()
    await program.said('started')
    await kill(victim)
    const { stdout, stderr, code } = await program.ended
    assert.equal(code, 0, stdout + stderr)
    assert.match(
      stdout,
      new RegExp(`NodeDiedError Task fragile .* node ${victim.nodeId}, on which`),
    )
    assert.match(stdout, /(true|false) 1\n$/)
  }))

void test('tasks on other nodes are listed, and a get that times out names the node', () =>
  withNodes(2, async ({ run, sessions }) => {
    const nodeId = sessions[1]?.nodeId ?? ''
    const out = await run(`${head}
      const { listTasks } = await import('typeray/state')
      const there = { schedulingStrategy: { nodeId: '${nodeId}', soft: false } }
      const runs = slow.options(there).remote(60_000)
      const waits = slow.options(there).remote(60_000)
      await ray.get(slow.options({ ...there, numCpus: 0 }).remote(100))
      const { error } = await ray.get(waits, { timeoutMs: 100 }).catch((error) => ({ error }))
      console.log(error.message.includes('waits on node ${nodeId}'))
      const expected = 'FINISHED,PENDING_NODE_ASSIGNMENT,RUNNING'
      let states = ''
      // Which worker starts first is up to the machine.
      while (states !== expected) {
        states = (await listTasks()).map(({ state }) => state).sort().join()
      }
      console.log(states)
    `)
    assert.equal(out, 'true\nFINISHED,PENDING_NODE_ASSIGNMENT,RUNNING\n')
  }))

void test('a task runs where its large argument is', () =>
  withNodes(
    3,
    async ({ run, sessions }) => {
      const out = await run(`${head}
        const make = ray.remote(function make() { return new Uint8Array(3_000_000) })
        const read = ray.remote(function read(bytes) {
          return [bytes.length, ray.getRuntimeContext().nodeId].join()
        })
        const nodes = ${JSON.stringify(sessions.map(({ nodeId }) => nodeId))}
        const { listObjects } = await import('typeray/state')
        // Where the value is this node hears a little later than that it is there.
        const isKnown = async (ref) => {
          const rows = await listObjects({ filters: [['objectId', '=', ref.id]] })
          return rows.some(({ isStored, ownerPid }) => isStored && ownerPid === process.pid)
        }
        for (const [i, nodeId] of nodes.entries()) {
          // What is taken of a node may count twice until it says itself what it has left.
          const there = { numCpus: 0.5, schedulingStrategy: { nodeId, soft: false } }
          const ref = make.options(there).remote()
          await ray.wait([ref], { fetchLocal: false })
          while (!await isKnown(ref)) await new Promise((resolve) => setTimeout(resolve, 20))
          // A lease of its own: other tasks have used others.
          const reader = read.options({ numCpus: 0.1 + i / 10 })
          console.log(await ray.get(reader.remote(ref)) === '3000000,' + nodeId)
        }
      `)
      assert.equal(out, 'true\n'.repeat(3))
    },
    { numCpus: 2 },
  ))
