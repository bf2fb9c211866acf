import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { until, withCluster } from '../../src/testing/index.js'
import { inCluster } from './in-cluster.js'

const increment = ray.remote((x: number) => x + 1)

inCluster(
  'Nested tasks on one CPU',
  { numCpus: 1 },
  {
    async 'a parent blocked in get on its child lets the child run'() {
      const parent = ray.remote(async (x: number) => ray.get(increment.remote(x)))
      assert.equal(await ray.get(parent.remote(1)), 2)
    },

    async 'a parent blocked in wait on its child lets the child run'() {
      const parent = ray.remote(async (x: number) => {
        const [ready] = await ray.wait([increment.remote(x)])
        return ready[0]?.get()
      })
      assert.equal(await ray.get(parent.remote(1)), 2)
    },

    async 'a parent lets its child run on a worker where another task has left a get behind'() {
      const Never = ray.remote(
        class {
          never() {
            return new Promise<void>(() => undefined)
          }
        },
      )
      const never = Never.options({ numCpus: 0 }).remote()
      const leave = ray.remote(async (from: typeof never, isLong: boolean) => {
        ray.get(from.never.remote()).catch(() => undefined)
        if (isLong) await new Promise((resolve) => setTimeout(resolve, 20))
      })
      await ray.get([leave.remote(never, false), leave.remote(never, true)])
      const parent = ray.remote(async (x: number) => ray.get(increment.remote(x)))
      const refs = Array.from({ length: 10 }, (_, i) => parent.remote(i))
      assert.equal((await ray.get(refs, { timeoutMs: 60_000 })).at(-1), 10)
      ray.kill(never)
    },

    async 'a parent that iterates over a generator lets it run'() {
      const count = ray.remote(function* (n: number) {
        for (let i = 0; i < n; i++) yield i
      })
      const parent = ray.remote(async (n: number) => {
        let sum = 0
        const items = count.options({ numReturns: 'streaming' }).remote(n)
        for await (const item of items) sum += await item.get()
        return sum
      })
      assert.equal(await ray.get(parent.remote(5)), 10)
    },

    async 'the same inside a placement group'() {
      const group = ray.placementGroup([{ CPU: 1 }], 'PACK')
      await ray.get(group.ready())
      const schedulingStrategy = { placementGroup: group }
      const parent = ray
        .remote(async (x: number, strategy: { placementGroup: ray.PlacementGroup }) =>
          ray.get(increment.options({ schedulingStrategy: strategy }).remote(x)),
        )
        .options({ schedulingStrategy })
      assert.equal(await ray.get(parent.remote(1, schedulingStrategy)), 2)
      ray.removePlacementGroup(group)
    },

    async 'ten parents with ten children each all finish'() {
      const parent = ray.remote(async (x: number) => {
        const refs = Array.from({ length: 10 }, (_, i) => increment.remote(x + i))
        return (await ray.get(refs)).reduce((a, b) => a + b, 0)
      })
      const sums = await ray.get(Array.from({ length: 10 }, (_, i) => parent.remote(i)))
      assert.deepEqual(
        sums,
        Array.from({ length: 10 }, (_, i) => 55 + 10 * i),
      )
    },

    async 'a task makes an actor and calls it'() {
      const Counter = ray.remote(
        class {
          n = 0
          add(k: number) {
            return (this.n += k)
          }
        },
      )
      const parent = ray.remote(async () => {
        const counter = Counter.remote()
        await ray.get(counter.add.remote(1))
        return ray.get(counter.add.remote(2))
      })
      assert.equal(await ray.get(parent.remote()), 3)
    },

    async 'an actor submits tasks and calls other actors'() {
      const Leaf = ray.remote(
        class {
          twice(x: number) {
            return 2 * x
          }
        },
      )
      const Root = ray.remote(
        class {
          leaf = Leaf.remote()
          async run(x: number) {
            return ray.get(this.leaf.twice.remote(increment.remote(x)))
          }
        },
      )
      assert.equal(await ray.get(Root.remote().run.remote(4)), 10)
    },
  },
)

inCluster(
  'Recursion on two CPUs',
  { numCpus: 2 },
  {
    async 'fibonacci by tasks'() {
      const fib = ray.remote(async (n: number): Promise<number> => {
        if (n < 2) return n
        const [a, b] = await ray.get([fib.remote(n - 1), fib.remote(n - 2)] as const)
        return a + b
      })
      assert.equal(await ray.get(fib.remote(7)), 13)
    },
  },
)

// Each level needs a worker of its own, so this takes as long as a hundred processes take to start:
// on a busy machine minutes. What must not be is that it stands still.
test('a hundred levels, each blocked in get on the next', () =>
  withCluster({ numCpus: 2, deadlineMs: 900_000 }, async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'levels-'))
    const down = ray.remote(async (depth: number): Promise<number> => {
      writeFileSync(path.join(folder, String(depth)), '')
      return depth === 0 ? 0 : 1 + (await ray.get(down.remote(depth - 1)))
    })
    const bottom = down.remote(100)
    for (let reached = 0; reached <= 100;) {
      const before = reached
      await until(() => (reached = readdirSync(folder).length) > before, { timeoutMs: 60_000 })
    }
    assert.equal(await ray.get(bottom), 100)
    rmSync(folder, { recursive: true })
  }))
