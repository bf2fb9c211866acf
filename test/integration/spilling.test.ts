import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until, withCluster } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { collectGarbage } from './in-cluster.js'

const megabyte = 1e6
const filled = (bytes: number, n: number): Uint8Array => new Uint8Array(bytes).fill(n)

/** A fixed sequence that looks random. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

async function check(ref: ray.ObjectRef<Uint8Array>, n: number): Promise<void> {
  const array = await ray.get(ref)
  assert.deepEqual([array[0], array.at(-1)], [n, n])
}

test('600 MB put into a 300 MB store in one turn are all readable', () =>
  withCluster({ objectStoreMemory: 300 * megabyte }, async ({ spillFiles }) => {
    const refs = Array.from({ length: 60 }, (_, i) => ray.put(filled(10 * megabyte, i)))
    assert.ok(spillFiles().length > 0)
    for (const [i, ref] of refs.entries()) await check(ref, i)
    const read = ray.remote((a: Uint8Array) => a.at(-1))
    assert.deepEqual(await ray.get(refs.map((ref) => read.remote(ref))), [...refs.keys()])
  }))

test('100 arrays of 8 to 24 MB through a 75 MB store survive 1000 random reads', () =>
  withCluster({ objectStoreMemory: 75 * megabyte, deadlineMs: 100_000 }, async () => {
    const random = numbers(7)
    const sizeOf = () => Math.floor(8 * megabyte + random.next().value * 16 * megabyte)
    const refs = Array.from({ length: 100 }, (_, i) => ray.put(filled(sizeOf(), i)))
    for (let i = 0; i < 1000; i++) {
      const at = Math.floor(random.next().value * refs.length)
      await check(refs[at]!, at)
    }
  }))

test('results of tasks spill like values that were put', () =>
  withCluster({ objectStoreMemory: 60 * megabyte }, async () => {
    const make = ray.remote((i: number) => new Uint8Array(8e6).fill(i))
    const refs = Array.from({ length: 30 }, (_, i) => make.remote(i))
    for (const [i, ref] of refs.entries()) await check(ref, i)
  }))

test('spill files vanish with their refs', () =>
  withCluster({ objectStoreMemory: 50 * megabyte }, async ({ spillFiles }) => {
    await (async () => {
      const refs = Array.from({ length: 40 }, (_, i) => ray.put(filled(5 * megabyte, i)))
      await until(() => spillFiles().length > 0)
      await check(refs[0]!, 0)
    })()
    await until(async () => {
      await collectGarbage()
      return spillFiles().length === 0
    })
  }))

test('freeing refs by hand removes their spill files', () =>
  withCluster({ objectStoreMemory: 50 * megabyte }, async ({ spillFiles }) => {
    const refs = Array.from({ length: 40 }, (_, i) => ray.put(filled(5 * megabyte, i)))
    await until(() => spillFiles().length > 0)
    ray.free(refs)
    await until(() => spillFiles().length === 0)
  }))

test('small objects are fused into few files', () =>
  withCluster({ objectStoreMemory: 20 * megabyte }, async ({ spillFiles }) => {
    const refs = Array.from({ length: 600 }, (_, i) => ray.put(filled(200_000, i % 256)))
    await until(() => spillFiles().length > 0)
    assert.ok(spillFiles().length < 60, `${spillFiles().length} files for 600 objects`)
    for (let i = 0; i < 600; i += 37) await check(refs[i]!, i % 256)
  }))

test('objects in use are not written to disk', () =>
  withCluster({ objectStoreMemory: 60 * megabyte }, async ({ spillFiles }) => {
    const inUse = await ray.get(Array.from({ length: 4 }, (_, i) => ray.put(filled(8e6, i))))
    const before = spillFiles().length
    const more = Array.from({ length: 10 }, (_, i) => ray.put(filled(8e6, i)))
    assert.ok(spillFiles().length > before)
    for (const [i, ref] of more.entries()) await check(ref, i)
    for (const [i, array] of inUse.entries()) assert.equal(array.at(-1), i)
  }))

test('an object held by an actor survives filling the store ten times', () =>
  withCluster({ objectStoreMemory: 100 * megabyte }, async () => {
    const Keeper = ray.remote(
      class {
        kept: Uint8Array | null = null
        keep(array: Uint8Array) {
          this.kept = array
        }
        check(n: number) {
          return this.kept?.every((byte) => byte === n)
        }
      },
    )
    const keeper = Keeper.remote()
    await ray.get(keeper.keep.remote(ray.put(filled(25e6, 42))))
    for (let i = 0; i < 100; i++) ray.put(filled(10e6, i))
    assert.equal(await ray.get(keeper.check.remote(42)), true)
  }))
