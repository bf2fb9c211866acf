import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Float64, makeData } from 'apache-arrow'
import { type Block, blockOfColumns, blockOfData } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'
import { rowsOfBlock } from '../block/rows.js'
import { col } from '../expression/expression.js'
import { partitionBlock, sampleKeys } from './partition.js'
import { sortBlock } from './sort.js'
import type { SortKey } from './sort-key.js'

const key = (name: string, isDescending = false, nulls: 'first' | 'last' = 'last'): SortKey => {
  return { value: col(name).node, isDescending, nulls }
}

const rows = 500
const pseudo = (i: number): number => (i * 7919) % 101
const block = blockOfColumns({
  whole: Float64Array.from({ length: rows }, (_, i) => pseudo(i) - 50),
  broken: Float64Array.from({ length: rows }, (_, i) => (i % 9 === 0 ? Number.NaN : pseudo(i) / 7)),
  wide: BigInt64Array.from({ length: rows }, (_, i) => BigInt(pseudo(i)) * 10_000_000_000_000_000n),
  int: Int32Array.from({ length: rows }, (_, i) => pseudo(i)),
  gap: Array.from({ length: rows }, (_, i) => (i % 5 === 0 ? null : -pseudo(i))),
  word: Array.from({ length: rows }, (_, i) => (i % 7 === 0 ? null : `w${pseudo(i) % 13}ü`)),
  text: Array.from({ length: rows }, (_, i) => `t${(i * 31) % 499}`),
  at: Array.from({ length: rows }, (_, i) => new Date(pseudo(i) * 1e9)),
  row: Float64Array.from({ length: rows }, (_, i) => i),
})

/** As the engine has it: NaN behind all numbers, nulls where they are wanted. */
function compare(a: unknown, b: unknown, { isDescending, nulls }: SortKey): number {
  if (a === null || b === null) {
    if (a === b) return 0
    return (a === null) === (nulls === 'first') ? -1 : 1
  }
  const sign = isDescending ? -1 : 1
  if (Number.isNaN(a) || Number.isNaN(b)) {
    return Number.isNaN(a) === Number.isNaN(b) ? 0 : Number.isNaN(a) ? sign : -sign
  }
  if (typeof a === 'string') {
    return sign * Buffer.compare(Buffer.from(a), Buffer.from(String(b)))
  }
  return (a as number) < (b as number) ? -sign : (a as number) > (b as number) ? sign : 0
}

function expected(of: Block, keys: readonly SortKey[]): number[] {
  const name = ({ value }: SortKey): string => (value.kind === 'column' ? value.name : '')
  const sorted = rowsOfBlock(of).sort((a, b) => {
    for (const each of keys) {
      const order = compare(a[name(each)], b[name(each)], each)
      if (order !== 0) return order
    }
    return (a.row as number) - (b.row as number)
  })
  return sorted.map(({ row }) => row as number)
}

const rowsOf = (of: Block): number[] => rowsOfBlock(of).map(({ row }) => row as number)

const columns = ['whole', 'broken', 'wide', 'int', 'gap', 'word', 'text', 'at']

test('columns of every kind are sorted both ways, nulls and NaN where they belong', () => {
  for (const name of columns) {
    for (const isDescending of [false, true]) {
      for (const nulls of ['first', 'last'] as const) {
        const keys = [key(name, isDescending, nulls)]
        assert.deepEqual(rowsOf(sortBlock(block, keys)), expected(block, keys), name)
      }
    }
  }
})

test('what lies where there are no values does not tell nulls apart', () => {
  const values = Float64Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? i : 63 - i))
  const valid = new Uint8Array(8).fill(0b0101_0101)
  const type = new Float64()
  const n = makeData({ type, length: 64, nullCount: 32, nullBitmap: valid, data: values })
  const row = makeData({ type, length: 64, data: Float64Array.from({ length: 64 }, (_, i) => i) })
  const nulls = rowsOf(sortBlock(blockOfData(['n', 'row'], [n, row]), [key('n')])).slice(32)
  assert.deepEqual(
    nulls,
    Array.from({ length: 32 }, (_, i) => 2 * i + 1),
  )
})

test('later keys decide where earlier ones are equal', () => {
  for (const keys of [
    [key('word'), key('broken', true, 'first')],
    [key('int', true), key('text')],
    [key('gap', false, 'first'), key('at', true), key('whole')],
  ]) {
    assert.deepEqual(rowsOf(sortBlock(block, keys)), expected(block, keys))
  }
})

test('ranges of a sort hold all rows in between, whether cut by number or by bytes', () => {
  for (const name of columns) {
    for (const keys of [[key(name)], [key(name, true, 'first'), key('text')]]) {
      const sample = [...sampleKeys(block, keys, 60)]
      sample.sort((a, b) => Buffer.compare(a.key, b.key))
      const cuts = [15, 30, 45].map((i) => sample[i])
      const boundaries = cuts.map((cut) => cut?.key ?? new Uint8Array(0))
      const firsts = cuts.flatMap((cut) => cut?.first ?? [])
      const modes = firsts.length === 3 && new Set(firsts).size === 3 ? [firsts, undefined] : []
      for (const mode of [...modes, undefined]) {
        const by = { kind: 'range', keys, boundaries, firsts: mode } as const
        const parts = partitionBlock(block, by, { count: 4, index: 0 })
        const sorted = concatBlocks(parts.map((part) => sortBlock(part, keys)))
        assert.deepEqual(rowsOf(sorted), expected(block, keys), name)
      }
    }
  }
})
