import assert from 'node:assert/strict'
import { until } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

const where = ray.remote(() => ray.getRuntimeContext().placementGroupId)

inCluster(
  'Placement groups',
  { numCpus: 2, resources: { special: 2 } },
  {
    async 'a task runs in the bundle that it was given'() {
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1, special: 1 }], 'PACK')
      assert.equal((await ray.get(group.ready())).id, group.id)
      for (const bundleIndex of [0, 1, -1]) {
        const inGroup = where.options({
          schedulingStrategy: { placementGroup: group, bundleIndex },
        })
        assert.equal(await ray.get(inGroup.remote()), group.id)
      }
      ray.removePlacementGroup(group)
    },

    async 'an actor lives in its bundle'() {
      const group = ray.placementGroup([{ CPU: 1 }], 'STRICT_PACK')
      const Actor = ray.remote(
        class {
          group() {
            return ray.getRuntimeContext().placementGroupId
          }
        },
      )
      const schedulingStrategy = { placementGroup: group }
      const actor = Actor.options({ numCpus: 1, schedulingStrategy }).remote()
      assert.equal(await ray.get(actor.group.remote()), group.id)
      ray.removePlacementGroup(group)
      // The removal goes through the raylet and calls go straight to the actor: some may still
      // arrive.
      let error: unknown
      await until(async () => {
        error = await ray.get(actor.group.remote(), { timeoutMs: 40_000 }).then(
          () => undefined,
          (error: unknown) => error,
        )
        return error !== undefined
      })
      assert.ok(error instanceof ray.RayActorError, String(error))
    },

    async 'a group waits until all its bundles fit'() {
      const first = ray.placementGroup([{ CPU: 2 }], 'PACK')
      assert.equal(await first.wait(5000), true)
      const second = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }], 'PACK')
      assert.equal(await second.wait(200), false)
      ray.removePlacementGroup(first)
      assert.equal(await second.wait(10_000), true)
      ray.removePlacementGroup(second)
    },

    async 'a group that can never fit says what is missing'() {
      const group = ray.placementGroup([{ CPU: 64 }], 'PACK')
      const error = await rejection(ray.get(group.ready(), { timeoutMs: 40_000 }))
      assert.ok(error instanceof ray.TaskUnschedulableError, String(error))
      assert.match(error.message, /CPU/)
      ray.removePlacementGroup(group)
    },

    async 'a task for a group that was removed fails'() {
      const group = ray.placementGroup([{ CPU: 1 }])
      await ray.get(group.ready())
      ray.removePlacementGroup(group)
      const late = where.options({ schedulingStrategy: { placementGroup: group } }).remote()
      const error = await rejection(ray.get(late, { timeoutMs: 40_000 }))
      assert.ok(error instanceof ray.TaskPlacementGroupRemovedError, String(error))
    },

    async 'resources are reserved by a group and given back by its removal'() {
      const cpus = async () => (await ray.availableResources())['CPU'] ?? 0
      await until(async () => (await cpus()) === 2)
      const group = ray.placementGroup([{ CPU: 1 }])
      await ray.get(group.ready())
      await until(async () => (await cpus()) === 1)
      ray.removePlacementGroup(group)
      await until(async () => (await cpus()) === 2)
    },

    async 'a group can be passed to a task'() {
      const group = ray.placementGroup([{ CPU: 1 }])
      await ray.get(group.ready())
      const id = ray.remote((g: ray.PlacementGroup) => [g.id, g.strategy])
      assert.deepEqual(await ray.get(id.remote(group)), [group.id, 'PACK'])
      ray.removePlacementGroup(group)
    },

    async 'bundles and strategies that make no sense are refused'() {
      assert.throws(() => ray.placementGroup([]), TypeError)
      assert.throws(() => ray.placementGroup([{}]), TypeError)
      assert.throws(() => ray.placementGroup([{ CPU: -1 }]), TypeError)
      assert.throws(() => ray.placementGroup([{ CPU: 1 }], 'LOOSE' as 'PACK'), /LOOSE/)
    },
  },
)
