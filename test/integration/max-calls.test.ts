import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { until } from '../../src/testing/until.js'
import { inCluster } from './in-cluster.js'

const pid = () => process.pid

inCluster(
  'maxCalls',
  { numCpus: 2, numGpus: 1 },
  {
    async 'a worker ends after as many runs of the function, and each task has run once'({
      workerPids,
    }) {
      const counter = ray
        .remote(
          class Counter {
            n = 0
            add() {
              return ++this.n
            }
          },
        )
        .remote()
      const task = ray.remote({ maxCalls: 2, maxRetries: 0 }, async () => {
        await ray.get(counter.add.remote())
        return process.pid
      })
      const pids = await ray.get(Array.from({ length: 8 }, () => task.remote()))
      for (const each of new Set(pids)) {
        assert.ok(pids.filter((other) => other === each).length <= 2)
      }
      assert.equal(await ray.get(counter.add.remote()), 9)
      const haveEnded = () => {
        const alive = workerPids()
        const done = pids.filter((each) => pids.filter((other) => other === each).length === 2)
        return done.every((each) => !alive.includes(each))
      }
      await until(haveEnded, { what: 'the end of the workers' })
    },

    async 'short tasks that are sent ahead are not lost'() {
      const task = ray.remote({ maxCalls: 5, maxRetries: 0 }, (x: number) => x)
      const values = await ray.get(Array.from({ length: 60 }, (_, i) => task.remote(i)))
      assert.deepEqual(
        values,
        Array.from({ length: 60 }, (_, i) => i),
      )
    },

    async 'a worker that ends while its child is unfinished frees its resources, ten times over'() {
      const child = ray.remote({ numCpus: 0 }, async (x: number) => {
        await new Promise((resolve) => setTimeout(resolve, 30))
        return x
      })
      const parent = ray.remote(
        { numCpus: 1, numGpus: 1, maxCalls: 1, maxRetries: 0 },
        (x: number) => [child.remote(x)],
      )
      for (let i = 0; i < 10; i++) {
        const [ref] = await ray.get(parent.remote(i))
        assert.ok(ref)
        if (i % 3 === 0) assert.equal(await ray.get(ref), i)
      }
      await until(async () => (await ray.availableResources())['GPU'] === 1, { what: 'a free GPU' })
    },

    async 'a task with a GPU has a worker of its own unless it says otherwise'() {
      const once = ray.remote({ numGpus: 1, numCpus: 0 }, pid)
      const first = await ray.get(once.remote())
      assert.notEqual(await ray.get(once.remote()), first)
      const again = once.options({ maxCalls: 0 })
      const second = await ray.get(again.remote())
      assert.equal(await ray.get(again.remote()), second)
    },

    async 'a large result and a stream outlive the worker that made them'() {
      const large = ray.remote({ maxCalls: 1 }, () => new Float64Array(100_000).fill(2))
      const values = await ray.get([large.remote(), large.remote()])
      assert.equal(values[1]?.[99_999], 2)
      const stream = ray.remote({ maxCalls: 1, numReturns: 'streaming' }, function* () {
        for (let i = 0; i < 5; i++) yield i
      })
      const seen: number[] = []
      for await (const ref of stream.remote()) seen.push(await ray.get(ref))
      assert.deepEqual(seen, [0, 1, 2, 3, 4])
    },
  },
)
