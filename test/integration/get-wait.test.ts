import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

const identity = ray.remote((x: number) => x)
/** Never settles, but lets itself be cancelled. */
const never = ray.remote(async () => {
  const { signal } = ray.getRuntimeContext()
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  return 0
})

async function cancelled(...refs: ray.ObjectRef[]): Promise<void> {
  for (const ref of refs) {
    ray.cancel(ref)
    assert.ok((await rejection(ray.get(ref))) instanceof ray.TaskCancelledError)
  }
}

inCluster(
  'get and wait',
  { numCpus: 2 },
  {
    async 'get with a timeout rejects in time, also with 0, and succeeds later'() {
      const ref = never.remote()
      const started = performance.now()
      const error = await rejection(ray.get(ref, { timeoutMs: 100 }))
      assert.ok(error instanceof ray.GetTimeoutError, String(error))
      assert.ok(performance.now() - started >= 95)
      assert.match(error.message, /100 ms/)
      assert.ok((await rejection(ray.get(ref, { timeoutMs: 0 }))) instanceof ray.GetTimeoutError)
      const done = identity.remote(3)
      assert.equal(await ray.get(done), 3)
      assert.equal(await ray.get(done, { timeoutMs: 0 }), 3)
      await cancelled(ref)
    },

    async 'get with a signal rejects when it aborts, and the task goes on'() {
      const controller = new AbortController()
      const ref = never.remote()
      const waiting = ray.get(ref, { signal: controller.signal })
      controller.abort()
      assert.ok((await rejection(waiting)) instanceof ray.TaskCancelledError)
      assert.ok((await rejection(ray.get(ref, { timeoutMs: 0 }))) instanceof ray.GetTimeoutError)
      assert.ok((await rejection(ray.get(ref, { signal: AbortSignal.abort() }))) instanceof Error)
      await cancelled(ref)
    },

    async 'get keeps the order of a list, and an empty list is an empty list'() {
      const refs = [3, 1, 2].map((x) => identity.remote(x))
      assert.deepEqual(await ray.get(refs), [3, 1, 2])
      assert.deepEqual(await ray.get([]), [])
    },

    async 'get takes the same ref twice'() {
      const ref = identity.remote(1)
      assert.deepEqual(await ray.get([ref, ref]), [1, 1])
    },

    async 'every get gives a fresh value'() {
      const ref = ray.put({ list: [1] })
      const first = await ray.get(ref)
      first.list.push(2)
      assert.deepEqual(await ray.get(ref), { list: [1] })
    },

    async 'get refuses what is not a ref, naming it'() {
      const bad = [undefined, null, 1, 'x', {}, Promise.resolve(1), [identity.remote(1), 2]]
      for (const value of bad) {
        const error = await rejection(ray.get(value as ray.ObjectRef))
        assert.ok(error instanceof TypeError, String(error))
        assert.match(error.message, /ObjectRef/)
      }
      const refused = await rejection(ray.get(identity.remote(1), { timeoutMs: -1 }))
      assert.ok(refused instanceof RangeError)
    },

    async 'wait returns as many as asked, in the order given'() {
      const slow = never.remote()
      const a = identity.remote(1)
      const b = identity.remote(2)
      const [ready, rest] = await ray.wait([slow, a, b], { numReturns: 2 })
      assert.deepEqual(ready, [a, b])
      assert.deepEqual(rest, [slow])
      const [one, others] = await ray.wait([a, b])
      assert.deepEqual([one.length, others.length], [1, 1])
      await cancelled(slow)
    },

    async 'wait with a timeout returns nothing ready after that time'() {
      const slow = never.remote()
      const started = performance.now()
      const [ready, rest] = await ray.wait([slow], { timeoutMs: 200 })
      const took = performance.now() - started
      assert.deepEqual(ready, [])
      assert.deepEqual(rest, [slow])
      assert.ok(took >= 195, `${took} ms`)
      const [now] = await ray.wait([slow], { timeoutMs: 0 })
      assert.deepEqual(now, [])
      await cancelled(slow)
    },

    async 'wait counts failed tasks as ready'() {
      const fail = ray.remote(() => {
        throw new Error('no')
      })
      const [ready] = await ray.wait([fail.remote()])
      assert.equal(ready.length, 1)
    },

    async 'wait of an empty list is two empty lists'() {
      assert.deepEqual(await ray.wait([]), [[], []])
    },

    async 'wait refuses duplicates, wrong counts and what is not a list of refs'() {
      const ref = identity.remote(1)
      assert.match(String(await rejection(ray.wait([ref, ref]))), /twice|duplicate/i)
      for (const numReturns of [0, -1, 1.5, 2]) {
        const error = await rejection(ray.wait([ref], { numReturns }))
        assert.ok(error instanceof RangeError, String(error))
      }
      for (const bad of [ref, 1, undefined, [1], [[ref]]]) {
        const error = await rejection(ray.wait(bad as unknown as ray.ObjectRef[]))
        assert.ok(error instanceof TypeError, String(error))
      }
    },

    async 'wait in a loop sees every task once'() {
      let rest = Array.from({ length: 50 }, (_, i) => identity.remote(i))
      const seen: number[] = []
      while (rest.length > 0) {
        const [ready, others] = await ray.wait(rest)
        for (const ref of ready) seen.push(await ray.get(ref))
        rest = others
      }
      seen.sort((a, b) => a - b)
      assert.deepEqual(
        seen,
        Array.from({ length: 50 }, (_, i) => i),
      )
    },

    async 'wait for a thousand refs'() {
      const refs = Array.from({ length: 1000 }, (_, i) => identity.remote(i))
      const [ready, rest] = await ray.wait(refs, { numReturns: 1000, timeoutMs: 60_000 })
      assert.deepEqual([ready.length, rest.length], [1000, 0])
    },

    async 'refs are not thenables and await gives the ref'() {
      const ref = identity.remote(1)
      assert.equal((ref as unknown as { then?: unknown }).then, undefined)
      const same: unknown = await Promise.resolve(ref)
      assert.equal(same, ref)
    },
  },
)
