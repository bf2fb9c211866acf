import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

/** A promise that a test resolves when it has seen enough: calls that wait, but not for time. */
const Gate = ray.remote(
  class Gate {
    #open: () => void = () => undefined
    readonly #opened = new Promise<void>((resolve) => (this.#open = resolve))
    open() {
      this.#open()
    }
    async pass(value: number) {
      await this.#opened
      return value
    }
  },
)

/** Its calls wait until `go`; says how many of each group ran at once. */
class Crawler {
  readonly #running = new Map<string, number>()
  readonly #most = new Map<string, number>()
  #go: () => void = () => undefined
  readonly #gone = new Promise<void>((resolve) => (this.#go = resolve))
  async #run(group: string) {
    const running = (this.#running.get(group) ?? 0) + 1
    this.#running.set(group, running)
    this.#most.set(group, Math.max(running, this.#most.get(group) ?? 0))
    await this.#gone
    this.#running.set(group, this.#running.get(group)! - 1)
  }
  async fetch(i: number) {
    await this.#run('io')
    return i
  }
  async crunch(i: number) {
    await this.#run('compute')
    return i
  }
  async plain(i: number) {
    await this.#run('none')
    return i
  }
  go() {
    this.#go()
  }
  most(group: string) {
    return this.#most.get(group) ?? 0
  }
  running(group: string) {
    return this.#running.get(group) ?? 0
  }
}

const Grouped = ray.remote(
  {
    concurrencyGroups: { io: 2, compute: 4, control: 1 },
    methods: {
      fetch: { concurrencyGroup: 'io' },
      crunch: { concurrencyGroup: 'compute' },
      go: { concurrencyGroup: 'control' },
      most: { concurrencyGroup: 'control' },
      running: { concurrencyGroup: 'control' },
    },
  },
  Crawler,
)

class Flaky {
  #failures = 0
  fail(times: number, how: 'range' | 'type') {
    if (this.#failures++ < times) throw new (how === 'range' ? RangeError : TypeError)('again')
    return this.#failures
  }
  failures() {
    return this.#failures
  }
  two(): [string, string] {
    return ['a', 'b']
  }
  *count() {
    yield 1
    yield 2
  }
}

inCluster(
  'Methods of actors',
  { numCpus: 2 },
  {
    async 'a method fails as it did when the errors to retry for cannot be loaded by its caller'() {
      const home = process.pid
      class Foreign extends Error {
        static {
          if (process.pid !== home) throw new Error('not here')
        }
      }
      const Thrower = ray.remote(
        { numCpus: 0, maxTaskRetries: 2, methods: { fail: { retryExceptions: [Foreign] } } },
        class {
          fail() {
            throw new RangeError('as it did')
          }
        },
      )
      const call = ray.remote(async (thrower: ReturnType<typeof Thrower.remote>) =>
        ray.get(thrower.fail.remote()).catch((error: unknown) => String(error)),
      )
      const told = await ray.get(call.remote(Thrower.remote()), { timeoutMs: 60_000 })
      assert.match(String(told), /as it did/)
    },

    async 'each concurrency group has its own limit, and the rest keeps maxConcurrency'() {
      const crawler = Grouped.options({ numCpus: 0 }).remote()
      const refs = [0, 1, 2, 3, 4, 5].flatMap((i) => [
        crawler.fetch.remote(i),
        crawler.crunch.remote(i),
        crawler.plain.remote(i),
      ])
      // All that may start has started once a call of another group is answered.
      await ray.get(crawler.running.remote('io'))
      assert.equal(await ray.get(crawler.running.remote('io')), 2)
      assert.equal(await ray.get(crawler.running.remote('compute')), 4)
      assert.equal(await ray.get(crawler.running.remote('none')), 1)
      await ray.get(crawler.go.remote())
      await ray.get(refs)
      assert.equal(await ray.get(crawler.most.remote('io')), 2)
      assert.equal(await ray.get(crawler.most.remote('compute')), 4)
      assert.equal(await ray.get(crawler.most.remote('none')), 1)
    },

    async 'a stuck call in one group leaves another group responsive'() {
      const crawler = Grouped.options({ numCpus: 0 }).remote()
      const stuck = [1, 2, 3].map((i) => crawler.fetch.remote(i))
      assert.equal(await ray.get(crawler.running.remote('compute')), 0)
      const [, waiting] = await ray.wait(stuck, { numReturns: 3, timeoutMs: 0 })
      assert.equal(waiting.length, 3)
      await ray.get(crawler.go.remote())
      assert.deepEqual(await ray.get(stuck), [1, 2, 3])
    },

    async 'a call may name another group than its method, and an unknown one is refused'() {
      const crawler = Grouped.options({ numCpus: 0 }).remote()
      const plain = crawler.plain.options({ concurrencyGroup: 'compute' })
      const refs = [1, 2, 3].map((i) => plain.remote(i))
      await ray.get(crawler.running.remote('none'))
      assert.equal(await ray.get(crawler.running.remote('none')), 3)
      await ray.get(crawler.go.remote())
      await ray.get(refs)
      assert.throws(
        () => crawler.plain.options({ concurrencyGroup: 'disk' }),
        /'disk'.*io, compute/,
      )
      const other = ray.remote(Flaky).options({ numCpus: 0 }).remote()
      assert.throws(() => other.two.options({ concurrencyGroup: 'io' }), /has none; declare it/)
    },

    async 'groups and method options travel with handles, by name and with the class'() {
      const crawler = Grouped.options({ numCpus: 0, name: 'crawler' }).remote()
      const use = ray.remote(async (made: [typeof crawler], Class: [typeof Grouped]) => {
        const found = await ray.getActor<Crawler>('crawler')
        const stuck = [made[0].fetch.remote(1), found.fetch.remote(2)]
        const running = await ray.get(found.running.remote('io'))
        await ray.get(made[0].go.remote())
        const another = Class[0].options({ numCpus: 0 }).remote()
        const waits = another.fetch.remote(3)
        await ray.get(another.go.remote())
        return [running, ...(await ray.get([...stuck, waits]))]
      })
      assert.deepEqual(await ray.get(use.remote([crawler], [Grouped])), [2, 1, 2, 3])
    },

    async 'a decorated method has its options'() {
      class Decorated extends Crawler {
        @ray.method({ concurrencyGroup: 'io', retryExceptions: [RangeError] })
        override async fetch(i: number) {
          return super.fetch(i)
        }
      }
      const options = { concurrencyGroups: { io: 3 }, numCpus: 0 } as const
      const crawler = ray.remote(options, Decorated).remote()
      const refs = [1, 2, 3, 4].map((i) => crawler.fetch.remote(i))
      await ray.get(crawler.running.remote('io'))
      assert.equal(await ray.get(crawler.running.remote('io')), 3)
      await ray.get(crawler.go.remote())
      await ray.get(refs)
      assert.throws(() => ray.method({ group: 'io' } as object), /'group' is not an option/)
    },

    async 'numReturns of a method is the default of its calls'() {
      const methods = { two: { numReturns: 2 }, count: { numReturns: 'streaming' } } as const
      const actor = ray.remote({ methods, numCpus: 0 }, Flaky).remote()
      const [a, b] = actor.two.remote()
      assert.deepEqual(await ray.get([a, b]), ['a', 'b'])
      const items: number[] = []
      for await (const ref of actor.count.remote()) items.push(await ray.get(ref))
      assert.deepEqual(items, [1, 2])
      assert.deepEqual(await ray.get(actor.two.options({ numReturns: 1 }).remote()), ['a', 'b'])
    },

    async 'a method that throws is called again as often as its options allow'() {
      const methods = { fail: { maxTaskRetries: 3, retryExceptions: true } } as const
      const make = () => ray.remote({ methods, numCpus: 0 }, Flaky).remote()
      assert.equal(await ray.get(make().fail.remote(3, 'range')), 4)
      const four = make()
      const error = await rejection(ray.get(four.fail.remote(4, 'range')))
      assert.ok(error instanceof ray.RayTaskError && error.cause instanceof RangeError)
      assert.equal(await ray.get(four.failures.remote()), 4)
      const none = make()
      await rejection(ray.get(none.fail.options({ retryExceptions: false }).remote(1, 'range')))
      assert.equal(await ray.get(none.failures.remote()), 1)
    },

    async 'retryExceptions of classes retries for these alone, also through other handles'() {
      const methods = { fail: { maxTaskRetries: -1, retryExceptions: [RangeError] } } as const
      const Class = ray.remote({ methods, numCpus: 0, name: 'flaky' }, Flaky)
      const actor = Class.remote()
      assert.equal(await ray.get(actor.fail.remote(2, 'range')), 3)
      const error = await rejection(ray.get(actor.fail.remote(9, 'type')))
      assert.ok(error instanceof ray.RayTaskError && error.cause instanceof TypeError)
      const use = ray.remote(async () => {
        const found = await ray.getActor<Flaky>('flaky')
        return ray.get(found.fail.remote(7, 'range'))
      })
      assert.equal(await ray.get(use.remote()), 8)
      const call = actor.fail.options({ retryExceptions: [TypeError], maxTaskRetries: 1 })
      assert.equal(await ray.get(call.remote(9, 'type')), 10)
    },

    async 'with allowOutOfOrderExecution a call that is ready overtakes those that wait'() {
      const gate = Gate.options({ numCpus: 0, maxConcurrency: 2 }).remote()
      const Echo = ray.remote(
        class Echo {
          seen: number[] = []
          echo(i: number) {
            this.seen.push(i)
            return i
          }
          all() {
            return this.seen
          }
        },
      )
      const echo = Echo.options({ numCpus: 0, allowOutOfOrderExecution: true }).remote()
      const late = echo.echo.remote(gate.pass.remote(1))
      assert.equal(await ray.get(echo.echo.remote(2)), 2)
      await ray.get(gate.open.remote())
      assert.equal(await ray.get(late), 1)
      assert.deepEqual(await ray.get(echo.all.remote()), [2, 1])
    },

    async 'a waiting call of an unordered actor can be cancelled, and fails with its argument'() {
      const gate = Gate.options({ numCpus: 0, maxConcurrency: 2 }).remote()
      const options = { numCpus: 0, allowOutOfOrderExecution: true }
      const actor = ray.remote(Flaky).options(options).remote()
      const waiting = actor.fail.remote(gate.pass.remote(0), 'range')
      ray.cancel(waiting)
      assert.ok((await rejection(ray.get(waiting))) instanceof ray.TaskCancelledError)
      await ray.get(gate.open.remote())
      const bad = ray.remote((): number => {
        throw new Error('no number')
      })
      const failed = await rejection(ray.get(actor.fail.remote(bad.remote(), 'range')))
      assert.match(String(failed), /no number/)
      assert.equal(await ray.get(actor.failures.remote()), 0)
    },

    async 'maxPendingCalls holds a caller in a loop, and frees as its calls end'() {
      const gate = Gate.options({ numCpus: 0, maxPendingCalls: 10, maxConcurrency: 20 }).remote()
      const refs: ray.ObjectRef<number>[] = []
      const fill = () => {
        for (;;) refs.push(gate.pass.remote(refs.length))
      }
      assert.throws(fill, (error: unknown) => {
        assert.ok(error instanceof ray.PendingCallsLimitExceededError)
        assert.match(error.message, /Gate.*10 calls.*maxPendingCalls is 10/s)
        return true
      })
      assert.equal(refs.length, 10)
      // The limit is of each caller: another process may call, and lets the first ones through.
      const open = ray.remote((handle: typeof gate) => ray.get(handle.open.remote()))
      await ray.get(open.remote(gate))
      await ray.get(refs)
      assert.throws(fill, ray.PendingCallsLimitExceededError)
      assert.equal(refs.length, 20)
      await ray.get(refs)
    },

    async '__ray_ready__ is ready when the constructor has returned, and fails as it did'() {
      const actor = ray.remote(Flaky).options({ numCpus: 0 }).remote()
      assert.equal(await ray.get(actor.__ray_ready__.remote()), true)
      const Broken = ray.remote(
        class {
          constructor() {
            throw new RangeError('broken')
          }
        },
      )
      const broken = Broken.options({ numCpus: 0 }).remote()
      const error = await rejection(ray.get(broken.__ray_ready__.remote()))
      assert.ok(error instanceof ray.ActorDiedError, String(error))
      assert.match(error.message, /broken/)
    },

    async 'a method name with a typing error is answered with the one that was meant'() {
      const actor = ray.remote(Flaky).options({ numCpus: 0 }).remote()
      const any = actor as unknown as Record<string, unknown>
      assert.throws(() => any['failurs'], /no method 'failurs'. Did you mean 'failures'/)
      assert.throws(() => any['total'], /Its methods are: fail, failures, two, count. Only methods/)
    },
  },
)
