import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { SerializationError } from '../base/errors.js'
import { decodeSmall, decodeValue, encodeSmall, encodeValue, smallEnd } from './value-codec.js'

const none = { buffers: [], attachments: [], code: [] }
const target = new Uint8Array(4096)

// prettier-ignore
const small: readonly unknown[] = [
  undefined, null, true, false, 0, -0, 1, 127, 128, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 1.5, NaN,
  -Infinity,
  '', 'a', 'hello', 'é', '日本', '\ud800', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(300),
  '😀'.repeat(200),
  {}, [], { a: 1 }, [1, 2], [undefined],
  { a: 1, b: 'hello', c: [{ d: null }], '1': 2, ['é']: 3, ['k'.repeat(50)]: 4 },
  Array.from({ length: 15 }, () => ({})),
]

test('writes small values as the general encoder does, and reads them', () => {
  for (const value of small) {
    const end = encodeSmall(target, 10, target.length, value)
    assert.ok(end > 10, String(value))
    const bytes = target.slice(10, end)
    assert.deepEqual(
      bytes,
      encodeValue(value, 'value', { instanceProblem: () => 'no' }).bytes.slice(),
    )
    assert.ok(isDeepStrictEqual(decodeSmall(target, 10), value))
    assert.equal(smallEnd(), end)
    assert.ok(isDeepStrictEqual(decodeValue(bytes, none), value))
  }
})

test('returns -1 for everything else', () => {
  class Point {
    x = 1
  }
  const shared = {}
  const cycle: unknown[] = []
  cycle.push(cycle)
  // prettier-ignore
  const unusual: readonly unknown[] = [
    1n, Symbol.iterator, () => 1, new Date(), new Map(), new Point(), Object.create(null),
    new Proxy({}, {}),
    new Proxy([], {}), [, 1], [1, , 2], Object.assign([1], { a: 1 }), { [Symbol.for('k')]: 1 },
    [new Point()],
    JSON.parse('{"__proto__":1}'), [shared, shared], cycle, Array.from({ length: 16 }, () => ({})),
    Object.assign([1], { [Symbol.for('k')]: 1 }), Array.from({ length: 200 }, () => 1),
    new (class extends Array {})(),
  ]
  for (const value of unusual) assert.equal(encodeSmall(target, 0, target.length, value), -1)
  assert.equal(encodeSmall(target, 0, target.length, shared) > 0, true)
})

test('never writes at or beyond the limit', () => {
  for (const value of small) {
    const size = encodeSmall(target, 0, target.length, value)
    for (let limit = 0; limit < size + 12; limit++) {
      const guarded = new Uint8Array(limit + 16).fill(0xee)
      const end = encodeSmall(guarded, 0, limit, value)
      assert.ok(end === -1 || end === size)
      assert.ok(limit < size + 9 || end === size)
      assert.ok(guarded.subarray(limit).every((byte) => byte === 0xee))
    }
  }
})

test('gives up when a getter calls back into the codec', () => {
  const value = {
    before: 1,
    get x() {
      return encodeSmall(target, 0, target.length, 'inner')
    },
    after: 2,
  }
  assert.equal(encodeSmall(target, 0, target.length, value), -1)
  const throwing = {
    get x(): never {
      throw new RangeError('mine')
    },
  }
  assert.throws(() => encodeSmall(target, 0, target.length, throwing), RangeError)
  assert.equal(encodeSmall(target, 0, target.length, { a: {} }) > 0, true)
})

test('ignores inherited properties', () => {
  const prototype = Object.prototype as Record<string, unknown>
  prototype['polluted'] = 1
  try {
    encodeSmall(target, 0, target.length, { a: 1 })
    assert.deepEqual(Object.keys(decodeSmall(target, 0) as object), ['a'])
  } finally {
    delete prototype['polluted']
  }
})

test('refuses bytes that it did not write', () => {
  for (const bytes of [
    [],
    [0x13, 0x7f],
    [0x45, 1],
    [0x09, 255, 255, 255, 255],
    [0x10, 0],
    [0x11, 0x81],
    [0x11],
  ]) {
    assert.throws(() => decodeSmall(Uint8Array.from(bytes), 0), SerializationError)
  }
  const nested = new Uint8Array(100_000).fill(0x13)
  for (let i = 1; i < nested.length; i += 2) nested[i] = 1
  assert.throws(() => decodeSmall(nested, 0), SerializationError)
})
