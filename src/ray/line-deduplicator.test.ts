import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repeatedLinesMs, repeatedPatternsMax } from '../base/limits.js'
import { LineDeduplicator, type ShownLine } from './line-deduplicator.js'

interface Writer {
  readonly pid: number
}

const texts = (shown: readonly ShownLine<Writer>[]): string[] =>
  shown.map(({ line, repeated }) => (repeated === undefined ? line : `${line} x${repeated}`))

const [one, two, three] = [{ pid: 1 }, { pid: 2 }, { pid: 3 }]

test('the first line is shown at once, those of others are counted and told after a while', () => {
  const lines = new LineDeduplicator<Writer>()
  assert.deepEqual(texts(lines.add(one, ['loaded model 17 of 40'], 0)), ['loaded model 17 of 40'])
  assert.deepEqual(texts(lines.add(two, ['loaded model 18 of 40'], 10)), [])
  assert.deepEqual(texts(lines.add(three, ['loaded model 0x1f of 40'], 20)), [])
  assert.equal(lines.deadline, repeatedLinesMs)
  assert.deepEqual(texts(lines.due(repeatedLinesMs - 1)), [])
  const [shown] = lines.due(repeatedLinesMs)
  assert.deepEqual(shown, { source: three, line: 'loaded model 0x1f of 40', repeated: 2 })
})

test('a pattern that goes on is told again and again, one that ends is forgotten', () => {
  const lines = new LineDeduplicator<Writer>()
  lines.add(one, ['tick'], 0)
  lines.add(two, ['tick', 'tick'], 0)
  assert.deepEqual(texts(lines.due(repeatedLinesMs)), ['tick x2'])
  assert.equal(lines.deadline, Infinity)
  lines.add(two, ['tick'], repeatedLinesMs + 1)
  assert.deepEqual(texts(lines.due(2 * repeatedLinesMs)), ['tick'])
  assert.deepEqual(texts(lines.add(two, ['tick'], 3 * repeatedLinesMs)), ['tick'])
})

test('what one worker repeats by itself is shown line by line, and numbers always', () => {
  const lines = new LineDeduplicator<Writer>()
  assert.deepEqual(texts(lines.add(one, ['a', 'a', 'a'], 0)), ['a', 'a', 'a'])
  assert.deepEqual(texts(lines.add(one, ['12', '0x3'], 0)), ['12', '0x3'])
  assert.deepEqual(texts(lines.add(two, ['12', '0x3', ''], 0)), ['12', '0x3', ''])
})

test('what is held back is shown at the end', () => {
  const lines = new LineDeduplicator<Writer>()
  lines.add(one, ['a', 'b'], 0)
  lines.add(two, ['a', 'b', 'b'], 0)
  assert.deepEqual(texts(lines.flush()), ['a', 'b x2'])
  assert.deepEqual(texts(lines.flush()), [])
})

test('remembers a bounded number of patterns and loses no line of them', () => {
  const lines = new LineDeduplicator<Writer>()
  lines.add(one, ['same'], 0)
  lines.add(two, ['same', 'same'], 0)
  const word = (i: number): string => [...String(i)].map((c) => 'abcdefghij'[Number(c)]).join('')
  const many = Array.from({ length: 3 * repeatedPatternsMax }, (_, i) => word(i))
  const shown = texts(lines.add(one, many, 0))
  assert.equal(shown.length, many.length + 1)
  assert.ok(shown.includes('same x2'))
})
