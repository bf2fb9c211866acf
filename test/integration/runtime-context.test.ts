import assert from 'node:assert/strict'
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

    async 'GPUs are numbered, and each is given to one task at a time'() {
      const gpus = ray.remote(async () => {
        await new Promise((resolve) => setTimeout(resolve, 200))
        return [...ray.getRuntimeContext().gpuIds]
      })
      const one = gpus.options({ numGpus: 1 })
      const ids = await ray.get([one.remote(), one.remote()])
      assert.deepEqual(ids.flat().sort(), [0, 1])
      assert.equal((await ray.get(gpus.options({ numGpus: 2 }).remote())).length, 2)
    },
  },
)
