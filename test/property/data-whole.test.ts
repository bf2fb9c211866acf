// What is asked of a whole dataset against plain arrays: aggregates of all rows, samples, splits,
// limits, and plans as text. Blocks may be empty, and columns without a single value.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  AbsMax,
  AsList,
  col,
  Count,
  CountDistinct,
  type Dataset,
  Max,
  Mean,
  Min,
  MissingValuePercentage,
  Quantile,
  Std,
  Sum,
  Unique,
  ZeroPercentage,
} from '../../src/data/index.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { datasetOf } from './data-blocks.js'

interface Row {
  readonly i: number
  readonly n: number | null
  readonly word: string | null
  readonly nothing: null
}

const cell = fc.record({
  n: fc.option(fc.integer({ min: -4, max: 4 }), { freq: 4 }),
  word: fc.option(fc.constantFrom('a', 'ü', ''), { freq: 4 }),
})
const blocks = fc
  .array(fc.array(cell, { maxLength: 9 }), { minLength: 1, maxLength: 5 })
  .map((parts): Row[][] => {
    let i = 0
    return parts.map((rows) => rows.map((row) => ({ i: i++, ...row, nothing: null })))
  })
/** Without a single row nothing says which columns there are. */
const someRows = blocks.filter((parts) => parts.flat().length > 0)
const runs = { numRuns: 20 }

const total = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0)
const round = (value: unknown): unknown => {
  return typeof value === 'number' ? Math.round(value * 1e9) / 1e9 : value
}
const idsOf = async (ds: Dataset<Row>): Promise<number[]> => {
  return (await ds.takeAll()).map(({ i }) => i)
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]]
  return low === undefined || high === undefined ? null : (low + high) / 2
}

test('aggregates of all rows are those of arrays', async () => {
  await fc.assert(
    fc.asyncProperty(someRows, async (parts) => {
      const rows = parts.flat()
      const known = { ignoreNulls: true } as const
      const made = await datasetOf(parts).aggregate(
        Count(), Count('n', known), Sum('n'), Min('n'), Max('n'), Mean('n'), Std('n', { ddof: 0 }),
        AbsMax('n'), MissingValuePercentage('n'), ZeroPercentage('n'), Quantile('n'),
        CountDistinct('word'), Min('word'), Max('word'), Count('nothing', known), Sum('nothing'),
      ) // prettier-ignore
      const values = rows.flatMap(({ n }) => n ?? [])
      const words = rows.flatMap(({ word }) => (word === null ? [] : word)).sort()
      const { length } = values
      const orNull = (value: number): number | null => (length === 0 ? null : value)
      const mean = total(values) / length
      const variance = total(values.map((n) => (n - mean) ** 2)) / length
      const expected = {
        'count()': rows.length,
        'count(n)': length,
        'sum(n)': orNull(total(values)),
        'min(n)': orNull(Math.min(...values)),
        'max(n)': orNull(Math.max(...values)),
        'mean(n)': orNull(mean),
        'std(n)': orNull(Math.sqrt(variance)),
        'abs_max(n)': orNull(Math.max(...values.map(Math.abs))),
        'missing_pct(n)': (100 * (rows.length - length)) / rows.length,
        'zero_pct(n)': orNull((100 * values.filter((n) => n === 0).length) / length),
        'quantile(n)': median(values),
        'count_distinct(word)': new Set(words).size,
        'min(word)': words[0] ?? null,
        'max(word)': words.at(-1) ?? null,
        'count(nothing)': 0,
        'sum(nothing)': null,
      }
      const plain = (of: object): object => {
        return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, round(value)]))
      }
      assert.deepEqual(plain(made), plain(expected))
    }),
    runs,
  )
})

test('a null makes an aggregate null where nulls are not ignored', async () => {
  await fc.assert(
    fc.asyncProperty(someRows, async (parts) => {
      const options = { ignoreNulls: false } as const
      const made = await datasetOf(parts).aggregate(
        Sum('n', options), Max('n', options), Mean('n', options), Count('n', options),
      ) // prettier-ignore
      const rows = parts.flat()
      const values = rows.flatMap(({ n }) => n ?? [])
      const isKnown = values.length === rows.length
      assert.equal(made['count(n)'], rows.length)
      assert.equal(made['sum(n)'], isKnown ? total(values) : null)
      assert.equal(made['max(n)'], isKnown ? Math.max(...values) : null)
      assert.equal(round(made['mean(n)']), isKnown ? round(total(values) / values.length) : null)
    }),
    runs,
  )
})

test('unique values, lists and shortcuts agree with arrays', async () => {
  await fc.assert(
    fc.asyncProperty(someRows, async (parts) => {
      const ds = datasetOf(parts)
      const rows = parts.flat()
      const words = new Set(rows.map(({ word }) => word))
      assert.deepEqual(new Set(await ds.unique('word')), words)
      assert.deepEqual(await ds.unique('nothing'), [null])
      const known = await ds.unique('word', { ignoreNulls: true })
      assert.deepEqual(new Set([...known, ...words]), words)
      assert.ok(!known.includes(null))
      const made = await ds.aggregate(Unique('n', { ignoreNulls: true }), AsList('i'))
      const numbers = [...new Set(rows.flatMap(({ n }) => n ?? []))].sort((a, b) => a - b)
      const listOf = (list: unknown): unknown[] => [...((list ?? []) as Iterable<unknown>)]
      assert.deepEqual(listOf(made['unique(n)']), numbers)
      assert.deepEqual(listOf(made['list(i)']).sort((a, b) => Number(a) - Number(b)),
        rows.map(({ i }) => i)) // prettier-ignore
      assert.equal(await ds.max('i'), rows.length - 1)
      assert.equal(await ds.sum('i'), total(rows.map(({ i }) => i)))
      assert.equal(await ds.count(), rows.length)
    }),
    runs,
  )
})

test('a sample keeps rows in order, and its seed reproduces it', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer(),
      async (parts, fraction, seed) => {
        const ds = datasetOf(parts)
        const first = await idsOf(ds.randomSample(fraction, { seed }))
        assert.deepEqual(await idsOf(ds.randomSample(fraction, { seed })), first)
        assert.deepEqual(first, [...new Set(first)].sort((a, b) => a - b))
        assert.deepEqual(await idsOf(ds.randomSample(1, { seed })), parts.flat().map(({ i }) => i))
        assert.deepEqual(await idsOf(ds.randomSample(0, { seed })), [])
      }), // prettier-ignore
    runs,
  )
})

test('splits are consecutive and lose no row', async () => {
  await fc.assert(
    fc.asyncProperty(
      blocks,
      fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (parts, unsorted, count) => {
        const ds = datasetOf(parts)
        const all = parts.flat().map(({ i }) => i)
        const indices = [...unsorted].sort((a, b) => a - b)
        const cut = await Promise.all((await ds.splitAtIndices(indices)).map(idsOf))
        const ends = [...indices, all.length]
        assert.deepEqual(
          cut,
          ends.map((end, i) => all.slice(indices[i - 1] ?? 0, end)),
        )
        const split = await Promise.all((await ds.split(count)).map(idsOf))
        assert.deepEqual(split.flat(), all)
        assert.equal(split.length, count)
        const sizes = split.map(({ length }) => length)
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
        const equal = await Promise.all((await ds.split(count, { equal: true })).map(idsOf))
        const each = Math.floor(all.length / count)
        assert.deepEqual(equal.flat(), all.slice(0, each * count))
        assert.ok(equal.every(({ length }) => length === each))
      },
    ),
    runs,
  )
})

test('rows to train with and to test with are all rows, once', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.boolean(), fc.integer(), async (parts, shuffle, seed) => {
      const all = parts.flat().map(({ i }) => i)
      if (all.length < 2) return
      const ds = datasetOf(parts)
      const split = async (): Promise<number[][]> => {
        const { train, test: tested } = await ds.trainTestSplit(0.5, { shuffle, seed })
        return [await idsOf(train), await idsOf(tested)]
      }
      const [train = [], tested = []] = await split()
      assert.equal(tested.length, Math.floor(all.length / 2))
      assert.deepEqual(
        [...train, ...tested].sort((a, b) => a - b),
        all,
      )
      if (!shuffle) assert.deepEqual([...train, ...tested], all)
      assert.deepEqual(await split(), [train, tested])
    }),
    runs,
  )
})

test('a limit takes the first rows, wherever it stands', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.nat(20), fc.nat(20), async (parts, first, second) => {
      const ds = datasetOf(parts)
      const all = parts.flat()
      const expected = all.slice(0, first).map(({ i }) => i)
      assert.deepEqual(await idsOf(ds.limit(first)), expected)
      assert.deepEqual(await idsOf(ds.limit(first).limit(second)), expected.slice(0, second))
      const odd = all.filter(({ i }) => i % 2 === 1).map(({ i }) => i)
      const filtered = ds.filter(({ i }) => i % 2 === 1).limit(first)
      assert.deepEqual(await idsOf(filtered), odd.slice(0, first))
      const byExpression = ds.filter(col('i').mod(2).eq(1)).limit(first)
      assert.deepEqual(await idsOf(byExpression), odd.slice(0, first))
      const sorted = ds.sort('i', { descending: true }).limit(first)
      const down = all.map(({ i }) => i).reverse()
      assert.deepEqual(await idsOf(sorted), down.slice(0, first))
      const united = ds.union(ds).limit(first)
      assert.deepEqual(
        await idsOf(united),
        [...all, ...all].slice(0, first).map(({ i }) => i),
      )
    }),
    runs,
  )
})

test('blocks in random order keep their rows together', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.integer(), async (parts, seed) => {
      const ds = datasetOf(parts).randomizeBlockOrder({ seed })
      const orders = [await idsOf(ds), await idsOf(ds)]
      assert.deepEqual(orders[0], orders[1])
      const full = parts.filter((rows) => rows.length > 0)
      const starts = new Map(full.map((rows) => [rows[0]?.i, rows.map(({ i }) => i)]))
      const left = [...(orders[0] ?? [])]
      while (left.length > 0) {
        const block = starts.get(left[0]) ?? assert.fail(`no block begins with ${left[0]}`)
        assert.deepEqual(left.splice(0, block.length), block)
      }
    }),
    runs,
  )
})

test('explaining a plan runs nothing, and says the same each time', async () => {
  await fc.assert(
    fc.asyncProperty(someRows, async (parts) => {
      const runner = new InProcessRunner()
      const ds = datasetOf(parts, runner)
      const plan = ds
        .filter(col('n').isNotNull())
        .join(ds.select(['i', 'word']), { on: 'i', rightSuffix: '_r' })
        .groupBy('word')
        .aggregate(Count(), Mean('n'))
        .sort('word')
        .limit(3)
      const text = await plan.explain()
      assert.equal(await plan.explain(), text)
      assert.deepEqual(runner.tasks, [])
      await plan.takeAll()
      assert.equal(await plan.explain(), text)
      for (const stage of ['Logical plan', 'Optimized plan', 'Physical plan']) {
        assert.ok(text.includes(stage))
      }
    }),
    { numRuns: 10 },
  )
})

test('nothing at all passes every operator', async () => {
  const none = datasetOf<Row>([[], []])
  const all: readonly Dataset<Row>[] = [
    none.filter(col('i').gt(1)), none.sort('i'), none.randomShuffle({ seed: 1 }), none.limit(3),
    none.repartition(3), none.randomSample(0.5), none.union(none), none.randomizeBlockOrder(),
    none.map((row) => row), none.mapBatches((batch) => batch as never, { batchSize: 3 }) as never,
    none.groupBy('i').count() as never, none.join(none, { on: 'i', how: 'semi' }) as never,
    none.zip(none) as never, none.repartition({ keys: ['i'] }),
    none.groupBy('i').mapGroups((rows) => rows, { batchFormat: 'rows' }),
  ] // prettier-ignore
  for (const each of all) assert.deepEqual(await each.takeAll(), [])
  assert.equal(await none.count(), 0)
  assert.deepEqual(await none.unique('i'), [])
  assert.deepEqual(await none.aggregate(Count(), Sum('n')), { 'count()': 0, 'sum(n)': null })
  assert.deepEqual(await Promise.all((await none.split(2)).map((part) => part.count())), [0, 0])
})
