import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Pool, type PoolOptions } from '../../src/util/index.js'
import { inCluster, rejection } from './in-cluster.js'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const forever = (): Promise<never> => new Promise((_, reject) => setTimeout(reject, 100_000))

inCluster(
  'Pool',
  { numCpus: 2 },
  {
    async 'runs a function, and counts'() {
      const factor = 3
      const pool = new Pool<number, number>({ task: (x: number) => x * factor })
      const results = await Promise.all(Array.from({ length: 500 }, (_, i) => pool.run(i)))
      assert.deepEqual(
        results,
        Array.from({ length: 500 }, (_, i) => 3 * i),
      )
      assert.equal(pool.completed, 500)
      assert.equal(pool.queueSize, 0)
      assert.ok(pool.duration > 0)
      assert.ok(pool.utilization >= 0 && pool.utilization <= 1)
      const { runTime, waitTime } = pool.histogram
      assert.ok(runTime.max >= runTime.p50 && runTime.p50 > 0)
      assert.ok(waitTime.max >= waitTime.mean)
      await pool.close()
      assert.match(String(await rejection(pool.run(1))), /closed/)
    },

    async 'runs exports of modules, of ES modules and CommonJS'() {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'typeray-pool-'))
      const module = path.join(folder, `pool-${process.pid}.mjs`)
      const common = path.join(folder, `pool-${process.pid}.cjs`)
      writeFileSync(
        module,
        'export default (x) => x + 1\nexport const twice = async (x) => 2 * x\n',
      )
      writeFileSync(common, 'module.exports = (x) => x + 10\nmodule.exports.minus = (x) => -x\n')
      const pool = new Pool<number, number>({ filename: module })
      assert.equal(await pool.run(1), 2)
      assert.equal(await pool.run(4, { name: 'twice' }), 8)
      assert.equal(await pool.run(1, { filename: common }), 11)
      assert.equal(await pool.run(1, { filename: common, name: 'minus' }), -1)
      assert.match(String(await rejection(pool.run(1, { name: 'none' }))), /no function 'none'/)
      await pool.close()
      rmSync(folder, { recursive: true })
    },

    async 'rejects with what the function threw'() {
      const pool = new Pool({
        task: () => {
          throw new RangeError('too far')
        },
      })
      const error = await rejection(pool.run(undefined))
      assert.ok(error instanceof RangeError && error.message === 'too far', String(error))
    },

    async 'an aborted signal rejects with an AbortError and frees the CPU'() {
      const pool = new Pool({ task: forever, maxThreads: 1 })
      const controller = new AbortController()
      const running = rejection(pool.run(1, { signal: controller.signal }))
      controller.abort()
      assert.equal(((await running) as Error).name, 'AbortError')
      const error = await rejection(pool.run(1, { signal: controller.signal }))
      assert.equal((error as Error).name, 'AbortError')
      const quick = new Pool<number, number>({ task: (x: number) => x, maxThreads: 1 })
      assert.equal(await quick.run(6), 6)
    },

    async 'maxThreads bounds what runs, maxQueue what waits'() {
      const pool = new Pool({ task: forever, maxThreads: 1, maxQueue: 2 })
      let drains = 0
      pool.on('needsDrain', () => drains++)
      const running = [1, 2, 3].map((x) => rejection(pool.run(x)))
      const refused = await rejection(pool.run(4))
      assert.match(String(refused), /2 tasks waiting, and maxQueue is 2/)
      assert.equal(pool.queueSize, 2)
      assert.equal(drains, 1)
      await pool.destroy()
      await Promise.all(running)
    },

    async 'close waits for what was submitted, from the first call on'() {
      const pool = new Pool<number, number>({ task: async (x: number) => x + 1 })
      const results = [pool.run(1), pool.run(2)]
      await pool.close()
      assert.equal(pool.completed, 2)
      assert.deepEqual(await Promise.all(results), [2, 3])
    },

    async 'the event drain says that nothing waits'() {
      const pool = new Pool<number, number>({ task: (x: number) => x, maxThreads: 1 })
      const drained = new Promise((resolve) => pool.once('drain', resolve))
      await Promise.all([1, 2, 3].map((x) => pool.run(x)))
      await drained
      assert.equal(pool.needsDrain, false)
    },

    async 'has the verbs of multiprocessing'() {
      const pool = new Pool()
      const square = (x: number): number => x * x
      const squares = Array.from({ length: 100 }, (_, x) => x * x)
      const items = Array.from({ length: 100 }, (_, x) => x)
      assert.deepEqual(await pool.map(square, items), squares)
      assert.deepEqual(await pool.map(async (x: number) => x, items, { chunkSize: 7 }), items)
      assert.deepEqual(await pool.starmap((a: number, b: number) => a - b, [[5, 3]]), [2])
      assert.equal(await pool.apply((a: string, b: string) => a + b, ['x', 'y']), 'xy')
      assert.deepEqual(await all(pool.imap(square, items, { chunkSize: 9 })), squares)
      const unordered = await all(pool.imapUnordered(square, items))
      assert.deepEqual(
        unordered.sort((a, b) => a - b),
        squares,
      )
    },

    async 'what has no meaning is refused with the reason'() {
      const open = (options: object) => () => new Pool(options as PoolOptions)
      assert.throws(open({ workerData: 1 }), /'workerData' has no meaning: capture the value/)
      assert.throws(open({ maxThread: 1 }), /'maxThread' is not an option/)
      assert.throws(open({ maxThreads: 0 }), RangeError)
      assert.throws(open({ minThreads: 3, maxThreads: 2 }), RangeError)
      assert.throws(open({ filename: 'a', task: () => 1 }), /either filename or task/)
      assert.match(String(await rejection(new Pool().run(1))), /nothing to run/)
      const array = new Uint8Array(3)
      assert.equal(Pool.move(array), array)
    },
  },
)
