// Connections between nodes break while the processes at both ends live. What was on them has run
// once, or its caller is told that it may have.

import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { until } from '../../src/testing/index.js'
import { requireCore } from '../../src/worker/current-core.js'
import { on, onNodes } from './on-nodes.js'

const folder = mkdtempSync(path.join(os.tmpdir(), 'links-'))
process.once('exit', () => rmSync(folder, { recursive: true }))

/** Notes that it runs, and computes for a moment: short enough for others to be sent behind it. */
const noted = ray.remote((file: string, n: number) => {
  appendFileSync(file, `${n}\n`)
  const until = performance.now() + 0.5
  while (performance.now() < until);
  return n
})

/** How often each has run. */
function runsIn(file: string): Map<number, number> {
  const runs = new Map<number, number>()
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    runs.set(Number(line), (runs.get(Number(line)) ?? 0) + 1)
  }
  return runs
}

/** Cuts the connections of this process to workers of other nodes that have tasks. */
function cutLines(): number {
  const lines = [...requireCore('a test').submitter.keys].flatMap(({ lines }) => lines)
  const used = lines.filter((line) => line.isRemote && line.inFlight > 0)
  for (const line of used) line.socket().resetAndDestroy()
  return used.length
}

/** Sends tasks, and cuts the connection when some of them have run. */
async function cutUnder(task: typeof noted, file: string): Promise<ray.ObjectRef<number>[]> {
  for (let round = 0; round < 20; round++) {
    rmSync(file, { force: true })
    const refs = Array.from({ length: 1000 }, (_, n) => task.remote(file, n))
    await ray.wait(refs, { numReturns: 3 })
    if (cutLines() > 0) return refs
    await ray.get(refs)
  }
  return assert.fail('the tasks were over each time before their connection was cut')
}

void test('a connection to a worker breaks: what may not run twice ran once or failed', () =>
  onNodes(1, async (_, [node]) => {
    assert.ok(node)
    const file = path.join(folder, 'once')
    const refs = await cutUnder(noted.options({ maxRetries: 0, ...on(node) }), file)
    const ends = await Promise.allSettled(refs.map((ref) => ray.get(ref)))
    const runs = runsIn(file)
    for (const [n, end] of ends.entries()) {
      const count = runs.get(n) ?? 0
      if (end.status === 'fulfilled') assert.deepEqual([end.value, count], [n, 1])
      else {
        assert.ok(end.reason instanceof ray.WorkerCrashedError, String(end.reason))
        assert.match(end.reason.message, /connection to (its owner|it) broke/)
        assert.ok(count <= 1, `task ${n} has run ${count} times`)
      }
    }
  }))

void test('a connection to a worker breaks: what may run again is done all the same', () =>
  onNodes(1, async (_, [node]) => {
    assert.ok(node)
    const file = path.join(folder, 'again')
    const refs = await cutUnder(noted.options({ maxRetries: 1, ...on(node) }), file)
    assert.deepEqual(
      await ray.get(refs),
      refs.map((_, n) => n),
    )
  }))

const gated = ray.remote(async (gate: string) => {
  if (gate === '') return ray.getRuntimeContext().nodeId
  writeFileSync(`${gate}-begun`, '')
  while (!existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 5))
  return ray.getRuntimeContext().nodeId
})

void test('what waits behind a task that hangs on another node runs elsewhere', () =>
  onNodes(2, async () => {
    const { raylet } = requireCore('a test')
    const send = raylet.send.bind(raylet)
    let stops = 0
    raylet.send = (message) => {
      if (message.kind === 'stopLease') stops++
      send(message)
    }
    const warm = (): ray.ObjectRef<string>[] => Array.from({ length: 40 }, () => gated.remote(''))
    for (let round = 0; stops === 0; round++) {
      assert.ok(round < 20, 'nothing was sent behind the task that hangs')
      const gate = path.join(folder, `gate-${round}`)
      await ray.get(warm())
      const hangs = gated.remote(gate)
      await until(() => existsSync(`${gate}-begun`))
      const behind = await ray.get(warm())
      writeFileSync(gate, '')
      const place = await ray.get(hangs)
      assert.equal(behind.includes(place), false)
    }
  }))

/** An actor that notes in which order its methods run, and can cut off its callers. */
class Log {
  readonly #runs: number[] = []
  /** Cuts the connections to other nodes, but not when it runs again, and waits for the file. */
  async hold(file: string) {
    this.#runs.push(0)
    if (this.#runs.length === 1) {
      const handles = (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles()
      for (const handle of handles) {
        const isRemote = handle instanceof Socket && handle.remoteFamily === 'IPv4'
        if (isRemote) handle.destroy()
      }
      writeFileSync(`${file}-cut`, '')
    }
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5))
    return 0
  }
  add(n: number) {
    this.#runs.push(n)
    return n
  }
  runs() {
    return this.#runs
  }
}

/** Calls before the cut, and calls after it. */
async function callAcross(
  log: ray.ActorHandle<Log>,
  file: string,
): Promise<ray.ObjectRef<number>[]> {
  const before = [log.hold.remote(file), ...[1, 2, 3, 4, 5].map((n) => log.add.remote(n))]
  await until(() => existsSync(`${file}-cut`))
  const after = [6, 7].map((n) => log.add.remote(n))
  writeFileSync(file, '')
  return [...before, ...after]
}

void test('a connection to an actor breaks: calls run again in order, if they may', () =>
  onNodes(1, async (_, [node]) => {
    assert.ok(node)
    const options = { maxRestarts: 1, maxTaskRetries: 1, ...on(node) }
    const log = ray.remote(Log).options(options).remote()
    const refs = await callAcross(log, path.join(folder, 'retried'))
    assert.deepEqual(await ray.get(refs), [0, 1, 2, 3, 4, 5, 6, 7])
    const runs = await ray.get(log.runs.remote())
    assert.deepEqual(runs.slice(-8), [0, 1, 2, 3, 4, 5, 6, 7])
    const first = runs.slice(0, -8)
    assert.deepEqual(
      first,
      first.map((_, n) => n),
    )
  }))

void test('a connection to an actor breaks: calls that may not run again have not', () =>
  onNodes(1, async (_, [node]) => {
    assert.ok(node)
    const log = ray.remote(Log).options(on(node)).remote()
    const refs = await callAcross(log, path.join(folder, 'unretried'))
    const ends = await Promise.allSettled(refs.map((ref) => ray.get(ref)))
    for (const [n, end] of ends.entries()) {
      if (n > 5) assert.deepEqual(end, { status: 'fulfilled', value: n })
      else {
        assert.ok(end.status === 'rejected', `call ${n} was on the connection`)
        assert.ok(end.reason instanceof ray.ActorUnavailableError, String(end.reason))
        assert.match(end.reason.message, /may or may not have run/)
      }
    }
    const runs = await ray.get(log.runs.remote())
    assert.deepEqual(runs, [...runs].sort())
    assert.equal(new Set(runs).size, runs.length)
    assert.deepEqual(runs.slice(-2), [6, 7])
  }))
