import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster } from './in-cluster.js'

/** Counts how many of its calls overlap. */
const Meter = ray.remote(
  class {
    running = 0
    most = 0
    async work(ms: number) {
      this.most = Math.max(this.most, ++this.running)
      await new Promise((resolve) => setTimeout(resolve, ms))
      this.running--
    }
    peak() {
      return this.most
    }
  },
)

/** Holds its callers until so many are there. */
const Meeting = ray.remote(
  class {
    #waiting: (() => void)[] = []
    async meet(count: number) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        if (this.#waiting.length >= count) for (const go of this.#waiting) go()
      })
      return this.#waiting.length
    }
  },
)

inCluster(
  'Concurrency of actors',
  { numCpus: 2 },
  {
    async 'maxConcurrency 3 never runs more than 3 of 30 calls at once'() {
      const meter = Meter.options({ maxConcurrency: 3 }).remote()
      await ray.get(Array.from({ length: 30 }, () => meter.work.remote(5)))
      assert.equal(await ray.get(meter.peak.remote()), 3)
    },

    async 'by default asynchronous calls do not overlap'() {
      const meter = Meter.remote()
      await ray.get(Array.from({ length: 10 }, () => meter.work.remote(3)))
      assert.equal(await ray.get(meter.peak.remote()), 1)
    },

    async 'three overlapping calls meet inside one actor'() {
      const meeting = Meeting.options({ maxConcurrency: 3 }).remote()
      const refs = [1, 2, 3].map(() => meeting.meet.remote(3))
      assert.deepEqual(await ray.get(refs), [3, 3, 3])
    },

    async 'each of the overlapping calls has its own context'() {
      const Context = ray.remote(
        class {
          async id(ms: number) {
            const before = ray.getRuntimeContext().taskId
            await new Promise((resolve) => setTimeout(resolve, ms))
            return [before, ray.getRuntimeContext().taskId] as const
          }
        },
      )
      const actor = Context.options({ maxConcurrency: 5 }).remote()
      const pairs = await ray.get([30, 5, 20, 10, 1].map((ms) => actor.id.remote(ms)))
      for (const [before, after] of pairs) assert.equal(before, after)
      assert.equal(new Set(pairs.map(([before]) => before)).size, 5)
    },

    async 'calls of many callers are all answered'() {
      const meter = Meter.options({ maxConcurrency: 4 }).remote()
      const caller = ray.remote(async (m: typeof meter) => {
        await ray.get(Array.from({ length: 20 }, () => m.work.remote(1)))
        return 20
      })
      const counts = await ray.get([1, 2, 3].map(() => caller.remote(meter)))
      assert.deepEqual(counts, [20, 20, 20])
      assert.ok((await ray.get(meter.peak.remote())) <= 4)
    },
  },
)
