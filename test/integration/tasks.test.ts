import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as ray from '../../src/index.js'
import { until } from '../../src/testing/index.js'
import { requireCore } from '../../src/worker/index.js'
import { collectGarbage, inCluster, rejection } from './in-cluster.js'

const add = ray.remote((a: number, b: number) => a + b)
const later = ray.remote(async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ms
})

inCluster(
  'Tasks',
  { numCpus: 2, resources: { special: 1 } },
  {
    async 'a task returns what its function returns, or resolves to'() {
      assert.equal(await ray.get(add.remote(1, 2)), 3)
      assert.equal(await add.remote(1, 2).get(), 3)
      assert.equal(await ray.get(later.remote(1)), 1)
      const nothing = ray.remote(() => undefined)
      assert.equal(await ray.get(nothing.remote()), undefined)
    },

    async 'kinds of tasks that nobody holds any more are forgotten'() {
      const kinds = Array.from({ length: 100 }, (_, i) => ({ numCpus: (i + 1) / 1000 }))
      const run = async (): Promise<void> => {
        await ray.get(kinds.map((options) => add.options(options).remote(1, 2)))
      }
      await run()
      const submitter = requireCore('this test').submitter
      await until(async () => {
        await collectGarbage()
        return submitter.knownKeys < 20
      })
      await run()
    },

    async 'a chain of 100 dependent tasks yields 100'() {
      let ref = ray.put(0)
      for (let i = 0; i < 100; i++) ref = add.remote(ref, 1)
      assert.equal(await ray.get(ref), 100)
    },

    async 'numReturns may be 0, 1, 2 and 3'() {
      const list = ray.remote((n: number) => Array.from({ length: n }, (_, i) => i))
      assert.equal(list.options({ numReturns: 0 }).remote(0), undefined)
      assert.deepEqual(await ray.get(list.options({ numReturns: 1 }).remote(1)), [0])
      const two = list.options({ numReturns: 2 }).remote(2)
      assert.deepEqual(await ray.get(two), [0, 1])
      const three = list.options({ numReturns: 3 }).remote(3)
      assert.deepEqual(await ray.get(three), [0, 1, 2])
    },

    async 'a wrong number of returns is an error of every ref'() {
      const pair = ray.remote(() => [1, 2]).options({ numReturns: 3 })
      for (const ref of pair.remote()) {
        const error = await rejection(ray.get(ref))
        assert.ok(error instanceof ray.RayTaskError, String(error))
        assert.match(error.message, /numReturns|returned/)
        assert.match(error.message, /\b3\b/)
      }
      const single = ray.remote(() => 7 as unknown as number[]).options({ numReturns: 2 })
      const [first] = single.remote()
      assert.ok((await rejection(ray.get(first!))) instanceof ray.RayTaskError)
    },

    async 'a custom resource is granted and named in the context'() {
      const special = ray.remote(() => ray.getRuntimeContext().assignedResources)
      const granted = await ray.get(special.options({ resources: { special: 1 } }).remote())
      assert.equal(granted['special'], 1)
    },

    async 'an infeasible task fails and says what is missing'() {
      const need = ray.remote(() => 1).options({ resources: { unobtainium: 2 } })
      const error = await rejection(ray.get(need.remote()))
      assert.ok(error instanceof ray.TaskUnschedulableError, String(error))
      assert.match(error.message, /unobtainium/)
      const tooMany = await rejection(ray.get(add.options({ numCpus: 1000 }).remote(1, 2)))
      assert.ok(tooMany instanceof ray.TaskUnschedulableError)
      assert.match(tooMany.message, /CPU/)
    },

    async 'redefined functions run their latest body'() {
      let f = ray.remote(() => 1)
      assert.equal(await ray.get(f.remote()), 1)
      f = ray.remote(() => 2)
      assert.equal(await ray.get(f.remote()), 2)
      const makers = Array.from({ length: 5 }, (_, i) => ray.remote(() => i))
      assert.deepEqual(await ray.get(makers.map((make) => make.remote())), [0, 1, 2, 3, 4])
    },

    async 'functions defined inside tasks run'() {
      const outer = ray.remote(async (x: number) => {
        const inner = ray.remote((y: number) => y * x)
        return ray.get(inner.remote(10))
      })
      assert.deepEqual(await ray.get([outer.remote(1), outer.remote(2)]), [10, 20])
    },

    async 'a task with zero CPUs runs'() {
      assert.equal(await ray.get(add.options({ numCpus: 0 }).remote(1, 2)), 3)
    },

    async 'fractions of a CPU are granted'() {
      const refs = Array.from({ length: 8 }, (_, i) => add.options({ numCpus: 0.25 }).remote(i, i))
      assert.deepEqual(await ray.get(refs), [0, 2, 4, 6, 8, 10, 12, 14])
    },

    async 'a thousand tasks all return their own results'() {
      const refs = Array.from({ length: 1000 }, (_, i) => add.remote(i, 1))
      const values = await ray.get(refs)
      assert.ok(values.every((value, i) => value === i + 1))
    },

    async 'tasks submitted before the driver computes run meanwhile, two at a time'() {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'meanwhile-'))
      const files = [0, 1, 2, 3].map((n) => path.join(folder, String(n)))
      // Each waits for the one beside it: one after the other, none would ever end.
      const meet = ray.remote((mine: string, other: string) => {
        writeFileSync(mine, '')
        while (!existsSync(other));
        writeFileSync(`${mine}-met`, '')
      })
      const refs = files.map((file, n) => meet.remote(file, files[n ^ 1]!))
      const end = Date.now() + 60_000
      while (!files.every((file) => existsSync(`${file}-met`)) && Date.now() < end);
      assert.ok(files.every((file) => existsSync(`${file}-met`)))
      await ray.get(refs)
      rmSync(folder, { recursive: true })
    },
  },
)
