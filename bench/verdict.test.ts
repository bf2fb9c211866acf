import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figureOf, type Row, type RowResult } from './row.js'
import { measureOf, verdictsOf } from './verdict.js'

const row = (fields: Partial<Row>): Row => ({ name: 'a row', unit: '/s', ...fields })
const outcomes = (result: RowResult): string[] => verdictsOf(result).map(({ outcome }) => outcome)

test('a figure is the mean and the standard deviation of its rounds', () => {
  const { mean, sd } = figureOf([2, 4, 4, 6])
  assert.equal(mean, 4)
  assert.equal(sd, Math.sqrt(2))
})

test('Ray as measured comes before Ray as remembered', () => {
  const base = { row: row({ rayReference: 10 }), typeray: figureOf([100]), errors: [] }
  assert.equal(measureOf(base, 'x Ray'), 10)
  assert.equal(measureOf({ ...base, ray: figureOf([50]) }, 'x Ray'), 2)
})

test('where less is better, half the time is twice as fast', () => {
  const slow = row({ unit: 's', isLowerBetter: true, rayReference: 2 })
  assert.equal(measureOf({ row: slow, typeray: figureOf([1]), errors: [] }, 'x Ray'), 2)
})

test('a call that takes two echoes costs two trips and is half as fast as the echo', () => {
  const limit = { name: 'raw echo sync', ...figureOf([40_000]) } as const
  const result: RowResult = { row: row({}), typeray: figureOf([20_000]), limit, errors: [] }
  assert.equal(measureOf(result, 'trips'), 2)
  assert.equal(measureOf(result, 'x echo'), 0.5)
  assert.equal(measureOf(result, 'share'), undefined, 'the echo is a yardstick, not a limit')
})

test('a target is missed, met, or its aim is met', () => {
  const judged = (actual: number): string[] =>
    outcomes({
      row: row({ rayReference: 1, targets: [{ measure: 'x Ray', atLeast: 15, aim: 40 }] }),
      typeray: figureOf([actual]),
      errors: [],
    })
  assert.deepEqual(judged(14), ['missed'])
  assert.deepEqual(judged(15), ['met'])
  assert.deepEqual(judged(40), ['aim met'])
})

test('a value in seconds is met from below', () => {
  const start = row({
    unit: 's',
    isLowerBetter: true,
    targets: [{ measure: 'value', atLeast: 0.6, aim: 0.25 }],
  })
  const judged = (actual: number): string[] =>
    outcomes({ row: start, typeray: figureOf([actual]), errors: [] })
  assert.deepEqual(judged(0.7), ['missed'])
  assert.deepEqual(judged(0.6), ['met'])
  assert.deepEqual(judged(0.2), ['aim met'])
})

test('a row that failed has not met anything', () => {
  const failed = row({ rayReference: 1, targets: [{ measure: 'x Ray', atLeast: 15 }] })
  assert.deepEqual(outcomes({ row: failed, errors: ['typeray: it broke'] }), ['not measured'])
})
