import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import v8 from 'node:v8'
import fc from 'fast-check'
import { SerializationError } from '../base/errors.js'
import { encodeJoined as encodeValue } from './encode-joined.js'
import { decodeSmall, decodeValue, encodeSmall } from './value-codec.js'

const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fff_ffff)
const hooks = { instanceProblem: (): string | undefined => undefined }

const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.constant(undefined),
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.double(),
      fc.bigInt(),
    ),
    fc.string({ unit: 'binary' }),
    fc.string({ maxLength: 80 }),
    fc.date({ noInvalidDate: true }),
    fc.oneof(fc.uint8Array(), fc.float64Array(), fc.bigInt64Array(), fc.int16Array()),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.sparseArray(tie('value'), { maxLength: 8 }),
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 40 }), tie('value'), {
      maxKeys: 6,
      noNullPrototype: true,
    }),
    fc
      .array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 })
      .map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    tie('value').map((shared) => [shared, { shared }, shared]),
  ),
}))

const run = (name: string, body: () => void): void =>
  void test(name, (t) => {
    t.diagnostic(`seed ${seed}; repeat with SEED=${seed}`)
    body()
  })

run('brings any value home as v8 does', () => {
  fc.assert(
    fc.property(anything, (value) => {
      const expected: unknown = v8.deserialize(v8.serialize(value))
      const encoded = encodeValue(value, 'value', hooks)
      const actual = decodeValue(encoded.bytes.slice(), encoded)
      assert.ok(isDeepStrictEqual(actual, expected))
      const target = new Uint8Array(1024)
      const end = encodeSmall(target, 0, target.length, value)
      if (end < 0) return
      assert.deepEqual(target.slice(0, end), encodeValue(value, 'value', hooks).bytes.slice())
      assert.ok(isDeepStrictEqual(decodeSmall(target, 0), expected))
    }),
    { seed, numRuns: 800 },
  )
})

/** A value with every tag in it, to mutate. */
function specimen(): unknown {
  class Point {
    x = 1
  }
  class Named extends Map<string, unknown> {
    name = 'n'
  }
  const shared = { s: 1 }
  // prettier-ignore
  return [
    shared, shared, -5, 1.5, 2n ** 70n, 3n, 'é'.repeat(40), '\ud800', 'a'.repeat(50), true, null,
    undefined, Symbol.for('k'),
    Symbol.iterator, [1, , 3], Object.assign([], { length: 1000, 3: 1 }),
    new Map([[1, new Set([2])]]), new Date(5),
    /a/g, new Number(1), new Error('e', { cause: 1 }), new DOMException('m', 'AbortError'),
    new SerializationError('s'),
    new Uint8Array(10).buffer, new Float64Array(3), new Float64Array(1000), Buffer.from('b'),
    new URL('http://a.b/'),
    new Point(), new Named([['a', 1]]), Point, Object.create(null), new AggregateError([1]),
    new URLSearchParams('a=1'),
  ]
}

run('answers mutated bytes with a value or a SerializationError, soon', () => {
  const encoded = encodeValue(specimen(), 'value', hooks)
  const original = encoded.bytes.slice()
  const mutation = fc.tuple(fc.nat(original.length - 1), fc.integer({ min: 0, max: 255 }))
  const cut = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(original.length))
  const started = process.memoryUsage().rss
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), cut, (mutations, missing) => {
      const bytes = original.slice(0, original.length - missing)
      for (const [at, byte] of mutations) if (at < bytes.length) bytes[at] = byte
      for (const decode of [() => decodeValue(bytes, encoded), () => decodeSmall(bytes, 0)]) {
        try {
          decode()
        } catch (error) {
          assert.ok(error instanceof SerializationError, String(error))
        }
      }
    }),
    { seed, numRuns: 8000, interruptAfterTimeLimit: 10_000 },
  )
  assert.ok(process.memoryUsage().rss - started < 500e6)
})

run('answers random bytes with a value or a SerializationError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeValue(bytes, { buffers: [], attachments: [{}], code: [Map] })
      } catch (error) {
        assert.ok(error instanceof SerializationError, String(error))
      }
    }),
    { seed, numRuns: 5000, interruptAfterTimeLimit: 10_000 },
  )
})

test('allocates no more than the bytes justify', () => {
  // Arrays within arrays, each claiming all the rest as its length.
  const bytes = new Uint8Array(400_000)
  for (let i = 0; i + 4 <= bytes.length; i += 4) bytes.set([0x13, 0x80, 0x80, 0x08], i)
  const before = process.memoryUsage().rss
  assert.throws(
    () => decodeValue(bytes, { buffers: [], attachments: [], code: [] }),
    SerializationError,
  )
  assert.ok(process.memoryUsage().rss - before < 300e6)
})
