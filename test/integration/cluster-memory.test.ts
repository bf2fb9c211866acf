// The memory monitor of a node ends a worker there, and its owner on another node hears why.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import type { SessionFile } from '../../src/node/session-file.js'
import { rejection } from './in-cluster.js'
import { on, onNodes } from './on-nodes.js'

const limit = { numCpus: 3, memoryLimit: 350e6, memoryMonitorRefreshMs: 50 }

/** Holds that many bytes of its own, and counts who has begun. */
class Holder {
  held: Buffer[] = []
  begun: string[] = []
  hold(bytes: number) {
    this.held.push(Buffer.alloc(bytes, 1))
  }
  begin(name: string) {
    return this.begun.push(name)
  }
  count() {
    return this.begun.length
  }
}
const RemoteHolder = ray.remote({ numCpus: 0 }, Holder)

const waits = ray.remote(async (holder: ray.ActorHandle<Holder>) => {
  await ray.get(holder.begin.remote('waits'))
  const { signal } = ray.getRuntimeContext()
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
})
const leaks = ray.remote(async (holder: ray.ActorHandle<Holder>) => {
  await ray.get(holder.begin.remote('leaks'))
  const held = Buffer.alloc(300e6, 1)
  await new Promise((resolve) => setTimeout(resolve, 60_000))
  return held.length
})

async function begunOn(node: SessionFile): Promise<ray.ActorHandle<Holder>> {
  const holder = RemoteHolder.options(on(node)).remote()
  await ray.get(holder.hold.remote(100e6))
  return holder
}

test('the newest task of a node short of memory ends, and its owner elsewhere hears why', () =>
  onNodes(
    1,
    async (_, [node]) => {
      assert.ok(node)
      const holder = await begunOn(node)
      const older = waits.options(on(node)).remote(holder)
      while ((await ray.get(holder.count.remote())) === 0);
      const error = await rejection(ray.get(leaks.options(on(node)).remote(holder)))
      assert.ok(error instanceof ray.OutOfMemoryError, String(error))
      assert.match(error.message, /memoryLimit of the workers is short, \d+ MB of at most 350 MB/)
      assert.match(error.message, /pid=\d+ task leaks/)
      assert.match(error.message, /pid=\d+ actor Holder/)
      // The older task and the actor live.
      assert.equal(await ray.get(holder.count.remote()), 2)
      assert.ok((await rejection(ray.get(older, { timeoutMs: 0 }))) instanceof ray.GetTimeoutError)
      ray.cancel(older)
    },
    { ...limit, taskOomRetries: 0 },
  ))

test('a task that was ended for memory on another node has a budget of its own', () =>
  onNodes(
    1,
    async (_, [node]) => {
      assert.ok(node)
      const holder = await begunOn(node)
      const again = leaks.options({ maxRetries: 5, ...on(node) }).remote(holder)
      const error = await rejection(ray.get(again))
      assert.ok(error instanceof ray.OutOfMemoryError, String(error))
      assert.match(error.message, /failed after 2 attempts/)
      assert.equal(await ray.get(holder.count.remote()), 2)
      const once = leaks.options({ maxRetries: 0, ...on(node) }).remote(holder)
      assert.ok((await rejection(ray.get(once))) instanceof ray.OutOfMemoryError)
      assert.equal(await ray.get(holder.count.remote()), 3)
    },
    { ...limit, taskOomRetries: 1 },
  ))
