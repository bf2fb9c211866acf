import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { BatchOptions } from './batch.js'
import { AtBatch, BatchJoiner } from './batch-joiner.js'
import { type Block, blockOfColumns, schemaOfBlock } from './block.js'
import { concatBlocks } from './concat.js'
import { DictionaryColumn } from './dictionary-column.js'
import { rowsOfBlock } from './rows.js'

const columns: BatchOptions = { batchFormat: 'columns', dates: 'date' }
const rows: BatchOptions = { batchFormat: 'rows', dates: 'date' }
const like = blockOfColumns({ n: Int32Array.of(1), at: [new Date(0)], s: ['a'] })

function join(batches: readonly unknown[], options = columns): Block {
  const joiner = new BatchJoiner(like, options)
  for (const [i, batch] of batches.entries()) joiner.add(batch, i)
  return joiner.finish()
}

test('batches are one block, in their order', () => {
  const batches = Array.from({ length: 10_000 }, (_, i) => ({ n: [i], x: Float64Array.of(i / 2) }))
  const block = join(batches)
  assert.deepEqual([block.numRows, block.batches.length], [10_000, 1])
  assert.deepEqual(schemaOfBlock(block), [
    { name: 'n', type: 'Int32' },
    { name: 'x', type: 'Float64' },
  ])
  for (const [i, row] of rowsOfBlock(block).entries()) assert.deepEqual(row, { n: i, x: i / 2 })
})

test('the types are those that blocks of single batches have together', () => {
  const odd: readonly Record<string, readonly unknown[] | Float64Array | DictionaryColumn>[] = [
    { n: [1, 2], s: ['a', null], at: [new Date(5), null] },
    { n: Float64Array.of(1.5) as never, s: ['b'] },
    { n: [null], s: new DictionaryColumn(Int32Array.of(0), ['d']), list: [[1, 2]] },
    { n: [], s: [] },
    { s: ['c'], n: [3], flag: [true] },
    { n: [2.5], s: ['e'], list: [[3]] },
  ]
  const single = concatBlocks(odd.map((batch) => blockOfColumns(batch as never, like)))
  const joined = join(odd)
  assert.deepEqual(rowsOfBlock(joined), rowsOfBlock(single))
  assert.deepEqual(schemaOfBlock(joined), schemaOfBlock(single))
})

test('what a function changes for its next batch has been copied', () => {
  const numbers = Float64Array.of(0)
  const strings = ['']
  const day = new Date(0)
  const cell = [0]
  const joiner = new BatchJoiner(like, columns)
  for (let i = 0; i < 5; i++) {
    numbers[0] = i
    strings[0] = String(i)
    day.setTime(i)
    cell[0] = i
    joiner.add({ numbers, strings, days: [day] }, i)
    joiner.add({ cells: [cell] }, i)
  }
  const made = rowsOfBlock(joiner.finish())
  const of = (name: string) => made.map((row) => row[name]).filter((value) => value !== null)
  assert.deepEqual(of('numbers'), [0, 1, 2, 3, 4])
  assert.deepEqual(of('strings'), ['0', '1', '2', '3', '4'])
  assert.deepEqual(of('days').map(Number), [0, 1, 2, 3, 4])
  assert.deepEqual(of('cells'), [[0], [1], [2], [3], [4]])
})

test('rows may lack columns, and batches rows', () => {
  const block = join([[], [{ n: 1 }, { s: 'x' }], [], [{ n: 2, s: 'y' }], []], rows)
  assert.deepEqual(rowsOfBlock(block), [
    { n: 1, s: null },
    { n: null, s: 'x' },
    { n: 2, s: 'y' },
  ])
  assert.deepEqual(schemaOfBlock(join([[], []], rows)), schemaOfBlock(like))
  assert.equal(join([]).numRows, 0)
})

test('rows without a column are counted', () => {
  assert.equal(join([[{}], [{}, {}], [{}]], rows).numRows, 4)
})

test('the error says which batch it was, also behind others', () => {
  const at = (number: number) => (error: unknown) => {
    return error instanceof AtBatch && error.number === number
  }
  const good = { n: [1], s: ['a'] }
  assert.throws(() => join([good, { n: [1, 2], s: ['a'] }, good]), at(1))
  assert.throws(() => join([good, good, { n: [1, 'x'], s: ['a', 'b'] }]), at(2))
  assert.throws(() => join([good, 5]), at(1))
  assert.throws(() => join([good, null]), at(1))
  assert.throws(() => join([[{ n: 1 }], good], rows), at(1))
})

test('many small batches hold little more than their values', () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const heldBytes = (): number => {
    gc()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = heldBytes()
  const joiner = new BatchJoiner(like, columns)
  // A table for each would be a kilobyte and more, 100 MB in all.
  const count = 100_000
  for (let i = 0; i < count; i++) joiner.add({ n: [i], x: Float64Array.of(i) }, i)
  assert.ok(heldBytes() - before < 20e6)
  assert.equal(joiner.finish().numRows, count)
})
