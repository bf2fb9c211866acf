// Groups by name, in other processes, for children, and in the table.

import assert from 'node:assert/strict'
import { until } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

const where = ray.remote(() => ray.getRuntimeContext().placementGroupId)

/** Where a child goes that says nothing, and one that says 'DEFAULT'. */
const childGroups = ray.remote(async () => {
  const child = ray.remote(() => ray.getRuntimeContext().placementGroupId).options({ numCpus: 0 })
  const Actor = ray.remote(
    class {
      group() {
        return ray.getRuntimeContext().placementGroupId
      }
    },
  )
  const actor = Actor.options({ numCpus: 0 }).remote()
  return ray.get([
    child.remote(),
    actor.group.remote(),
    child.options({ schedulingStrategy: 'DEFAULT' }).remote(),
  ])
})

class Keeper {
  make(bundles: ray.Bundle[]) {
    return ray.placementGroup(bundles)
  }
  children() {
    return ray.get(childGroups.options({ numCpus: 0 }).remote())
  }
  started = false
  start() {
    this.started = true
  }
  isStarted() {
    return this.started
  }
  pid() {
    return process.pid
  }
}

inCluster(
  'Handles of placement groups',
  { numCpus: 2, resources: { special: 2 } },
  {
    async 'children inherit the group only with capture, and can opt out'() {
      const group = ray.placementGroup([{ CPU: 1 }])
      const placed = { placementGroup: group }
      const without = childGroups.options({ schedulingStrategy: placed })
      assert.deepEqual(await ray.get(without.remote()), [undefined, undefined, undefined])
      const captured = { ...placed, captureChildTasks: true }
      const inside = childGroups.options({ schedulingStrategy: captured })
      assert.deepEqual(await ray.get(inside.remote()), [group.id, group.id, undefined])
      ray.removePlacementGroup(group)
    },

    async 'calls of an actor that captures put its children into the group too'() {
      const group = ray.placementGroup([{ CPU: 1 }])
      const schedulingStrategy = { placementGroup: group, captureChildTasks: true }
      const keeper = ray.remote(Keeper).options({ numCpus: 1, schedulingStrategy }).remote()
      assert.deepEqual(await ray.get(keeper.children.remote()), [group.id, group.id, undefined])
      ray.removePlacementGroup(group)
    },

    async 'a handle in another process waits for the group, and removes it'() {
      const group = ray.placementGroup([{ special: 1 }])
      const use = ray.remote(async (given: ray.PlacementGroup) => {
        const isThere = await given.wait(10_000)
        const ready = await ray.get(given.ready())
        ray.removePlacementGroup(given)
        return [isThere, ready.id, given.bundleSpecs, given.bundleCount]
      })
      const found = await ray.get(use.remote(group))
      assert.deepEqual(found, [true, group.id, [{ special: 1 }], 1])
      await until(async () => (await ray.placementGroupTable(group)).state === 'REMOVED')
      ray.removePlacementGroup(group)
    },

    async 'a ready ref can be an argument, and has the group as its value'() {
      const group = ray.placementGroup([{ special: 1 }])
      const idOf = ray.remote((ready: ray.PlacementGroup) => ready.id)
      assert.equal(await ray.get(idOf.remote(group.ready() as never)), group.id)
      ray.removePlacementGroup(group)
    },

    async 'a named group is found by its name, which nobody else may take'() {
      const group = ray.placementGroup([{ special: 1 }], 'PACK', { name: 'mine' })
      await ray.get(group.ready())
      const found = await ray.getPlacementGroup('mine')
      assert.deepEqual([found.id, found.bundleSpecs], [group.id, group.bundleSpecs])
      assert.equal(await found.wait(), true)
      const second = ray.placementGroup([{ special: 1 }], 'PACK', { name: 'mine' })
      const error = await rejection(ray.get(second.ready()))
      assert.match(String(error), new RegExp(`the name mine .* belongs to group ${group.id}`))
      ray.removePlacementGroup(group)
      const third = ray.placementGroup([{ special: 1 }], 'PACK', { name: 'mine' })
      assert.equal(await third.wait(10_000), true)
      ray.removePlacementGroup(third)
      await until(async () => (await ray.placementGroupTable(third)).state === 'REMOVED')
      assert.match(String(await rejection(ray.getPlacementGroup('mine'))), /named 'mine'/)
    },

    async 'a task knows the group that it runs in'() {
      const group = ray.placementGroup([{ CPU: 1 }], 'SPREAD')
      const current = ray.remote(async () => {
        const found = await ray.getCurrentPlacementGroup()
        return found === undefined ? undefined : [found.id, found.strategy, found.bundleSpecs]
      })
      const inside = current.options({ schedulingStrategy: { placementGroup: group } })
      assert.deepEqual(await ray.get(inside.remote()), [group.id, 'SPREAD', [{ CPU: 1 }]])
      assert.equal(await ray.get(current.remote()), undefined)
      assert.equal(await ray.getCurrentPlacementGroup(), undefined)
      ray.removePlacementGroup(group)
    },

    async 'the table tells strategy, state and nodes of every group'({ session }) {
      const group = ray.placementGroup([{ CPU: 1 }, { special: 1 }], 'STRICT_PACK', { name: 'a' })
      await ray.get(group.ready())
      const { nodeId, namespace, jobId } = session
      const row = await ray.placementGroupTable(group)
      assert.deepEqual(row, {
        placementGroupId: group.id,
        name: 'a',
        namespace,
        strategy: 'STRICT_PACK',
        state: 'CREATED',
        isDetached: false,
        creatorJobId: jobId,
        bundles: [
          { index: 0, resources: { CPU: 1 }, nodeId },
          { index: 1, resources: { special: 1 }, nodeId },
        ],
      })
      assert.deepEqual((await ray.placementGroupTable())[group.id], row)
      ray.removePlacementGroup(group)
      await until(async () => (await ray.placementGroupTable(group)).state === 'REMOVED')
      assert.match((await ray.placementGroupTable(group)).message ?? '', /it was removed/)
    },

    async 'a group that a task made lives on after the task'() {
      const make = ray.remote(() => ray.placementGroup([{ special: 1 }]))
      const group = await ray.get(make.remote())
      assert.equal(await group.wait(10_000), true)
      ray.removePlacementGroup(group)
    },

    async 'a group that an actor made ends with the actor'() {
      const keeper = ray.remote(Keeper).remote()
      const group = await ray.get(keeper.make.remote([{ special: 1 }]))
      assert.equal(await group.wait(10_000), true)
      ray.kill(keeper)
      await until(async () => (await ray.placementGroupTable(group)).state === 'REMOVED')
      assert.match((await ray.placementGroupTable(group)).message ?? '', /the actor that made it/)
    },

    async 'a restart of the actor that made a group leaves the group alone'() {
      const keeper = ray.remote({ maxRestarts: 1, maxTaskRetries: 1 }, Keeper).remote()
      const group = await ray.get(keeper.make.remote([{ special: 1 }]))
      assert.equal(await group.wait(10_000), true)
      const pid = await ray.get(keeper.pid.remote())
      process.kill(pid, 'SIGKILL')
      assert.notEqual(await ray.get(keeper.pid.remote()), pid)
      assert.equal((await ray.placementGroupTable(group)).state, 'CREATED')
      ray.removePlacementGroup(group)
    },

    async 'options that do not exist or are not built are refused by name'() {
      const make = (options: object) => () => ray.placementGroup([{ CPU: 1 }], 'PACK', options)
      assert.throws(make({ bundleLabelSelector: [] }), /bundleLabelSelector.*not built yet/)
      assert.throws(make({ nmae: 'x' }), /'nmae' of a placement group is not one/)
      assert.throws(make({ lifetime: 'for ever' }), /lifetime.*'detached'/)
      assert.throws(make({ name: '' }), /name that is not empty/)
      assert.throws(() => ray.placementGroup([{ CPU: 0.00001 }]), /Bundle 0 .*precision/)
    },

    async 'a bundle index that the group does not have is refused with its number of bundles'() {
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }])
      for (const bundleIndex of [2, -2, 0.5]) {
        const schedulingStrategy = { placementGroup: group, bundleIndex }
        assert.throws(() => where.options({ schedulingStrategy }), /has 2 bundles/)
      }
      ray.removePlacementGroup(group)
    },

    async 'a task that asks for more than its bundle has is refused'() {
      const group = ray.placementGroup([{ CPU: 1 }])
      const schedulingStrategy = { placementGroup: group }
      const large = where.options({ numCpus: 2, schedulingStrategy }).remote()
      const error = await rejection(ray.get(large))
      assert.ok(error instanceof ray.TaskUnschedulableError, String(error))
      assert.match(error.message, /needs 2 CPU in any one bundle .*\{1 CPU\}.*bundle larger/)
      ray.removePlacementGroup(group)
    },

    async 'STRICT_SPREAD of two bundles can never be placed on one node'() {
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }], 'STRICT_SPREAD')
      const error = await rejection(group.wait(10_000))
      assert.match(String(error), /STRICT_SPREAD puts every bundle on a node of its own/)
      assert.equal((await ray.placementGroupTable(group)).state, 'INFEASIBLE')
      ray.removePlacementGroup(group)
      const alone = ray.placementGroup([{ CPU: 1 }], 'STRICT_SPREAD')
      assert.equal(await alone.wait(10_000), true)
      ray.removePlacementGroup(alone)
    },

    async 'the removal of a group ends what runs in it, with an error that says so'() {
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }])
      const schedulingStrategy = { placementGroup: group }
      const outside = ray.remote({ numCpus: 0 }, Keeper).remote()
      const keeper = ray.remote(Keeper).options({ numCpus: 1, schedulingStrategy }).remote()
      await ray.get(keeper.pid.remote())
      const spin = ray.remote(async () => {
        await ray.get(outside.start.remote())
        for (;;);
      })
      const running = spin.options({ maxRetries: 0, schedulingStrategy }).remote()
      await until(() => ray.get(outside.isStarted.remote()))
      ray.removePlacementGroup(group)
      const error = await rejection(ray.get(running))
      assert.ok(error instanceof ray.TaskPlacementGroupRemovedError, String(error))
      let ended: unknown
      await until(async () => {
        ended = await ray.get(keeper.pid.remote()).catch((thrown: unknown) => thrown)
        return typeof ended !== 'number'
      })
      assert.ok(ended instanceof ray.RayActorError, String(ended))
      const late = await rejection(ray.get(keeper.pid.remote()))
      assert.ok(late instanceof ray.ActorPlacementGroupRemovedError, String(late))
      await until(async () => (await ray.availableResources())['CPU'] === 2)
    },

    async 'bundles are all or nothing: a group and its actor wait until every bundle fits'() {
      const block = ray.placementGroup([{ CPU: 1 }])
      assert.equal(await block.wait(10_000), true)
      const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }])
      const schedulingStrategy = { placementGroup: group, bundleIndex: 0 }
      const keeper = ray.remote(Keeper).options({ numCpus: 1, schedulingStrategy }).remote()
      const pid = keeper.pid.remote()
      const [none] = await ray.wait([group.ready(), pid] as ray.ObjectRef[], { timeoutMs: 300 })
      assert.deepEqual(none, [])
      assert.equal((await ray.availableResources())['CPU'], 1)
      ray.removePlacementGroup(block)
      assert.ok((await ray.get(pid)) > 0)
      ray.removePlacementGroup(group)
    },
  },
)
