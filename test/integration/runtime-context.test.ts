import assert from 'node:assert/strict'
import { until } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { inCluster } from './in-cluster.js'

/** Only what can be sent: a signal cannot. */
const read = () => {
  const { signal, ...rest } = ray.getRuntimeContext()
  return { ...rest, isAborted: signal.aborted }
}

inCluster(
  'Runtime context',
  { numCpus: 2, numGpus: 2, namespace: 'space' },
  {
    async 'in the driver there is no task'({ session }) {
      const context = ray.getRuntimeContext()
      assert.equal(context.nodeId, session.nodeId)
      assert.equal(context.jobId, session.jobId)
      assert.equal(context.namespace, 'space')
      assert.equal(context.pid, process.pid)
      assert.equal(context.taskId, undefined)
      assert.equal(context.actorId, undefined)
      assert.equal(context.signal.aborted, false)
    },

    async 'in a task it names the task, its resources and where it runs'({ session }) {
      const task = ray.remote(read)
      const context = await ray.get(task.options({ numCpus: 0.5, name: 'reader' }).remote())
      assert.equal(context.nodeId, session.nodeId)
      assert.equal(context.jobId, session.jobId)
      assert.equal(context.namespace, 'space')
      assert.notEqual(context.pid, process.pid)
      assert.equal(context.taskName, 'reader')
      assert.match(String(context.taskId), /^[0-9a-f]{24}$/)
      assert.equal(context.attempt, 0)
      assert.equal(context.assignedResources['CPU'], 0.5)
      assert.equal(context.isAborted, false)
    },

    async 'it stays that of the task across awaits'() {
      const task = ray.remote(async () => {
        const before = ray.getRuntimeContext().taskId
        await new Promise((resolve) => setTimeout(resolve, 5))
        return before !== undefined && before === ray.getRuntimeContext().taskId
      })
      assert.deepEqual(await ray.get([task.remote(), task.remote(), task.remote()]), [
        true,
        true,
        true,
      ])
    },

    async 'the task id is that of its ref'() {
      const ref = ray.remote(() => ray.getRuntimeContext().taskId).remote()
      assert.equal(await ray.get(ref), ref.id)
    },

    async 'in an actor it names the actor'() {
      const Actor = ray.remote(
        class Actor {
          inside = read()
          context() {
            return [this.inside, read()] as const
          }
        },
      )
      const actor = Actor.options({ numCpus: 1 }).remote()
      const [inside, context] = await ray.get(actor.context.remote())
      assert.match(String(context.actorId), /^[0-9a-f]{24}$/)
      assert.equal(inside.actorId, context.actorId)
      assert.equal(context.assignedResources['CPU'], 1)
      assert.match(String(context.taskName), /context/)
      ray.kill(actor)
    },

    async 'an actor finds its name and itself, and is not kept alive by that'() {
      const Finder = ray.remote(
        class Finder {
          n = 0
          me() {
            const { actorName, currentActor, wasCurrentActorReconstructed } =
              ray.getRuntimeContext()
            return { actorName, currentActor, wasCurrentActorReconstructed }
          }
          inc() {
            return ++this.n
          }
          async later() {
            await new Promise((resolve) => setImmediate(resolve))
            return ray.getRuntimeContext().actorId
          }
        },
      )
      const actor = Finder.options({ name: 'finder', numCpus: 0 }).remote()
      const me = await ray.get(actor.me.remote())
      assert.equal(me.actorName, 'finder')
      assert.equal(me.wasCurrentActorReconstructed, false)
      const self = me.currentActor as unknown as typeof actor
      assert.equal(await ray.get(self.inc.remote()), 1)
      assert.equal(await ray.get(actor.inc.remote()), 2)
      assert.match(String(await ray.get(actor.later.remote())), /^[0-9a-f]{24}$/)
      ray.kill(actor)
      const { actorName, currentActor } = await ray.get(ray.remote(read).remote())
      assert.deepEqual([actorName, currentActor], [undefined, undefined])
    },

    async 'a cancelled task sees that it is'() {
      const Seen = ray.remote(
        class Seen {
          #tell: (isCanceled: boolean) => void = () => undefined
          readonly #told = new Promise<boolean>((resolve) => (this.#tell = resolve))
          begun = false
          tell(isCanceled: boolean) {
            this.#tell(isCanceled)
          }
          begin() {
            this.begun = true
          }
          hasBegun() {
            return this.begun
          }
          told() {
            return this.#told
          }
        },
      )
      const seen = Seen.options({ numCpus: 0, maxConcurrency: 4 }).remote()
      const task = ray.remote(async (handle: typeof seen) => {
        assert.equal(ray.getRuntimeContext().isCanceled, false)
        handle.begin.remote()
        const { signal } = ray.getRuntimeContext()
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        await ray.get(handle.tell.remote(ray.getRuntimeContext().isCanceled))
      })
      const ref = task.remote(seen)
      await until(() => ray.get(seen.hasBegun.remote()))
      ray.cancel(ref)
      assert.equal(await ray.get(seen.told.remote()), true)
    },

    async 'GPUs are numbered, and each is given to one task at a time'() {
      const Meeting = ray.remote(
        class {
          waiting: (() => void)[] = []
          meet() {
            return new Promise<void>((resolve) => {
              this.waiting.push(resolve)
              if (this.waiting.length === 2) for (const go of this.waiting) go()
            })
          }
        },
      )
      const gpus = ray.remote(async (meeting?: typeof together) => {
        if (meeting !== undefined) await ray.get(meeting.meet.remote())
        return [...ray.getRuntimeContext().gpuIds]
      })
      const together = Meeting.options({ numCpus: 0, maxConcurrency: 2 }).remote()
      const one = gpus.options({ numGpus: 1 })
      const ids = await ray.get([one.remote(together), one.remote(together)])
      assert.deepEqual(ids.flat().sort(), [0, 1])
      assert.equal((await ray.get(gpus.options({ numGpus: 2 }).remote())).length, 2)
    },
  },
)
