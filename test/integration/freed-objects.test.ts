import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

const large = () => new Float64Array(50_000).fill(1)

inCluster(
  'Freed objects, and objects whose maker has ended',
  { numCpus: 2 },
  {
    async 'a freed object is gone for gets, waits and tasks, and says so'() {
      const refs = [ray.put(1), ray.put(large()), ray.remote(large).remote()] as const
      await ray.wait(refs, { numReturns: 3 })
      ray.free(refs)
      const length = ray.remote((value: unknown) => String(value).length)
      for (const ref of refs) {
        const error = await rejection(ray.get<unknown>(ref as ray.ObjectRef))
        assert.ok(error instanceof ray.ObjectFreedError, String(error))
        assert.ok(error.message.includes(ref.id))
        const failure = await rejection(ray.get(length.remote(ref as ray.ObjectRef)))
        assert.ok(String(failure).includes('was freed'), String(failure))
      }
    },

    async 'a freed dependency of a task that waits fails the task: it is not made again'() {
      const made = ray.remote(large).remote()
      await ray.wait([made])
      const late = ray.remote(() => new Promise<number>((resolve) => setTimeout(resolve, 50, 2)))
      const both = ray.remote((xs: Float64Array, factor: number) => (xs[0] ?? 0) * factor)
      const ref = both.remote(made, late.remote())
      ray.free(made)
      const error = await rejection(ray.get(ref))
      assert.ok(String(error).includes('was freed'), String(error))
      assert.ok(error instanceof ray.ObjectFreedError || error instanceof ray.RayTaskError)
    },

    async 'an object outlives the actor that put it, with an owner and without'() {
      const Owner = ray.remote(
        class Owner {
          ready() {
            return true
          }
        },
      )
      const owner = Owner.options({ numCpus: 0 }).remote()
      const Maker = ray.remote(
        class Maker {
          make(owner: object) {
            return [ray.put(large(), { owner }), ray.put({ small: 1 })] as const
          }
        },
      )
      const maker = Maker.remote()
      const [kept, small] = await ray.get(maker.make.remote(owner))
      ray.kill(maker)
      await rejection(ray.get(maker.make.remote(owner)))
      assert.equal((await ray.get(kept)).length, 50_000)
      assert.deepEqual(await ray.get(small), { small: 1 })
      assert.throws(() => ray.put(1, { owner: {} }), /must be the handle of an actor/)
      assert.throws(() => ray.put(1, { _owner: owner } as object), /Did you mean 'owner'/)
    },
  },
)
