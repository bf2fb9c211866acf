// Relational operators of datasets against plain arrays: random rows with nulls, in random blocks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  AggregateFn,
  AsList,
  col,
  Count,
  CountDistinct,
  type Dataset,
  Max,
  Mean,
  Min,
  Quantile,
  Std,
  Sum,
  Unique,
} from '../../src/data/index.js'
import { datasetOf } from './data-blocks.js'

interface Row {
  readonly k: string | null
  readonly n: number | null
  readonly b: bigint
  readonly i: number
}

const key = fc.option(fc.constantFrom('a', 'b', 'ü', "it's"), { freq: 5 })
const number = fc.option(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(0.5)), { freq: 5 })
const cell = fc.record({ k: key, n: number, b: fc.bigInt({ min: -5n, max: 5n }) })
/** Blocks of rows, each row with its number. */
const blocks = fc
  .array(fc.array(cell, { maxLength: 12 }), { minLength: 1, maxLength: 4 })
  .map((parts): Row[][] => {
    let i = 0
    return parts.map((rows) => rows.map((row) => ({ ...row, i: i++ })))
  })
/** Without a single row nothing says which columns there are. */
const someRows = blocks.filter((parts) => parts.flat().length > 0)
const runs = { numRuns: 25 }

/** Nulls last, as sort and groups have them. */
function compare(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? 1 : -1
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)))
  return (a as number) < (b as number) ? -1 : 1
}

const byNumber = <R extends { readonly i: number }>(rows: readonly R[]): R[] => {
  return [...rows].sort((a, b) => a.i - b.i)
}

function groupsOf(rows: readonly Row[]): (readonly [string | null, readonly Row[]])[] {
  const groups = new Map<string | null, Row[]>()
  for (const row of rows) groups.set(row.k, [...(groups.get(row.k) ?? []), row])
  return [...groups].sort(([a], [b]) => compare(a, b))
}

const known = (rows: readonly Row[]): number[] => rows.flatMap(({ n }) => n ?? [])
const total = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0)
const round = (value: number | null): number | null => {
  return value === null ? null : Math.round(value * 1e9) / 1e9
}

test('filter, withColumn and select compute what arrays would', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, async (parts) => {
      const made = await datasetOf(parts)
        .withColumn('twice', col<number>('n').mul(2))
        .filter(col('twice').gt(0).or(col('k').eq('a')))
        .withColumn('n', col<number>('i').add(1))
        .filter(col('n').ne(3))
        .select(['i', 'n', 'twice', 'k'])
        .takeAll()
      const expected = parts
        .flat()
        .filter(({ n, k, i }) => ((n !== null && n > 0) || k === 'a') && i !== 2)
        .map(({ i, n, k }) => ({ i, n: i + 1, twice: n === null ? null : 2 * n, k }))
      assert.deepEqual(made, expected)
    }),
    runs,
  )
})

test('withColumns computes all of its columns from those before', async () => {
  await fc.assert(
    fc.asyncProperty(someRows, async (parts) => {
      const i = col<number>('i')
      const made = await datasetOf(parts)
        .withColumns({ i: i.add(1), twice: i.mul(2) })
        .select(['i', 'twice'])
        .takeAll()
      const rows = parts.flat()
      assert.deepEqual(
        made,
        rows.map((row) => ({ i: row.i + 1, twice: 2 * row.i })),
      )
    }),
    runs,
  )
})

test('sort orders by keys, keeps equal rows in order and the number of blocks', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.boolean(), fc.boolean(), async (parts, down, first) => {
      const sorted = datasetOf(parts).sort(['k', 'n'], {
        descending: [down, false],
        nulls: first ? 'first' : 'last',
      })
      const order = (a: unknown, b: unknown, isDown: boolean): number => {
        if (a === null || b === null) return compare(a, b) * (first ? -1 : 1)
        return compare(a, b) * (isDown ? -1 : 1)
      }
      const expected = parts.flat().sort((a, b) => {
        return order(a.k, b.k, down) || order(a.n, b.n, false) || a.i - b.i
      })
      assert.deepEqual(await sorted.takeAll(), expected)
      assert.equal(await sorted.numBlocks(), parts.length)
    }),
    runs,
  )
})

test('aggregates of groups are those of arrays, nulls left out', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, async (parts) => {
      const made = await datasetOf(parts)
        .groupBy('k')
        .aggregate(
          Count(),
          Count('n', { ignoreNulls: true }),
          Sum('n'),
          Sum('b'),
          Min('n'),
          Max('b'),
          Mean('n'),
          Std('i'),
        )
        .takeAll()
      const expected = groupsOf(parts.flat()).map(([k, rows]) => {
        const values = known(rows)
        const mean = total(rows.map(({ i }) => i)) / rows.length
        const spread = total(rows.map(({ i }) => (i - mean) ** 2)) / (rows.length - 1)
        return {
          k,
          'count()': rows.length,
          'count(n)': values.length,
          'sum(n)': values.length === 0 ? null : total(values),
          'sum(b)': rows.reduce((sum, { b }) => sum + b, 0n),
          'min(n)': values.length === 0 ? null : Math.min(...values),
          'max(b)': rows.reduce((max, { b }) => (b > max ? b : max), rows[0]?.b ?? 0n),
          'mean(n)': values.length === 0 ? null : round(total(values) / values.length),
          'std(i)': rows.length === 1 ? Number.NaN : round(Math.sqrt(spread)),
        }
      })
      const rounded = made.map((row) => {
        return { ...row, 'mean(n)': round(row['mean(n)']), 'std(i)': round(row['std(i)']) }
      })
      assert.deepEqual(rounded, expected)
    }),
    runs,
  )
})

test('aggregates that need whole groups, and those in JavaScript', async () => {
  const product = AggregateFn({
    name: 'sum of i',
    init: () => 0,
    accumulate: (state: number, { i = [] }) => state + total(Array.from(i as number[])),
    finalize: (state) => state,
  })
  await fc.assert(
    fc.asyncProperty(blocks, async (parts) => {
      const made = await datasetOf(parts)
        .groupBy('k', { numPartitions: 3 })
        .aggregate(
          Quantile('i'),
          CountDistinct('n'),
          Unique('n', { ignoreNulls: true }),
          AsList('i'),
          product,
        )
        .takeAll()
      const expected = groupsOf(parts.flat()).map(([k, rows]) => {
        const numbers = rows.map(({ i }) => i)
        const middle = (numbers.length - 1) / 2
        const [low = 0, high = 0] = [numbers[Math.floor(middle)], numbers[Math.ceil(middle)]]
        const distinct = [...new Set(known(rows))].sort((a, b) => a - b)
        return {
          k,
          'quantile(i)': (low + high) / 2,
          'count_distinct(n)': distinct.length,
          'unique(n)': distinct.length === 0 ? null : distinct,
          'list(i)': numbers,
          'sum of i': total(numbers),
        }
      })
      const plain = made
        .map((row) => {
          const values = row['unique(n)'] as Iterable<unknown> | null
          const list = row['list(i)'] as Iterable<number>
          return { ...row, 'unique(n)': values && [...values], 'list(i)': [...list].sort(compare) }
        })
        .sort((a, b) => compare(a.k, b.k))
      assert.deepEqual(plain, expected)
    }),
    runs,
  )
})

test('mapGroups gets each group once and whole', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, async (parts) => {
      const made = await datasetOf(parts)
        .groupBy('k', { numPartitions: 2 })
        .mapGroups((rows) => [{ k: rows[0]?.k ?? null, rows: rows.length, i: rows[0]?.i ?? -1 }], {
          batchFormat: 'rows',
        })
        .takeAll()
      const expected = groupsOf(parts.flat()).map(([k, rows]) => {
        return { k, rows: rows.length, i: rows[0]?.i ?? -1 }
      })
      assert.deepEqual(byNumber(made), byNumber(expected))
    }),
    runs,
  )
})

const hows = ['inner', 'left', 'right', 'full', 'semi', 'anti', 'rightSemi', 'rightAnti'] as const

test('joins pair what arrays would', async () => {
  await fc.assert(
    fc.asyncProperty(someRows, someRows, fc.constantFrom(...hows), async (l, r, how) => {
      const right = r.map((rows) => rows.map(({ k, n, i }) => ({ k, n, j: i })))
      const joined = datasetOf(l.map((rows) => rows.map(({ b: _, ...row }) => row))).join(
        datasetOf(right),
        { on: ['k', 'n'], how, numPartitions: 3 },
      )
      const made = (await joined.takeAll()) as { i?: number | null; j?: number | null }[]
      const expected = pairs(l.flat(), right.flat(), how)
      const text = (row: object): string => {
        return JSON.stringify(Object.entries(row).sort(([a], [b]) => compare(a, b)))
      }
      assert.deepEqual(made.map(text).sort(), expected.map(text).sort())
    }),
    { numRuns: 60 },
  )
})

interface Right {
  readonly k: string | null
  readonly n: number | null
  readonly j: number
}

function pairs(left: readonly Row[], right: readonly Right[], how: (typeof hows)[number]) {
  const isPair = (l: Row, r: Right): boolean => {
    return l.k !== null && l.k === r.k && l.n !== null && l.n === r.n
  }
  const ofLeft = ({ k, n, i }: Row) => ({ k, n, i })
  const hasRight = (l: Row): boolean => right.some((r) => isPair(l, r))
  const hasLeft = (r: Right): boolean => left.some((l) => isPair(l, r))
  const both = left.flatMap((l) => {
    return right.filter((r) => isPair(l, r)).map(({ j }) => ({ ...ofLeft(l), j }))
  })
  const onlyLeft = left.filter((l) => !hasRight(l)).map((l) => ({ ...ofLeft(l), j: null }))
  const onlyRight = right.filter((r) => !hasLeft(r)).map((r) => ({ ...r, i: null }))
  switch (how) {
    case 'inner':
      return both
    case 'left':
      return [...both, ...onlyLeft]
    case 'right':
      return [...both, ...onlyRight]
    case 'full':
      return [...both, ...onlyLeft, ...onlyRight]
    case 'semi':
      return left.filter(hasRight).map(ofLeft)
    case 'anti':
      return left.filter((l) => !hasRight(l)).map(ofLeft)
    case 'rightSemi':
      return right.filter(hasLeft)
    case 'rightAnti':
      return right.filter((r) => !hasLeft(r))
  }
}

test('repartition keeps rows and order, in blocks of the sizes asked for', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.integer({ min: 1, max: 6 }), async (parts, count) => {
      const rows = parts.flat()
      const sizes = async (ds: Dataset<Row>): Promise<number[]> => {
        const found: number[] = []
        for await (const { metadata } of ds.iterRefBundles()) found.push(metadata.rows)
        return found
      }
      const ds = datasetOf(parts)
      assert.deepEqual(await ds.repartition(count).takeAll(), rows)
      const each = await sizes(ds.repartition(count))
      assert.equal(each.length, count)
      assert.ok(Math.max(...each) - Math.min(...each) <= 1)
      const bySize = ds.repartition({ targetNumRowsPerBlock: count })
      assert.deepEqual(await bySize.takeAll(), rows)
      const full = (await sizes(bySize)).slice(0, -1)
      assert.ok(full.every((size) => size === count))
      const byKey = ds.repartition({ keys: ['k'], numBlocks: 3 })
      assert.deepEqual(byNumber(await byKey.takeAll()), rows)
    }),
    runs,
  )
})

test('a shuffle keeps the rows, and its seed reproduces their order', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.integer(), async (parts, seed) => {
      const ds = datasetOf(parts)
      const first = await ds.randomShuffle({ seed }).takeAll()
      assert.deepEqual(await ds.randomShuffle({ seed }).takeAll(), first)
      assert.deepEqual(byNumber(first), parts.flat())
      assert.deepEqual(byNumber(await ds.randomizeBlockOrder({ seed }).takeAll()), parts.flat())
    }),
    runs,
  )
})

test('zip puts rows side by side, and refuses other lengths', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.integer({ min: 1, max: 5 }), async (parts, count) => {
      const ds = datasetOf(parts)
      const zipped = await ds.zip(ds.select(['i']).repartition(count)).takeAll()
      assert.deepEqual(
        zipped,
        parts.flat().map((row) => ({ ...row, i_1: row.i })),
      )
    }),
    runs,
  )
  const [three, two] = [
    datasetOf([[{ a: 1 }, { a: 2 }, { a: 3 }]]),
    datasetOf([[{ a: 1 }, { a: 2 }]]),
  ]
  await assert.rejects(three.zip(two).takeAll(), /have 3 and 2 rows/)
})

/** Exchanges that neither add nor drop rows. */
const exchanges: readonly ((ds: Dataset<Row>) => Dataset<Row>)[] = [
  (ds) => ds.repartition(2),
  (ds) => ds.repartition({ targetNumRowsPerBlock: 3 }),
  (ds) => ds.repartition({ keys: ['k'], numBlocks: 3 }),
  (ds) => ds.randomShuffle({ seed: 4 }),
  (ds) => ds.randomizeBlockOrder({ seed: 5 }),
  (ds) => ds.sort('n'),
]

test('exchanges one after the other, of which the optimizer drops some, lose no row', async () => {
  const chain = fc.array(fc.nat(exchanges.length - 1), { minLength: 2, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(someRows, chain, async (parts, steps) => {
      const rows = parts.flat()
      const ds = steps.reduce(
        (before, index) => exchanges[index]?.(before) ?? before,
        datasetOf(parts),
      )
      const sorted = await ds.sort(['n', 'i']).takeAll()
      assert.deepEqual(
        sorted,
        [...rows].sort((a, b) => compare(a.n, b.n) || a.i - b.i),
      )
      assert.equal(await ds.count(), rows.length)
      const groups = await ds.groupBy('k').aggregate(Count(), Sum('i')).sort('k').takeAll()
      assert.deepEqual(
        groups.map((group) => [group['k'], group['count()'], group['sum(i)']]),
        groupsOf(rows).map(([k, of]) => [k, of.length, of.reduce((sum, { i }) => sum + i, 0)]),
      )
    }),
    runs,
  )
})
