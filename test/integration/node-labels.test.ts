import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

const one = ray.remote(() => 1)
const Actor = ray.remote(
  class Actor {
    one() {
      return 1
    }
  },
)

inCluster(
  'Where tasks and actors run',
  { numCpus: 2, labels: { region: 'eu', zone: 'a' }, memory: 1000 },
  {
    async 'a node shows its labels, its id among them'({ session }) {
      const [node] = await ray.nodes()
      assert.deepEqual(node?.labels, {
        region: 'eu',
        zone: 'a',
        'ray.io/node-id': session.nodeId,
      })
    },

    async 'tasks and actors run where the labels are what they ask for'({ session }) {
      for (const labelSelector of [
        { region: 'eu' },
        { region: '!us', zone: 'in(a,b)' },
        { rack: '!exists', zone: 'exists' },
        { 'ray.io/node-id': session.nodeId },
      ]) {
        assert.equal(await ray.get(one.options({ labelSelector }).remote()), 1)
        const actor = Actor.options({ labelSelector }).remote()
        assert.equal(await ray.get(actor.one.remote()), 1)
      }
    },

    async 'labels that no node has are refused, with those that there are'() {
      const labelSelector = { region: 'us' }
      const error = await rejection(ray.get(one.options({ labelSelector }).remote()))
      assert.ok(error instanceof ray.TaskUnschedulableError)
      assert.match(error.message, /labels \{ region: us \}, and there are \{.*region: eu, zone: a/)
      const actor = Actor.options({ labelSelector }).remote()
      const failure = await rejection(ray.get(actor.one.remote()))
      assert.ok(failure instanceof ray.ActorUnschedulableError, String(failure))
      assert.match(failure.message, /labels \{ region: us \}/)
    },

    async 'what a fallback asks for will do when nothing else can be had'() {
      const labelSelector = { region: 'us' }
      const fallbackStrategy = [{ labelSelector: { zone: 'b' } }, { labelSelector: { zone: 'a' } }]
      assert.equal(await ray.get(one.options({ labelSelector, fallbackStrategy }).remote()), 1)
      const actor = Actor.options({ labelSelector, fallbackStrategy }).remote()
      assert.equal(await ray.get(actor.one.remote()), 1)
      const error = await rejection(
        ray.get(
          one.options({ labelSelector, fallbackStrategy: fallbackStrategy.slice(0, 1) }).remote(),
        ),
      )
      assert.match(String(error), /\{ region: us \} or \{ zone: b \}/)
    },

    async 'what no node of these labels has is refused, with the labels'() {
      const options = { labelSelector: { zone: 'a' }, numCpus: 64 }
      const error = await rejection(ray.get(one.options(options).remote()))
      assert.match(String(error), /needs 64 CPU, and no node with labels \{ zone: a \} has that/)
      const failure = await rejection(ray.get(Actor.options(options).remote().one.remote()))
      assert.match(String(failure), /no node with labels \{ zone: a \} has that/)
    },

    async 'affinity to a node pins or fails, and falls back when it is soft'({ session }) {
      const here = { nodeId: session.nodeId }
      const gone = { nodeId: '0123456789abcdef' }
      const run = (schedulingStrategy: ray.TaskOptions['schedulingStrategy'] & object) =>
        ray.get(one.options({ schedulingStrategy }).remote())
      assert.equal(await run(here), 1)
      assert.equal(await run({ ...gone, soft: true }), 1)
      const error = await rejection(run(gone))
      assert.ok(error instanceof ray.TaskUnschedulableError)
      assert.match(error.message, /must run on node 0123456789abcdef, which is not alive/)
      const actor = Actor.options({ schedulingStrategy: gone }).remote()
      const failure = await rejection(ray.get(actor.one.remote()))
      assert.match(String(failure), /node 0123456789abcdef, which is not alive/)
    },

    async 'tasks with memory reserve it, and more than there is is refused'() {
      const total = await ray.clusterResources()
      assert.equal(total['memory'], 1000)
      assert.ok((total['objectStoreMemory'] ?? 0) > 1e6)
      const free = ray.remote(
        { memory: 400 },
        async () => (await ray.availableResources())['memory'],
      )
      const { assignedResources } = await ray.get(
        ray
          .remote({ memory: 400 }, () => {
            const { assignedResources } = ray.getRuntimeContext()
            return { assignedResources }
          })
          .remote(),
      )
      assert.equal(assignedResources['memory'], 400)
      assert.equal(typeof (await ray.get(free.remote())), 'number')
      const error = await rejection(ray.get(one.options({ memory: 1001 }).remote()))
      assert.match(String(error), /needs 1001 B memory/)
    },
  },
)
