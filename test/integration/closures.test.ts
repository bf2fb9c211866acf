// What a remote function captures: how large it may be, and what it keeps alive.

import assert from 'node:assert/strict'
import { until } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { collectGarbage, inCluster } from './in-cluster.js'

inCluster(
  'Captured values',
  { numCpus: 2, objectStoreMemory: 10e6 },
  {
    async 'a hundred megabytes are too large, and the variable is named'() {
      const table = new Uint8Array(100 * 2 ** 20)
      const read = ray.remote(() => table[0])
      assert.throws(
        () => read.remote(),
        (error) =>
          error instanceof ray.SerializationError &&
          /The remote function .* is too large/.test(error.message) &&
          /table/.test(error.message),
      )
    },

    async 'the package and its functions travel, however the caller came by them'() {
      const own: unknown = await import('../../src/index.js')
      const captured = own as typeof ray
      const { get, put, RayError } = captured
      const use = captured.remote(async (error: unknown) => {
        const isSame = get === captured.get && error instanceof RayError
        return [await get(put(1)), await captured.get(captured.put(2)), isSame]
      })
      const error = new RayError('it is one class')
      assert.deepEqual(await ray.get(use.remote(error)), [1, 2, true])
    },

    // An object larger than the store has a file of its own, which is there as long as the object.
    async 'an object lives as long as the function that captures its ref'(cluster) {
      const use = async (): Promise<void> => {
        const reader = (() => {
          const ref = ray.put(new Uint8Array(20e6).fill(7))
          return ray.remote(async () => (await ray.get(ref))[5])
        })()
        assert.equal(await ray.get(reader.remote()), 7)
        await collectGarbage()
        assert.ok(cluster.spillFiles().length > 0)
        assert.equal(await ray.get(reader.remote()), 7)
      }
      await use()
    },

    async 'a function that has been shipped goes with what it captures, and can come back'() {
      const shipped = () => {
        const captured = [41]
        const fn = () => (captured[0] ?? 0) + 1
        return { ref: ray.put(fn), gone: new WeakRef(captured) }
      }
      const { ref, gone } = shipped()
      const call = ray.remote((fn: () => number) => fn())
      assert.equal(await ray.get(call.remote(ref)), 42)
      await until(async () => {
        await collectGarbage()
        return gone.deref() === undefined
      })
      const again = await ray.get(ref)
      assert.equal(again(), 42)
    },

    async 'an actor lives as long as a function that captures its handle'() {
      const makeCaller = () => {
        const Counter = ray.remote(
          class {
            n = 0
            inc() {
              return ++this.n
            }
          },
        )
        const counter = Counter.options({ numCpus: 0 }).remote()
        return ray.remote(async () => ray.get(counter.inc.remote()))
      }
      const call = makeCaller()
      assert.equal(await ray.get(call.remote()), 1)
      await collectGarbage()
      await until(async () => (await ray.get(call.remote())) >= 3)
    },
  },
)
