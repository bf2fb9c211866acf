import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { ActorPool, asCompleted, mapUnordered } from '../../src/util/index.js'
import { inCluster, rejection } from './in-cluster.js'

const Doubler = ray.remote(
  class Doubler {
    double(x: number) {
      return 2 * x
    }
    #open: (() => void) | undefined
    readonly #opened = new Promise<void>((resolve) => {
      this.#open = resolve
    })
    /** Ends once `open` was called. */
    async gated(x: number) {
      await this.#opened
      return x
    }
    open() {
      this.#open?.()
    }
    fail(): number {
      throw new RangeError('no')
    }
  },
)
type Handle = ReturnType<typeof Doubler.remote>
const double = (actor: Handle, x: number) => actor.double.remote(x)
const gated = (actor: Handle, x: number) => actor.gated.remote(x)

const actors = (count: number): Handle[] =>
  Array.from({ length: count }, () => Doubler.options({ numCpus: 0, maxConcurrency: 2 }).remote())

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

inCluster(
  'ActorPool',
  { numCpus: 2 },
  {
    async 'map gives results in order, also of more values than actors'() {
      const pool = new ActorPool<Handle>(actors(2))
      assert.deepEqual(await all(pool.map(double, [1, 2, 3, 4, 5])), [2, 4, 6, 8, 10])
      const unordered = await all(pool.mapUnordered(double, [1, 2, 3, 4, 5]))
      assert.deepEqual(
        unordered.sort((a, b) => a - b),
        [2, 4, 6, 8, 10],
      )
      assert.equal(pool.hasNext(), false)
    },

    async 'map gives up results that nobody fetched'() {
      const pool = new ActorPool<Handle, number>(actors(2))
      pool.submit(double, 100)
      pool.submit(double, 200)
      pool.submit(double, 300)
      assert.deepEqual(await all(pool.map(double, [1, 2])), [2, 4])
    },

    async 'getNext keeps the order of submission, getNextUnordered does not'() {
      const handles = actors(2)
      const pool = new ActorPool<Handle, number>(handles)
      pool.submit(gated, 1)
      pool.submit(double, 2)
      assert.equal(await pool.getNextUnordered(), 4)
      pool.submit(double, 5)
      for (const handle of handles) handle.open.remote()
      assert.equal(await pool.getNext(), 1)
      assert.equal(await pool.getNext(), 10)
      assert.ok((await rejection(pool.getNext())) instanceof RangeError)
    },

    async 'a result that is late can be asked for again, or given up'() {
      const pool = new ActorPool<Handle, number>(actors(1))
      pool.submit(gated, 1)
      for (const next of ['getNext', 'getNextUnordered'] as const) {
        const error = await rejection(pool[next]({ timeoutMs: 1 }))
        assert.ok(error instanceof ray.GetTimeoutError, String(error))
        assert.equal(pool.hasNext(), true)
      }
      const error = await rejection(pool.getNext({ timeoutMs: 1, ignoreIfTimedOut: true }))
      assert.ok(error instanceof ray.GetTimeoutError && /given up/.test(error.message))
      assert.equal(pool.hasNext(), false)
      assert.equal(pool.hasFree(), true)
    },

    async 'a call that fails leaves its actor in the pool'() {
      const pool = new ActorPool<Handle, number>(actors(1))
      pool.submit((actor) => actor.fail.remote(), 0)
      pool.submit(double, 4)
      assert.ok((await rejection(pool.getNext())) instanceof ray.RayTaskError)
      assert.equal(await pool.getNext(), 8)
    },

    async 'actors are pushed and popped only while they do nothing'() {
      const [first, second] = actors(2)
      assert.ok(first && second)
      const pool = new ActorPool<Handle, number>([first])
      assert.throws(() => pool.push(first), TypeError)
      pool.submit(double, 1)
      assert.equal(pool.hasFree(), false)
      assert.equal(pool.popIdle(), undefined)
      assert.throws(() => pool.push(first), TypeError)
      pool.submit(double, 2)
      pool.push(second)
      assert.deepEqual([await pool.getNext(), await pool.getNext()], [2, 4])
      const popped = [pool.popIdle(), pool.popIdle()]
      assert.deepEqual(new Set(popped), new Set([first, second]))
      assert.equal(pool.popIdle(), undefined)
      pool.submit(double, 3)
      assert.ok((await rejection(pool.getNext())) instanceof RangeError)
      pool.push(first)
      assert.equal(await pool.getNext(), 6)
    },
  },
)

inCluster(
  'asCompleted and mapUnordered',
  { numCpus: 2 },
  {
    async 'values come as they are ready'() {
      const [actor, other] = actors(2)
      assert.ok(actor && other)
      const refs = [actor.gated.remote(300), other.double.remote(1), other.double.remote(2)]
      const values = asCompleted(refs)
      const first = [await values.next(), await values.next()]
      assert.deepEqual(
        first.map(({ value }) => value),
        [2, 4],
      )
      actor.open.remote()
      assert.deepEqual(await all(values), [300])
      const seen = await all(asCompleted(refs, { yieldRefs: true }))
      assert.deepEqual(new Set(seen), new Set(refs))
    },

    async 'all of many values come once, whatever the chunk'() {
      const same = ray.remote((x: number) => x)
      for (const chunkSize of [1, 7, 1000]) {
        const refs = Array.from({ length: 500 }, (_, i) => same.remote(i))
        const values = await all(asCompleted(refs, { chunkSize }))
        assert.deepEqual(
          values.sort((a, b) => a - b),
          Array.from({ length: 500 }, (_, i) => i),
        )
      }
    },

    async 'an error ends the values and not the refs'() {
      const odd = ray.remote((x: number) => {
        if (x === 1) throw new RangeError('one')
        return x
      })
      const refs = [0, 1, 2].map((x) => odd.remote(x))
      assert.ok((await rejection(all(asCompleted(refs)))) instanceof ray.RayTaskError)
      assert.equal((await all(asCompleted(refs, { yieldRefs: true }))).length, 3)
    },

    async 'mapUnordered reads items only as there is room, and takes plain functions'() {
      let read = 0
      function* items() {
        for (; read < 100; read++) yield read
      }
      const results = mapUnordered((x: number) => x * x, items(), { backpressure: 4 })
      const first = await results.next()
      assert.equal(first.done, false)
      assert.ok(read < 20, String(read))
      const rest = await all(results)
      const sum = rest.reduce((a, b) => a + b, first.value as number)
      assert.equal(sum, 328_350)
    },

    async 'mapUnordered cancels what nobody waits for any more'() {
      const wait = ray.remote(async (x: number) => {
        if (x > 0) await new Promise((resolve) => setTimeout(resolve, 100_000))
        return x
      })
      for await (const x of mapUnordered(wait, [0, 1, 2, 3])) {
        assert.equal(x, 0)
        break
      }
      // The CPUs are free again.
      assert.equal(await ray.get(ray.remote({ numCpus: 2 }, () => 5).remote()), 5)
    },
  },
)
