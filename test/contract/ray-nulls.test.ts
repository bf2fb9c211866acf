// Nulls and NaN where Ray Data, pandas and JavaScript agree, and the engine does not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AsList,
  col,
  Count,
  fromColumns,
  lit,
  Max,
  Mean,
  MissingValuePercentage,
  Std,
  Sum,
  Unique,
} from '../../src/data/index.js'
import { datasetOf } from '../property/data-blocks.js'

const { NaN: nan } = Number
const values = [1, nan, null, -0, Number.POSITIVE_INFINITY, 3]
const rows = values.map((x, i) => ({ x, i, big: BigInt(i), word: i < 3 ? 'a' : null }))
/** In blocks of different sizes. */
const numbers = () => datasetOf([rows.slice(0, 2), [], rows.slice(2)])

test('nothing is greater, less or equal where one of the two is NaN', async () => {
  const x = col<number>('x')
  const conditions = {
    '> 0': [x.gt(0), (v: number) => v > 0],
    '>= bigint': [x.gte(1n), (v: number) => v >= 1],
    '< 2': [x.lt(2), (v: number) => v < 2],
    '0 <': [lit(0).lt(x), (v: number) => v > 0],
    '> itself less one': [x.gt(x.sub(1)), (v: number) => v > v - 1],
    '<= itself': [x.lte(x), (v: number) => v <= v],
    '= itself': [x.eq(x), (v: number) => v === v],
    '<> itself': [x.ne(x), (v: number) => v !== v],
    '> NaN': [x.gt(nan), () => false],
    '< NaN': [x.lt(nan), () => false],
    '= NaN': [x.eq(nan), () => false],
    '<> NaN': [x.ne(nan), () => true],
    '> i': [x.gt(col('i')), (v: number, i: number) => v > i],
    'i <=': [col('i').lte(x), (v: number, i: number) => i <= v],
  } as const
  for (const [name, [condition, expected]] of Object.entries(conditions)) {
    const made = await numbers().withColumn('is', condition).takeAll()
    const wanted = values.map((v, i) => (v === null ? null : expected(v, i)))
    const is = made.map((row) => row.is)
    assert.deepEqual(is, wanted, name)
    const kept = await numbers().filter(condition).takeAll()
    const left = rows.filter((_, i) => wanted[i] === true)
    assert.deepEqual(kept, left, `${name} as a filter`)
  }
})

test('what is no number is compared as before', async () => {
  const at = new Date(0)
  const ds = fromColumns({
    at: [at, new Date(1)],
    word: ['a', 'b'],
    list: [[1], [2]],
    big: BigInt64Array.of(1n, 2n),
    is: [true, false],
  })
  for (const name of ['at', 'word', 'list', 'big', 'is'] as const) {
    const one = await ds.filter(col(name).gt(col(name))).count()
    const all = await ds
      .filter(
        col(name)
          .lte(col(name))
          .and(col(name).eq(col(name))),
      )
      .count()
    assert.deepEqual([one, all], [0, 2], name)
    assert.equal(await ds.filter(col(name).ne(col(name))).count(), 0, name)
  }
  assert.equal(await ds.filter(col('at').gt(at)).count(), 1)
  assert.equal(await ds.filter(col('word').gt('a')).count(), 1)
  assert.equal(await ds.filter(col('big').gt(1)).count(), 1)
})

test('what comes of NaN is NaN, and no error', async () => {
  const [all] = await numbers().groupBy('word').aggregate(Std('x'), Sum('x'), Mean('x'), Max('x'))
    .filter(col('word').eq('a')).takeAll() // prettier-ignore
  const isNan = { 'std(x)': nan, 'sum(x)': nan, 'mean(x)': nan, 'max(x)': nan }
  assert.deepEqual(all, { word: 'a', ...isNan })
  assert.equal(await numbers().std('x'), nan)
  assert.equal(await numbers().filter(col('x').isFinite()).std('x', { ddof: 0 }), 1.247219128924647)
  const signs = await numbers()
    .select({ sign: col('x').sign(), sin: col('x').sin(), n: col('x').isNull() })
    .takeAll()
  assert.deepEqual(
    signs.map(({ sign }) => sign),
    [1, nan, null, 0, 1, 1],
  )
  assert.equal(signs[4]?.sin, nan)
})

test('counts and lists of a column have its nulls, unless these are ignored', async () => {
  const known = { ignoreNulls: true } as const
  const made = await numbers().aggregate(
    Count('word'), Unique('word'), AsList('word'), MissingValuePercentage('x'),
    Count('word', { ...known, alias: 'known' }), Unique('word', { ...known, alias: 'words' }),
  ) // prettier-ignore
  assert.deepEqual(made, {
    'count(word)': 6,
    'unique(word)': ['a', null],
    'list(word)': ['a', 'a', 'a', null, null, null],
    'missing_pct(x)': (100 * 2) / 6,
    known: 3,
    words: ['a'],
  })
})

test('an overflow says which type is wide enough', async () => {
  const wide = datasetOf([[{ big: 2n ** 62n, x: nan }]])
  const doubled = wide.withColumn('y', col('big').mul(2)).takeAll()
  await assert.rejects(doubled, /Overflow.* such as cast\('float64'\)\.$/)
  const cast = wide.withColumn('y', col('x').cast('int64')).takeAll()
  await assert.rejects(cast, /tryCast gives null/)
})
