import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomBytes } from './random.js'

test('gives as many bytes as asked for, and never the same', () => {
  const seen = new Set<string>()
  for (const count of [1, 6, 12, 255, 256, 257, 1000]) {
    for (let i = 0; i < 20; i++) {
      const bytes = randomBytes(count)
      assert.equal(bytes.length, count)
      if (count < 6) continue
      assert.ok(!seen.has(bytes.toString('hex')))
      seen.add(bytes.toString('hex'))
    }
  }
})

test('does not change bytes that it gave', () => {
  const first = randomBytes(8)
  const copy = Buffer.from(first)
  for (let i = 0; i < 100; i++) randomBytes(8)
  assert.deepEqual(first, copy)
})
