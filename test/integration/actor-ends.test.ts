import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { until } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { collectGarbage, inCluster, rejection } from './in-cluster.js'

class Worker {
  n = 0
  inc() {
    return ++this.n
  }
  pid() {
    return process.pid
  }
  leave() {
    ray.exitActor()
  }
  async leaveLater() {
    await Promise.resolve()
    ray.exitActor()
  }
  leaveFromCallback() {
    setImmediate(() => {
      try {
        ray.exitActor()
      } catch {
        // What it throws has no call to end here.
      }
    })
    return new Promise<never>(() => undefined)
  }
  onExit(file: string) {
    process.on('exit', () => {
      process.getBuiltinModule('node:fs').writeFileSync(file, 'hook ran')
    })
  }
  exit(code: number) {
    process.exit(code)
  }
  die() {
    process.kill(process.pid, 'SIGKILL')
    for (;;);
  }
  hold(handle: unknown[]) {
    this.held = handle
  }
  held: unknown[] = []
}
const Remote = ray.remote({ numCpus: 0 }, Worker)

/** Makes other actors, and dies. */
const Owner = ray.remote(
  { numCpus: 0 },
  class Owner {
    made: unknown[] = []
    make(type: [typeof Remote], options: ray.ActorOptions) {
      const actor = type[0].options(options).remote()
      this.made.push(actor)
      return [actor] as const
    }
    pid() {
      return process.pid
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

async function diedOf(ref: unknown, ...words: readonly RegExp[]): Promise<ray.ActorDiedError> {
  const error = await rejection(ray.get(ref as ray.ObjectRef))
  assert.ok(error instanceof ray.ActorDiedError, String(error))
  for (const word of words) assert.match(error.message, word)
  assert.match(String(error.fields['actorId']), /^[0-9a-f]{24}$/)
  assert.ok(error.message.includes(String(error.fields['actorId'])), error.message)
  return error
}

inCluster(
  'Ends of actors',
  { numCpus: 2, namespace: 'here', resources: { slot: 1 } },
  {
    async 'exitActor ends the call, those that wait and the actor, and runs exit hooks'() {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'typeray-exit-'))
      try {
        for (const way of ['leave', 'leaveLater', 'leaveFromCallback'] as const) {
          const file = path.join(folder, way)
          const actor = Remote.options({ maxRestarts: -1, maxTaskRetries: -1 }).remote()
          await ray.get(actor.onExit.remote(file))
          const pid = await ray.get(actor.pid.remote())
          const before = actor.inc.remote()
          const leaving = actor[way].remote()
          const behind = actor.inc.remote()
          assert.equal(await ray.get(before), 1)
          await diedOf(leaving, /Worker/, /exitActor\(\)/)
          await diedOf(behind, /exitActor\(\)/)
          await diedOf(actor.inc.remote(), /exitActor\(\)/)
          assert.equal(readFileSync(file, 'utf8'), 'hook ran')
          await until(() => !isAlive(pid))
        }
      } finally {
        rmSync(folder, { recursive: true })
      }
    },

    async 'exitActor of an actor with concurrency cuts off its other calls'() {
      const actor = Remote.options({ maxConcurrency: 2 }).remote()
      const stuck = actor.leaveFromCallback.remote()
      await diedOf(actor.leave.remote(), /exitActor\(\)/)
      await diedOf(stuck, /exitActor\(\)/)
    },

    async 'exitActor in a constructor ends the actor, in a task it is a TypeError'() {
      const Never = ray.remote(
        { numCpus: 0 },
        class Never {
          constructor() {
            ray.exitActor()
          }
          method() {
            return 1
          }
        },
      )
      await diedOf(Never.remote().method.remote(), /Never/, /exitActor\(\)/)
      const task = ray.remote(() => ray.exitActor())
      const error = await rejection(ray.get(task.remote()))
      assert.ok(error instanceof ray.RayTaskError && error.cause instanceof TypeError)
      assert.match(error.message, /outside of an actor/)
    },

    async '__ray_terminate__ ends an actor when the calls before it have run'() {
      const actor = Remote.options({ maxRestarts: -1 }).remote()
      const before = [actor.inc.remote(), actor.inc.remote()]
      const end = actor.__ray_terminate__.remote()
      assert.deepEqual(await ray.get(before), [1, 2])
      await diedOf(end, /__ray_terminate__/)
      await diedOf(actor.inc.remote(), /__ray_terminate__/)
    },

    async 'the message tells how an actor ended'() {
      const killed = Remote.remote()
      ray.kill(killed)
      await diedOf(killed.inc.remote(), /ended by ray\.kill/)

      const exits = Remote.remote()
      const code = await diedOf(exits.exit.remote(3), /exited with code 3/, /maxRestarts is 0/)
      assert.equal(code.fields['exitCode'], 3)

      const crashes = Remote.remote()
      const signal = await diedOf(crashes.die.remote(), /ended by signal SIGKILL/)
      assert.equal(signal.fields['signal'], 'SIGKILL')

      const owner = Owner.remote()
      const [owned] = await ray.get(owner.make.remote([Remote], {}))
      await ray.get(owned.inc.remote())
      process.kill(await ray.get(owner.pid.remote()), 'SIGKILL')
      await until(async () => (await rejection(ray.get(owner.pid.remote()))) !== undefined)
      const orphan = async (): Promise<ray.ActorDiedError | undefined> =>
        ray.get(owned.inc.remote()).then(
          () => undefined,
          (error: unknown) => error as ray.ActorDiedError,
        )
      assert.match((await until(orphan)).message, /its owner, process [0-9a-f]+, died/)

      const group = ray.placementGroup([{ CPU: 1 }])
      await ray.get(group.ready())
      const schedulingStrategy = { placementGroup: group }
      const inGroup = Remote.options({ schedulingStrategy }).remote()
      await ray.get(inGroup.inc.remote())
      ray.removePlacementGroup(group)
      const removed = (): Promise<unknown> => ray.get(inGroup.inc.remote()).catch((e: unknown) => e)
      const gone = await until(async () => {
        const answer = await removed()
        return answer instanceof Error ? answer : undefined
      })
      assert.match(gone.message, /its placement group .* was removed/)
    },

    async 'an actor that no node can ever host says what is missing'() {
      const never = Remote.options({ numCpus: 100 }).remote()
      const error = await rejection(ray.get(never.inc.remote()))
      assert.ok(error instanceof ray.ActorUnschedulableError, String(error))
      assert.match(error.message, /Worker.*100 CPU/)
      assert.match(String(error.fields['actorId']), /^[0-9a-f]{24}$/)
    },

    async 'a handle of an actor that went out of scope elsewhere says so'() {
      const maker = await (async () => {
        const actor = Remote.options({ name: 'brief' }).remote()
        await ray.get(actor.inc.remote())
        return actor.pid.remote()
      })()
      const pid = await ray.get(maker)
      // Found by its name: as in Ray such a handle does not keep the actor alive.
      const found = await ray.getActor<Worker>('brief')
      assert.equal(await ray.get(found.inc.remote()), 2)
      await until(async () => {
        await collectGarbage()
        return !isAlive(pid)
      })
      await diedOf(found.inc.remote(), /every handle to it was dropped/)
    },

    async 'an actor that waits for resources is dropped when its owner dies'() {
      const holder = Remote.options({ resources: { slot: 1 } }).remote()
      await ray.get(holder.inc.remote())
      const owner = Owner.remote()
      const pid = await ray.get(owner.pid.remote())
      const [waiting] = await ray.get(owner.make.remote([Remote], { resources: { slot: 1 } }))
      const call = waiting.inc.remote()
      const [ready] = await ray.wait([call], { timeoutMs: 0 })
      assert.equal(ready.length, 0)
      process.kill(pid, 'SIGKILL')
      await diedOf(call, /its owner, process [0-9a-f]+, died/)
      ray.kill(holder)
      // The place is free for somebody else: nobody else waits for it.
      const next = Remote.options({ resources: { slot: 1 } }).remote()
      assert.equal(await ray.get(next.inc.remote()), 1)
    },

    async 'a detached actor is found and called after its creator is gone'() {
      const owner = Owner.remote()
      const pid = await ray.get(owner.pid.remote())
      const options = { name: 'lasting', lifetime: 'detached' } as const
      await ray.get((await ray.get(owner.make.remote([Remote], options)))[0].inc.remote())
      process.kill(pid, 'SIGKILL')
      await rejection(ray.get(owner.pid.remote()))
      await until(() => !isAlive(pid))
      await collectGarbage()
      const found = await ray.getActor<Worker>('lasting')
      assert.equal(await ray.get(found.inc.remote()), 2)
      const twice = Remote.options(options).remote()
      const refused = await rejection(ray.get(twice.inc.remote()))
      assert.ok(refused instanceof ray.ActorDiedError)
      assert.match(String(refused), /lasting.*already taken/)
      assert.equal(refused.fields['cause'], 'nameTaken')
      ray.kill(found)
      await diedOf(found.inc.remote(), /ray\.kill/)
    },

    async 'a detached actor needs no name: its handles are the way to it'() {
      const actor = Remote.options({ lifetime: 'detached' }).remote()
      const pid = await ray.get(actor.pid.remote())
      const keeper = Remote.remote()
      await ray.get(keeper.hold.remote([actor]))
      ray.kill(keeper)
      assert.equal(await ray.get(actor.inc.remote()), 1)
      ray.kill(actor)
      await until(() => !isAlive(pid))
    },

    async 'living actors are listed by name, of this namespace or of all'() {
      const one = Remote.options({ name: 'one' }).remote()
      const two = Remote.options({ name: 'two', namespace: 'there' }).remote()
      await ray.get([one.__ray_ready__.remote(), two.__ray_ready__.remote()])
      assert.deepEqual(await ray.listNamedActors(), ['one'])
      const all = await ray.listNamedActors({ allNamespaces: true })
      assert.deepEqual(all, [
        { name: 'one', namespace: 'here' },
        { name: 'two', namespace: 'there' },
      ])
      const inTask = ray.remote(() => ray.listNamedActors())
      assert.deepEqual(await ray.get(inTask.remote()), ['one'])
      ray.kill(one)
      await until(async () => (await ray.listNamedActors()).length === 0)
    },
  },
)
