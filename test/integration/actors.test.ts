import assert from 'node:assert/strict'
import { until } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { collectGarbage, inCluster, rejection } from './in-cluster.js'

const Counter = ray.remote(
  class Counter {
    n: number
    constructor(n = 0) {
      this.n = n
    }
    inc() {
      return ++this.n
    }
    async add(k: number) {
      this.n += k
      return this.n
    }
    pid() {
      return process.pid
    }
    fail() {
      throw new RangeError(`at ${this.n}`)
    }
    pair() {
      return [this.n, -this.n] as [number, number]
    }
    spin() {
      for (;;);
    }
  },
)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

inCluster(
  'Actors',
  { numCpus: 2, namespace: 'of-the-driver' },
  {
    async 'an actor keeps its state between calls'() {
      const counter = Counter.remote(10)
      assert.equal(await ray.get(counter.inc.remote()), 11)
      assert.equal(await ray.get(counter.add.remote(4)), 15)
      assert.deepEqual(await ray.get(counter.pair.options({ numReturns: 2 }).remote()), [15, -15])
    },

    async 'ray.actorId tells the id of an actor, whatever its methods are called'() {
      const Named = ray.remote(
        class Odd {
          actorId() {
            return ray.getRuntimeContext().actorId
          }
          id() {
            return 'not an id'
          }
          toString() {
            return 'not a name'
          }
        },
      )
      const odd = Named.remote()
      const id = ray.actorId(odd)
      assert.equal(id, await ray.get(odd.actorId.remote()))
      const elsewhere = ray.remote((handle: object) => ray.actorId(handle))
      assert.equal(await ray.get(elsewhere.remote(odd)), id)
      assert.equal(await ray.get(odd.id.remote()), 'not an id')
      assert.throws(() => ray.actorId({}), /takes the handle of an actor/)
      assert.throws(() => ray.actorId(null as unknown as object), TypeError)
    },

    async 'an error of a method leaves the actor alive'() {
      const counter = Counter.remote(3)
      const error = await rejection(ray.get(counter.fail.remote()))
      assert.ok(error instanceof ray.RayTaskError)
      assert.ok(error.cause instanceof RangeError)
      assert.equal(await ray.get(counter.inc.remote()), 4)
    },

    async 'calls run in the order of submission, whenever their arguments become ready'() {
      const Log = ray.remote(
        class {
          seen: number[] = []
          append(i: number) {
            this.seen.push(i)
          }
          read() {
            return this.seen
          }
        },
      )
      const after = ray.remote(async (ms: number, i: number) => {
        await new Promise((resolve) => setTimeout(resolve, ms))
        return i
      })
      const log = Log.remote()
      for (let i = 0; i < 20; i++)
        log.append.remote(i % 3 === 0 ? after.remote((i * 7) % 40, i) : i)
      assert.deepEqual(
        await ray.get(log.read.remote()),
        Array.from({ length: 20 }, (_, i) => i),
      )
    },

    async 'a call whose argument failed consumes its place'() {
      const counter = Counter.remote()
      const bad = ray.remote((): number => {
        throw new Error('no number')
      })
      const failed = counter.add.remote(bad.remote())
      const next = counter.inc.remote()
      assert.ok((await rejection(ray.get(failed))) instanceof ray.RayTaskError)
      assert.equal(await ray.get(next), 1)
    },

    async 'an error of the constructor surfaces on the first call'() {
      const Broken = ray.remote(
        class {
          constructor() {
            throw new TypeError('no luck')
          }
          method() {
            return 1
          }
        },
      )
      const broken = Broken.remote()
      const error = await rejection(ray.get(broken.method.remote()))
      assert.ok(error instanceof ray.ActorDiedError, String(error))
      assert.match(error.message, /no luck/)
      assert.ok(error.cause instanceof ray.RayTaskError)
      assert.ok(error.cause.cause instanceof TypeError)
      assert.ok((await rejection(ray.get(broken.method.remote()))) instanceof ray.ActorDiedError)
    },

    async 'ten classes of the same name each run their own code'() {
      const make = (i: number) =>
        ray.remote(
          class A {
            which() {
              return i
            }
          },
        )
      const actors = Array.from({ length: 10 }, (_, i) => make(i).options({ numCpus: 0 }).remote())
      const answers = await ray.get(actors.map((actor) => actor.which.remote()))
      assert.deepEqual(answers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    },

    async 'an actor ends when its last handle is gone, not before'() {
      const pid = await (async () => {
        const counter = Counter.remote()
        const use = ray.remote(async (c: typeof counter) => {
          await new Promise((resolve) => setTimeout(resolve, 300))
          return [await ray.get(c.inc.remote()), await ray.get(c.pid.remote())] as const
        })
        const ref = use.remote(counter)
        return ref
      })().then(async (ref) => {
        await collectGarbage()
        const [n, pid] = await ray.get(ref)
        assert.equal(n, 1)
        return pid
      })
      const isGone = async () => {
        await collectGarbage()
        return !isAlive(pid)
      }
      await until(isGone, { timeoutMs: 40_000 })
    },

    async 'a handle inside the actor itself, and one by name, do not keep it alive'() {
      const Self = ray.remote(
        class {
          me: unknown
          keep(handle: unknown[]) {
            this.me = handle
            return process.pid
          }
        },
      )
      const pid = await (async () => {
        const actor = Self.options({ name: 'selfish' }).remote()
        const pid = await ray.get(actor.keep.remote([actor]))
        await ray.getActor('selfish')
        return pid
      })()
      const isGone = async () => {
        await collectGarbage()
        return !isAlive(pid)
      }
      await until(isGone, { timeoutMs: 40_000 })
      const error = await rejection(ray.getActor('selfish'))
      assert.ok(error instanceof ray.RayActorError, String(error))
    },

    async 'kill interrupts an endless loop and fails what is pending'() {
      const counter = Counter.remote()
      const pid = await ray.get(counter.pid.remote())
      const spinning = counter.spin.remote()
      const queued = counter.inc.remote()
      ray.kill(counter)
      const refs: ray.ObjectRef[] = [
        spinning as ray.ObjectRef<unknown>,
        queued,
        counter.inc.remote(),
      ]
      for (const ref of refs) {
        const error = await rejection(ray.get(ref))
        assert.ok(error instanceof ray.ActorDiedError, String(error))
        assert.match(error.message, /kill/)
      }
      await until(() => !isAlive(pid))
    },

    async 'kill refuses what is not a handle'() {
      for (const bad of [1, null, undefined, {}, ray.put(1), Counter]) {
        assert.throws(() => ray.kill(bad), TypeError)
      }
    },

    async 'a named actor is found by its name, once'() {
      const counter = Counter.options({ name: 'tally' }).remote(5)
      const same = await ray.getActor<{ inc(): number }>('tally')
      assert.equal(await ray.get(same.inc.remote()), 6)
      const again = Counter.options({ name: 'tally', getIfExists: true }).remote()
      assert.equal(await ray.get(again.inc.remote()), 7)
      const twice = Counter.options({ name: 'tally' }).remote()
      const error = await rejection(ray.get(twice.inc.remote()))
      assert.ok(error instanceof ray.RayActorError, String(error))
      assert.match(error.message, /tally/)
      assert.equal(await ray.get(counter.inc.remote()), 8)
      ray.kill(counter)
      await rejection(ray.get(counter.inc.remote()))
      assert.ok((await rejection(ray.getActor('tally'))) instanceof ray.RayActorError)
    },

    async 'a named actor is seen in its own namespace only, unless asked for'() {
      const counter = Counter.options({ name: 'n', namespace: 'other' }).remote()
      await ray.get(counter.inc.remote())
      assert.ok((await rejection(ray.getActor('n'))) instanceof ray.RayActorError)
      const found = await ray.getActor<{ inc(): number }>('n', { namespace: 'other' })
      assert.equal(await ray.get(found.inc.remote()), 2)
    },

    async 'a task finds a named actor of its driver'() {
      const counter = Counter.options({ name: 'for-tasks' }).remote(1)
      const find = ray.remote(async () => {
        const found = await ray.getActor<{ inc(): number }>('for-tasks')
        return ray.get(found.inc.remote())
      })
      assert.equal(await ray.get(find.remote()), 2)
      assert.equal(await ray.get(counter.inc.remote()), 3)
    },

    async 'a detached actor outlives its handles'() {
      const made = Counter.options({ name: 'kept', lifetime: 'detached' }).remote()
      const pid = await ray.get(made.pid.remote())
      await collectGarbage()
      assert.ok(isAlive(pid))
      const found = await ray.getActor<{ inc(): number }>('kept')
      assert.equal(await ray.get(found.inc.remote()), 1)
      ray.kill(found)
      await until(() => !isAlive(pid))
    },

    async 'a method that does not exist is refused by name'() {
      const counter = Counter.remote() as unknown as Record<string, { remote(): unknown }>
      assert.throws(() => counter['dec']?.remote(), /dec/)
    },

    async 'methods of base classes, accessors and fields behave as in a class'() {
      class Base {
        protected k = 2
        twice(x: number) {
          return this.k * x
        }
      }
      class Derived extends Base {
        #secret = 7
        override twice(x: number) {
          return super.twice(x) + this.#secret
        }
        static make() {
          return new Derived()
        }
      }
      const actor = ray.remote(Derived).remote()
      assert.equal(await ray.get(actor.twice.remote(1)), 9)
    },

    async 'handles are passed to tasks and to other actors'() {
      const counter = Counter.remote()
      const bump = ray.remote(async (c: typeof counter) => ray.get(c.inc.remote()))
      const values = await ray.get([bump.remote(counter), bump.remote(counter)])
      assert.deepEqual([...values].sort(), [1, 2])
    },

    async 'a handle disposed at the end of a block ends its actor'() {
      let pid = 0
      {
        await using counter = Counter.remote()
        pid = await ray.get(counter.pid.remote())
      }
      await until(() => !isAlive(pid))
    },

    async 'handles are not thenables'() {
      const counter = Counter.remote()
      const same: unknown = await Promise.resolve(counter)
      assert.equal(same, counter)
      assert.equal(await ray.get(counter.inc.remote()), 1)
    },

    async 'maxPendingCalls refuses more calls than that'() {
      const Slow = ray.remote(
        class {
          async wait() {
            await new Promise((resolve) => setTimeout(resolve, 200))
          }
        },
      )
      const slow = Slow.options({ maxPendingCalls: 2 }).remote()
      const refs = [slow.wait.remote(), slow.wait.remote()]
      assert.throws(() => slow.wait.remote(), ray.PendingCallsLimitExceededError)
      await ray.get(refs)
      await ray.get(slow.wait.remote())
    },
  },
)
