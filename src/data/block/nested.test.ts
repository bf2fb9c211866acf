import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { tableFromIPC, tableToIPC } from 'apache-arrow'
import { meetUsersArrow } from './arrow-library.js'
import { type Block, blockOfColumns, columnsOfBlock, schemaOfBlock, sliceBlock } from './block.js'
import { concatBlocks } from './concat.js'
import { gatherBlock } from './gather.js'
import { blockOfRows, rowsOfBlock } from './rows.js'
import { stackTensors, Tensor, TensorColumn } from './tensor.js'

before(meetUsersArrow)

const rows = Array.from({ length: 100 }, (_, i) => ({
  i,
  list: i % 7 === 0 ? null : Array.from({ length: i % 4 }, (_item, at) => i + at),
  words: [`w${i % 3}`, null, 'x'],
  struct: i % 5 === 0 ? null : { a: i, b: i % 2 === 0 ? null : `b${i}`, c: { d: [i] } },
  map: new Map([[`k${i}`, i]]),
  bytes: i % 9 === 0 ? null : Uint8Array.of(i, i + 1),
  vector: Float32Array.of(i, 0.5),
  image: new Tensor(Uint8Array.of(i, 1, 2, 3, 4, 5), [1, 2, 3]),
  sizes: new Tensor(new Float64Array(i % 3), [i % 3, 1]),
}))

function travelled(block: Block): Block {
  return tableFromIPC(tableToIPC(block))
}

test('lists, structs, maps, bytes and tensors come back as they went in', () => {
  const block = blockOfRows(rows)
  assert.deepEqual(rowsOfBlock(block), rows)
  assert.deepEqual(rowsOfBlock(travelled(block)), rows)
})

test('slices and selected rows of nested columns are the rows they say', () => {
  const block = travelled(blockOfRows(rows))
  assert.deepEqual(rowsOfBlock(sliceBlock(block, 33, 71)), rows.slice(33, 71))
  const picked = [99, 0, 7, 7]
  const expected = picked.map((i) => rows[i])
  assert.deepEqual(rowsOfBlock(gatherBlock(block, Uint32Array.from(picked))), expected)
})

test('blocks in which lists are empty, or fields have no values, go together with others', () => {
  const parts = [
    [
      { l: [], s: { a: null, b: [] } },
      { l: null, s: null },
    ],
    [
      { l: ['x', null], s: { a: 1, b: [[]] } },
      { l: [], s: { a: null, b: [['y']] } },
    ],
  ]
  for (const order of [parts, [...parts].reverse()]) {
    const blocks = order.map((part) => sliceBlock(travelled(blockOfRows(part)), 0, 2))
    assert.deepEqual(rowsOfBlock(concatBlocks(blocks)), order.flat())
    const last = blocks.map((block) => sliceBlock(block, 1, 2))
    assert.deepEqual(
      rowsOfBlock(concatBlocks(last)),
      order.map((part) => part[1]),
    )
  }
})

test('tensors of one shape are one buffer, and their rows are views of it', () => {
  const data = Float32Array.from({ length: 24 }, (_, i) => i)
  const block = blockOfColumns({ x: new TensorColumn(data, [2, 3]) })
  assert.equal(schemaOfBlock(block)[0]?.type, 'FixedSizeList[2]<FixedSizeList[3]<Float32>>')
  const { x } = columnsOfBlock(block)
  const views = x as Tensor<Float32Array>[]
  assert.deepEqual(views[1], new Tensor(data.slice(6, 12), [2, 3]))
  const stacked = stackTensors(views)
  assert.equal(stacked.data.buffer, data.buffer)
  assert.deepEqual(stacked.shape, [2, 3])
  assert.equal(stackTensors([views[1] ?? [], views[0] ?? []] as Tensor[]).data[0], 6)
})

test('values that have no type in common are refused by the name of their column', () => {
  assert.throws(() => blockOfColumns({ a: [[1], { b: 1 }] }), /column "a" have no common/)
  assert.throws(() => blockOfColumns({ a: [[1], ['x']] }), /column "a\[\]" differ in type/)
  assert.throws(() => new Tensor(new Uint8Array(5), [2, 3]), /has 6 numbers, and was given 5/)
})
