import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import * as ray from '../../src/index.js'
import { until } from '../../src/testing/index.js'
import { inCluster, rejection } from './in-cluster.js'

const identity = ray.remote((x: number) => x)
const folder = mkdtempSync(path.join(os.tmpdir(), 'cancel-'))
after(() => rmSync(folder, { recursive: true }))
let fileCount = 0
const newFile = (): string => path.join(folder, String(++fileCount))
const begun = (file: string): Promise<unknown> => until(() => existsSync(file))

const spin = ray.remote((file: string) => {
  writeFileSync(file, '')
  for (;;);
})
const compute = ray.remote((ms: number) => {
  const end = performance.now() + ms
  while (performance.now() < end);
  return ms
})
const sleep = ray.remote(async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
})

async function isCancelled(ref: ray.ObjectRef): Promise<void> {
  const error = await rejection(ray.get(ref, { timeoutMs: 40_000 }))
  assert.ok(error instanceof ray.TaskCancelledError, String(error))
}

/** Both CPUs take a task each again. */
async function isFree(): Promise<void> {
  const both = identity.options({ numCpus: 2 }).remote(1)
  assert.equal(await ray.get(both, { timeoutMs: 40_000 }), 1)
}

inCluster(
  'Cancel',
  { numCpus: 2 },
  {
    async 'a task that computes without a pause is interrupted'() {
      const file = newFile()
      const ref = spin.remote(file)
      await begun(file)
      ray.cancel(ref)
      await isCancelled(ref)
      await isFree()
    },

    async 'the signal for a task that ends at that moment hits no other'() {
      const once = compute.options({ numCpus: 2, maxRetries: 0 })
      for (let round = 0; round < 60; round++) {
        const refs = [once.remote(23 + (round % 6)), once.remote(4), once.remote(4), once.remote(4)]
        ray.cancel(refs[0]!)
        assert.deepEqual(await ray.get(refs.slice(1)), [4, 4, 4])
      }
    },

    async 'a task that waits sees its signal, and its worker goes on'() {
      const waits = ray.remote(async (file: string) => {
        writeFileSync(file, '')
        const { signal } = ray.getRuntimeContext()
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return process.pid
      })
      const file = newFile()
      const ref = waits.remote(file)
      await begun(file)
      ray.cancel(ref)
      await isCancelled(ref)
      await isFree()
    },

    async 'a task that ignores its signal has its worker replaced'() {
      const ignores = ray.remote(async (file: string) => {
        writeFileSync(file, '')
        await new Promise(() => undefined)
      })
      const file = newFile()
      const ref = ignores.remote(file)
      await begun(file)
      ray.cancel(ref)
      await isCancelled(ref)
      await isFree()
    },

    async 'a task that is queued never runs'() {
      const busy = [sleep.remote(300), sleep.remote(300)]
      const queued = Array.from({ length: 20 }, (_, i) => identity.remote(i))
      for (const ref of queued) ray.cancel(ref)
      for (const ref of queued) await isCancelled(ref)
      assert.deepEqual(await ray.get(busy), [300, 300])
    },

    async 'force ends the worker'() {
      const file = newFile()
      const ref = spin.remote(file)
      await begun(file)
      ray.cancel(ref, { force: true })
      await isCancelled(ref)
      await isFree()
    },

    async 'cancelling the head of a chain fails all that depend on it'() {
      const head = sleep.remote(1e8)
      let tail = identity.remote(head)
      for (let i = 0; i < 5; i++) tail = identity.remote(tail)
      ray.cancel(head)
      await isCancelled(head)
      await isCancelled(tail)
      await isFree()
    },

    async 'cancelling the tail leaves the head running'() {
      const head = sleep.remote(300)
      const tail = identity.remote(head)
      ray.cancel(tail)
      await isCancelled(tail)
      assert.equal(await ray.get(head), 300)
    },

    async 'a recursive cancel reaches the children'() {
      const files = [newFile(), newFile()]
      const parent = ray.remote(async (to: string[]) =>
        ray.get(to.map((file) => spin.remote(file))),
      )
      const ref = parent.remote(files)
      await Promise.all(files.map(begun))
      ray.cancel(ref, { recursive: true })
      await isCancelled(ref)
      await isFree()
    },

    async 'a signal in the options cancels'() {
      const controller = new AbortController()
      const ref = sleep.options({ signal: controller.signal }).remote(1e8)
      controller.abort()
      await isCancelled(ref)
      const late = sleep.options({ signal: AbortSignal.abort() }).remote(1)
      await isCancelled(late)
      await isFree()
    },

    async 'a call of an actor gets the signal only, and the actor lives'() {
      const Waiter = ray.remote(
        class {
          aborted = 0
          async wait(file: string) {
            writeFileSync(file, '')
            const { signal } = ray.getRuntimeContext()
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
            this.aborted++
          }
          count() {
            return this.aborted
          }
        },
      )
      const waiter = Waiter.remote()
      const file = newFile()
      const ref = waiter.wait.remote(file)
      await begun(file)
      ray.cancel(ref)
      await isCancelled(ref)
      assert.equal(await ray.get(waiter.count.remote()), 1)
      assert.throws(() => ray.cancel(waiter.wait.remote(newFile()), { force: true }), TypeError)
      ray.kill(waiter)
    },

    async 'cancelling what has finished changes nothing'() {
      const ref = identity.remote(7)
      assert.equal(await ray.get(ref), 7)
      ray.cancel(ref)
      assert.equal(await ray.get(ref), 7)
      ray.cancel(ray.put(1))
    },

    async 'cancel refuses what is not a ref'() {
      for (const bad of [1, null, {}, 'x']) {
        assert.throws(() => ray.cancel(bad as unknown as ray.ObjectRef), TypeError)
      }
    },
  },
)
