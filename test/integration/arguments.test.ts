import assert from 'node:assert/strict'
import * as ray from '../../src/index.js'
import { inCluster, rejection } from './in-cluster.js'

class Point {
  readonly x: number
  readonly y: number

  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }

  get length() {
    return Math.hypot(this.x, this.y)
  }
}

const identity = ray.remote((x: unknown) => x)
const describe = ray.remote((...all: unknown[]) => all)

async function roundTrip<T>(value: T): Promise<T> {
  return (await ray.get(identity.remote(value))) as T
}

inCluster(
  'Arguments',
  { numCpus: 2, objectStoreMemory: 100e6 },
  {
    async 'primitives come back as they went'() {
      const values = [0, -0, 1.5, NaN, Infinity, 2n ** 70n, '', 'ü€😀', true, null, undefined]
      for (const value of values) assert.ok(Object.is(await roundTrip(value), value), String(value))
    },

    async 'containers come back as they went'() {
      const date = new Date(1e12)
      const value = {
        list: [1, , 3],
        map: new Map<unknown, unknown>([[{ a: 1 }, new Set([1, 'b'])]]),
        date,
        pattern: /a+b/gi,
        bytes: new Uint8Array([1, 2, 3]),
        nested: { deep: [{ deeper: [[]] }] },
      }
      assert.deepEqual(await roundTrip(value), value)
    },

    async 'cycles and shared parts keep their shape'() {
      const shared = { n: 1 }
      const value: Record<string, unknown> = { a: shared, b: shared }
      value['self'] = value
      const back = await roundTrip(value)
      assert.equal(back['self'], back)
      assert.equal(back['a'], back['b'])
    },

    async 'functions and lambdas can be called on the other side'() {
      const apply = ray.remote((f: (x: number) => number, x: number) => f(x))
      const factor = 3
      assert.equal(await ray.get(apply.remote((x) => x * factor, 5)), 15)
      assert.equal(await ray.get(apply.remote(Math.sqrt, 9)), 3)
      function named(x: number): number {
        return x <= 1 ? 1 : x * named(x - 1)
      }
      assert.equal(await ray.get(apply.remote(named, 5)), 120)
    },

    async 'functions made in a task can be called in the driver'() {
      const make = ray.remote((n: number) => (x: number) => x + n)
      const plus4 = await ray.get(make.remote(4))
      assert.equal(plus4(1), 5)
    },

    async 'an instance keeps its class, in both directions'() {
      const measure = ray.remote((p: Point) => [p instanceof Point, p.length] as const)
      assert.deepEqual(await ray.get(measure.remote(new Point(3, 4))), [true, 5])
      const back = await roundTrip(new Point(6, 8))
      assert.ok(back instanceof Point)
      assert.equal(back.length, 10)
    },

    async 'a class can be passed and constructed'() {
      const construct = ray.remote((C: typeof Point) => new C(3, 4).length)
      assert.equal(await ray.get(construct.remote(Point)), 5)
    },

    async 'errors keep their class, fields and causes'() {
      const error = Object.assign(new RangeError('far', { cause: new TypeError('near') }), { n: 7 })
      const back = await roundTrip(error)
      assert.ok(back instanceof RangeError)
      assert.equal(back.message, 'far')
      assert.equal(back.n, 7)
      assert.ok(back.cause instanceof TypeError)
      const many = await roundTrip(new AggregateError([new Error('a'), new Error('b')], 'all'))
      assert.deepEqual(
        many.errors.map((each: Error) => each.message),
        ['a', 'b'],
      )
    },

    async 'the same ref many times, direct and inside a list, is the same value each time'() {
      const ref = ray.put({ k: 1 })
      const values = await ray.get(describe.remote(ref, ref, ref))
      assert.deepEqual(values, [{ k: 1 }, { k: 1 }, { k: 1 }])
      const read = ray.remote(async (refs: ray.ObjectRef<{ k: number }>[]) => ray.get(refs))
      assert.deepEqual(await ray.get(read.remote([ref, ref])), [{ k: 1 }, { k: 1 }])
    },

    async 'a ref inside a value stays a ref'() {
      const ref = ray.put(5)
      const inspect = ray.remote(async (box: { ref: ray.ObjectRef<number> }) => {
        return [box.ref instanceof ray.ObjectRef, await box.ref.get()] as const
      })
      assert.deepEqual(await ray.get(inspect.remote({ ref })), [true, 5])
    },

    async 'a thousand refs in one argument list are all resolved'() {
      const refs = Array.from({ length: 1000 }, (_, i) =>
        i % 2 === 0 ? ray.put(i) : identity.remote(i),
      )
      const values = (await ray.get(describe.remote(...refs))) as number[]
      assert.equal(values.length, 1000)
      assert.ok(values.every((value, i) => value === i))
    },

    async 'a thousand refs inside one argument can be gotten together'() {
      const refs = Array.from({ length: 1000 }, (_, i) => ray.put(i))
      const sum = ray.remote(async (list: ray.ObjectRef<number>[]) => {
        return (await ray.get(list)).reduce((a, b) => a + b, 0)
      })
      assert.equal(await ray.get(sum.remote(refs)), 499_500)
    },

    async 'remote functions and handles can be passed'() {
      const square = ray.remote((x: number) => x * x)
      const call = ray.remote(async (f: typeof square, x: number) => ray.get(f.remote(x)))
      assert.equal(await ray.get(call.remote(square, 7)), 49)
    },

    async 'what cannot be sent is refused with its path'() {
      const refusal = (path: RegExp) => (error: unknown) =>
        error instanceof ray.SerializationError && path.test(error.message)
      const holder = { a: { b: [Promise.resolve()] } }
      assert.throws(() => identity.remote(holder), refusal(/\.a\.b\[0\]/))
      assert.throws(() => identity.remote({ w: new WeakMap() }), refusal(/\.w\b/))
      assert.throws(() => ray.put({ s: Symbol('mine') }), refusal(/\.s\b/))
    },

    async 'an argument that changes after the call is seen as it was'() {
      const value = { n: 1 }
      const big = new Float64Array(100_000).fill(1)
      const read = ray.remote((v: { n: number }, b: Float64Array) => [v.n, b[99_999]])
      const ref = read.remote(value, big)
      value.n = 2
      big.fill(2)
      assert.deepEqual(await ray.get(ref), [1, 1])
    },

    async 'a task whose argument failed fails with the same error'() {
      const fail = ray.remote((): number => {
        throw new RangeError('first')
      })
      const error = await rejection(ray.get(identity.remote(fail.remote())))
      assert.ok(error instanceof ray.RayTaskError, String(error))
      assert.ok(error.cause instanceof RangeError)
    },
  },
)
