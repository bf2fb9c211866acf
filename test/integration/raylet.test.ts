import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { packMessage, unpackMessage } from './packing.js'
import type { NodeOptions } from '../../src/node/node-config.js'
import { startNode, type NodeHandle } from '../../src/node/start-node.js'
import { StoreChannel } from '../../src/store/index.js'
import type { ActorSpec, StoreResponse, ToRaylet } from '../../src/wire/messages/raylet.js'
import { RayletPeer } from './raylet-peer.js'

const workerEntry = fileURLToPath(new URL('./fake-worker.js', import.meta.url))

async function withNode(
  options: NodeOptions,
  run: (node: NodeHandle, driver: RayletPeer) => Promise<void>,
): Promise<void> {
  const objectStoreMemory = 16 * 1024 * 1024
  const node = await startNode({
    numCpus: 2,
    objectStoreMemory,
    workerEntry,
    validate: true,
    ...options,
  })
  const driver = join(node)
  try {
    await driver.until('welcome')
    await run(node, driver)
  } finally {
    driver.socket.destroy()
    await endOf(node)
  }
  assert.deepEqual(childrenOf(node.pid), [], 'no worker is left')
}

/** A node does not keep its driver's event loop alive, so the test must. */
async function endOf(node: NodeHandle): Promise<void> {
  const timer = setInterval(() => {}, 1000)
  await node.ended
  clearInterval(timer)
}

function join(node: NodeHandle): RayletPeer {
  const driver = new RayletPeer(node.address)
  const { token } = node
  const { process: id } = driver
  const { pid } = process
  driver.send({ kind: 'hello', token, role: 'driver', process: id, pid, address: '' })
  return driver
}

function request(request: number, task?: string, name = 'f'): ToRaylet {
  const key = { resources: { CPU: 1 }, strategy: { kind: 'default' }, environment: '' } as const
  const carried =
    task === undefined ? {} : { task: { frames: Buffer.from(task), sequence: request, nested: [] } }
  return { kind: 'requestLease', request, key, name, depth: 0, ...carried }
}

/** Processes that were started by the process, dead or alive, and are still there. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const file = `/proc/${name}/stat`
      try {
        return readFileSync(file, 'utf8').split(') ')[1]?.split(' ')[1] === String(parent)
      } catch {
        return false
      }
    })
    .map(Number)
}

test('grants leases to workers that were started ahead of need', async () => {
  await withNode({}, async (_node, driver) => {
    driver.send(request(1))
    driver.send(request(2))
    const first = await driver.until('leaseGranted', ({ request }) => request === 1)
    const second = await driver.until('leaseGranted', ({ request }) => request === 2)
    assert.notEqual(first.worker, second.worker)
    assert.equal(first.carried, false)
    assert.ok(first.address.startsWith('\0fake-'))
  })
})

test('runs all four carried tasks on two CPUs although their owner never reads', async () => {
  await withNode({}, async (_node, driver) => {
    for (const n of [1, 2, 3, 4]) driver.send(request(n, `task${n}`))
    // A driver that computes does not answer: nothing is returned, leases come back by recall
    // alone.
    const relayed = new Set<string>()
    for (const n of [1, 2, 3, 4]) {
      const { frames, done } = await driver.until(
        'relayed',
        (message) => Buffer.from(message.frames).toString() === `task${n} done`,
      )
      assert.ok(done)
      relayed.add(Buffer.from(frames).toString())
    }
    assert.equal(relayed.size, 4)
    await driver.until('output', ({ lines, name }) => name === 'f' && lines.includes('ran task4'))
  })
})

test('tells the owner how a worker died, with its last lines', async () => {
  await withNode({}, async (_node, driver) => {
    driver.send(request(1, 'crash'))
    const { exit } = await driver.until('leaseEnded')
    assert.equal(exit?.exitCode, 7)
    assert.deepEqual(exit.stderr, ['about to crash'])
    driver.send(request(2, 'spin'))
    const { lease } = await driver.until('leaseGranted', ({ request }) => request === 2)
    driver.send({ kind: 'signalWorker', lease, signal: 'SIGKILL', reason: 'cancelled' })
    const ended = await driver.until('leaseEnded', (message) => message.lease === lease)
    assert.equal(ended.exit?.signal, 'SIGKILL')
    assert.equal(ended.exit.reason, 'cancelled')
    driver.send(request(3, 'after'))
    await driver.until('relayed')
  })
})

test('says that a worker ran out of heap', async () => {
  const environment = { execArgv: ['--max-old-space-size=30'], env: {}, cwd: process.cwd() }
  await withNode({ environment }, async (_node, driver) => {
    driver.send(request(1, 'heap'))
    const { exit } = await driver.until('leaseEnded')
    assert.equal(exit?.reason, 'heap out of memory')
  })
})

test('ends spinning workers and itself when the driver dies', async () => {
  let pid = 0
  await withNode({}, async (node, driver) => {
    driver.send(request(1, 'spin'))
    driver.send(request(2, 'hang'))
    await driver.until('leaseGranted', ({ request }) => request === 2)
    pid = node.pid
  })
  assert.ok(!existsSync(`/proc/${pid}`))
})

test('ends spinning workers when the raylet itself is killed', async () => {
  const node = await startNode({ numCpus: 1, workerEntry, objectStoreMemory: 1 << 20 })
  const driver = join(node)
  driver.send(request(1, 'spin'))
  const { pid } = await driver.until('leaseGranted')
  process.kill(node.pid, 'SIGKILL')
  await endOf(node)
  // The kernel kills it with its parent; it is a zombie or gone soon after.
  await until(() => !isRunning(pid))
})

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

test('lets the last output out before it answers a goodbye', async () => {
  const node = await startNode({ numCpus: 1, workerEntry, objectStoreMemory: 1 << 20 })
  const driver = join(node)
  driver.send(request(1, 'words'))
  await driver.until('relayed')
  driver.send({ kind: 'goodbye' })
  await driver.closed
  assert.ok(
    driver.received.some(
      (message) => message.kind === 'output' && message.lines.includes('ran words'),
    ),
  )
  await endOf(node)
})

test('holds a worker that floods a driver who does not read, and loses no line', async () => {
  await withNode({ numCpus: 1 }, async (node, driver) => {
    const before = peakKiB(node.pid)
    driver.socket.pause()
    driver.send(request(1, 'flood'))
    await until(stoppedWriting(node.pid))
    driver.socket.resume()
    await driver.until('output', ({ lines }) => lines.includes('ran flood'))
    const lines = driver.received.flatMap((message) =>
      message.kind === 'output' ? message.lines : [],
    )
    assert.equal(lines.length, 50_001)
    const peak = peakKiB(node.pid)
    assert.ok(peak - before < 80_000, `${before} KiB grew to ${peak}`)
  })
})

function peakKiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Has a worker of the node written a lot, and nothing since it was last asked? */
function stoppedWriting(pid: number): () => boolean {
  let before = -1
  return () => {
    const written = childrenOf(pid).map((child) =>
      Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${child}/io`, 'utf8'))?.[1] ?? 0),
    )
    const most = Math.max(0, ...written)
    const hasStopped = most > 1_000_000 && most === before
    before = most
    return hasStopped
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 40_000
  while (!isSo()) {
    assert.ok(Date.now() < deadline, 'it never was so')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test('refuses strangers, and what no node can run', async () => {
  await withNode({}, async (node, driver) => {
    const stranger = new RayletPeer(node.address)
    const { process: id } = stranger
    stranger.send({
      kind: 'hello',
      token: 'guess',
      role: 'driver',
      process: id,
      pid: 1,
      address: '',
    })
    await stranger.closed
    assert.deepEqual(stranger.received, [])
    const key = { resources: { GPU: 4 }, strategy: { kind: 'default' }, environment: '' } as const
    driver.send({ kind: 'requestLease', request: 9, key, name: 'train', depth: 0 })
    const { error } = await driver.until('leaseRefused')
    assert.equal(error.code, 'RAY_TASK_UNSCHEDULABLE')
    assert.match(error.message, /Task train .* 4 GPU/)
  })
})

test('stores an object and tells its reader where it is', async () => {
  await withNode({}, async (node, driver) => {
    const { storeAddress } = await driver.until('welcome')
    const channel = new StoreChannel(storeAddress, () => performance.now())
    const { token } = node
    const { process: id } = driver
    const asked = packMessage({ kind: 'allocate', process: id, token, sizeBytes: 5000 })
    const answer = unpackMessage(channel.call(asked, 5000)) as StoreResponse
    assert.ok('allocation' in answer)
    const object = [id, 1] as const
    driver.send({ kind: 'seal', allocation: answer.allocation, object, sizeBytes: 5000 })
    driver.send({ kind: 'getObjects', objects: [object] })
    const { location } = await driver.until('ready')
    assert.equal(location?.offset, answer.location.offset)
    driver.send({ kind: 'unpin', objects: [object] })
    driver.send({ kind: 'release', objects: [...object] })
    driver.send({ kind: 'query', request: 1, query: { what: 'storeStatistics' } })
    const { value } = await driver.until('answer')
    assert.equal((value as { objects: number }).objects, 0)
    channel.close()
  })
})

test('places an actor on a worker of its own and says when it died', async () => {
  await withNode({}, async (_node, driver) => {
    const actor = [driver.process, 1] as const
    driver.send({ kind: 'createActor', request: 1, spec: actorSpec(actor) })
    await driver.until('actorRegistered')
    driver.send({ kind: 'subscribeActor', actor })
    const alive = await driver.until('actorChanged', ({ state }) => state.state === 'alive')
    assert.equal(alive.state.state, 'alive')
    driver.send({ kind: 'killActor', actor, noRestart: true, reason: 'ray.kill' })
    const dead = await driver.until('actorChanged', ({ state }) => state.state === 'dead')
    assert.equal(dead.state.state === 'dead' && dead.state.cause, 'kill')
  })
})

test('makes room for an actor when idle leases hold all CPUs', async () => {
  await withNode({}, async (_node, driver) => {
    driver.send(request(1))
    driver.send(request(2))
    await driver.until('leaseGranted', ({ request }) => request === 2)
    const actor = [driver.process, 1] as const
    driver.send({ kind: 'createActor', request: 3, spec: actorSpec(actor) })
    driver.send({ kind: 'subscribeActor', actor })
    await driver.until('actorChanged', ({ state }) => state.state === 'alive')
    await driver.until('leaseEnded')
  })
})

function actorSpec(actor: readonly [number, number]): ActorSpec {
  return {
    actor,
    className: 'Counter',
    classHash: 'hash',
    flags: 1,
    args: new Uint8Array(0),
    nested: [],
    placement: { CPU: 1 },
    resources: {},
    strategy: { kind: 'default' },
    environment: '',
    name: '',
    namespace: '',
    detached: false,
    getIfExists: false,
    maxRestarts: 0,
    maxTaskRetries: 0,
    maxConcurrency: 1,
    maxPendingCalls: -1,
    depth: 0,
    methods: [],
  }
}

test('says why a node cannot start', async () => {
  await assert.rejects(
    async () => startNode({ objectStoreMemory: 2 ** 50 }),
    /objectStoreMemory of \d+ bytes is more than/,
  )
  await assert.rejects(async () => startNode({ resources: { magic: -1 } }), /magic/)
})
