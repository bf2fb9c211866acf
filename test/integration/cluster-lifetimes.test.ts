// Actors, refs, children and placement groups over several nodes live as long as somebody needs
// them, and no longer.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import type { SessionFile } from '../../src/node/session-file.js'
import { until } from '../../src/testing/index.js'
import { collectGarbage, rejection } from './in-cluster.js'
import { withNodes } from './many-nodes.js'
import { on, onNodes } from './on-nodes.js'
import { objectCounts } from './store-rows.js'

class Holder {
  refs: ray.ObjectRef<Uint8Array>[] = []
  calls = 0
  pid() {
    return process.pid
  }
  call() {
    return ++this.calls
  }
  hold(refs: ray.ObjectRef<Uint8Array>[]) {
    this.refs = refs
  }
  async handOn([to]: [{ hold: { remote(refs: unknown): ray.ObjectRef<void> } }]) {
    await ray.get(to.hold.remote(this.refs))
  }
  async read() {
    return (await ray.get(this.refs[0]!))[5]
  }
  note(pid: number) {
    this.calls = pid
  }
  noted() {
    return this.calls
  }
  spin() {
    for (;;);
  }
  waitFor() {
    return new Promise(() => undefined)
  }
}
const RemoteHolder = ray.remote({ numCpus: 0 }, Holder)
type Handle = ray.ActorHandle<Holder>

const isGone = (pid: number): boolean => !existsSync(`/proc/${pid}`)

async function cpusOf(node: SessionFile): Promise<number> {
  const row = (await ray.nodes()).find(({ nodeId }) => nodeId === node.nodeId)
  return row?.available['CPU'] ?? 0
}

const collectOn = ray.remote(async () => {
  const [v8, vm] = await Promise.all([import('node:v8'), import('node:vm')])
  v8.setFlagsFromString('--expose-gc')
  ;(vm.runInNewContext('gc') as () => void)()
})

test('an actor lives while a task on a third node has its handle, and then its process ends', () =>
  onNodes(2, async (_, [first, second]) => {
    assert.ok(first && second)
    const use = ray.remote(async ([actor]: [Handle]) => {
      for (let n = 0; n < 20; n++) await ray.get(actor.call.remote())
      return ray.get(actor.pid.remote())
    })
    // In a function of its own: the handle must not live on in a variable.
    const give = (): ray.ObjectRef<number> => {
      const actor = RemoteHolder.options(on(first)).remote()
      return use.options(on(second)).remote([actor])
    }
    const running = give()
    await collectGarbage()
    const pid = await ray.get(running)
    await until(async () => {
      await collectGarbage()
      await ray.get(collectOn.options(on(second)).remote())
      return isGone(pid)
    })
  }))

test('a kill ends an actor that loops on another node, and all its calls, whoever made them', () =>
  onNodes(2, async (_, [first, second]) => {
    assert.ok(first && second)
    const actor = RemoteHolder.options(on(first)).remote()
    const pid = await ray.get(actor.pid.remote())
    const calls = ray.remote(async ([handle]: [Handle]) =>
      ray.get(handle.call.remote()).catch((error: unknown) => (error as Error).constructor.name),
    )
    const spinning = rejection(ray.get(actor.spin.remote()))
    const elsewhere = calls.options(on(second)).remote([actor])
    ray.kill(actor)
    ray.kill(actor)
    assert.ok((await spinning) instanceof ray.RayActorError)
    assert.match(String(await ray.get(elsewhere)), /^Actor\w+Error$/)
    await until(() => isGone(pid))
    const late = await rejection(ray.get(actor.call.remote()))
    assert.ok(late instanceof ray.ActorDiedError, String(late))
    // One that has not started yet: its node may be about to place it.
    const early = RemoteHolder.options(on(second)).remote()
    const call = early.call.remote()
    ray.kill(early)
    assert.ok((await rejection(ray.get(call))) instanceof ray.RayActorError)
  }))

test('a ref five levels down over nodes keeps its object, also when the last crashes', () =>
  onNodes(2, async ({ sessions }, nodes) => {
    const places = nodes.map((node) => on(node))
    const down = ray.remote(
      { maxRetries: 0, numCpus: 0.1 },
      async (refs: ray.ObjectRef<Uint8Array>[], depth: number, crash: boolean): Promise<number> => {
        if (depth > 0) {
          const next = down.options(places[depth % 2] ?? {})
          return ray.get(next.remote(refs, depth - 1, crash))
        }
        const [value] = await ray.get(refs)
        if (crash) process.exit(3)
        return value?.[5] ?? -1
      },
    )
    const run = (crash: boolean): Promise<number> =>
      ray.get(down.remote([ray.put(new Uint8Array(5e6).fill(7))], 5, crash))
    assert.equal(await run(false), 7)
    let cause: unknown = await rejection(run(true))
    while (cause instanceof ray.RayTaskError) cause = cause.cause
    assert.ok(cause instanceof ray.WorkerCrashedError, String(cause))
    await until(async () => {
      await collectGarbage()
      return (await objectCounts(sessions)).every((count) => count === 0)
    })
  }))

test('a ref made levels down on another node whose maker dies says so', () =>
  onNodes(2, async ({ kill }, [first, second]) => {
    assert.ok(first && second)
    const never = ray.remote({ numCpus: 0 }, () => new Promise(() => undefined))
    const make = ray.remote(() => [never.remote(), process.pid] as const)
    const pass = ray.remote((place: object) => ray.get(make.options(place).remote()))
    const [ref, pid] = await ray.get(pass.options(on(second)).remote(on(first)))
    const waiting = rejection(ray.get(ref))
    process.kill(pid, 'SIGKILL')
    const error = await waiting
    assert.ok(error instanceof ray.OwnerDiedError, String(error))
    const [again] = await ray.get(pass.options(on(second)).remote(on(first)))
    const lost = rejection(ray.get(again))
    await kill(first)
    assert.ok((await lost) instanceof ray.OwnerDiedError, String(await lost))
  }))

test('when the node of the borrower in the middle dies, the last one still has the object', () =>
  onNodes(2, async ({ kill, sessions }, [first, second]) => {
    assert.ok(first && second)
    const middle = RemoteHolder.options(on(first)).remote()
    const last = RemoteHolder.options(on(second)).remote()
    const give = async (): Promise<void> => {
      await ray.get(middle.hold.remote([ray.put(new Uint8Array(5e6).fill(7))]))
    }
    await give()
    await collectGarbage()
    await ray.get(middle.handOn.remote([last]))
    await kill(first)
    await collectGarbage()
    assert.equal(await ray.get(last.read.remote()), 7)
    assert.ok((await rejection(ray.get(middle.read.remote()))) instanceof ray.RayActorError)
    ray.kill(last)
    const [head] = sessions
    await until(async () => {
      await collectGarbage()
      return head !== undefined && (await objectCounts([head]))[0] === 0
    })
  }))

test('children on other nodes end with their parent, and with its node', () =>
  onNodes(2, async ({ kill }, [first, second]) => {
    assert.ok(first && second)
    const child = ray.remote({ maxRetries: 0 }, () => new Promise(() => undefined))
    const parent = ray.remote({ maxRetries: 0 }, async (place: object, [notes]: [Handle]) => {
      await ray.get(notes.note.remote(process.pid))
      return ray.get(child.options(place).remote())
    })
    const notes = RemoteHolder.options(on(second)).remote()
    for (const end of ['process', 'node']) {
      const running = parent.options(on(first)).remote(on(second), [notes])
      await until(async () => (await cpusOf(second)) === 0)
      if (end === 'node') await kill(first)
      else process.kill(await ray.get(notes.noted.remote()), 'SIGKILL')
      assert.ok((await rejection(ray.get(running))) instanceof ray.RayError)
      await until(async () => (await cpusOf(second)) === 1)
    }
  }))

test('groups over nodes go with their driver, but for what is detached', () =>
  withNodes(2, async ({ run }) => {
    await run(`
      await ray.init({ namespace: 'app' })
      const bundles = [{ CPU: 0.5 }, { CPU: 0.5 }]
      const goes = ray.placementGroup(bundles, 'STRICT_SPREAD', { name: 'goes' })
      const stays = ray.placementGroup(bundles, 'STRICT_SPREAD', {
        name: 'stays', lifetime: 'detached',
      })
      await ray.get([goes.ready(), stays.ready()])
      class Counter {
        count = 0
        add() { return ++this.count }
      }
      for (const n of [0, 1]) {
        const actor = ray.remote(Counter).options({
          numCpus: 0.5, name: 'c' + n, lifetime: 'detached',
          schedulingStrategy: { placementGroup: stays, bundleIndex: n },
        }).remote()
        await ray.get(actor.add.remote())
      }
    `)
    const out = await run(`
      await ray.init({ namespace: 'app' })
      const { CPU } = await ray.availableResources()
      for (const name of ['c0', 'c1']) {
        console.log(await ray.get((await ray.getActor(name)).add.remote()))
      }
      const stays = await ray.getPlacementGroup('stays')
      console.log(await ray.getPlacementGroup('goes').then(() => 'there', () => 'gone'))
      const whole = ray.remote({ numCpus: 0.5 }, () => ray.getRuntimeContext().nodeId)
      const nodes = (await ray.nodes()).map(({ nodeId }) => nodeId)
      const ran = await ray.get(nodes.map((nodeId) => whole.options({
        schedulingStrategy: { nodeId, soft: false },
      }).remote()))
      console.log(ran.join() === nodes.join())
      ray.removePlacementGroup(stays)
    `)
    assert.equal(out, '2\n2\ngone\ntrue\n')
  }))
