// Columns without a single value in some blocks: nothing says of what type they are there.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { col, Count, Max, Unique, when } from '../../src/data/index.js'
import { datasetOf } from '../property/data-blocks.js'

interface Row {
  readonly s: string | null
  readonly at: Date | null
  readonly list: readonly number[] | null
}

const nothing: Row = { s: null, at: null, list: null }
const known: Row = { s: 'ab', at: new Date('2024-05-06T07:08:09Z'), list: [1, 2] }
const parts = [[nothing, nothing], [known, nothing], [], [nothing]]

test('functions of a column without values give nulls', async () => {
  const made = await datasetOf(parts)
    .select({
      upper: col('s').str.upper(),
      long: col('s').str.concat('c').str.len(),
      month: col('at').dt.floor('month').dt.month(),
      late: col('at').dt.addMs(1000),
      size: col('list').list.len(),
      first: col('list').list.get(0),
      either: when(col('s').isNull(), null, col('s')),
    })
    .takeAll()
  const none = {
    upper: null, long: null, month: null, late: null, size: null, first: null, either: null,
  } // prettier-ignore
  const late = new Date('2024-05-06T07:08:10Z')
  const some = { upper: 'AB', long: 3, month: 5, late, size: 2, first: 1, either: 'ab' }
  assert.deepEqual(made, [none, none, some, none, none])
})

test('a filter by what is surely null keeps nothing to group', async () => {
  const none = datasetOf([[nothing], [nothing]]).filter(col('list').list.contains(1))
  assert.deepEqual(await none.groupBy('s').aggregate(Count()).takeAll(), [])
})

test('what is computed of them takes the type of the other blocks', async () => {
  const computed = datasetOf(parts).withColumn('copy', col('s')).withColumn('two', col('list'))
  const done = await computed.materialize()
  const table = await done.toArrow()
  assert.deepEqual([...(table.getChild('copy') ?? [])], [null, null, 'ab', null, null])
  const again = done.withColumn('copy', col('copy').str.startsWith('a')).select(['copy'])
  const starts = await again.takeAll()
  assert.deepEqual(
    starts.map(({ copy }) => copy),
    [null, null, true, null, null],
  )
  const groups = await done
    .groupBy(['copy', 'two'], { numPartitions: 2 })
    .aggregate(Count(), Max('at'))
    .sort('count()')
    .takeAll()
  assert.deepEqual(groups, [
    { copy: 'ab', two: [1, 2], 'count()': 1, 'max(at)': known.at },
    { copy: null, two: null, 'count()': 4, 'max(at)': null },
  ])
})

test('groups in several parts have one type, also where a part has nulls only', async () => {
  const all = ['a', 'b', 'c', 'd', null].map((s) => ({ s, on: s === 'a' ? true : null }))
  for (const aggregates of [
    [Max('on'), Max('s')],
    [Max('on'), Max('s'), Unique('s')],
  ]) {
    const parted = datasetOf(all.map((row) => [row])).groupBy(['s', 'on'], { numPartitions: 4 })
    const table = await parted.aggregate(...aggregates).toArrow()
    assert.equal(table.numRows, all.length)
    assert.equal([...(table.getChild('max(on)') ?? [])].filter(Boolean).length, 1)
  }
})

test('a column that only some blocks have is null in the rows of the others', async () => {
  const wide = datasetOf<{ a: number; b?: string }>([[{ a: 1, b: 'x' }], [{ a: 2 }]])
  assert.deepEqual(await wide.takeAll(), [
    { a: 1, b: 'x' },
    { a: 2, b: null },
  ])
  assert.deepEqual(await wide.union(datasetOf([[{ a: 3 }]])).takeAll(), [
    { a: 1, b: 'x' },
    { a: 2, b: null },
    { a: 3, b: null },
  ])
})
