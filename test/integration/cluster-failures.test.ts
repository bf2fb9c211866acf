// Workers, nodes and the network between them fail, and what was at work goes on or is told why
// not.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { isAlive } from '../../src/node/session-file.js'
import { until } from '../../src/testing/index.js'
import { rejection } from './in-cluster.js'
import { noHosts, withHosts } from './network-hosts.js'
import { workersOf } from './node-processes.js'
import { on, onNodes, preferring } from './on-nodes.js'

const nodeOf = ray.remote(() => ray.getRuntimeContext().nodeId)
const dies = ray.remote(async (always: boolean) => {
  const { attempt } = ray.getRuntimeContext()
  if (attempt > 0 && !always) return attempt
  process.stderr.write('last words\n')
  await new Promise((resolve) => setTimeout(resolve, 100))
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => undefined)
})

class Counter {
  #count = 0
  add() {
    return [++this.#count, ray.getRuntimeContext().nodeId] as const
  }
}
const RemoteCounter = ray.remote(Counter)

const nodesAlive = async (): Promise<number> =>
  (await ray.nodes()).filter((node) => node.alive).length

const limitMs = 5000
const limited = { variables: { TYPERAY_NODE_DEADLINE_MS: String(limitMs) } }

void test('a task whose worker on another node dies is retried, or the error tells how', () =>
  onNodes(1, async (_, [node]) => {
    assert.ok(node)
    assert.equal(await ray.get(dies.options(on(node)).remote(false)), 1)
    const once = dies.options({ maxRetries: 0, ...on(node) })
    const error = await rejection(ray.get(once.remote(true)))
    assert.ok(error instanceof ray.WorkerCrashedError, String(error))
    assert.match(error.message, /SIGKILL/)
    assert.match(error.message, /last words/)
    assert.equal(await ray.get(nodeOf.options(on(node)).remote()), node.nodeId)
  }))

void test('a placement group moves when its node dies, and its actor restarts in it', () =>
  onNodes(2, async ({ kill }, nodes) => {
    const group = ray.placementGroup([{ CPU: 1 }], 'PACK')
    await ray.get(group.ready())
    const strategy = { placementGroup: group, bundleIndex: 0 }
    const options = { maxRestarts: 1, maxTaskRetries: -1, schedulingStrategy: strategy }
    const counter = RemoteCounter.options(options).remote()
    await ray.get(counter.add.remote())
    const [count, first] = await ray.get(counter.add.remote())
    assert.equal(count, 2)
    await kill(nodes.find(({ nodeId }) => nodeId === first) ?? assert.fail())
    const [again, second] = await ray.get(counter.add.remote())
    assert.equal(again, 1)
    assert.equal(second, nodes.find(({ nodeId }) => nodeId !== first)?.nodeId)
  }))

void test('a node that is frozen beyond the limit is given up, told so, and ends with all', () =>
  onNodes(
    2,
    async (_, [victim, other]) => {
      assert.ok(victim && other)
      const counter = RemoteCounter.options({ maxRestarts: 1, ...preferring(victim) }).remote()
      assert.deepEqual(await ray.get(counter.add.remote()), [1, victim.nodeId])
      const workers = workersOf(victim)
      assert.ok(workers.length > 0)
      process.kill(victim.pid, 'SIGSTOP')
      await until(async () => (await nodesAlive()) === 2, { timeoutMs: 60_000 })
      await until(async () => {
        const [, node] = await ray.get(counter.add.remote()).catch(() => [])
        return node === other.nodeId
      })
      process.kill(victim.pid, 'SIGCONT')
      await until(() => !isAlive(victim))
      await until(() => workers.every((pid) => !existsSync(`/proc/${pid}`)))
      assert.equal(await nodesAlive(), 2)
    },
    {},
    limited,
  ))

void test('a node that is frozen for a moment has lost nothing', () =>
  onNodes(1, async (_, [node]) => {
    assert.ok(node)
    const counter = RemoteCounter.options(on(node)).remote()
    await ray.get(counter.add.remote())
    process.kill(node.pid, 'SIGSTOP')
    const task = nodeOf.options({ numCpus: 0, ...on(node) }).remote()
    const [, unready] = await ray.wait([task], { timeoutMs: 1500 })
    process.kill(node.pid, 'SIGCONT')
    assert.equal(unready.length, 1)
    assert.equal(await ray.get(task), node.nodeId)
    assert.deepEqual(await ray.get(counter.add.remote()), [2, node.nodeId])
    assert.equal(await nodesAlive(), 2)
  }))

const skip = noHosts() ?? false
const flags = ['--num-cpus', '1', '--object-store-memory', '64000000']

void test('a network that is cut for a moment has lost nothing', { skip }, () =>
  withHosts({ count: 2 }, async ([head, node]) => {
    assert.ok(head && node)
    const host = ['--head', '--node-ip-address', head.ip]
    assert.equal((await head.cli('start', ...flags, ...host)).code, 0)
    assert.equal((await node.cli('start', ...flags, '--address', `${head.ip}:6379`)).code, 0)
    const program = head.driver(`
      await ray.init()
      const here = ray.getRuntimeContext().nodeId
      const nodeId = (await ray.nodes()).find((node) => node.nodeId !== here).nodeId
      const there = { schedulingStrategy: { nodeId, soft: false } }
      class Counter {
        count = 0
        add() { return ++this.count }
        make() { return new Uint8Array(20e6).fill(3) }
      }
      const counter = ray.remote(Counter).options(there).remote()
      console.log('counted', await ray.get(counter.add.remote()))
      const idle = setInterval(() => {}, 1000)
      await new Promise((resolve) => process.once('SIGUSR2', resolve))
      clearInterval(idle)
      const [large, count] = await ray.get([counter.make.remote(), counter.add.remote()])
      console.log(large.length, count, (await ray.nodes()).filter((node) => node.alive).length)
    `)
    await program.said('counted 1')
    node.cut()
    program.kill('SIGUSR2')
    await new Promise((resolve) => setTimeout(resolve, 2000))
    assert.doesNotMatch(program.stdout, /20000000/)
    node.heal()
    const { code, stdout, stderr } = await program.ended
    assert.equal(code, 0, stderr)
    assert.equal(stdout, 'counted 1\n20000000 2 2\n')
  }),
)
