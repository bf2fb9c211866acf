import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { Queue, QueueEmptyError, QueueFullError } from '../../src/util/index.js'
import { until } from '../../src/testing/index.js'
import { inCluster, rejection } from './in-cluster.js'

const actorOptions = { numCpus: 0 }
const open = <T>(maxsize = 0): Queue<T> => new Queue<T>(maxsize, { actorOptions })

inCluster(
  'Queue',
  { numCpus: 2 },
  {
    async 'items come out in the order in which they went in'() {
      const queue = open<number>()
      assert.equal(await queue.empty(), true)
      for (const i of [0, 1, 2]) await queue.put(i)
      assert.equal(await queue.size(), 3)
      assert.equal(await queue.empty(), false)
      for (const i of [0, 1, 2]) assert.equal(await queue.get(), i)
      for (let i = 0; i < 1000; i++) void queue.put(i)
      for (let i = 0; i < 1000; i++) assert.equal(await queue.get(), i)
    },

    async 'a full queue and an empty one say so, at once or in time'() {
      const queue = open<number | undefined>(2)
      await queue.putNowait(1)
      await queue.put(undefined)
      assert.equal(await queue.full(), true)
      for (const options of [{ timeoutMs: 0 }, { timeoutMs: 5 }]) {
        const error = await rejection(queue.put(3, options))
        assert.ok(error instanceof QueueFullError, String(error))
        assert.equal(error.code, 'RAY_QUEUE_FULL')
      }
      assert.deepEqual([await queue.get(), await queue.getNowait()], [1, undefined])
      for (const options of [{ timeoutMs: 0 }, { timeoutMs: 5 }]) {
        const error = await rejection(queue.get(options))
        assert.ok(error instanceof QueueEmptyError, String(error))
      }
      assert.ok((await rejection(queue.get({ timeoutMs: -1 }))) instanceof RangeError)
      assert.throws(() => new Queue(-1), RangeError)
    },

    async 'batches go in and come out whole or not at all'() {
      const queue = open<number>(3)
      await queue.putNowaitBatch([1, 2])
      assert.ok((await rejection(queue.putNowaitBatch([3, 4]))) instanceof QueueFullError)
      assert.ok((await rejection(queue.getNowaitBatch(3))) instanceof QueueEmptyError)
      assert.equal(await queue.qsize(), 2)
      assert.deepEqual(await queue.getNowaitBatch(2), [1, 2])
    },

    async 'putting waits for room and getting for an item'() {
      const queue = open<number>(1)
      const got = queue.get()
      await queue.put(1)
      assert.equal(await got, 1)
      await queue.put(2)
      const puts = [queue.put(3), queue.put(4)]
      assert.deepEqual([await queue.get(), await queue.get(), await queue.get()], [2, 3, 4])
      await Promise.all(puts)
    },

    async 'more callers wait at once than would fit a pool of threads'() {
      const queue = open<number>()
      const gets = Array.from({ length: 3000 }, () => queue.get())
      await queue.putNowaitBatch(Array.from({ length: 3000 }, (_, i) => i))
      assert.deepEqual(
        await Promise.all(gets),
        Array.from({ length: 3000 }, (_, i) => i),
      )
    },

    async 'tasks and actors share one queue'() {
      const queue = open<number>(5)
      const produce = ray.remote(async (q: Queue<number>, from: number) => {
        for (let i = from; i < from + 20; i++) await q.put(i)
      })
      const consume = ray.remote(async (q: Queue<number>) => {
        let sum = 0
        for (let i = 0; i < 40; i++) sum += await q.get()
        return sum
      })
      const sum = consume.remote(queue)
      produce.options({ numCpus: 0.5 }).remote(queue, 0)
      produce.options({ numCpus: 0.5 }).remote(queue, 100)
      assert.equal(await ray.get(sum), 190 + 2190)
      const failure = ray.remote(async (q: Queue<number>) => q.getNowait())
      const error = await rejection(ray.get(failure.remote(queue)))
      assert.ok(error instanceof ray.RayTaskError)
      assert.ok(error.cause instanceof QueueEmptyError, String(error.cause))
    },

    async 'large arrays pass, and refs stay refs'() {
      const queue = open<unknown>()
      const array = new Float64Array(100_000).fill(1.5)
      await queue.put(array)
      await queue.put(ray.put('a value'))
      assert.deepEqual(await queue.get(), array)
      const ref = await queue.get()
      assert.ok(ref instanceof ray.ObjectRef)
      assert.equal(await ref.get(), 'a value')
    },

    async 'a get that is aborted takes no item with it'() {
      const queue = open<number>()
      const controller = new AbortController()
      const aborted = queue.get({ signal: controller.signal })
      assert.equal(await queue.size(), 0)
      controller.abort()
      assert.ok((await rejection(aborted)) instanceof ray.TaskCancelledError)
      await until(async () => {
        const other = queue.get({ timeoutMs: 1000 }).catch(() => undefined)
        await queue.put(7)
        return (await other) === 7
      })
    },

    async 'a reader that is killed while it waits takes no item with it'() {
      const queue = open<number>()
      const Reader = ray.remote(
        { numCpus: 0 },
        class {
          async read(q: Queue<number>) {
            void q.get()
            // Calls of one caller come in order: now the other one waits.
            await q.size()
            process.kill(process.pid, 'SIGKILL')
            return q.get()
          }
        },
      )
      const reader = Reader.remote()
      const error = await rejection(reader.read.remote(queue).get())
      assert.ok(error instanceof ray.ActorDiedError, String(error))
      await queue.actor.quiet.remote(60_000).get()
      await queue.put(7)
      assert.equal(await queue.size(), 1)
      assert.equal(await queue.getNowait(), 7)
    },

    async 'a queue is iterated until it is shut down'() {
      const queue = open<number>()
      const seen: number[] = []
      const iteration = (async () => {
        for await (const item of queue) seen.push(item)
      })()
      await queue.putNowaitBatch([1, 2, 3])
      await until(() => seen.length === 3)
      await queue.shutdown({ force: true })
      await iteration
      assert.deepEqual(seen, [1, 2, 3])
      assert.ok((await rejection(queue.put(1))) instanceof ray.ActorDiedError)
    },

    async 'a shutdown lets those who wait finish, for a while'() {
      const queue = open<number>()
      const got = queue.get()
      const ended = queue.shutdown({ gracePeriodMs: 60_000 })
      await queue.put(5)
      assert.equal(await got, 5)
      await ended
      const other = open<number>()
      const waiting = rejection(other.get())
      await other.shutdown({ gracePeriodMs: 1 })
      assert.ok((await waiting) instanceof ray.ActorDiedError)
    },
  },
)
