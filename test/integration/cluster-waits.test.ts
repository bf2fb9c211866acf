// Cancels, kills, timeouts and waits that concern other nodes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import type { SessionFile } from '../../src/node/session-file.js'
import { until } from '../../src/testing/index.js'
import { rejection } from './in-cluster.js'
import { on, onNodes } from './on-nodes.js'
import { storeOf } from './store-rows.js'

class Notes {
  names: string[] = []
  add(name: string) {
    this.names.push(name)
  }
  all() {
    return this.names
  }
}
const RemoteNotes = ray.remote({ numCpus: 0 }, Notes)
type Handle = ray.ActorHandle<Notes>

/** Runs until it is cancelled, and says that it began. */
const waits = ray.remote(async (name: string, [notes]: [Handle]) => {
  await ray.get(notes.add.remote(name))
  const { signal } = ray.getRuntimeContext()
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
})
const spins = ray.remote(async (name: string, [notes]: [Handle]) => {
  await ray.get(notes.add.remote(name))
  for (;;);
})
const nodeOf = ray.remote(() => ray.getRuntimeContext().nodeId)
const large = ray.remote((n: number) => new Uint8Array(3e6).fill(n))

async function cpusOf(node: SessionFile): Promise<number> {
  const row = (await ray.nodes()).find(({ nodeId }) => nodeId === node.nodeId)
  return row?.available['CPU'] ?? 0
}

const begun = (notes: Handle, count: number): Promise<unknown> =>
  until(async () => (await ray.get(notes.all.remote())).length >= count)

async function isCancelled(ref: ray.ObjectRef<unknown>): Promise<void> {
  const error = await rejection(ray.get(ref))
  assert.ok(error instanceof ray.TaskCancelledError, String(error))
}

test('tasks on another node are cancelled in whatever state, and free what they held', () =>
  onNodes(2, async (_, [first, second]) => {
    assert.ok(first && second)
    const notes = RemoteNotes.options(on(second)).remote()
    for (const task of [waits, spins]) {
      const before = (await ray.get(notes.all.remote())).length
      const running = task.options(on(first)).remote('running', [notes])
      await begun(notes, before + 1)
      const queued = task.options(on(first)).remote('queued', [notes])
      const dependent = nodeOf.options(on(first)).remote(...([running] as unknown as []))
      ray.cancel(queued)
      ray.cancel(running)
      ray.cancel(running)
      ray.cancel(dependent)
      for (const ref of [queued, running, dependent]) await isCancelled(ref)
      assert.equal(await ray.get(nodeOf.options(on(first)).remote()), first.nodeId)
    }
    const forced = spins.options(on(first)).remote('forced', [notes])
    await begun(notes, 3)
    ray.cancel(forced, { force: true })
    await isCancelled(forced)
    const done = nodeOf.options(on(first)).remote()
    await ray.get(done)
    ray.cancel(done)
    assert.equal(await ray.get(done), first.nodeId)
    const names = await ray.get(notes.all.remote())
    assert.deepEqual(names, ['running', 'running', 'forced'])
    await until(async () => (await cpusOf(first)) === 1)
  }))

test('a cancel goes on to children on other nodes, unless it is not to', () =>
  onNodes(2, async (_, [first, second]) => {
    assert.ok(first && second)
    const notes = RemoteNotes.options(on(second)).remote()
    const parent = ray.remote(async (place: object, handles: [Handle]) =>
      ray.get(waits.options(place).remote('child', handles)),
    )
    const running = parent.options(on(first)).remote(on(second), [notes])
    await begun(notes, 1)
    await until(async () => (await cpusOf(second)) === 0)
    ray.cancel(running, { recursive: true })
    await isCancelled(running)
    await until(async () => (await cpusOf(second)) === 1 && (await cpusOf(first)) === 1)
  }))

test('a task that waits for room on another node is cancelled there', () =>
  onNodes(1, async (_, [node]) => {
    assert.ok(node)
    const notes = RemoteNotes.remote()
    const held = waits.options(on(node)).remote('held', [notes])
    await begun(notes, 1)
    const waiting = [1, 2, 3].map((n) =>
      waits.options({ numCpus: 1 - n / 10, ...on(node) }).remote(`waiting ${n}`, [notes]),
    )
    assert.ok((await rejection(ray.get(waiting[0]!, { timeoutMs: 200 }))) instanceof ray.RayError)
    for (const ref of waiting) ray.cancel(ref)
    for (const ref of waiting) await isCancelled(ref)
    ray.cancel(held)
    await isCancelled(held)
    assert.deepEqual(await ray.get(notes.all.remote()), ['held'])
    await until(async () => (await cpusOf(node)) === 1)
  }))

test('a get of what another node has times out, also at once, and succeeds later', () =>
  onNodes(1, async ({ sessions: [head] }, [node]) => {
    assert.ok(node && head)
    const notes = RemoteNotes.remote()
    const ref = waits.options(on(node)).remote('waits', [notes])
    await begun(notes, 1)
    const error = await rejection(ray.get(ref, { timeoutMs: 100 }))
    assert.ok(error instanceof ray.GetTimeoutError, String(error))
    const value = large.options(on(node)).remote(3)
    const behind = await rejection(ray.get([value, ref], { timeoutMs: 0 }))
    assert.ok(behind instanceof ray.GetTimeoutError, String(behind))
    ray.cancel(ref)
    assert.equal((await ray.get(value))[5], 3)
    // The node stands still in the middle of it: whoever has no patience hears so.
    const next = large.options(on(node)).remote(4)
    await ray.wait([next], { fetchLocal: false })
    process.kill(node.pid, 'SIGSTOP')
    const late = await rejection(ray.get(next, { timeoutMs: 300 }))
    process.kill(node.pid, 'SIGCONT')
    assert.ok(late instanceof ray.GetTimeoutError, String(late))
    assert.equal((await ray.get(next))[5], 4)
  }))

test('a wait brings values here, unless it is only to know that they are there', () =>
  onNodes(2, async ({ sessions: [head], kill }, [first, second]) => {
    assert.ok(head && first && second)
    const refs = [1, 2, 3].map((n) => large.options(on(first)).remote(n))
    const far = { numReturns: 3, fetchLocal: false }
    const [ready] = await ray.wait(refs, far)
    assert.equal(ready.length, 3)
    assert.equal((await storeOf(head)).objects, 0)
    const [some, rest] = await ray.wait(refs, { numReturns: 1 })
    assert.deepEqual([some.length, rest.length], [1, 2])
    await until(async () => (await storeOf(head)).objects >= 1)
    const [all] = await ray.wait(refs, { numReturns: 3 })
    assert.equal(all.length, 3)
    assert.equal((await storeOf(head)).objects, 3)
    assert.deepEqual(
      (await ray.get(refs)).map((value) => value[0]),
      [1, 2, 3],
    )
    // Tasks that wait for others on another node.
    const waiter = ray.remote(
      async (inner: ray.ObjectRef<Uint8Array>[], numReturns: number, fetchLocal: boolean) => {
        const options = { numReturns, fetchLocal, timeoutMs: numReturns > 3 ? 300 : 60_000 }
        const [there, missing] = await ray.wait(inner, options)
        return [there.length, missing.length]
      },
    )
    const never = ray.remote({ numCpus: 0 }, () => new Promise<Uint8Array>(() => undefined))
    const pending = never.options(on(first)).remote()
    const four = [...refs, pending]
    const onSecond = waiter.options(on(second))
    assert.deepEqual(await ray.get(onSecond.remote(four, 3, false)), [3, 1])
    assert.equal((await storeOf(second)).objects, 0)
    assert.deepEqual(await ray.get(onSecond.remote(four, 3, true)), [3, 1])
    assert.equal((await storeOf(second)).objects, 3)
    assert.deepEqual(await ray.get(onSecond.remote(four, 4, true)), [3, 1])
    // What can never come is ready, with its error.
    await kill(first)
    const [failed] = await ray.wait([pending], { fetchLocal: false })
    assert.equal(failed.length, 1)
    ray.cancel(pending)
    assert.ok((await rejection(ray.get(pending))) instanceof ray.RayError)
  }))
