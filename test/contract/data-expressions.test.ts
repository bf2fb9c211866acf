// What expressions make of numbers of all widths, and what their errors say.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { describeBlock } from '../../src/data/block/metadata.js'
import { col, Dataset } from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { datasetOf } from '../property/data-blocks.js'

/** A dataset of one block. */
function datasetOfColumns(columns: Parameters<typeof tableFromArrays>[0]): Dataset {
  const table = tableFromArrays(columns)
  const block = Promise.resolve(tableToIPC(table)) as never
  const bundles = [{ block, metadata: describeBlock(table as never, 0) }]
  const session = new DatasetSession(new InProcessRunner())
  return new Dataset(session, { source: { kind: 'blocks', bundles }, steps: [] })
}

test('small and unsigned integers do not wrap around', async () => {
  const ds = datasetOfColumns({ u8: Uint8Array.of(200), i8: Int8Array.of(-127) })
  const { u8, i8 } =
    (await ds.select({ u8: col('u8').neg(), i8: col('i8').neg() }).take(1))[0] ?? {}
  assert.deepEqual([u8, i8], [-200, 127])
  const wider = /Overflow in multiplication .* Cast to a wider type before, such as cast\('int64'\)/
  await assert.rejects(ds.select({ x: col('u8').mul(2) }).takeAll(), wider)
  const [row] = await ds.select({ x: col('u8').cast('int32').mul(2) }).takeAll()
  assert.deepEqual(row, { x: 400 })
})

test('numbers are cast to the strings that JavaScript makes of them', async () => {
  const numbers = [5, -0.5, 1e6, 0.1, 123_456_789]
  const ds = datasetOf([numbers.map((n) => ({ n, text: `${n}.0` }))])
  const made = ds.select({ n: col('n').cast('string'), text: col('text').cast('string') })
  assert.deepEqual(
    await made.takeAll(),
    numbers.map((n) => ({ n: String(n), text: `${n}.0` })),
  )
  assert.deepEqual(await ds.select({ n: col('n').tryCast('string') }).take(1), [{ n: '5' }])
})

test('errors of the engine speak of what the user wrote, and not of SQL', async () => {
  const ds = datasetOf([[{ word: 'x' }]])
  await assert.rejects(ds.withColumn('n', col('word').add(1)).takeAll(), ({ message }: Error) => {
    assert.match(message, /withColumn\(n = \(word \+ 1\)\) failed: .*VARCHAR/)
    assert.match(message, /put together by \.str\.concat/)
    assert.doesNotMatch(message, /LINE 1|Candidate|typeray_block/)
    return true
  })
})

test('keys of a join that can never be equal are refused', async () => {
  const words = datasetOf([[{ k: '5' }]])
  const numbers = datasetOf([[{ k: 5 }]])
  await assert.rejects(
    words.join(numbers as never, { on: 'k', numPartitions: 2 }).takeAll(),
    /the key "k" is text on the left, and "k" is a number on the right\. Convert one/,
  )
  const nothing = datasetOf([[{ k: null as string | null }]]).select({ k: col('k').cast('string') })
  assert.equal(await numbers.join(nothing as never, { on: 'k', how: 'left' }).count(), 1)
  const wide = datasetOf([[{ k: 5n }]])
  assert.equal(await numbers.join(wide, { on: 'k' }).count(), 1)
})

test('a block without rows does not say which columns a function makes', async () => {
  const ds = datasetOf([[{ a: 1 }], [{ a: 7 }]]).filter(col('a').gt(5))
  assert.deepEqual(await ds.map(({ a }) => ({ b: a })).columns(), ['b'])
  assert.deepEqual(await ds.columns(), ['a'])
  assert.deepEqual(await ds.filter(col('a').gt(9)).columns(), ['a'])
})
