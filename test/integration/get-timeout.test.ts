import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

/** Never settles, but lets itself be cancelled. */
const never = ray.remote(async function never() {
  const { signal } = ray.getRuntimeContext()
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  return 0
})
const identity = ray.remote(function identity(x: number) {
  return x
})

class HogActor {
  ping(): string {
    return 'pong'
  }
  async rest(): Promise<void> {
    await new Promise(() => undefined)
  }
}

class LazyActor {
  ready: Promise<void>
  constructor() {
    for (const end = Date.now() + 10_000; Date.now() < end;);
    this.ready = Promise.resolve()
  }
  ping(): string {
    return 'pong'
  }
}

/** What a get says of the refs when it has timed out. */
async function timeoutOf(refs: readonly ray.ObjectRef[]): Promise<ray.GetTimeoutError> {
  const error = await rejection(ray.get(refs, { timeoutMs: 300 }))
  assert.ok(error instanceof ray.GetTimeoutError, String(error))
  return error
}

/** Gets until what it says matches: where a task is may take a moment to be known. */
async function says(refs: readonly ray.ObjectRef[], pattern: RegExp): Promise<void> {
  for (let tries = 60; tries > 0; tries--) {
    const { message } = await timeoutOf(refs)
    if (pattern.test(message)) return
    if (tries === 1) assert.match(message, pattern)
  }
}

inCluster(
  'a get that times out says what it waits for',
  { numCpus: 2, resources: { gate: 1 } },
  {
    async 'a task that runs, with its worker and since when'() {
      const ref = never.remote()
      await says([ref], /\(task never\w*\) runs for \d+\.\d s on worker pid \d+/)
      const { fields } = await timeoutOf([ref])
      assert.ok(Array.isArray(fields['waitingFor']))
      ray.cancel(ref)
    },

    async 'a task that is queued for resources, with who holds them'() {
      const holder = never.options({ numCpus: 0, resources: { gate: 1 } })
      const first = holder.remote()
      await says([first], /runs for/)
      const second = identity.options({ numCpus: 0, resources: { gate: 1 } }).remote(1)
      await says([second], /needs 1 gate, and free are 0 of 1 gate; held by task never/)
      ray.cancel(first)
      assert.equal(await ray.get(second), 1)
    },

    async 'a task that waits for an argument, and what that waits for'() {
      const slow = never.remote()
      const ref = identity.remote(slow)
      await says(
        [ref],
        /\(task identity\w*\) waits for its argument \w+ \(task never\w*\), which runs/,
      )
      ray.cancel(slow)
      await rejection(ray.get(ref))
    },

    async 'an actor that cannot start, and one whose constructor runs'() {
      const Hog = ray.remote({ numCpus: 0, resources: { gate: 1 } }, HogActor)
      const hog = Hog.remote()
      await ray.get(hog.ping.remote(), { timeoutMs: 60_000 })
      const other = Hog.remote()
      const ref = other.ping.remote()
      await says(
        [ref],
        /actor HogActor \(\w+\), which has not started: needs 1 gate.*held by actor HogActor/,
      )
      ray.kill(hog)
      assert.equal(await ray.get(ref), 'pong')
      ray.kill(other)
      const lazy = ray.remote(LazyActor).remote()
      await says([lazy.ping.remote()], /its constructor runs on worker pid \d+/)
      ray.kill(lazy)
    },

    async 'calls of an actor, with what is before them'() {
      const hog = ray.remote({ numCpus: 0 }, HogActor).remote()
      const refs = [hog.rest.remote(), hog.rest.remote(), hog.ping.remote()]
      await says(
        refs,
        /sent to actor HogActor \(\w+\) on worker pid \d+\n.*behind 1 call.*\n.*behind 2 calls/,
      )
      ray.kill(hog)
    },

    async 'a task that waits itself, and a ref that another process owns'() {
      const hog = ray.remote({ numCpus: 0 }, HogActor).remote()
      const inner = ray.remote(async (actor: typeof hog) => ray.get(actor.rest.remote()))
      const outer = ray.remote((actor: typeof hog) => [inner.remote(actor)])
      const [borrowed] = await ray.get(outer.remote(hog), { timeoutMs: 60_000 })
      assert.ok(borrowed !== undefined)
      await says(
        [borrowed],
        /its owner, worker pid \d+: task \w+ runs on worker pid \d+, which waits in ray.get/,
      )
      ray.kill(hog)
      assert.ok((await rejection(ray.get(borrowed))) instanceof ray.RayTaskError)
    },

    async 'a timeout of 0 asks nobody'() {
      const ref = never.remote()
      const error = await rejection(ray.get(ref, { timeoutMs: 0 }))
      assert.ok(error instanceof ray.GetTimeoutError)
      assert.deepEqual(error.fields['waitingFor'], [])
      ray.cancel(ref)
    },
  },
)
