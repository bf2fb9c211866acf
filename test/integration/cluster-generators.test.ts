// Items of generators that are lost with a node are made again, or it is said why not.

import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import * as ray from '../../src/index.js'
import { until } from '../../src/testing/index.js'
import { requireCore } from '../../src/worker/current-core.js'
import { collectGarbage, rejection } from './in-cluster.js'
import { on, onNodes, preferring } from './on-nodes.js'

type Item = ray.ObjectRef<Float64Array>
type Where = ReturnType<typeof preferring>

const folder = mkdtempSync(path.join(os.tmpdir(), 'generators-'))
process.once('exit', () => rmSync(folder, { recursive: true }))

const size = 500_000
const count = ray.remote({ numReturns: 'streaming' }, function* (file: string, n: number) {
  appendFileSync(file, 'run\n')
  for (let i = 0; i < n; i++) yield new Float64Array(size).fill(i)
})
const firstOf = ray.remote((array: Float64Array) => array[0])
const runsIn = (file: string): number => readFileSync(file, 'utf8').split('\n').length - 1

async function take(stream: AsyncIterator<Item>, n: number): Promise<Item[]> {
  const refs: Item[] = []
  for (let i = 0; i < n; i++) {
    const step = await stream.next()
    if (step.done !== true) refs.push(step.value)
  }
  return refs
}

const valuesOf = async (refs: readonly Item[]): Promise<(number | undefined)[]> =>
  (await ray.get([...refs], { timeoutMs: 60_000 })).map((array) => array[0])

async function storedObjects(): Promise<number> {
  const query = { what: 'everyNode', question: 'storeStatistics' } as const
  const { values } = (await requireCore('a test').query(query)) as {
    readonly values: readonly { readonly objects: number }[]
  }
  return values.reduce((sum, { objects }) => sum + objects, 0)
}

/** In a function of its own, so that no ref is left in a register. */
async function readAcross(kill: () => Promise<void>, on: Where): Promise<void> {
  const file = path.join(folder, 'across')
  const stream = count.options({ ...on, generatorBackpressureNumObjects: 4 }).remote(file, 9)
  const [zero, one, two] = await take(stream, 3)
  assert.ok(zero && one && two)
  const ids = [zero, one, two].map(({ id }) => id)
  assert.deepEqual(await valuesOf([zero]), [0])
  const borrowed = firstOf.remote(two)
  await kill()
  assert.equal(await ray.get(borrowed, { timeoutMs: 60_000 }), 2)
  assert.deepEqual(await valuesOf([zero, one, two]), [0, 1, 2])
  assert.deepEqual(
    [zero, one, two].map(({ id }) => id),
    ids,
  )
  const rest: Item[] = []
  for await (const ref of stream) rest.push(ref)
  assert.deepEqual(await valuesOf(rest), [3, 4, 5, 6, 7, 8])
}

void test('the node of a generator dies: items that were read, others, and those to come', () =>
  onNodes(2, async ({ kill }, [victim]) => {
    assert.ok(victim)
    await readAcross(() => kill(victim), preferring(victim))
    await until(async () => {
      await collectGarbage()
      return (await storedObjects()) === 0
    })
  }))

void test('items of a generator that is over are made again by one run, with the same ids', () =>
  onNodes(2, async ({ kill }, [victim, other]) => {
    assert.ok(victim && other)
    const file = path.join(folder, 'over')
    const refs = await take(count.options(preferring(victim)).remote(file, 6), 6)
    const endless = count.options({ ...preferring(victim), generatorBackpressureNumObjects: 2 })
    const open = endless.remote(path.join(folder, 'endless'), Infinity)
    const [, left] = await take(open, 2)
    await open.return()
    const before = refs.map(({ id }) => id)
    const freed = refs[4]
    ray.free([freed ?? assert.fail()])
    await kill(victim)
    const kept = refs.filter((ref) => ref !== freed)
    assert.deepEqual(await valuesOf(kept), [0, 1, 2, 3, 5])
    assert.deepEqual(await valuesOf([left ?? assert.fail()]), [1])
    assert.deepEqual(
      refs.map(({ id }) => id),
      before,
    )
    assert.equal(runsIn(file), 2)
    const read = await ray.get(kept.map((ref) => firstOf.options(on(other)).remote(ref)))
    assert.deepEqual(read, [0, 1, 2, 3, 5])
  }))

class Source {
  *count(n: number) {
    for (let i = 0; i < n; i++) yield new Float64Array(size).fill(i)
  }
}

void test('items of an actor that restarts are made again', () =>
  onNodes(2, async ({ kill }, [victim]) => {
    assert.ok(victim)
    const options = { maxRestarts: 1, maxTaskRetries: 2, numCpus: 0, ...preferring(victim) }
    const source = ray.remote(Source).options(options).remote()
    const refs = await take(source.count.options({ numReturns: 'streaming' }).remote(4), 4)
    await kill(victim)
    assert.deepEqual(await valuesOf(refs), [0, 1, 2, 3])
  }))

const shrinks = ray.remote({ numReturns: 'streaming' }, function* (file: string) {
  appendFileSync(file, 'run\n')
  const n = runsIn(file) > 1 ? 1 : 3
  for (let i = 0; i < n; i++) yield new Float64Array(size).fill(i)
})

void test('items that cannot be made again say so', () =>
  onNodes(2, async ({ kill }, [victim]) => {
    assert.ok(victim)
    const there = preferring(victim)
    const once = count.options({ maxRetries: 0, ...there })
    const [lost] = await take(once.remote(path.join(folder, 'once'), 1), 1)
    const fewer = await take(shrinks.options(there).remote(path.join(folder, 'shrinks')), 3)
    const running = once.remote(path.join(folder, 'running'), Infinity)
    await take(running, 1)
    assert.ok(lost && fewer[2])
    await kill(victim)
    const never = await rejection(valuesOf([lost]))
    assert.ok(never instanceof ray.ObjectLostError, String(never))
    assert.match(never.message, /cannot be computed again/)
    const refs: Item[] = []
    for await (const ref of running) refs.push(ref)
    const end = await rejection(ray.get(refs.at(-1) ?? assert.fail()))
    assert.ok(end instanceof ray.NodeDiedError, String(end))
    const gone = await rejection(valuesOf([fewer[2]]))
    assert.ok(gone instanceof ray.ObjectReconstructionFailedError, String(gone))
    assert.match(gone.message, /item 2 of a generator/)
    assert.deepEqual(await valuesOf([fewer[0] ?? assert.fail()]), [0])
  }))
