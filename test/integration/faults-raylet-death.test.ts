// What was made before the raylet died says so, whatever is done with it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { currentCore } from '../../src/worker/index.js'
import { killPid, until, withMark } from './fault-session.js'
import { rejection } from './in-cluster.js'

test('every operation on what a dead raylet knew fails with LocalRayletDiedError', async () => {
  await withMark(async (marked) => {
    await ray.init({ numCpus: 3, objectStoreMemory: 64e6 })
    const one = ray.remote(() => 1)
    const count = ray.remote({ numReturns: 'streaming' }, function* () {
      for (let i = 0; ; i++) yield i
    })
    const Actor = ray.remote(
      class {
        one() {
          return 1
        }
      },
    )
    const actor = Actor.options({ numCpus: 0 }).remote()
    assert.equal(await ray.get(actor.one.remote()), 1)
    const stored = ray.put(new Uint8Array(1e6))
    const pending = ray.remote(() => new Promise<number>(() => undefined)).remote()
    const stream = count.remote()
    await stream.next()
    const group = ray.placementGroup([{ CPU: 0.5 }])
    await ray.get(group.ready())
    marked.watch()
    killPid(currentCore()!.welcome.rayletPid)
    const died = await rejection(ray.get(pending))
    assert.ok(died instanceof ray.LocalRayletDiedError, String(died))
    await until('the end of the session', () => !ray.isInitialized())

    const operations: Readonly<Record<string, () => unknown>> = {
      'get of a stored object': () => ray.get(stored),
      'get of a pending one': () => pending.get(),
      'get of both': () => ray.get([stored, pending] as ray.ObjectRef[]),
      'a task with its ref': () => one.remote(...([stored] as unknown as [])),
      'a task with the ref in a list': () => one.remote(...([[stored]] as unknown as [])),
      'a call of the actor': () => ray.get(actor.one.remote()),
      'a new actor': () => Actor.remote(),
      'a named actor': () => ray.getActor('nobody'),
      'a put': () => ray.put(new Uint8Array(1e6)),
      'a small put': () => ray.put(1),
      'a placement group': () => ray.placementGroup([{ CPU: 1 }]),
      nodes: () => ray.nodes(),
      clusterResources: () => ray.clusterResources(),
      availableResources: () => ray.availableResources(),
    }
    for (const [name, operation] of Object.entries(operations)) {
      const error = await rejection(Promise.resolve().then(operation))
      assert.ok(error instanceof ray.LocalRayletDiedError, `${name}: ${String(error)}`)
    }
    // These have nothing more to do, or end what is over: none of them may wait.
    const endings: Readonly<Record<string, () => unknown>> = {
      wait: () => ray.wait([stored, pending] as ray.ObjectRef[], { numReturns: 2 }),
      free: () => ray.free([stored]),
      cancel: () => ray.cancel(pending),
      kill: () => ray.kill(actor),
      removePlacementGroup: () => ray.removePlacementGroup(group),
      'leaving a stream': () => stream.return(),
    }
    for (const [name, ending] of Object.entries(endings)) {
      const error: unknown = await Promise.resolve()
        .then(ending)
        .then(() => undefined)
        .catch((e: unknown) => e)
      const isClear = error === undefined || error instanceof ray.LocalRayletDiedError
      assert.ok(isClear, `${name}: ${String(error)}`)
    }
    await ray.shutdown()
  })
})
