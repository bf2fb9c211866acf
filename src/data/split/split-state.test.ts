import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RefBundle } from '../block/metadata.js'
import { cutAt, evenIndices, type RowRange } from './row-ranges.js'
import { SplitState } from './split-state.js'

const bundleOf = (rows: number): RefBundle => {
  const metadata = { rows, bytes: 8 * rows, schema: [], pid: 1, host: 'h', wallMs: 0 }
  return { block: {} as RefBundle['block'], metadata }
}

const rowsOf = ({ start, end }: RowRange): number => end - start

/** Readers ask in a random order until each has got its end; blocks come when nobody can go on. */
function share(
  blocks: readonly number[],
  readers: number,
  options: { equal: boolean; order: readonly number[] },
): number[] {
  const state = new SplitState(readers, options.equal)
  const given = new Array<number>(readers).fill(0)
  const open = new Set(given.keys())
  const left = blocks.map(bundleOf)
  for (let turn = 0; open.size > 0; turn++) {
    const asking = [...open]
    const reader = asking[(options.order[turn % options.order.length] ?? 0) % asking.length] ?? 0
    const taken = state.take(reader)
    if (taken === 'end') open.delete(reader)
    else if (taken !== 'later') given[reader] = (given[reader] ?? 0) + rowsOf(taken)
    else if (left.length === 0) state.end()
    else state.add(left.shift() as RefBundle)
  }
  return given
}

const someBlocks = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 30 })
const someOrder = fc.array(fc.nat(20), { minLength: 1, maxLength: 20 })

test('an equal split gives every reader the same, and drops less than one row of each', () => {
  fc.assert(
    fc.property(someBlocks, fc.integer({ min: 1, max: 6 }), someOrder, (blocks, readers, order) => {
      const total = blocks.reduce((sum, rows) => sum + rows, 0)
      const given = share(blocks, readers, { equal: true, order })
      assert.deepEqual(given, new Array(readers).fill(Math.floor(total / readers)))
    }),
  )
})

test('a split that need not be equal gives away every row', () => {
  fc.assert(
    fc.property(someBlocks, fc.integer({ min: 1, max: 6 }), someOrder, (blocks, readers, order) => {
      const total = blocks.reduce((sum, rows) => sum + rows, 0)
      const given = share(blocks, readers, { equal: false, order })
      assert.equal(
        given.reduce((sum, rows) => sum + rows, 0),
        total,
      )
    }),
  )
})

test('cutting at indices gives the rows between them', () => {
  const cuts = fc.array(fc.nat(400), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(someBlocks, cuts, (blocks, unsorted) => {
      const indices = unsorted.sort((a, b) => a - b)
      const total = blocks.reduce((sum, rows) => sum + rows, 0)
      const parts = cutAt(blocks.map(bundleOf), indices)
      const sizes = parts.map((part) => part.reduce((sum, range) => sum + rowsOf(range), 0))
      const bounds = [0, ...indices, Number.POSITIVE_INFINITY].map((at) => Math.min(at, total))
      assert.deepEqual(
        sizes,
        bounds.slice(1).map((bound, i) => bound - (bounds[i] ?? 0)),
      )
    }),
  )
})

test('even parts differ by one row at most', () => {
  assert.deepEqual(evenIndices(10, 3), [3, 6])
  assert.deepEqual(evenIndices(2, 4), [0, 1, 1])
})
