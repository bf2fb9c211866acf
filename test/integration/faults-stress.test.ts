// Workers die at random while much is under way. The seed is printed; who dies follows from it and
// from the timing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { Prng } from '../../src/base/prng.js'
import { cpusAreFree, killPid, storeIsEmpty, withSession } from './fault-session.js'

const killsPerRun = 16

/**
 * Kills a worker at random each time that so many results have come. Time would not do: on a slow
 * machine all of them would be killed before they have started.
 */
class Killer {
  kills = 0
  readonly #random: Prng
  readonly #workerPids: () => number[]
  readonly #every: number
  #results = 0

  constructor(seed: number, results: number, workerPids: () => number[]) {
    this.#random = new Prng(seed)
    this.#every = Math.floor(results / killsPerRun)
    this.#workerPids = workerPids
  }

  resultCame(): void {
    if (++this.#results % this.#every !== 0) return
    const pids = this.#workerPids()
    if (pids.length === 0) return
    killPid(this.#random.pick(pids))
    this.kills++
  }
}

const seed = Number(process.env['SEED'] ?? 20_260_101)

test(`2000 tasks survive the random death of workers (seed ${seed})`, async () => {
  await withSession({}, async ({ workerPids }) => {
    const work = ray.remote({ maxRetries: -1 }, (i: number) => {
      const end = performance.now() + 2 + (i % 5)
      while (performance.now() < end);
      return i % 100 === 0 ? new Uint8Array(200_000).fill(i % 251) : i
    })
    const refs = Array.from({ length: 2000 }, (_, i) => work.remote(i))
    const killer = new Killer(seed, refs.length, workerPids)
    for (const [i, ref] of refs.entries()) {
      const value = await ray.get(ref as ray.ObjectRef<number | Uint8Array>)
      if (typeof value === 'number') assert.equal(value, i)
      else assert.equal(value[199_999], i % 251)
      killer.resultCame()
    }
    assert.ok(killer.kills > 10)
    ray.free(refs)
    refs.length = 0
    await cpusAreFree()
    await storeIsEmpty()
  })
})

test(`an actor answers in order, however often its worker dies (seed ${seed})`, async () => {
  await withSession({}, async ({ workerPids }) => {
    const Echo = ray.remote(
      class {
        last = -1
        echo(i: number): [number, boolean] {
          const end = performance.now() + 2
          while (performance.now() < end);
          // After a restart it begins anywhere, and goes on from there.
          const isNext = this.last === -1 || i === this.last + 1
          this.last = i
          return [i, isNext]
        }
      },
    )
    const actors = [0, 1].map(() => Echo.options({ maxRestarts: -1, maxTaskRetries: -1 }).remote())
    const refs = actors.map((actor) => Array.from({ length: 1000 }, (_, i) => actor.echo.remote(i)))
    const killer = new Killer(seed + 1, 2000, workerPids)
    const all = refs.map((list) => Promise.all(list.map((ref) => seen(ref, killer))))
    for (const list of all) {
      const results = await list
      for (const [i, [echoed, isNext]] of results.entries()) {
        assert.equal(echoed, i)
        assert.ok(isNext, `call ${i} kept its place`)
      }
    }
    assert.ok(killer.kills > 10)
    for (const actor of actors) ray.kill(actor)
    await cpusAreFree()
  })
})

async function seen<T>(ref: ray.ObjectRef<T>, killer: Killer): Promise<T> {
  const value = await ray.get(ref)
  killer.resultCame()
  return value
}
