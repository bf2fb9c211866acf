import assert from 'node:assert/strict'
import os from 'node:os'
import { test } from 'node:test'
import { tableFromArrays, type Table } from 'apache-arrow'
import { withCluster } from '../../src/testing/index.js'
import * as ray from '../../src/index.js'
import { collectGarbage, inCluster, rejection } from './in-cluster.js'

const ramp = (length: number): Float64Array => Float64Array.from({ length }, (_, i) => i)

inCluster(
  'Objects',
  { numCpus: 2, objectStoreMemory: 200e6 },
  {
    async 'put is synchronous: later changes of the value are invisible'() {
      const small = { list: [1, 2] }
      const big = ramp(1e6)
      const refs = [ray.put(small), ray.put(big)] as const
      small.list.push(3)
      big.fill(-1)
      const [list, array] = await ray.get(refs)
      assert.deepEqual(list, { list: [1, 2] })
      assert.equal(array[999_999], 999_999)
    },

    async 'typed arrays of all kinds keep their kind, length and contents'() {
      const kinds = [
        Int8Array,
        Uint8Array,
        Uint8ClampedArray,
        Int16Array,
        Uint16Array,
        Int32Array,
        Uint32Array,
        Float32Array,
        Float64Array,
      ]
      for (const Kind of kinds) {
        const array = new Kind(50_000).fill(7)
        const back = await ray.get(ray.put(array))
        assert.ok(back instanceof Kind, Kind.name)
        assert.deepEqual([back.length, back[49_999]], [50_000, 7])
      }
      const long = await ray.get(ray.put(new BigInt64Array(50_000).fill(-3n)))
      assert.equal(long[49_999], -3n)
      const buffer = await ray.get(ray.put(Buffer.alloc(200_000, 'x')))
      assert.ok(Buffer.isBuffer(buffer))
      assert.equal(buffer.toString('latin1', 0, 3), 'xxx')
      const view = await ray.get(ray.put(new DataView(new ArrayBuffer(200_000))))
      assert.equal(view.byteLength, 200_000)
    },

    async 'large arrays are views on shared memory, not copies'() {
      const ref = ray.put(new Uint8Array(50e6).fill(1))
      const before = process.memoryUsage()
      const views = await Promise.all([1, 2, 3, 4].map(() => ray.get(ref)))
      const after = process.memoryUsage()
      assert.ok(after.heapUsed - before.heapUsed < 5e6)
      assert.ok(after.rss - before.rss < 50e6, `${after.rss - before.rss} bytes more`)
      assert.equal(
        views.reduce((sum, view) => sum + view[7]!, 0),
        4,
      )
    },

    async 'a write by one reader is seen by nobody else, and by no later get'() {
      const ref = ray.put(ramp(100_000))
      const scribble = ray.remote((array: Float64Array) => {
        const before = array[5]
        array.fill(-1)
        return [before, array[5]]
      })
      const mine = await ray.get(ref)
      mine[5] = 77
      assert.deepEqual(await ray.get(scribble.remote(ref)), [5, -1])
      assert.deepEqual(await ray.get(scribble.remote(ref)), [5, -1])
      assert.equal(mine[5], 77)
      assert.equal((await ray.get(ref))[5], 5)
    },

    async 'an array stays valid after its ref is gone and the store is used again'() {
      const array = await ray.get(ray.put(ramp(1e6)))
      await collectGarbage()
      for (let i = 0; i < 30; i++) ray.put(new Float64Array(1e6).fill(i))
      await collectGarbage()
      assert.ok(array.every((value, i) => value === i))
    },

    async 'results and arguments larger than a message travel through the store'() {
      const make = ray.remote((n: number) => new Float64Array(n).fill(3))
      const sum = ray.remote((a: Float64Array) => a.reduce((x, y) => x + y, 0))
      assert.equal(await ray.get(sum.remote(make.remote(1e6))), 3e6)
      assert.equal(await ray.get(sum.remote(new Float64Array(1e6).fill(2))), 2e6)
      const text = 'ü'.repeat(1e6)
      const length = ray.remote((s: string) => s.length)
      assert.equal(await ray.get(length.remote(text)), 1e6)
    },

    async 'several arrays inside one value, shared and nested'() {
      const a = ramp(50_000)
      const value = { a, again: a, part: a.subarray(10, 20), deep: { list: [a, ramp(30_000)] } }
      const back = await ray.get(ray.put(value))
      assert.equal(back.a, back.again)
      assert.equal(back.part[0], 10)
      assert.equal(back.deep.list[1]?.[29_999], 29_999)
    },

    async cycles() {
      const node: { next?: unknown; data: Uint8Array } = { data: new Uint8Array(200_000).fill(9) }
      node.next = { back: node }
      const back = await ray.get(ray.put(node))
      assert.equal((back.next as { back: unknown }).back, back)
      assert.equal(back.data[199_999], 9)
    },

    async 'Arrow tables'() {
      const table = tableFromArrays({ n: ramp(100_000), k: Int32Array.of(...Array(1000).keys()) })
      const rows = ray.remote((t: Table) => [t.numRows, t.getChild('n')?.get(5)])
      const wide = tableFromArrays({ n: ramp(100_000) })
      assert.deepEqual(await ray.get(rows.remote(wide)), [100_000, 5])
      const back = await ray.get(ray.put(wide))
      assert.equal(back.numRows, 100_000)
      assert.equal(back.getChild('n')?.get(99_999), 99_999)
      assert.ok(table.numCols === 2)
    },

    async 'put of a ref is refused, with the reason'() {
      assert.throws(() => ray.put(ray.put(1)), /already/)
    },

    async 'free frees at once; later gets say so'() {
      const ref = ray.put(ramp(100_000))
      const other = ray.put(ramp(100_000))
      ray.free([ref])
      other.free()
      for (const freed of [ref, other]) {
        const error = await rejection(ray.get(freed, { timeoutMs: 5000 }))
        assert.ok(error instanceof ray.ObjectFreedError, String(error))
      }
    },

    async 'an object larger than the whole store can still be stored and read'() {
      const ref = ray.put(new Uint8Array(300e6).fill(5))
      const last = ray.remote((a: Uint8Array) => a[a.length - 1])
      assert.equal(await ray.get(last.remote(ref)), 5)
    },
  },
)

const gigabyte = 1024 ** 3
const reason =
  os.freemem() < 16 * gigabyte ? 'needs 16 GB of free memory for a value of 5 GB' : false

test('a value of 5 GB made of several arrays', { skip: reason }, () =>
  withCluster({ objectStoreMemory: 6 * gigabyte }, async () => {
    const parts = Array.from({ length: 5 }, (_, i) => new Uint8Array(gigabyte).fill(i + 1))
    const ref = ray.put(parts)
    parts.length = 0
    await collectGarbage()
    const ends = ray.remote((all: Uint8Array[]) => all.map((a) => [a.length, a[0], a.at(-1)]))
    const expected = [1, 2, 3, 4, 5].map((i) => [gigabyte, i, i])
    assert.deepEqual(await ray.get(ends.remote(ref)), expected)
  }),
)
