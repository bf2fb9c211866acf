import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import * as arrow from 'apache-arrow'
import { arrowStream } from '../../base/arrow-stream.js'
import { pieceBytes } from '../../base/pieced-bytes.js'
import { permutation } from '../relational/sample.js'
import { meetUsersArrow } from './arrow-library.js'
import { type Block, blockOfColumns, sliceBlock } from './block.js'
import { concatBlocks } from './concat.js'
import { deferGather, gatherBlock } from './gather.js'
import { rowsOfBlock } from './rows.js'
import { deferScatter, gatherTo } from './scatter.js'

before(meetUsersArrow)

/** What a reader gets of a block that is stored. */
function stored(block: Block): Block {
  return arrow.tableFromIPC(pieceBytes(arrowStream(arrow, block)))
}

/** Columns of all kinds: fixed widths, dictionaries that differ by block, strings, nulls, lists. */
function blockFrom(first: number, rows: number, isOdd = false): Block {
  const ids = Array.from({ length: rows }, (_, i) => first + i)
  return blockOfColumns({
    double: Float64Array.from(ids, (id) => id / 2),
    bigint: BigInt64Array.from(ids, (id) => -BigInt(id)),
    unsigned: BigUint64Array.from(ids, BigInt),
    small: Uint16Array.from(ids),
    word: ids.map((id) => `w${id % (isOdd ? 5 : 3)}`),
    name: ids.map((id) => `name ${id}`),
    maybe: ids.map((id) => (id % 3 === 0 ? null : id)),
    is: ids.map((id) => id % 2 === 0),
    list: ids.map((id) => [id, id + 1]),
    when: ids.map((id) => new Date(id * 1000)),
    other: isOdd ? Float64Array.from(ids) : Int32Array.from(ids),
  })
}

test('rows that are scattered where they are stored are those that are gathered', () => {
  const blocks = [
    blockFrom(0, 100),
    blockFrom(100, 0),
    blockFrom(100, 77),
    blockFrom(177, 90, true),
  ]
  for (const some of [blocks, blocks.slice(0, 3), blocks.slice(0, 1), blocks.slice(1, 2)]) {
    const rows = some.reduce((sum, { numRows }) => sum + numRows, 0)
    const to = permutation(rows, { seed: 7, index: 3 })
    const made = stored(deferScatter(some.map(stored), to))
    assert.deepEqual(rowsOfBlock(made), rowsOfBlock(gatherTo(concatBlocks(some), to)))
    assert.equal(made.numRows, rows)
  }
})

test('blocks that lack a column, or have them in another order, are scattered as well', () => {
  const [one, two] = [blockFrom(0, 70), blockFrom(70, 70)]
  const blocks = [one, two.select(['word', 'double'])]
  const to = permutation(140, { seed: 7, index: 3 })
  const made = stored(deferScatter(blocks, to))
  assert.deepEqual(rowsOfBlock(made), rowsOfBlock(gatherTo(concatBlocks(blocks), to)))
})

test('rows that are gathered where they are stored are those that are gathered before', () => {
  const block = blockFrom(0, 200)
  for (const each of [block, stored(block), sliceBlock(block, 10, 150)]) {
    const rows = permutation(each.numRows, { seed: 1, index: 0 }).subarray(0, 60)
    for (const some of [rows, rows.subarray(0, 0)]) {
      assert.deepEqual(
        rowsOfBlock(stored(deferGather(each, some))),
        rowsOfBlock(gatherBlock(each, some)),
      )
    }
  }
})
