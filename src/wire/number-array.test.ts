import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SerializationError } from '../base/errors.js'
import { numbersMin } from './number-array.js'
import { encodeJoined as encodeValue } from './encode-joined.js'
import { decodeValue } from './value-codec.js'

const hooks = { instanceProblem: (): string | undefined => undefined }

function trip(value: unknown): { back: unknown; size: number } {
  const encoded = encodeValue(value, 'value', hooks)
  return { back: decodeValue(encoded.bytes.slice(), encoded), size: encoded.bytes.length }
}

const count = numbersMin * 3

test('packs arrays of numbers as narrowly as the numbers allow', () => {
  const limits: [number, number, number][] = [
    [-128, 127, 1],
    [-129, 127, 2],
    [0, 128, 2],
    [-32768, 32767, 2],
    [0, 32768, 4],
    [-(2 ** 31), 2 ** 31 - 1, 4],
    [0, 2 ** 31, 8],
    [0, 0.5, 8],
    [NaN, -Infinity, 8],
  ]
  for (const [low, high, bytes] of limits) {
    const value = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? low : high))
    const { back, size } = trip(value)
    assert.deepEqual(back, value)
    assert.ok(Math.abs(size - count * bytes) < 20, `${low} to ${high}: ${size} bytes`)
  }
})

test('keeps negative zero', () => {
  const value = new Array<number>(count).fill(0)
  value[count - 1] = -0
  const { back } = trip(value)
  assert.ok(Object.is((back as number[])[count - 1], -0))
})

test('keeps what makes an array more than its numbers', () => {
  const numbers = Array.from({ length: count }, (_, i) => i)
  const hole = numbers.slice()
  delete hole[5]
  const named = Object.assign(numbers.slice(), { unit: 'ms' })
  const mixed = [...numbers, '1']
  for (const value of [hole, named, mixed, [numbers, numbers], { a: numbers, b: [numbers] }]) {
    assert.deepEqual(trip(value).back, value)
  }
  const shared = trip([numbers, numbers]).back as unknown[]
  assert.equal(shared[0], shared[1])
  assert.ok(!(5 in (trip(hole).back as object)))
})

test('writes what it has read, whatever a getter says the next time', () => {
  const value = new Array<number>(count).fill(1)
  let reads = 0
  const get = (): unknown => (reads++ === 0 ? 2 : 'two')
  Object.defineProperty(value, 3, { get, enumerable: true })
  const { back } = trip(value)
  assert.deepEqual((back as unknown[]).slice(2, 5), [1, 2, 1])
})

test('a getter may encode another array meanwhile', () => {
  const other = new Array<number>(count).fill(7)
  const value = new Array<number>(count).fill(1)
  const get = (): number => (trip(other).back as number[])[0]!
  Object.defineProperty(value, 3, { get, enumerable: true })
  assert.deepEqual((trip(value).back as unknown[]).slice(2, 5), [1, 7, 1])
})

test('arrays of every length and mixture come back as they are', () => {
  const lengths = [numbersMin - 1, numbersMin, 2 ** 15 - 1, 2 ** 15, 2 ** 15 + 1, 100_000]
  const lasts: unknown[] = [1, -1, 200, -40_000, 2 ** 31, 0.5, -0, NaN, '1', null, 1n]
  for (const length of lengths) {
    for (const first of [3, 0.25]) {
      for (const last of lasts) {
        const value = new Array<unknown>(length).fill(first)
        value[length - 1] = last
        const back = trip(value).back as unknown[]
        assert.equal(back.length, length)
        assert.ok(Object.is(back[length - 1], last), `${String(last)} at the end of ${length}`)
        assert.equal(back[length >> 1], first)
      }
    }
  }
})

test('refuses bytes that end before the numbers do', () => {
  const encoded = encodeValue(new Array<number>(count).fill(300), 'value', hooks)
  const bytes = encoded.bytes.slice(0, -1)
  assert.throws(() => decodeValue(bytes, encoded), SerializationError)
})

test('reads numbers at any offset of any kind of bytes', () => {
  for (const item of [1, 300, 70_000, 0.5]) {
    const value = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? item : -item))
    const { bytes, ...parts } = encodeValue(['x'.repeat(3), value], 'value', hooks)
    for (let offset = 0; offset < 9; offset++) {
      const memory = Buffer.alloc(bytes.length + 100, 0x55)
      memory.set(bytes, offset)
      const buffer = memory.subarray(offset, offset + bytes.length)
      const plain = new Uint8Array(memory.buffer, memory.byteOffset + offset, bytes.length)
      for (const from of [buffer, plain]) assert.deepEqual(decodeValue(from, parts), ['xxx', value])
    }
  }
})
