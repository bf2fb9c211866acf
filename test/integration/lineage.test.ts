import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { loseObjects, until, withCluster } from '../../src/testing/index.js'
import { requireCore } from '../../src/worker/current-core.js'
import { collectGarbage, inCluster, rejection } from './in-cluster.js'

const size = 20_000
const large = (n: number) => new Float64Array(size).fill(n)

/** Counts what has run, where all attempts are seen. */
class Counts {
  readonly #counts = new Map<string, number>()
  add(name: string): number {
    const count = this.of(name) + 1
    this.#counts.set(name, count)
    return count
  }
  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }
}

const Counter = ray.remote(Counts)

/** What this process knows of how its results were made. */
const lineage = (): { bytes: number; size: number } => requireCore('test').recovery.lineage

inCluster(
  'Lost results are made again',
  { numCpus: 2 },
  {
    async 'a lost result is computed again, for the getter that waits and for the next one'() {
      const make = ray.remote((n: number) => [ray.getRuntimeContext().attempt, large(n)] as const)
      const ref = make.remote(7)
      assert.equal((await ray.get(ref))[0], 0)
      loseObjects([ref])
      const [attempt, values] = await ray.get(ref)
      assert.deepEqual([attempt, values.length, values[0]], [1, size, 7])
      assert.equal((await ray.get(ref))[0], 1)
    },

    async 'a chain of 20 links is rebuilt from its end'() {
      const chain = [start.remote()]
      for (let i = 1; i < 20; i++) chain.push(next.remote(chain[i - 1]!))
      const last = chain.at(-1)!
      assert.equal((await ray.get(last))[0], 19)
      loseObjects(chain)
      assert.equal((await ray.get(last))[0], 19)
      assert.equal((await ray.get(chain[10]!))[0], 10)
    },

    async 'links whose refs were dropped are rebuilt too'() {
      let last = start.remote()
      for (let i = 1; i < 20; i++) last = next.remote(last)
      assert.equal((await ray.get(last))[0], 19)
      await collectGarbage()
      loseObjects([last])
      assert.equal((await ray.get(last))[0], 19)
    },

    async 'dependents that are lost together are all rebuilt, from one rebuilt argument'() {
      const counter = Counter.remote()
      const make = ray.remote(async (counter: ray.ActorHandle<Counts>) => {
        await counter.add.remote('made').get()
        return large(1)
      })
      const source = make.remote(counter)
      const dependents = Array.from({ length: 4 }, () => next.remote(source))
      await ray.get(dependents)
      loseObjects([source, ...dependents])
      const values = await ray.get(dependents)
      assert.deepEqual(
        values.map((each) => each[0]),
        [2, 2, 2, 2],
      )
      assert.equal(await ray.get(counter.of.remote('made')), 2)
    },

    async 'several returns of one task are rebuilt by one run of it'() {
      const counter = Counter.remote()
      const pair = ray.remote({ numReturns: 2 }, async (counter: ray.ActorHandle<Counts>) => {
        await counter.add.remote('pair').get()
        return [large(1), large(2)] as const
      })
      const refs = pair.remote(counter)
      await ray.get(refs)
      loseObjects(refs)
      const [one, two] = await ray.get(refs)
      assert.deepEqual([one[0], two[0]], [1, 2])
      loseObjects([refs[1]])
      assert.equal((await ray.get(refs[1]))[5], 2)
      assert.equal((await ray.get(refs[0]))[5], 1)
      assert.equal(await ray.get(counter.of.remote('pair')), 3)
    },

    async 'an argument from put, large arguments and nested refs live as long as the result'() {
      const add = ray.remote((a: Float64Array, b: Float64Array) => a.map((n, i) => n + b[i]!))
      const unwrap = ray.remote(async (box: { ref: ray.ObjectRef<Float64Array> }) =>
        (await box.ref.get()).map((n) => n * 2),
      )
      let put: ray.ObjectRef<Float64Array> | null = ray.put(large(1))
      const sum = add.remote(put, large(2))
      put = null
      const double = unwrap.remote({ ref: start.remote() })
      await ray.get([sum, double])
      await collectGarbage()
      loseObjects([sum, double])
      assert.equal((await ray.get(sum))[9], 3)
      assert.equal((await ray.get(double))[9], 0)
    },

    async 'a freed argument is made again when the task that needs it is'() {
      const source = start.remote()
      const result = next.remote(source)
      await ray.get(result)
      ray.free(source)
      assert.ok((await rejection(ray.get(source))) instanceof ray.ObjectFreedError)
      loseObjects([result])
      assert.equal((await ray.get(result))[0], 1)
      assert.equal((await ray.get(source))[0], 0)
    },

    async 'a borrower gets a lost object, also when its owner has dropped the ref'() {
      const Reader = ray.remote(
        class Reader {
          #ref: ray.ObjectRef<Float64Array> | null = null
          keep([ref]: [ray.ObjectRef<Float64Array>]) {
            this.#ref = ref
          }
          lose() {
            loseObjects([this.#ref!])
          }
          async read() {
            return (await this.#ref!.get())[0]
          }
        },
      )
      const reader = Reader.remote()
      let ref: ray.ObjectRef<Float64Array> | null = next.remote(start.remote())
      await ray.get(reader.keep.remote([ref]))
      await ray.wait([ref])
      loseObjects([ref])
      assert.equal(await ray.get(reader.read.remote()), 1)
      ref = null
      await collectGarbage()
      await ray.get(reader.lose.remote())
      assert.equal(await ray.get(reader.read.remote()), 1)
      ray.kill(reader)
    },

    async 'a call of an actor is made again if its retries allow'() {
      const Maker = ray.remote(
        { maxTaskRetries: 1, maxRestarts: 1 },
        class Maker {
          #calls = 0
          make() {
            this.#calls++
            return [this.#calls, large(1)] as const
          }
        },
      )
      const maker = Maker.remote()
      const ref = maker.make.remote()
      assert.equal((await ray.get(ref))[0], 1)
      loseObjects([ref])
      assert.equal((await ray.get(ref))[0], 2)
      const dead = maker.make.remote()
      await ray.get(dead)
      ray.kill(maker)
      loseObjects([dead])
      const error = await rejection(ray.get(dead))
      assert.ok(error instanceof ray.ObjectReconstructionFailedError, String(error))
      assert.match(error.message, /actor has ended/)
    },

    async 'results of an actor that restarts survive its losses, again and again'() {
      const Maker = ray.remote(
        { maxTaskRetries: -1, maxRestarts: -1 },
        class Maker {
          make(n: number) {
            return large(n)
          }
        },
      )
      const maker = Maker.remote()
      const refs = [maker.make.remote(1), maker.make.remote(2)]
      await ray.get(refs)
      for (let round = 0; round < 3; round++) {
        ray.kill(maker, { noRestart: false })
        loseObjects(refs)
        const values = await ray.get(refs)
        assert.deepEqual(
          values.map((each) => each[0]),
          [1, 2],
        )
      }
    },

    async 'a rebuild that loses its worker goes on with the next one'() {
      const counter = Counter.remote()
      const fragile = ray.remote(async (counter: ray.ActorHandle<Counts>) => {
        if ((await counter.add.remote('fragile').get()) === 2) process.exit(1)
        return large(3)
      })
      const ref = fragile.remote(counter)
      await ray.get(ref)
      loseObjects([ref])
      assert.equal((await ray.get(ref))[0], 3)
      assert.equal(await ray.get(counter.of.remote('fragile')), 3)
    },

    async 'items are made again while their generator waits to be read, again and again'() {
      const yields = ray.remote(function* (scale: Float64Array, n: number) {
        for (let i = 0; i < n; i++) yield scale.map((each) => each * i)
      })
      const often = { maxRetries: -1, numCpus: 2, generatorBackpressureNumObjects: 2 }
      const options = { numReturns: 'streaming', ...often } as const
      const scale = ray.put(large(2))
      const stream = yields.options(options).remote(scale, 6)
      const refs = [(await stream.next()).value!, (await stream.next()).value!]
      await until(async () => (await ray.wait([refs[0]!], { timeoutMs: 0 }))[0].length === 1)
      for (let round = 0; round < 3; round++) {
        loseObjects(refs)
        const values = await ray.get(refs, { timeoutMs: 60_000 })
        assert.deepEqual([values[0]?.[0], values[1]?.[0]], [0, 2])
      }
      for await (const ref of stream) refs.push(ref)
      loseObjects(refs.slice(1))
      const values = await ray.get(refs, { timeoutMs: 60_000 })
      assert.deepEqual(
        values.map((array) => array[0]),
        [0, 2, 4, 6, 8, 10],
      )
      const twice = ray.remote((array: Float64Array) => array[0]! * 2)
      const last = twice.remote(refs[5]!)
      loseObjects(refs)
      assert.deepEqual(await ray.get([last, twice.remote(refs[4]!)]), [20, 16])
    },

    async 'an error of the second run is what getters get'() {
      const once = ray.remote(() => {
        if (ray.getRuntimeContext().attempt > 0) throw new RangeError('only once')
        return large(1)
      })
      const ref = once.remote()
      await ray.wait([ref])
      loseObjects([ref])
      const error = await rejection(ray.get(ref))
      assert.ok(error instanceof ray.RayTaskError)
      assert.ok(error.cause instanceof RangeError)
      const read = ray.remote((values: Float64Array) => values[0])
      assert.match(String(await rejection(ray.get(read.remote(ref)))), /only once/)
    },
  },
)

inCluster(
  'Lost results that cannot be made again',
  { numCpus: 2 },
  {
    async 'the runs of a task are counted, and the error tells them'() {
      const ref = ray.remote({ maxRetries: 1 }, () => large(1)).remote()
      await ray.wait([ref])
      loseObjects([ref])
      await ray.get(ref)
      loseObjects([ref])
      const error = await rejection(ray.get(ref))
      const MaxAttemptsError = ray.ObjectReconstructionFailedMaxAttemptsExceededError
      assert.ok(error instanceof MaxAttemptsError, String(error))
      assert.match(error.message, /has run 2 times/)
      assert.ok(error.message.includes(ref.id))
    },

    async 'put objects, tasks that may run once, and calls of actors without retries'() {
      const Maker = ray.remote(
        class Maker {
          make() {
            return large(1)
          }
        },
      )
      const put = ray.put(large(1))
      const once = ray.remote({ maxRetries: 0 }, () => large(1)).remote()
      const call = Maker.remote().make.remote()
      await ray.get([put, once, call])
      loseObjects([put, once, call])
      for (const ref of [put, once, call]) {
        const error = await rejection(ray.get(ref))
        assert.ok(error instanceof ray.ObjectLostError, String(error))
        assert.ok(!(error instanceof ray.ObjectReconstructionFailedError), String(error))
        assert.match(error.message, /cannot be computed again/)
      }
    },

    async 'an argument that is lost for good fails the result, with its error as the cause'() {
      const once = ray.remote({ maxRetries: 0 }, () => large(1)).remote()
      const result = next.remote(once)
      await ray.get(result)
      loseObjects([once, result])
      const error = await rejection(ray.get(result))
      assert.ok(error instanceof ray.ObjectReconstructionFailedError, String(error))
      assert.ok(error.message.includes(once.id), error.message)
    },

    async 'lineage goes with the refs that need it'() {
      await until(async () => {
        await collectGarbage()
        return lineage().size === 0
      })
      const refs = [next.remote(start.remote()), start.remote()]
      await ray.get(refs)
      assert.equal(lineage().size, 3)
      assert.ok(lineage().bytes > 0)
      refs.length = 0
      await until(async () => {
        await collectGarbage()
        return lineage().size === 0 && lineage().bytes === 0
      })
    },
  },
)

test('lineage beyond its bound is forgotten, oldest first, and the error says so', () =>
  withCluster({ numCpus: 2, lineageMemory: 2000 }, async () => {
    const refs: ray.ObjectRef<Float64Array>[] = []
    while (refs.length < 8) {
      refs.push(start.remote())
      await ray.get(refs.at(-1)!)
    }
    assert.ok(lineage().bytes <= 2000)
    loseObjects(refs)
    assert.equal((await ray.get(refs.at(-1)!))[0], 0)
    const error = await rejection(ray.get(refs[0]!))
    assert.ok(error instanceof ray.ObjectReconstructionFailedLineageEvictedError, String(error))
    assert.match(error.message, /lineageMemory/)
  }))

const start = ray.remote(() => large(0))
const next = ray.remote((before: Float64Array) => before.map((n) => n + 1))
