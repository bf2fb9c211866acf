import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AsList, Sum } from '../aggregate/aggregates.js'
import type { AggregateSpec } from '../aggregate/spec.js'
import type { FilesSource } from '../datasource/files.js'
import {
  type FilterStep,
  type LogicalPlan,
  type MapBatchesStep,
  type MapStep,
  type Source,
  type Step,
  stepName,
} from '../logical/plan.js'
import { col } from '../expression/expression.js'
import type { ExpressionNode } from '../expression/node.js'
import { textOfNode } from '../expression/text.js'
import { monotonicallyIncreasingId } from '../expression/udf.js'
import { optimize } from './index.js'

const source: FilesSource = {
  kind: 'files',
  operator: 'readParquet',
  format: { kind: 'parquet', int64: 'bigint' },
  paths: ['f.parquet'],
  columns: undefined,
  limit: Number.POSITIVE_INFINITY,
}
const any = { numCpus: undefined, concurrency: undefined }
const map: MapStep = { kind: 'map', name: 'm', fn: () => ({}), ...any }
const filter: FilterStep = { kind: 'filter', name: 'f', fn: () => true, ...any }
const batches: MapBatchesStep = {
  kind: 'map-batches',
  name: 'b',
  fn: () => ({}),
  batchFormat: 'columns',
  batchSize: undefined,
  dates: 'date',
  ...any,
}
const limit = (rows: number): Step => ({ kind: 'limit', rows })
const select = (...columns: string[]): Step => ({ kind: 'select', columns })
const count: Step = { kind: 'count' }

/** What the rules make of some steps, as text. */
function shape(steps: readonly Step[], from: Source = source): readonly string[] {
  const plan: LogicalPlan = optimize({ source: from, steps })
  const facts = plan.source.kind === 'files' ? parquetFacts(plan.source) : []
  return [...facts, ...plan.steps.map(stepName)]
}

function parquetFacts({ columns, limit: rows }: FilesSource): readonly string[] {
  return [
    ...(columns === undefined ? [] : [`columns ${columns.join(', ')}`]),
    ...(Number.isFinite(rows) ? [`rows ${rows}`] : []),
  ]
}

test('neighbouring steps share a task', () => {
  assert.deepEqual(shape([map, filter, batches]), ['map(m) -> filter(f) -> mapBatches(b)'])
})

test('steps that ask for different resources do not', () => {
  assert.deepEqual(shape([{ ...map, numCpus: 2 }, filter, { ...map, numCpus: 1 }]), [
    'map(m) -> filter(f)',
    'map(m)',
  ])
  assert.deepEqual(
    shape([
      { ...map, concurrency: 2 },
      { ...batches, concurrency: 2 },
    ]),
    ['map(m) -> mapBatches(b)'],
  )
})

test('batches of a size begin a task behind what drops rows', () => {
  const sized = { ...batches, batchSize: 8 }
  assert.deepEqual(shape([map, sized, map]), ['map(m) -> mapBatches(b) -> map(m)'])
  assert.deepEqual(shape([map, filter, sized]), ['map(m) -> filter(f)', 'mapBatches(b)'])
})

test('a selection behind the source is read instead of the whole', () => {
  assert.deepEqual(shape([select('a', 'b'), select('a'), map]), ['columns a', 'map(m)'])
  assert.deepEqual(shape([map, select('a')]), ['map(m) -> selectColumns(a)'])
})

test('a selection of a column that is not selected stays, and fails where it runs', () => {
  assert.deepEqual(shape([select('a'), select('b')]), ['columns a', 'selectColumns(b)'])
})

test('a limit passes steps that keep rows, and shortens the source', () => {
  assert.deepEqual(shape([select('a'), map, limit(5)]), ['columns a', 'rows 5', 'map(m)'])
  assert.deepEqual(shape([limit(5), limit(3), limit(9)]), ['rows 3'])
})

test('a limit stays behind steps that may change the number of rows', () => {
  assert.deepEqual(shape([filter, map, limit(5)]), ['filter(f)', 'limit(5)', 'map(m)'])
  assert.deepEqual(shape([batches, limit(5), limit(7)]), ['mapBatches(b)', 'limit(5)'])
})

test('a count needs no columns, and skips no function', () => {
  assert.deepEqual(shape([select('a'), limit(5), count]), ['columns a', 'rows 5', 'count'])
  assert.deepEqual(shape([map, count]), ['map(m) -> count'])
})

test('sources in memory are shortened too', () => {
  const range = optimize({ source: { kind: 'range', rows: 10 }, steps: [limit(3)] })
  assert.deepEqual(range, { source: { kind: 'range', rows: 3 }, steps: [] })
})

test('steps behind a union run in its inputs; a limit stays, and shortens them too', () => {
  const input: LogicalPlan = { source, steps: [] }
  const union: Source = { kind: 'union', inputs: [input, input] }
  const { source: pushed, steps } = optimize({ source: union, steps: [filter, limit(3), map] })
  assert.ok(pushed.kind === 'union')
  assert.deepEqual(
    pushed.inputs.map((each) => each.steps.map(stepName)),
    [
      ['filter(f)', 'limit(3)'],
      ['filter(f)', 'limit(3)'],
    ],
  )
  assert.deepEqual(steps.map(stepName), ['limit(3)', 'map(m)'])
  const bounded = optimize({ source: union, steps: [{ ...map, concurrency: 2 }] })
  assert.deepEqual(bounded.steps.map(stepName), ['map(m)'])
})

const where = (node: ExpressionNode): Step => ({ kind: 'where', predicate: node })
const sort: Step = {
  kind: 'sort',
  keys: [{ value: col('k').node, isDescending: false, nulls: 'last' }],
}
const twice: Step = {
  kind: 'project',
  operator: 'withColumn',
  outputs: [{ name: 'b', value: col('a').mul(2).node }],
  keepsOthers: true,
}

test('a filter by expression passes sorts and computed columns, and the source is told', () => {
  const plan = optimize({ source, steps: [twice, sort, where(col('b').gt(1).node)] })
  assert.deepEqual(plan.steps.map(stepName), [
    'filter(((a * 2) > 1)) -> withColumn(b = (a * 2))',
    'sort(k)',
  ])
  const predicate = plan.source.kind === 'files' ? plan.source.predicate : undefined
  assert.equal(predicate && textOfNode(predicate), '((a * 2) > 1)')
})

test('a filter stays behind limits, functions and what it cannot be computed before', () => {
  const filter = where(col('a').gt(1).node)
  const text = 'filter((a > 1))'
  assert.deepEqual(shape([map, filter]), [`map(m) -> ${text}`])
  assert.deepEqual(shape([sort, limit(3), filter]), ['sort(k)', 'limit(3)', text])
  const shortened = optimize({ source, steps: [limit(3), filter] })
  assert.equal(shortened.source.kind === 'files' && shortened.source.predicate, undefined)
  const random = where(monotonicallyIncreasingId().gt(5).node)
  assert.deepEqual(shape([sort, random]), ['sort(k)', 'filter((row-id() > 5))'])
})

test('a filter on keys passes the groups', () => {
  const groups: Step = { kind: 'aggregate', keys: ['k'], aggregates: [], blocks: undefined }
  assert.deepEqual(shape([groups, where(col('k').eq('x').node)]), [
    'keep(k) -> filter((k = "x")) -> keep(k)',
    'groupBy(k).aggregate()',
  ])
})

test('only what later steps read is read, and moved', () => {
  assert.deepEqual(shape([where(col('a').gt(1).node), sort, select('b')]), [
    'keep(b, k, a) -> filter((a > 1)) -> keep(b, k)',
    'sort(k)',
    'selectColumns(b)',
  ])
  assert.deepEqual(shape([sort, map]), ['sort(k)', 'map(m)'])
  const spec = { how: 'inner', on: [['k', 'k']], leftSuffix: undefined, rightSuffix: '_r' } as const
  const side: LogicalPlan = { source, steps: [] }
  const join = { kind: 'join', left: side, right: side, spec, blocks: undefined } as const
  const plan = optimize({ source: join, steps: [select('x_r')] })
  const right = plan.source.kind === 'join' ? plan.source.right.steps.map(stepName) : []
  assert.deepEqual(right, ['keep(x_r, x, k)'])
})

test('columns that nobody reads are not computed, nor what they are computed of', () => {
  const project = (name: string, value: ExpressionNode): Step => {
    const outputs = [{ name, value }]
    return { kind: 'project', operator: 'withColumn', outputs, keepsOthers: true }
  }
  const steps = [project('b', col('a').add(1).node), project('c', col('b').node), select('d')]
  assert.deepEqual(shape(steps), ['columns d'])
  // A column that is computed of the one of its own name.
  assert.deepEqual(shape([project('a', col('a').add(1).node), select('d')]), shape([select('d')]))
  const placed = [project('id', monotonicallyIncreasingId().node), select('d')]
  assert.match(shape(placed).join(), /row-id/)
})

const repartition = (blocks: number): Step => ({ kind: 'repartition', by: 'blocks', blocks })
const byKey = (key: string, blocks?: number): Step => {
  return { kind: 'repartition', by: 'keys', keys: [key], blocks }
}
const shuffle = (seed?: number, blocks?: number): Step => {
  return { kind: 'shuffle', operator: 'randomShuffle', seed, blocks }
}
const sortBy = (...names: string[]): Step => {
  const keys = names.map((name) => col(name).node)
  return {
    kind: 'sort',
    keys: keys.map((value) => ({ value, isDescending: true, nulls: 'last' }) as const),
  }
}
const blockOrder: Step = { kind: 'block-order', seed: 3 }

test('an exchange that the next one undoes is left out', () => {
  assert.deepEqual(shape([repartition(2), repartition(3), repartition(4)]), ['repartition(4)'])
  assert.deepEqual(shape([byKey('a'), byKey('b', 5)]), ['repartition(by b)'])
  assert.deepEqual(shape([shuffle(1), blockOrder, shuffle(2)]), ['randomShuffle'])
  assert.deepEqual(shape([repartition(2), shuffle(2, 7)]), ['randomShuffle'])
  assert.deepEqual(shape([sort, sortBy('k', 'a')]), ['sort(k descending, a descending)'])
  assert.deepEqual(shape([shuffle(1), repartition(3), map, repartition(2), repartition(1)]), [
    'randomShuffle',
    'repartition(3)',
    'map(m)',
    'repartition(1)',
  ])
})

test('rows are neither mixed nor cut to be counted or summed up', () => {
  assert.deepEqual(shape([shuffle(1), repartition(5), count]), ['count'])
  const aggregate = (...aggregates: readonly AggregateSpec[]): Step => {
    return { kind: 'aggregate', keys: ['k'], aggregates, blocks: undefined }
  }
  const groups = 'groupBy(k).aggregate(sum(a))'
  assert.deepEqual(shape([byKey('k'), shuffle(1), aggregate(Sum('a').spec)]).slice(1), [groups])
  const lists = [shuffle(1), aggregate(Sum('a').spec, AsList('a').spec)]
  assert.equal(shape(lists).includes('randomShuffle'), true)
})

test('an exchange stays where it decides order, blocks or errors', () => {
  for (const steps of [
    [sortBy('a'), sortBy('k')],
    [shuffle(1), sortBy('k')],
    [repartition(9), sortBy('k')],
    [repartition(9), shuffle(1)],
    [shuffle(1, 9), shuffle(1)],
    [byKey('k'), repartition(2)],
    [repartition(9), byKey('k')],
    [byKey('k', 9), byKey('k')],
    [sortBy('k'), shuffle()],
  ]) {
    assert.deepEqual(shape(steps), steps.map(stepName))
  }
})
