// Workers that are ended because they use more memory than they may.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until, withCluster } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { rejection } from './in-cluster.js'

const limit = {
  numCpus: 2,
  objectStoreMemory: 16e6,
  memoryLimit: 350e6,
  memoryMonitorRefreshMs: 50,
}

/** Holds that many bytes of its own until it is told otherwise. */
class Holder {
  held: Buffer[] = []
  runs: string[] = []
  hold(bytes: number) {
    this.held.push(Buffer.alloc(bytes, 1))
  }
  run(name: string) {
    return this.runs.push(name)
  }
  counts() {
    return this.runs.length
  }
}

test('under pressure the newer task dies and says why, and the older actor lives', () =>
  withCluster({ ...limit, taskOomRetries: 0 }, async () => {
    const holder = ray.remote(Holder).remote()
    await ray.get(holder.hold.remote(150e6))
    const leak = ray.remote(async () => {
      const held = Buffer.alloc(250e6, 1)
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      return held.length
    })
    const error = await rejection(ray.get(leak.remote()))
    assert.ok(error instanceof ray.OutOfMemoryError, String(error))
    assert.match(error.message, /memoryLimit of the workers is short, \d+ MB of at most 350 MB/)
    assert.match(error.message, /pid=\d+ task \S+\n +\d+ MB +pid=\d+ actor Holder/)
    assert.equal(await ray.get(holder.counts.remote()), 0)
  }))

test('a task that was ended for memory uses the budget for that, and not maxRetries', () =>
  withCluster({ ...limit, taskOomRetries: 1 }, async () => {
    const holder = ray.remote({ numCpus: 0 }, Holder).remote()
    const leak = ray.remote({ maxRetries: 5 }, async (name: string) => {
      await ray.get(holder.run.remote(name))
      const held = Buffer.alloc(450e6, 1)
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      return held.length
    })
    const error = await rejection(ray.get(leak.remote('again')))
    assert.ok(error instanceof ray.OutOfMemoryError, String(error))
    assert.match(error.message, /failed after 2 attempts/)
    assert.equal(await ray.get(holder.counts.remote()), 2)
    const once = await rejection(ray.get(leak.options({ maxRetries: 0 }).remote('once')))
    assert.ok(once instanceof ray.OutOfMemoryError, String(once))
    assert.equal(await ray.get(holder.counts.remote()), 3)
  }))

test('a task that was ended for memory runs again when there is room, and succeeds', () =>
  withCluster({ ...limit }, async () => {
    const holder = ray.remote({ numCpus: 0 }, Holder).remote()
    const leakOnce = ray.remote({ maxRetries: 1 }, async () => {
      if ((await ray.get(holder.run.remote('run'))) > 1) return 'done'
      const held = Buffer.alloc(450e6, 1)
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      return String(held.length)
    })
    assert.equal(await ray.get(leakOnce.remote()), 'done')
  }))

test('an actor ends when there is nobody else to end', () =>
  withCluster({ ...limit }, async () => {
    const holder = ray.remote(Holder).remote()
    await ray.get(holder.hold.remote(450e6)).catch(() => undefined)
    let died: unknown
    await until(async () => {
      died = await ray.get(holder.counts.remote()).catch((error: unknown) => error)
      return typeof died !== 'number'
    })
    assert.ok(died instanceof ray.ActorDiedError, String(died))
    assert.match(died.message, /out of memory: the memoryLimit/)
  }))

test('options of the memory monitor that make no sense are refused', async () => {
  await assert.rejects(ray.init({ memoryUsageThreshold: 2 }), /memoryUsageThreshold.*at most 1/)
  await assert.rejects(ray.init({ memoryLimit: 0 }), /memoryLimit.*above zero/)
  await assert.rejects(ray.init({ taskOomRetries: -2 }), /taskOomRetries.*-1 or/)
})
