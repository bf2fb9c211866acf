// Types are checked by the compiler: a line that must not compile is marked @ts-expect-error, and
// is an error itself once it does. Nothing here runs but the test that says so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ray from '../../src/index.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only when the two types are the same. */
function same<A, B>(
  _: Same<A, B> extends true ? 'same' : 'different',
  ..._values: unknown[]
): void {}

const square = ray.remote((x: number) => x * x)
const later = ray.remote(async (text: string, times = 1) => text.repeat(times))
const pair = ray.remote((): [number, string] => [1, 'a'])
const list = ray.remote((n: number) => Array.from({ length: n }, () => true))
const count = ray.remote(function* (n: number) {
  for (let i = 0; i < n; i++) yield i
})
const sum = ray.remote((...lists: readonly number[][]) => lists.flat().length)
class Counter {
  n: number
  constructor(n: number) {
    this.n = n
  }
  inc(): number {
    return ++this.n
  }
  async name(prefix: string): Promise<string> {
    return `${prefix}${this.n}`
  }
}
const Remote = ray.remote(Counter)

export async function tasks(): Promise<void> {
  const ref = square.remote(4)
  same<typeof ref, ray.ObjectRef<number>>('same', ref)
  const value: number = await ray.get(ref)
  const total: number = await ray.get(sum.remote([1], ray.put([2])))
  const text: string = await ray.get(later.remote('a', 2))
  same<Awaited<ReturnType<typeof ref.get>>, number>('same', ref)
  square.remote(ref)
  later.remote(later.remote('a'))
  // @ts-expect-error a string is not a number
  square.remote('4')
  // @ts-expect-error a ref of a string is not one of a number
  square.remote(later.remote('a'))
  // @ts-expect-error an argument is missing
  square.remote()
  // @ts-expect-error there is no such option
  square.options({ numCpu: 1 })
  // @ts-expect-error a remote function is not called directly
  square(4)
  // @ts-expect-error the value of a ref is not at hand
  const wrong: number = ref
  await ray.get([value, total, text, wrong].map((each) => ray.put(each)))
}

export async function several(): Promise<void> {
  const [a, b] = await ray.get([square.remote(1), later.remote('x')] as const)
  same<typeof a, number>('same', a)
  same<typeof b, string>('same', b)
  const values = await ray.get([1, 2].map((x) => square.remote(x)))
  same<typeof values, number[]>('same', values)
  const [first, second] = pair.options({ numReturns: 2 }).remote()
  same<typeof first, ray.ObjectRef<number>>('same', first)
  same<typeof second, ray.ObjectRef<string>>('same', second)
  const refs = list.options({ numReturns: 3 }).remote(3)
  same<typeof refs, ray.ObjectRef<boolean>[]>('same', refs)
  const [ready, rest] = await ray.wait(refs, { numReturns: 2, timeoutMs: 5 })
  same<typeof ready, ray.ObjectRef<boolean>[]>('same', ready)
  same<typeof rest, typeof ready>('same', rest)
}

export async function streams(): Promise<void> {
  const stream = count.options({ numReturns: 'streaming' }).remote(3)
  for await (const ref of stream) {
    same<typeof ref, ray.ObjectRef<number>>('same', ref)
    const item: number = await ref.get()
    assert.ok(item >= 0)
  }
}

export async function objects(): Promise<void> {
  const ref = ray.put({ a: new Float64Array(3), b: ['x'] })
  const value = await ray.get(ref)
  same<typeof value, { a: Float64Array<ArrayBuffer>; b: string[] }>('same', value)
  const nested = await ray.get(ray.put([ray.put(1)]))
  same<(typeof nested)[0], ray.ObjectRef<number>>('same', nested)
  // @ts-expect-error a promise is not a ref
  await ray.get(Promise.resolve(1))
}

export async function actors(): Promise<void> {
  const counter = Remote.options({ name: 'c', maxRestarts: 1 }).remote(5)
  same<typeof counter, ray.ActorHandle<Counter>>('same', counter)
  const n: number = await ray.get(counter.inc.remote())
  const name: string = await ray.get(counter.name.remote(later.remote('p')))
  assert.ok(n > 0 && name !== '')
  // @ts-expect-error the constructor takes a number
  Remote.remote('5')
  // @ts-expect-error there is no such method
  counter.dec.remote()
  // @ts-expect-error fields are not methods
  counter.n.remote()
  // @ts-expect-error options of tasks are not options of actors
  Remote.options({ maxRetries: 1 })
  const found = await ray.getActor<Counter>('c')
  same<typeof found, ray.ActorHandle<Counter>>('same', found)
  // A task may take a handle, and an actor may be made in a task.
  const use = ray.remote(async (handle: ray.ActorHandle<Counter>) => ray.get(handle.inc.remote()))
  same<ReturnType<typeof use.remote>, ray.ObjectRef<number>>('same', use)
}

class Crawler {
  async fetch(url: string): Promise<string> {
    return url
  }
  sizes(): [number, string] {
    return [1, 'a']
  }
  *pages(): Generator<number> {
    yield 1
  }
}

export async function methodOptions(): Promise<void> {
  const options = {
    concurrencyGroups: { io: 2 },
    methods: {
      fetch: { concurrencyGroup: 'io', maxTaskRetries: 2, retryExceptions: [RangeError] },
      sizes: { numReturns: 2 },
      pages: { numReturns: 'streaming' },
    },
  } as const
  const Remote = ray.remote(options, Crawler)
  const crawler = Remote.remote()
  const [size, text] = crawler.sizes.remote()
  same<typeof size, ray.ObjectRef<number>>('same', size)
  same<typeof text, ray.ObjectRef<string>>('same', text)
  const pages = crawler.pages.options({ name: 'p' }).remote()
  same<typeof pages, ray.ObjectRefGenerator<number>>('same', pages)
  const one = crawler.sizes.options({ numReturns: 1 }).remote()
  same<typeof one, ray.ObjectRef<[number, string]>>('same', one)
  const page = crawler.fetch.options({ concurrencyGroup: 'io' }).remote('x')
  same<typeof page, ray.ObjectRef<string>>('same', page)
  const inline = ray.remote({ methods: { sizes: { numReturns: 2 } } }, Crawler).remote()
  same<ReturnType<typeof inline.sizes.remote>, [ray.ObjectRef<number>, ray.ObjectRef<string>]>(
    'same',
    inline,
  )
  const named = Remote.options({ name: 'c' }).remote()
  same<typeof named, typeof crawler>('same', named)
  const ready: true = await ray.get(crawler.__ray_ready__.remote())
  assert.ok(ready)
  // @ts-expect-error there is no such method
  ray.remote({ methods: { fetsh: { maxTaskRetries: 1 } } }, Crawler)
  // @ts-expect-error the group is not declared
  ray.remote({ methods: { fetch: { concurrencyGroup: 'io' } } }, Crawler)
  const wrong = {
    concurrencyGroups: { io: 1 },
    methods: { fetch: { concurrencyGroup: 'oi' } },
  } as const
  // @ts-expect-error the group has another name
  ray.remote(wrong, Crawler)
}

test('the types of the public API are as the compiler has checked', () => {
  assert.equal(typeof square.remote, 'function')
})
