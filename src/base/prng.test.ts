import assert from 'node:assert/strict'
import test from 'node:test'
import { Prng } from './prng.js'

test('the same seed gives the same numbers, and another seed others', () => {
  const draw = (seed: number): number[] => {
    const prng = new Prng(seed)
    return Array.from({ length: 8 }, () => prng.next())
  }
  assert.deepEqual(draw(42), draw(42))
  assert.notDeepEqual(draw(42), draw(43))
})

test('integers stay within their bounds and reach both', () => {
  const prng = new Prng(1)
  const seen = new Set<number>()
  for (let i = 0; i < 1000; i++) seen.add(prng.integer(3, 6))
  assert.deepEqual([...seen].sort(), [3, 4, 5, 6])
})
