import assert from 'node:assert/strict'
import { until } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

const Fragile = ray.remote(
  class Fragile {
    n = 0
    inc() {
      return ++this.n
    }
    pid() {
      return process.pid
    }
    die() {
      process.kill(process.pid, 'SIGKILL')
      for (;;);
    }
    async sleep(ms: number) {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return ++this.n
    }
  },
)

const Log = ray.remote(
  class {
    items: number[] = []
    add(i: number) {
      this.items.push(i)
    }
    read() {
      return this.items
    }
  },
)

inCluster(
  'Restarts of actors',
  { numCpus: 2 },
  {
    async 'maxRestarts 1: calls in flight fail, the state begins anew once, then it is dead'() {
      const actor = Fragile.options({ maxRestarts: 1 }).remote()
      assert.equal(await ray.get(actor.inc.remote()), 1)
      assert.equal(await ray.get(actor.inc.remote()), 2)
      const first = await rejection(ray.get(actor.die.remote()))
      assert.ok(first instanceof ray.ActorUnavailableError, String(first))
      assert.match(first.message, /may or may not/)
      assert.equal(await ray.get(actor.inc.remote()), 1)
      const second = await rejection(ray.get(actor.die.remote()))
      assert.ok(second instanceof ray.ActorDiedError, String(second))
      assert.match(second.message, /SIGKILL/)
      assert.ok((await rejection(ray.get(actor.inc.remote()))) instanceof ray.ActorDiedError)
    },

    async 'maxTaskRetries -1: killed calls run again in order and none is lost'() {
      const log = Log.options({ numCpus: 0 }).remote()
      const Writer = ray.remote(
        class {
          log: typeof log
          constructor(l: [typeof log]) {
            this.log = l[0]
          }
          async write(i: number) {
            await ray.get(this.log.add.remote(i))
            return i
          }
          pid() {
            return process.pid
          }
        },
      )
      const options = { maxRestarts: -1, maxTaskRetries: -1, numCpus: 0 }
      const writer = Writer.options(options).remote([log])
      const pid = await ray.get(writer.pid.remote())
      const refs = Array.from({ length: 50 }, (_, i) => writer.write.remote(i))
      await ray.get(refs[5]!)
      process.kill(pid, 'SIGKILL')
      const values = await ray.get(refs)
      const all = Array.from({ length: 50 }, (_, i) => i)
      assert.deepEqual(values, all)
      const written = await ray.get(log.read.remote())
      assert.deepEqual([...new Set(written)], all)
    },

    async 'a restarted caller goes on calling, and its calls are in order'() {
      const log = Log.options({ numCpus: 0 }).remote()
      const Caller = ray.remote(
        class {
          log: typeof log
          constructor(l: [typeof log]) {
            this.log = l[0]
          }
          async write(from: number) {
            const refs = [0, 1, 2, 3, 4].map((i) => this.log.add.remote(from + i))
            await ray.get(refs)
            return ray.getRuntimeContext().wasCurrentActorReconstructed
          }
          pid() {
            return process.pid
          }
        },
      )
      const caller = Caller.options({ maxRestarts: 1, maxTaskRetries: 1, numCpus: 0 }).remote([log])
      assert.equal(await ray.get(caller.write.remote(0)), false)
      process.kill(await ray.get(caller.pid.remote()), 'SIGKILL')
      assert.equal(await ray.get(caller.write.remote(5)), true)
      assert.deepEqual(await ray.get(log.read.remote()), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    },

    async 'maxTaskRetries of a method, and of a call, come before that of the actor'() {
      const methods = { sleep: { maxTaskRetries: -1 } }
      const Class = Fragile.options({ maxRestarts: -1, numCpus: 0, methods })
      const actor = Class.remote()
      const pid = await ray.get(actor.pid.remote())
      const again = actor.sleep.remote(300)
      const lost = actor.sleep.options({ maxTaskRetries: 0 }).remote(0)
      const never = actor.inc.remote()
      process.kill(pid, 'SIGKILL')
      assert.ok((await rejection(ray.get(lost))) instanceof ray.ActorUnavailableError)
      assert.ok((await rejection(ray.get(never))) instanceof ray.ActorUnavailableError)
      assert.equal(await ray.get(again), 1)
    },

    async 'without restarts the error names the signal and the actor'() {
      const actor = Fragile.remote()
      const error = await rejection(ray.get(actor.die.remote()))
      assert.ok(error instanceof ray.ActorDiedError)
      assert.match(error.message, /SIGKILL/)
      assert.match(error.message, /Fragile/)
      assert.equal(typeof error.fields['actorId'], 'string')
    },

    async 'kill with noRestart false restarts the actor'() {
      const actor = Fragile.options({ maxRestarts: -1 }).remote()
      await ray.get(actor.inc.remote())
      const before = await ray.get(actor.pid.remote())
      ray.kill(actor, { noRestart: false })
      // A call may get through before the kill, or be lost with it.
      await until(async () => {
        const pid = await ray.get(actor.pid.remote()).catch(() => before)
        return pid !== before
      })
      assert.equal(await ray.get(actor.inc.remote()), 1)
      ray.kill(actor)
      assert.ok((await rejection(ray.get(actor.inc.remote()))) instanceof ray.ActorDiedError)
    },
  },
)
