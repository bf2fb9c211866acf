// A worker that computes without a pause reads no messages. Whatever it made and passed on must
// be there for others all the same.
//
// Who spins does so until a file is there, which the test writes when everything else has been seen
// to work: no time is asserted, and a slow machine has as much as it needs.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import * as ray from '../../src/index.js'
import { until } from '../../src/testing/index.js'
import { inCluster, rejection } from './in-cluster.js'

const patience = { timeoutMs: 40_000 }
/** Whoever still spins after this time fails the test. */
const spinMsMax = 60_000

const folder = mkdtempSync(path.join(os.tmpdir(), 'spin-'))
after(() => rmSync(folder, { recursive: true }))
let fileCount = 0
const newFile = (): string => path.join(folder, String(++fileCount))

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

/** Computes without a pause until the files are there. False: they never came. */
const spinUntil = (...files: string[]): boolean => {
  const end = Date.now() + spinMsMax
  while (!files.every((file) => existsSync(file))) if (Date.now() > end) return false
  return true
}

/** The task spins still: it was not the end of that which let the others go on. */
async function endSpin(spinning: ray.ObjectRef<unknown>, file: string): Promise<void> {
  const early = await rejection(ray.get(spinning, { timeoutMs: 0 }))
  assert.ok(early instanceof ray.GetTimeoutError, 'it still spins')
  writeFileSync(file, '')
  assert.equal(await ray.get(spinning), true)
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
      const file = newFile()
      const spinning = ray.remote(spinUntil).remote(file)
      const refs = Array.from({ length: 200 }, (_, i) => identity.remote(i))
      const [ready] = await ray.wait(refs, { numReturns: 200, ...patience })
      assert.equal(ready.length, 200)
      assert.equal((await ray.get(refs, patience))[199], 199)
      await endSpin(spinning, file)
    },

    async 'does not stall those who borrow refs that it made, pending ones too'() {
      const desk = Desk.remote()
      const owner = ray.remote(async (d: [DeskHandle], file: string) => {
        const small = ray.put('small')
        const large = ray.put(new Uint8Array(1e6).fill(7))
        const pending = sleep.options({ numCpus: 0 }).remote(400)
        const chained = identity.options({ numCpus: 0 }).remote('chained')
        await ray.get(d[0].hand.remote([small, large, pending, chained]))
        return spinUntil(file)
      })
      const file = newFile()
      const spinning = owner.remote([desk], file)
      const [small, large, pending, chained] = await ray.get(desk.take.remote())
      assert.equal(await ray.get(small!, patience), 'small')
      assert.equal(((await ray.get(large!, patience)) as Uint8Array)[9], 7)
      const length = ray.remote((a: unknown) => (a as Uint8Array).length)
      assert.equal(await ray.get(length.remote(large!), patience), 1e6)
      assert.equal(await ray.get(pending!, patience), 400)
      assert.equal(await ray.get(chained!, patience), 'chained')
      await endSpin(spinning, file)
    },

    async 'does not stall tasks that take its pending refs as arguments'() {
      const desk = Desk.remote()
      const owner = ray.remote(async (d: [DeskHandle], file: string) => {
        await ray.get(d[0].hand.remote([sleep.options({ numCpus: 0 }).remote(300)]))
        return spinUntil(file)
      })
      const file = newFile()
      const spinning = owner.remote([desk], file)
      const [pending] = await ray.get(desk.take.remote())
      const next = identity.options({ numCpus: 0 }).remote(pending!)
      assert.equal(await ray.get(next, patience), 300)
      await endSpin(spinning, file)
    },

    async 'can be cancelled, and so can what is queued behind it'() {
      const files = [newFile(), newFile()]
      const endless = ray.remote((file: string) => {
        writeFileSync(file, '')
        for (;;);
      })
      const spinning = files.map((file) => endless.remote(file))
      await until(() => files.every((file) => existsSync(file)), patience)
      const queued = Array.from({ length: 10 }, (_, i) => identity.remote(i))
      for (const ref of [...spinning, ...queued]) ray.cancel(ref)
      for (const ref of [...spinning, ...queued]) {
        const error = await rejection(ray.get(ref, patience))
        assert.ok(error instanceof ray.TaskCancelledError, String(error))
      }
      assert.equal(await ray.get(identity.remote('free'), patience), 'free')
    },
  },
)

inCluster(
  'A driver that spins',
  { numCpus: 2 },
  {
    async 'does not stall its tasks that pass refs to each other'() {
      const file = newFile()
      const first = sleep.remote(10)
      const read = ray.remote(async (refs: ray.ObjectRef<number>[], to: string) => {
        await ray.get(refs[0]!)
        writeFileSync(to, '')
      })
      const second = read.remote([first], file)
      assert.ok(spinUntil(file), 'the second task has read the first while we computed')
      await ray.get(second)
    },

    async 'has all its tasks started, also on workers that it has used before'() {
      const touch = ray.remote((file: string, ms: number) => {
        const end = Date.now() + ms
        while (Date.now() < end);
        writeFileSync(file, '')
      })
      for (let round = 0; round < 5; round++) {
        const files = [0, 1, 2, 3].map(newFile)
        const refs = files.map((file) => touch.remote(file, 50))
        assert.ok(spinUntil(...files), `round ${round}: the tasks ran while we computed`)
        await ray.get(refs)
      }
    },

    async 'has the first tasks of a turn started, also those for which no worker had room'() {
      const touch = ray.remote((file: string, ms: number) => {
        const end = performance.now() + ms
        while (performance.now() < end);
        if (file !== '') writeFileSync(file, '')
      })
      for (let round = 0; round < 2; round++) {
        // So long that a worker takes two or three, and so short that it takes more than one.
        for (let i = 0; i < 20; i++) await ray.get(touch.remote('', 0.6))
        const files = Array.from({ length: 8 }, newFile)
        const refs = files.map((file) => touch.remote(file, 50))
        assert.ok(spinUntil(...files), `round ${round}: the tasks ran while we computed`)
        await ray.get(refs)
      }
    },

    async 'has all tasks started of a function that was short until now'() {
      const touch = ray.remote((file: string, ms: number) => {
        const end = Date.now() + ms
        while (Date.now() < end);
        if (file !== '') writeFileSync(file, '')
      })
      for (let i = 0; i < 20; i++) await ray.get(touch.remote('', 0))
      // With the leases that it has, and when it has returned them.
      for (let round = 0; round < 2; round++) {
        const files = [0, 1, 2, 3].map(newFile)
        const refs = files.map((file) => touch.remote(file, 200))
        assert.ok(spinUntil(...files), `round ${round}: the tasks ran while we computed`)
        await ray.get(refs)
        for (let i = 0; i < 20; i++) await ray.get(touch.remote('', 0))
        await until(async () => (await ray.availableResources())['CPU'] === 2, patience)
      }
    },
  },
)
