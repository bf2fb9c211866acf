import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect, isDeepStrictEqual, types } from 'node:util'
import v8 from 'node:v8'
import vm from 'node:vm'
import { pieceBytes } from '../base/pieced-bytes.js'
import * as esmArrow from 'apache-arrow'
import type { RayTaskError } from '../base/errors.js'
import { errorTypes } from '../base/errors.js'
import { layoutObject, readObject } from './object-layout.js'
import { encodeJoined as encodeValue } from './encode-joined.js'
import { attachmentBrand, decodeValue, type EncodedValue } from './value-codec.js'

const hooks = { instanceProblem: (): string | undefined => undefined }

/** Sends a value through the layout of a stored object, as `put` and `get` do. */
function trip(value: unknown): unknown {
  const encoded = encodeValue(value, 'value', hooks)
  const layout = layoutObject(new Uint8Array(3), encoded.bytes, encoded.buffers)
  const stored = new Uint8Array(layout.sizeBytes)
  for (const part of layout.parts) stored.set(pieceBytes(part.bytes), part.offset)
  return decodeValue(readObject(stored).bytes, { ...encoded, buffers: readObject(stored).buffers })
}

function encodedSize({ bytes, buffers }: EncodedValue): number {
  return bytes.length + buffers.reduce((sum, buffer) => sum + buffer.length, 0)
}

test('gives what v8 gives for everything that v8 takes', () => {
  const values: unknown[] = [
    [
      undefined,
      null,
      true,
      false,
      -0,
      NaN,
      Infinity,
      1,
      -1,
      127,
      128,
      2 ** 31,
      -(2 ** 31),
      1.5,
      2 ** 53,
    ],
    [0n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, -(10n ** 50n)],
    [
      '',
      'a',
      'é',
      '日本',
      '\ud800',
      'a\udc00'.repeat(40),
      'x'.repeat(31),
      'x'.repeat(32),
      '😀'.repeat(5000),
    ],
    [new Number(-0), new String('ab'), new Boolean(false), Object(2n)],
    [new Date(0), /a\/b(?<n>.)/dgimsuy, new RegExp('')],
    new Map<unknown, unknown>([
      [1, { a: 1 }],
      [{ b: 1 }, new Set([NaN, 'x'])],
    ]),
    [1, , 3, ,],
    Object.assign([1, , 2], { name: 'x', '-1': 0 }),
    Object.assign([], { length: 1_000_000, 5: 1, 999_999: 2 }),
    'abc'.match(/b/),
    JSON.parse('{"__proto__":1,"b":2,"10":3,"2":0,"constructor":5,"":6}'),
    new Uint8Array([1, 2, 3]).buffer,
    new Float64Array(2000).fill(0.5),
    [new Int8Array(1), new Uint8ClampedArray(2), new Int16Array([3]), new Uint16Array([4])],
    [new Int32Array([5]), new Uint32Array([6]), new Float32Array([7]), new BigUint64Array([8n])],
    new DataView(new ArrayBuffer(16), 3, 7),
    Buffer.from('hello'),
    { nested: { deeper: [{ s: new Set([[1]]) }] } },
    {
      get computed() {
        return [1]
      },
    },
    vm.runInNewContext('({ a: [1, new Map([[1, 2]])], e: /x/g })'),
  ]
  for (const value of values) {
    const expected: unknown = v8.deserialize(v8.serialize(value))
    const actual = trip(value)
    assert.ok(isDeepStrictEqual(actual, expected), inspect(actual))
    if (typeof value === 'object')
      assert.deepEqual(Object.keys(actual as object), Object.keys(expected as object))
  }
  assert.ok(Object.is(trip(-0), -0))
  assert.ok(Number.isNaN((trip(new Date(NaN)) as Date).getTime()))
  const pattern = /x/g
  pattern.lastIndex = 3
  assert.equal((trip(pattern) as RegExp).lastIndex, 0)
  assert.ok(Buffer.isBuffer(trip(Buffer.from('x'))))
})

test('restores objects without a prototype and own keys named __proto__', () => {
  const bare = trip(Object.assign(Object.create(null) as object, { a: 1 })) as object
  assert.equal(Object.getPrototypeOf(bare), null)
  const back = trip(JSON.parse('{"__proto__":{"evil":1}}')) as object
  assert.equal(Object.getPrototypeOf(back), Object.prototype)
  assert.deepEqual(Object.keys(back), ['__proto__'])
})

test('keeps identity and cycles', () => {
  const shared = { a: [1] }
  const value: Record<string, unknown> = { x: shared, y: [shared, shared.a] }
  value['self'] = value
  value['map'] = new Map([[value, new Set([value])]])
  const back = trip(value) as typeof value & {
    x: typeof shared
    y: unknown[]
    map: Map<object, Set<object>>
  }
  assert.equal(back['self'], back)
  assert.equal(back.y[0], back.x)
  assert.equal(back.y[1], back.x.a)
  assert.ok(back.map.get(back)!.has(back))
})

test('takes nesting of any depth, in objects, arrays, maps, errors and instances', () => {
  class Box {
    readonly inner: unknown
    constructor(inner: unknown) {
      this.inner = inner
    }
  }
  let value: unknown = { end: true }
  const bottom = value
  for (let i = 0; i < 50_000; i++) {
    if (i % 5 === 0) value = { inner: value }
    else if (i % 5 === 1) value = [value, bottom]
    else if (i % 5 === 2) value = new Map([['inner', value]])
    else if (i % 5 === 3) value = new Box(value)
    else value = new Error('e', { cause: value })
  }
  let at = trip(value)
  let levels = 0
  for (; !(at as { end?: boolean }).end; levels++) {
    if (at instanceof Error) at = at.cause
    else if (Array.isArray(at)) at = at[0]
    else if (at instanceof Map) at = at.get('inner')
    else at = (at as Box).inner
  }
  assert.equal(levels, 50_000)
})

test('keeps views that share an ArrayBuffer sharing it, and sends only what they show', () => {
  const memory = new ArrayBuffer(1_000_000)
  const floats = new Float64Array(memory, 800, 4)
  const bytes = new Uint8Array(memory, 803, 29)
  floats[0] = 1.5
  const encoded = encodeValue([floats, bytes], 'value', hooks)
  assert.ok(encodedSize(encoded) < 100)
  const [f, b] = trip([floats, bytes]) as [Float64Array, Uint8Array]
  assert.equal(f.buffer, b.buffer)
  assert.deepEqual([...f], [...floats])
  b[0] = 7
  assert.notEqual(f[0], 1.5)
  const far = [new Uint8Array(memory, 0, 10), new Uint8Array(memory, 900_000, 10)]
  assert.ok(encodedSize(encodeValue(far, 'value', hooks)) < 100)
  const [whole, part] = trip([memory, bytes]) as [ArrayBuffer, Uint8Array]
  assert.equal(whole, part.buffer)
  assert.equal(whole.byteLength, 1_000_000)
})

test('does not send what else is in the pool of Buffers', () => {
  const secret = Buffer.from('a secret that is not part of the value')
  const encoded = encodeValue([Buffer.from('one'), Buffer.from('two')], 'value', hooks)
  assert.ok(!Buffer.from(encoded.bytes).includes(secret))
  assert.ok(encoded.bytes.length < 60)
})

test('hands out large binary contents without copying, and reads them in place', () => {
  const array = new Float64Array(1000).fill(2)
  const encoded = encodeValue({ array, bytes: new Uint8Array(5000) }, 'value', hooks)
  assert.equal(encoded.buffers.length, 2)
  assert.equal(encoded.buffers[0]!.buffer, array.buffer)
  const stored = new Uint8Array(64 + 8000)
  stored.set(encoded.buffers[0]!, 64)
  const buffers = [stored.subarray(64), new Uint8Array(5000)]
  const back = decodeValue(encoded.bytes, { ...encoded, buffers }) as { array: Float64Array }
  assert.equal(back.array.buffer, stored.buffer)
  const askew = new Uint8Array(8003)
  askew.set(encoded.buffers[0]!, 3)
  const parts = { ...encoded, buffers: [askew.subarray(3), buffers[1]!] }
  const copied = decodeValue(encoded.bytes, parts) as { array: Float64Array; bytes: Uint8Array }
  assert.notEqual(copied.array.buffer, askew.buffer)
  assert.equal(copied.array[999], 2)
  assert.equal(copied.bytes.buffer, buffers[1]!.buffer)
})

test('keeps an ArrayBuffer resizable', () => {
  type Resizable = ArrayBuffer & { resizable: boolean; maxByteLength: number }
  const make = ArrayBuffer as unknown as new (n: number, o: { maxByteLength: number }) => Resizable
  const memory = new make(8, { maxByteLength: 64 })
  const [view, back] = trip([new Uint8Array(memory), memory]) as [Uint8Array, Resizable]
  assert.ok(back.resizable)
  assert.equal(back.maxByteLength, 64)
  assert.equal(view.buffer, back)
})

test('brings errors home with name, message, stack, cause, errors and own fields', () => {
  const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER', at: [1] })
  const error = new AggregateError([new RangeError('r'), 5], 'outer', { cause })
  const back = trip(error) as AggregateError
  assert.ok(back instanceof AggregateError && types.isNativeError(back))
  assert.equal(back.message, 'outer')
  assert.equal(back.stack, error.stack)
  assert.ok(back.errors[0] instanceof RangeError)
  assert.ok(isDeepStrictEqual(back.cause, cause))
  assert.deepEqual(Object.keys(back), [])
  const dom = trip(new DOMException('gone', 'AbortError')) as DOMException
  assert.ok(dom instanceof DOMException)
  assert.equal(dom.code, 20)
  assert.ok(trip(vm.runInNewContext('new RangeError("other realm")')) instanceof RangeError)
})

test('brings every error of Typeray home as its class', () => {
  for (const type of errorTypes.values()) {
    const error = new type('what happened', { fields: { taskId: 't1' }, cause: new Error('why') })
    const back = trip(error) as RayTaskError
    assert.ok(back instanceof type && types.isNativeError(back))
    assert.equal(back.code, type.code)
    assert.equal(back.name, error.name)
    assert.deepEqual(back.fields, { taskId: 't1' })
    assert.equal((back.cause as Error).message, 'why')
    assert.equal(back.stack, error.stack)
  }
})

test('restores instances by class without running the constructor', () => {
  let constructed = 0
  class Point {
    x = 1
    y: unknown
    constructor(y: unknown) {
      constructed++
      this.y = y
    }
    get sum(): number {
      return this.x
    }
  }
  class Special extends Point {}
  const point = new Special(undefined)
  point.y = point
  Object.defineProperty(point, 'sum', { value: 9, enumerable: true })
  const encoded = encodeValue([point, new Special(2), Special, Point], 'value', hooks)
  assert.deepEqual(encoded.code, [Special, Point])
  const [back, , type] = decodeValue(encoded.bytes, encoded) as [Special, Special, unknown]
  assert.equal(constructed, 2)
  assert.ok(back instanceof Special)
  assert.equal(back.y, back)
  assert.equal(back.sum, 9)
  assert.equal(type, Special)
})

test('restores instances of classes that extend built-in ones', () => {
  class Tagged extends Map<string, number> {
    tag = 'mine'
    override get size(): number {
      return -1
    }
  }
  class Bag extends Set<number> {}
  class List extends Array<number> {
    label = 'list'
  }
  class Failure extends TypeError {
    override name = 'Failure'
    detail = { a: 1 }
  }
  class Samples extends Float32Array {
    rate = 44_100
  }
  class Moment extends Date {
    zone = 'UTC'
  }
  const list = List.of(1, 2, 3) as List
  const back = trip({
    tagged: new Tagged([['a', 1]]),
    bag: new Bag([1]),
    list,
    failure: new Failure('no', { cause: 3 }),
    samples: Object.assign(new Samples(2000), { rate: 8000 }),
    moment: new Moment(5),
  }) as { tagged: Tagged; bag: Bag; list: List; failure: Failure; samples: Samples; moment: Moment }
  assert.ok(back.tagged instanceof Tagged && types.isMap(back.tagged))
  assert.equal(back.tagged.get('a'), 1)
  assert.equal(back.tagged.tag, 'mine')
  assert.ok(back.bag instanceof Bag && back.bag.has(1))
  assert.ok(back.list instanceof List && Array.isArray(back.list))
  assert.deepEqual([...back.list, back.list.label], [1, 2, 3, 'list'])
  assert.ok(back.failure instanceof Failure && types.isNativeError(back.failure))
  assert.deepEqual(
    [back.failure.name, back.failure.message, back.failure.cause],
    ['Failure', 'no', 3],
  )
  assert.deepEqual(back.failure.detail, { a: 1 })
  assert.ok(back.samples instanceof Samples)
  assert.deepEqual([back.samples.length, back.samples.rate], [2000, 8000])
  assert.ok(back.moment instanceof Moment)
  assert.deepEqual([back.moment.getTime(), back.moment.zone], [5, 'UTC'])
})

test('brings errors home that were declared before classes existed', () => {
  function Legacy(this: Error, message: string): void {
    this.message = message
    Error.captureStackTrace(this)
  }
  Legacy.prototype = Object.create(Error.prototype, { constructor: { value: Legacy } }) as object
  const error = new (Legacy as unknown as new (message: string) => Error)('old')
  const back = trip(error) as Error
  assert.ok(back instanceof Legacy)
  assert.deepEqual([back.message, back.stack], ['old', error.stack])
})

test('replaces attachments by their index, each once, wherever they are', () => {
  class Ref {
    readonly id = 1
    get [attachmentBrand](): boolean {
      return true
    }
  }
  const ref = new Ref()
  const remote = Object.assign(() => 1, { [attachmentBrand]: true })
  const handle = new Proxy({}, { has: (_, key) => key === attachmentBrand })
  const value = [ref, { ref }, new Map([[ref, remote]]), handle]
  const encoded = encodeValue(value, 'value', hooks)
  assert.equal(encoded.attachments.length, 3)
  assert.equal(encoded.attachments[0], ref)
  assert.equal(encoded.code.length, 0)
  const back = decodeValue(encoded.bytes, { buffers: [], attachments: ['r', 'f', 'h'], code: [] })
  assert.deepEqual(back, ['r', { ref: 'r' }, new Map([['r', 'f']]), 'h'])
})

test('keeps shared symbols as values and keys, and leaves out other symbol keys', () => {
  const key = Symbol.for('shared')
  const value = { [key]: [1], [Symbol('own')]: 2, list: [key, Symbol.iterator] }
  const back = trip(value) as typeof value
  assert.deepEqual(back[key], [1])
  assert.deepEqual(back.list, [key, Symbol.iterator])
  assert.equal(Object.getOwnPropertySymbols(back).length, 1)
})

test('sends functions as code, each once', () => {
  const f = (): number => 1
  const encoded = encodeValue({ f, again: [f] }, 'value', hooks)
  assert.deepEqual(encoded.code, [f])
  const back = decodeValue(encoded.bytes, { ...encoded, code: ['g'] })
  assert.deepEqual(back, { f: 'g', again: ['g'] })
})

test('sends URLs', () => {
  const url = trip(new URL('https://user@example.org/a?b=1#c')) as URL
  assert.ok(url instanceof URL)
  assert.equal(url.href, 'https://user@example.org/a?b=1#c')
  assert.equal(String(trip(new URLSearchParams('a=1&b=%20'))), 'a=1&b=+')
})

test('sends Arrow tables, batches and vectors of any copy of the library as one buffer', () => {
  const table = esmArrow.tableFromArrays({
    number: Float64Array.from({ length: 3000 }, (_, i) => i / 2),
    word: Array.from({ length: 3000 }, (_, i) => `w${i % 5}`),
  })
  const nested = esmArrow.vectorFromArray(
    [[1], [2, 3], null],
    new esmArrow.List(new esmArrow.Field('item', new esmArrow.Int32(), true)),
  )
  const encoded = encodeValue({ table }, 'value', hooks)
  assert.equal(encoded.buffers.length, 1)
  const back = decodeValue(encoded.bytes, encoded) as { table: esmArrow.Table }
  assert.ok(back.table instanceof esmArrow.Table)
  assert.equal(JSON.stringify(back.table.toArray()), JSON.stringify(table.toArray()))
  const column = back.table.getChild('number')!.data[0]!.values as Float64Array
  assert.equal(column.buffer, encoded.buffers[0]!.buffer)
  const again = encodeValue(back.table, 'value', hooks)
  assert.equal(
    again.buffers[0]!.buffer,
    encoded.buffers[0]!.buffer,
    'a received table is not copied',
  )
  const batch = trip(table.batches[0]) as esmArrow.RecordBatch
  assert.ok(batch instanceof esmArrow.RecordBatch)
  assert.equal(batch.numRows, 3000)
  const empty = trip(new esmArrow.Table(table.schema)) as esmArrow.Table
  assert.deepEqual(empty.schema.names, ['number', 'word'])
  const emptyBatch = trip(table.batches[0]!.slice(0, 0)) as esmArrow.RecordBatch
  assert.equal(emptyBatch.numRows, 0)
  const vector = trip(nested) as esmArrow.Vector
  assert.equal(JSON.stringify(vector), JSON.stringify(nested))
  const [one, two] = trip([table, table]) as [object, object]
  assert.equal(one, two)
})

test('encodes a value while a getter of another is being encoded', () => {
  const inner = (): number => encodeValue({ deep: 'x'.repeat(100) }, 'inner', hooks).bytes.length
  const value = {
    before: 'b',
    get size() {
      return inner()
    },
    after: 'a',
  }
  assert.deepEqual(trip(value), { before: 'b', size: inner(), after: 'a' })
})
