// A worker that computes without a pause reads no messages. Whatever it made and passed on must
// be there for others all the same.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as ray from '../../src/index.js'
import { until } from '../../src/testing/index.js'
import { inCluster, rejection } from './in-cluster.js'

const spinMs = 3000
const patience = { timeoutMs: spinMs / 2 }

/** Collects what the spinning task hands over before it spins. */
const Desk = ray
  .remote(
    class {
      #refs: ray.ObjectRef<unknown>[] | null = null
      #taken: ((refs: ray.ObjectRef<unknown>[]) => void)[] = []
      hand(refs: ray.ObjectRef<unknown>[]) {
        this.#refs = refs
        for (const take of this.#taken) take(refs)
      }
      take() {
        const refs = this.#refs
        this.#refs = null
        if (refs !== null) return refs
        return new Promise<ray.ObjectRef<unknown>[]>((resolve) => this.#taken.push(resolve))
      }
    },
  )
  .options({ numCpus: 0, maxConcurrency: 4 })

type DeskHandle = ReturnType<(typeof Desk)['remote']>

const spin = (ms: number): void => {
  const end = Date.now() + ms
  while (Date.now() < end);
}

const identity = ray.remote((x: unknown) => x)
const sleep = ray.remote(async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
})

inCluster(
  'A worker that spins',
  { numCpus: 2, objectStoreMemory: 50e6 },
  {
    async 'does not stall tasks, waits and gets of others'() {
      await ray.get([identity.remote(1), identity.remote(2)])
      const spinning = ray.remote((ms: number) => spin(ms)).remote(spinMs)
      const refs = Array.from({ length: 200 }, (_, i) => identity.remote(i))
      const [ready] = await ray.wait(refs, { numReturns: 200, ...patience })
      assert.equal(ready.length, 200)
      assert.equal((await ray.get(refs, patience))[199], 199)
      assert.ok(
        (await rejection(ray.get(spinning, { timeoutMs: 0 }))) instanceof ray.GetTimeoutError,
      )
      await ray.get(spinning)
    },

    async 'does not stall those who borrow refs that it made, pending ones too'() {
      const desk = Desk.remote()
      const owner = ray.remote(async (d: [DeskHandle], ms: number) => {
        const small = ray.put('small')
        const large = ray.put(new Uint8Array(1e6).fill(7))
        const pending = sleep.options({ numCpus: 0 }).remote(400)
        const chained = identity.options({ numCpus: 0 }).remote('chained')
        await ray.get(d[0].hand.remote([small, large, pending, chained]))
        spin(ms)
        return 'spun'
      })
      const spinning = owner.remote([desk], spinMs)
      const [small, large, pending, chained] = await ray.get(desk.take.remote())
      assert.equal(await ray.get(small!, patience), 'small')
      assert.equal(((await ray.get(large!, patience)) as Uint8Array)[9], 7)
      const length = ray.remote((a: unknown) => (a as Uint8Array).length)
      assert.equal(await ray.get(length.remote(large!), patience), 1e6)
      assert.equal(await ray.get(pending!, patience), 400)
      assert.equal(await ray.get(chained!, patience), 'chained')
      const early = await rejection(ray.get(spinning, { timeoutMs: 0 }))
      assert.ok(early instanceof ray.GetTimeoutError, 'the owner still spins')
      assert.equal(await ray.get(spinning), 'spun')
    },

    async 'does not stall tasks that take its pending refs as arguments'() {
      const desk = Desk.remote()
      const owner = ray.remote(async (d: [DeskHandle], ms: number) => {
        await ray.get(d[0].hand.remote([sleep.options({ numCpus: 0 }).remote(300)]))
        spin(ms)
      })
      const spinning = owner.remote([desk], spinMs)
      const [pending] = await ray.get(desk.take.remote())
      const next = identity.options({ numCpus: 0 }).remote(pending!)
      assert.equal(await ray.get(next, patience), 300)
      await ray.get(spinning)
    },

    async 'can be cancelled, and so can what is queued behind it'() {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'spin-'))
      const files = ['a', 'b'].map((name) => path.join(folder, name))
      const endless = ray.remote((file: string) => {
        writeFileSync(file, '')
        spin(1e8)
      })
      const spinning = files.map((file) => endless.remote(file))
      await until(() => files.every((file) => existsSync(file)), { timeoutMs: 10_000 })
      rmSync(folder, { recursive: true })
      const queued = Array.from({ length: 10 }, (_, i) => identity.remote(i))
      for (const ref of [...spinning, ...queued]) ray.cancel(ref)
      for (const ref of [...spinning, ...queued]) {
        const error = await rejection(ray.get(ref, { timeoutMs: 5000 }))
        assert.ok(error instanceof ray.TaskCancelledError, String(error))
      }
      assert.equal(await ray.get(identity.remote('free'), { timeoutMs: 10_000 }), 'free')
    },
  },
)

inCluster(
  'A driver that spins',
  { numCpus: 2 },
  {
    async 'does not stall its tasks that pass refs to each other'() {
      const first = sleep.remote(10)
      const read = ray.remote(async (refs: ray.ObjectRef<number>[]) => {
        await ray.get(refs[0]!)
        return Date.now()
      })
      const second = read.remote([first])
      const start = Date.now()
      spin(2000)
      assert.ok((await ray.get(second)) - start < 1800)
    },
  },
)
