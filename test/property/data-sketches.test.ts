// Aggregates that keep summaries, against plain arrays: of few values exactly, of many within the
// bounds that they promise, whether blocks are summed up one by one or groups come whole.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  ApproximateQuantile,
  ApproximateTopK,
  AsList,
  Count,
  ValueCounter,
} from '../../src/data/index.js'
import { datasetOf } from './data-blocks.js'

interface Row {
  readonly k: string | null
  readonly n: number | null
  readonly s: string | null
  readonly l: readonly string[] | null
}

const word = fc.constantFrom('a', 'b', 'ü', '')
const cell = fc.record({
  k: fc.option(fc.constantFrom('x', 'y'), { freq: 4 }),
  n: fc.option(fc.constantFrom(0, -1.5, 7, 3), { freq: 4 }),
  s: fc.option(word, { freq: 4 }),
  l: fc.option(fc.array(word, { maxLength: 3 }), { freq: 4 }),
})
const blocks = fc
  .array(fc.array(cell, { maxLength: 10 }), { minLength: 1, maxLength: 4 })
  .filter((parts) => parts.flat().length > 0)
const runs = { numRuns: 12 }
const quantiles = [0, 0.1, 0.5, 0.75, 1]

function countsOf<T>(values: readonly (T | null)[]): (readonly [T, number])[] {
  const counts = new Map<T, number>()
  for (const value of values) {
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const compare = (a: T, b: T): number => {
    return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
  }
  return [...counts].sort(([a, n], [b, m]) => m - n || compare(a, b))
}

/** The least value that so many of the sorted values are not above. */
function quantileOf(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(q * sorted.length - 1e-9) - 1)]
}

function expectedOf(k: string | null, rows: readonly Row[]) {
  const sorted = rows.flatMap(({ n }) => n ?? []).sort((a, b) => a - b)
  const counts = countsOf(rows.map(({ s }) => s))
  const [values, numbers] = [counts.map(([value]) => value), counts.map(([, count]) => count)]
  const words = countsOf(rows.flatMap(({ l }) => l ?? [])).slice(0, 2)
  return {
    k,
    quantiles: sorted.length === 0 ? null : quantiles.map((q) => quantileOf(sorted, q)),
    values: counts.length === 0 ? null : { values, counts: numbers },
    top: words.length === 0 ? null : words.map(([l, count]) => ({ l, count })),
  }
}

/** Plain arrays and objects instead of views of a block. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, list))
const list = (_: string, value: unknown): unknown => {
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as number[]) : value
}

test('of few values summaries are exact, block by block and of whole groups', async () => {
  const sketches = [
    ApproximateQuantile('n', { quantiles, alias: 'quantiles' }),
    ValueCounter('s', { alias: 'values' }),
    ApproximateTopK('l', { k: 2, encodeLists: true, alias: 'top' }),
  ] as const
  await fc.assert(
    fc.asyncProperty(blocks, async (parts) => {
      const rows = parts.flat()
      const keys = [...new Set(rows.map(({ k }) => k))].sort((a, b) => {
        return (a === null ? 1 : 0) - (b === null ? 1 : 0) || (String(a) < String(b) ? -1 : 1)
      })
      const expected = keys.map((k) => {
        return expectedOf(
          k,
          rows.filter((row) => row.k === k),
        )
      })
      const groups = datasetOf(parts).groupBy('k')
      assert.deepEqual(plain(await groups.aggregate(...sketches).takeAll()), expected)
      const whole = groups.aggregate(...sketches, AsList('n', { alias: 'all' })).sort('k')
      const made = (await whole.takeAll()).map(({ all: _, ...row }) => row)
      assert.deepEqual(plain(made), expected)
      const { k: _, ...all } = expectedOf(null, rows)
      assert.deepEqual(plain(await datasetOf(parts).aggregate(...sketches)), all)
    }),
    runs,
  )
})

test('of many values quantiles are off by half a part at most', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 4, max: 40 }),
      fc.integer(),
      async (sizes, precision, seed) => {
        const parts = sizes.map((size, block) => {
          return Array.from({ length: size }, (_, i) => ({ x: Math.sin(seed + 1000 * block + i) }))
        })
        const of = { quantiles, quantilePrecision: precision, alias: 'q' } as const
        const { q } = await datasetOf(parts).aggregate(ApproximateQuantile('x', of))
        const sorted = parts
          .flat()
          .map(({ x }) => x)
          .sort((a, b) => a - b)
        for (const [i, fraction] of quantiles.entries()) {
          const rank = sorted.indexOf(q?.[i] ?? Number.NaN)
          const off = Math.abs(rank - fraction * sorted.length)
          const most = sorted.length / precision / 2 + sizes.length + 1
          assert.ok(off <= most, `${fraction} is ${rank} of ${sorted.length}, ${precision} parts`)
        }
        assert.equal(q?.[0], sorted[0])
        assert.equal(q?.at(-1), sorted.at(-1))
      },
    ),
    runs,
  )
})

test('values that are frequent enough are found for sure, and counted nearly', async () => {
  const draw = fc.array(
    fc.nat({ max: 30 }).map((x) => ({ x: Math.min(x % 13, x % 7) })),
    {
      maxLength: 60,
    },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(draw, { minLength: 1, maxLength: 4 }), async (parts) => {
      const rows = parts.flat()
      fc.pre(rows.length > 0)
      const of = { k: 50, logCapacity: 2, alias: 'top' } as const
      const { top } = await datasetOf(parts).aggregate(ApproximateTopK('x', of))
      const found = new Map(top?.map(({ x, count }) => [x, count]))
      for (const [x, count] of countsOf(rows.map((row) => row.x))) {
        const counted = found.get(x) ?? 0
        assert.ok(counted <= count && counted >= count - rows.length / 4, `${x}: ${count}`)
      }
    }),
    runs,
  )
})

test('values keep their types, and without any there is nothing', async () => {
  const at = new Date('2024-01-02')
  const rows = datasetOf([[{ b: 5n, at, none: null }], [{ b: 5n, at, none: null }]])
  const made = await rows.aggregate(
    Count(),
    ApproximateTopK('b', { k: 1 }),
    ValueCounter('at'),
    ValueCounter('none'),
    ApproximateQuantile('none', { quantiles: [0.5] }),
  )
  assert.deepEqual(plain(made['approx_topk(b)']?.map(({ b, count }) => [String(b), count])), [
    ['5', 2],
  ])
  assert.deepEqual([...(made['value_counter(at)']?.values ?? [])], [at])
  assert.equal(made['value_counter(none)'], null)
  assert.equal(made['approx_quantile(none)'], null)
  assert.equal(made['count()'], 2)
})

test('what summaries cannot be of is refused', () => {
  assert.throws(() => ApproximateQuantile('x', { quantiles: [] }), /numbers from 0 to 1/)
  assert.throws(() => ApproximateQuantile('x', { quantiles: [2] }), /numbers from 0 to 1/)
  assert.throws(() => ApproximateTopK('x', {} as never), /takes the number of values/)
  assert.throws(() => ApproximateTopK('count', { k: 1 }), /renamed first/)
  assert.throws(() => ValueCounter('x', { ignoreNulls: true } as never), /'ignoreNulls'/)
})
