import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Combiner, combinerOf, loopCombiner, vectorCombiner } from './combiner.js'
import { arrayKinds, type NumericArray, reduceOps } from './kernels.js'
import { chunkBytes } from './segment.js'

/** Numbers at the edges of every kind, and some between. */
const numbers = [0, 1, -1, 2, 3, 127, 128, 255, -128, 32_767, 65_535, 2 ** 31 - 1, -(2 ** 31), 7]
const special = [NaN, -0, 0, Infinity, -Infinity, 1e-310, 0.1, 1e300]

const kindNamed = (name: string) => {
  const kind = arrayKinds.find((each) => each.name === name)
  assert.ok(kind)
  return kind
}

function arrayOf(name: string, length: number, seed: number): NumericArray {
  const kind = kindNamed(name)
  const array = kind.view(new ArrayBuffer(length * kind.bytes), 0, length)
  const values = name.startsWith('Float') ? [...numbers, ...special] : numbers
  for (let i = 0; i < length; i++) {
    const value = values[(i * seed + (i >> 3)) % values.length] ?? 0
    array[i] = name.startsWith('Big') ? BigInt(value) * 0x1_2345_6789n : value
  }
  return array
}

/** Of three arrays, as a list: the bits of a NaN may differ. */
function outcomeOf(combine: Combiner, name: string, length: number): (number | bigint)[] {
  const out = arrayOf(name, length, 1)
  const keep = arrayOf(name, length, 3)
  combine(keep, [arrayOf(name, length, 5), arrayOf(name, length, 11)], [out, keep])
  assert.deepEqual(keep, out)
  return Array.from<number | bigint>(out as Iterable<number | bigint>)
}

test('vectors and loops combine every kind of array to the same values', () => {
  for (const kind of arrayKinds) {
    for (const op of reduceOps) {
      const vector = vectorCombiner(kind, op)
      if (vector === undefined) continue
      for (const length of [0, 1, 3, 8, 63, 64, 65, 1000, chunkBytes / kind.bytes]) {
        const vectors = outcomeOf(vector, kind.name, length)
        const loops = outcomeOf(loopCombiner(kind, op), kind.name, length)
        assert.deepEqual(vectors, loops, `${op} of ${length} in ${kind.name}`)
      }
    }
  }
})

test('sums, products, minima and maxima of floats have instructions', () => {
  for (const name of ['Float32Array', 'Float64Array', 'Int32Array']) {
    for (const op of reduceOps) assert.ok(vectorCombiner(kindNamed(name), op))
  }
})

test('what has no instruction is combined by a loop', () => {
  const kind = kindNamed('BigInt64Array')
  assert.equal(vectorCombiner(kind, 'MAX'), undefined)
  const out = BigInt64Array.of(0n, 0n)
  combinerOf(kind, 'MAX')(BigInt64Array.of(1n, -5n), [BigInt64Array.of(-2n, 3n)], [out])
  assert.deepEqual(out, BigInt64Array.of(1n, 3n))
})

test('a rank that is alone keeps what it has', () => {
  const kind = kindNamed('Float32Array')
  for (const combine of [combinerOf(kind, 'SUM'), loopCombiner(kind, 'SUM')]) {
    const out = new Float32Array(3)
    combine(Float32Array.of(1, 2, 3), [], [out])
    assert.deepEqual(out, Float32Array.of(1, 2, 3))
  }
})
