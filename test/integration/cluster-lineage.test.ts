// Results that are lost with their node are made again on another, or it is said why not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { requireCore } from '../../src/worker/current-core.js'
import type { SessionFile } from '../../src/node/session-file.js'
import { collectGarbage, rejection } from './in-cluster.js'
import { on, onNodes, preferring } from './on-nodes.js'

const size = 20_000
const large = (n: number) => new Float64Array(size).fill(n)

const start = ray.remote(() => large(0))
const next = ray.remote((before: Float64Array) => before.map((n) => n + 1))
const attempt = ray.remote(() => [ray.getRuntimeContext().attempt, large(1)] as const)
const attemptOf = ray.remote(([n, array]: readonly [number, Float64Array]) => n + array[5]! - 1)
const readRef = ray.remote(async ([ref]: [ray.ObjectRef<Float64Array>]) => (await ref.get())[0])

const putThere = ray.remote(() => [ray.put(large(1))] as const)

/** They are there and nowhere else, and the raylet of this process knows it. */
async function madeOn(node: SessionFile, refs: ray.ObjectRef<unknown>[]): Promise<void> {
  await ray.wait(refs, { numReturns: refs.length, fetchLocal: false })
  // What the node says now it says after all that it has said of them.
  const [last] = await ray.get(putThere.options(on(node)).remote())
  await ray.get(last)
}

/**
 * Whatever this process stores from now on, its raylet never hears of: as if its node died before
 * that was said.
 */
function keepQuiet(): void {
  const { raylet } = requireCore('a test')
  const send = raylet.send.bind(raylet)
  raylet.send = (message) => {
    if (message.kind !== 'seal') send(message)
  }
}

const untold = ray.remote((n: number) => {
  if (ray.getRuntimeContext().attempt === 0) keepQuiet()
  return large(n)
})

class Maker {
  #calls = 0
  keepQuiet() {
    keepQuiet()
  }
  make() {
    this.#calls++
    return [this.#calls, large(1)] as const
  }
}

void test('what a dead node had is made again: a chain, dependents, arguments from put', () =>
  onNodes(2, async ({ kill }, [victim]) => {
    assert.ok(victim)
    const there = preferring(victim)
    const chain = [start.options(there).remote()]
    for (let i = 1; i < 20; i++) chain.push(next.options(there).remote(chain[i - 1]!))
    let dropped = start.options(there).remote()
    for (let i = 1; i < 5; i++) dropped = next.options(there).remote(dropped)
    const source = start.options(there).remote()
    const dependents = [1, 2, 3, 4].map(() => next.options(there).remote(source))
    const freed = start.options(there).remote()
    const needsFreed = next.options(there).remote(freed)
    const ofPut = next.options(there).remote(ray.put(large(7)))
    await madeOn(victim, [...chain, dropped, source, ...dependents, needsFreed, ofPut])
    ray.free(freed)
    await collectGarbage()
    await kill(victim)
    assert.equal((await ray.get(chain.at(-1)!))[0], 19)
    assert.equal((await ray.get(chain[10]!))[0], 10)
    assert.equal((await ray.get(dropped))[0], 4)
    for (const [first] of await ray.get(dependents)) assert.equal(first, 1)
    assert.equal((await ray.get(needsFreed))[0], 1)
    assert.equal((await ray.get(ofPut))[0], 8)
  }))

void test('a node dies after the answer and before the word that the value is stored there', () =>
  onNodes(2, async ({ kill }, [victim, other]) => {
    assert.ok(victim && other)
    const there = preferring(victim)
    const maker = ray.remote(Maker).options({ maxRestarts: 1, maxTaskRetries: 1, numCpus: 0 })
    const actor = maker.options(there).remote()
    await ray.get(actor.keepQuiet.remote())
    const again = [untold.options(there).remote(2), untold.options(there).remote(3)] as const
    const once = untold.options({ maxRetries: 0, ...there }).remote(4)
    const made = actor.make.remote()
    const all = [...again, once, made]
    await ray.wait(all, { numReturns: all.length, fetchLocal: false })
    const elsewhere = [readRef.options(on(other)).remote([again[1]])]
    const later = next.options(on(other)).remote(again[1])
    const gets = ray.get([...again], { timeoutMs: 60_000 })
    const lost = rejection(ray.get(once, { timeoutMs: 60_000 }))
    await kill(victim)
    const [two, three] = await gets
    assert.deepEqual([two?.[0], three?.[0]], [2, 3])
    assert.deepEqual(await ray.get(elsewhere, { timeoutMs: 60_000 }), [3])
    assert.equal((await ray.get(later, { timeoutMs: 60_000 }))[0], 4)
    assert.equal((await ray.get(made, { timeoutMs: 60_000 }))[0], 1)
    const error = await lost
    assert.ok(error instanceof ray.ObjectLostError, String(error))
    assert.match(error.message, /died before it had told of it/)
  }))

void test('what cannot be made again says so: attempts, retries, owners', () =>
  onNodes(2, async ({ kill, join }, [first, second]) => {
    assert.ok(first && second)
    const twice = attempt.options({ maxRetries: 1, ...preferring(first) }).remote()
    const once = start.options({ maxRetries: 0, ...preferring(first) }).remote()
    const onceMore = next.options(preferring(first)).remote(once)
    const [owned] = await ray.get(putThere.options(on(first)).remote())
    await madeOn(first, [twice, once, onceMore])
    await kill(first)
    assert.equal(await ray.get(attemptOf.options(on(second)).remote(twice)), 1)
    const lost = await rejection(ray.get(once))
    assert.ok(lost instanceof ray.ObjectLostError, String(lost))
    assert.ok(!(lost instanceof ray.ObjectReconstructionFailedError), String(lost))
    assert.match(lost.message, /cannot be computed again/)
    const argument = await rejection(ray.get(onceMore))
    assert.ok(argument instanceof ray.RayError && String(argument).includes(once.id))
    for (const ask of [() => ray.get(owned), () => ray.get(readRef.remote([owned]))]) {
      const orphan = await rejection(ask())
      const cause = orphan instanceof ray.RayTaskError ? orphan.cause : orphan
      assert.ok(cause instanceof ray.OwnerDiedError, String(orphan))
    }
    await join({ numCpus: 1 })
    await kill(second)
    const exceeded = await rejection(ray.get(twice))
    const MaxAttemptsError = ray.ObjectReconstructionFailedMaxAttemptsExceededError
    assert.ok(exceeded instanceof MaxAttemptsError, String(exceeded))
    assert.match(exceeded.message, /has run 2 times/)
  }))

void test('results of an actor that restarts survive its nodes', () =>
  onNodes(1, async ({ kill, join }, [first]) => {
    assert.ok(first)
    const maker = ray.remote(Maker).options({ maxRestarts: -1, maxTaskRetries: -1, numCpus: 0 })
    const actor = maker.options(preferring(first)).remote()
    const ref = actor.make.remote()
    await madeOn(first, [ref])
    let victim = first
    for (let n = 0; n < 2; n++) {
      const next = await join({ numCpus: 1 })
      await kill(victim)
      victim = next
      assert.equal(await ray.get(attemptOf.options(on(victim)).remote(ref)), 1)
    }
    // Without a handle the actor would be gone before its results are needed again.
    ray.kill(actor)
  }))

void test('results whose lineage was evicted are lost with their node, and the error says so', () =>
  onNodes(
    2,
    async ({ kill }, [victim]) => {
      assert.ok(victim)
      const refs: ray.ObjectRef<Float64Array>[] = []
      for (let n = 0; n < 8; n++) {
        refs.push(start.options(preferring(victim)).remote())
        await madeOn(victim, refs)
      }
      await kill(victim)
      assert.equal((await ray.get(refs.at(-1)!))[0], 0)
      const error = await rejection(ray.get(refs[0]!))
      assert.ok(error instanceof ray.ObjectReconstructionFailedLineageEvictedError, String(error))
      assert.match(error.message, /lineageMemory/)
    },
    { lineageMemory: 2000 },
  ))
