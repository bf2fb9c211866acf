// A worker that computes for half a minute owns objects that others want all the while.

import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

const spinMs = 30_000
/** Far less than the spin: a round that waited for its end would be the only one. */
const roundsMin = 4
const patience = { timeoutMs: 60_000 }

/** Has what the spinning worker handed over before it began to spin. */
const Desk = ray
  .remote(
    class {
      refs: ray.ObjectRef<unknown>[] = []
      hand(refs: ray.ObjectRef<unknown>[]) {
        this.refs = refs
      }
      copy() {
        return [...this.refs]
      }
    },
  )
  .options({ numCpus: 0 })

type DeskHandle = ReturnType<(typeof Desk)['remote']>

const identity = ray.remote((x: unknown) => x)
const endless = ray.remote({ numCpus: 0 }, () => new Promise<never>(() => undefined))

inCluster(
  'A worker that spins for 30 s',
  { numCpus: 2, objectStoreMemory: 50e6, deadlineMs: 170_000 },
  {
    async 'stalls no get, borrow, wait or cancel of others'() {
      const desk = Desk.remote()
      const owner = ray.remote(async (d: [DeskHandle], ms: number) => {
        const large = new Uint8Array(1e6).fill(7)
        const pending = identity.options({ numCpus: 0 }).remote('pending')
        await ray.get(d[0].hand.remote([ray.put('small'), ray.put(large), pending]))
        const end = Date.now() + ms
        while (Date.now() < end);
        return 'spun'
      })
      const spinning = owner.remote([desk], spinMs)
      const isSpinning = async (): Promise<boolean> =>
        (await ray.wait([spinning], { timeoutMs: 0 }))[0].length === 0
      while ((await ray.get(desk.copy.remote(), patience)).length < 3);
      let rounds = 0
      for (; await isSpinning(); rounds++) {
        await oneRound(desk)
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      assert.ok(rounds >= roundsMin, `${rounds} rounds while it spun`)
      assert.equal(await ray.get(spinning), 'spun')
    },
  },
)

async function oneRound(desk: DeskHandle): Promise<void> {
  const [small, large, pending] = await ray.get(desk.copy.remote(), patience)
  assert.equal(await ray.get(small!, patience), 'small')
  assert.equal(((await ray.get(large!, patience)) as Uint8Array)[9], 7)
  const passedOn = identity.remote(pending!)
  const [ready] = await ray.wait([passedOn, small!], { numReturns: 2, ...patience })
  assert.equal(ready.length, 2)
  assert.equal(await ray.get(passedOn), 'pending')
  const cancelled = endless.remote()
  ray.cancel(cancelled)
  const error = await rejection(ray.get(cancelled, patience))
  assert.ok(error instanceof ray.TaskCancelledError, String(error))
}
