// Borrowers that die on the way of a ref.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { cpusAreFree, killPid, storeIsEmpty, withSession } from './fault-session.js'
import { collectGarbage, rejection } from './in-cluster.js'

const Holder = ray
  .remote(
    class {
      refs: ray.ObjectRef<Uint8Array>[] = []
      pid() {
        return process.pid
      }
      async hold(refs: ray.ObjectRef<Uint8Array>[]) {
        this.refs = refs
      }
      async handOn(to: [ray.ActorHandle<{ hold(refs: unknown[]): Promise<void> }>]) {
        await ray.get(to[0].hold.remote(this.refs))
        this.refs = []
      }
      async read() {
        return (await ray.get(this.refs[0]!))[5]
      }
      drop() {
        this.refs = []
      }
    },
  )
  .options({ numCpus: 0 })

test('when the borrower in the middle dies, the last one still has the object', async () => {
  await withSession({}, async () => {
    const middle = Holder.remote()
    const last = Holder.remote()
    const pids = await ray.get([middle.pid.remote(), last.pid.remote()])
    // In a function of its own: the ref must not live on in a variable.
    const give = async (): Promise<void> => {
      await ray.get(middle.hold.remote([ray.put(new Uint8Array(5e6).fill(7))]))
    }
    await give()
    await collectGarbage()
    await ray.get(middle.handOn.remote([last as never]))
    killPid(pids[0]!)
    await collectGarbage()
    assert.equal(await ray.get(last.read.remote()), 7)
    assert.ok((await rejection(ray.get(middle.read.remote()))) instanceof ray.RayActorError)
    killPid(pids[1]!)
    assert.ok((await rejection(ray.get(last.read.remote()))) instanceof ray.RayActorError)
    await storeIsEmpty()
  })
})

test('a crash five levels down is heard on all levels, and the object is let go', async () => {
  await withSession({}, async () => {
    const down = ray.remote(
      { maxRetries: 0 },
      async (refs: ray.ObjectRef<Uint8Array>[], depth: number): Promise<number> => {
        if (depth > 0) return ray.get(down.remote(refs, depth - 1))
        await ray.get(refs)
        process.exit(3)
      },
    )
    const run = async (): Promise<unknown> =>
      rejection(ray.get(down.remote([ray.put(new Uint8Array(5e6))], 4)))
    const error = await run()
    assert.ok(error instanceof ray.RayError, String(error))
    let cause: unknown = error
    while (cause instanceof ray.RayTaskError) cause = cause.cause
    assert.ok(cause instanceof ray.WorkerCrashedError, String(cause))
    await cpusAreFree()
    await storeIsEmpty()
  })
})

test('a ref made five levels down, whose maker died, says so', async () => {
  await withSession({}, async () => {
    const down = ray.remote(
      { maxRetries: 0 },
      async (depth: number): Promise<[ray.ObjectRef<unknown>, number]> => {
        if (depth > 0) return ray.get(down.remote(depth - 1))
        const never = ray.remote({ numCpus: 0 }, () => new Promise(() => undefined))
        return [never.remote(), process.pid]
      },
    )
    const [ref, pid] = await ray.get(down.remote(4))
    const waiting = rejection(ray.get(ref))
    killPid(pid)
    const error = await waiting
    assert.ok(error instanceof ray.OwnerDiedError, String(error))
    await cpusAreFree()
  })
})

test('cancelling a parent cancels its children, so that a task of 4 CPUs can run', async () => {
  await withSession({ numCpus: 4 }, async () => {
    const spin = ray.remote(() => {
      for (;;);
    })
    const parent = ray.remote(async () =>
      ray.get([spin.remote(), spin.remote(), spin.remote(), spin.remote()]),
    )
    const running = parent.remote()
    await rejection(ray.get(running, { timeoutMs: 500 }))
    ray.cancel(running, { recursive: true })
    assert.ok((await rejection(ray.get(running))) instanceof ray.TaskCancelledError)
    assert.equal(await ray.get(ray.remote({ numCpus: 4 }, () => 4).remote()), 4)
    await cpusAreFree(4)
  })
})
