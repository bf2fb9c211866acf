import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../base/prng.js'
import { Dataset } from '../dataset.js'
import { DatasetSession } from '../dataset-session.js'
import { InProcessRunner } from './in-process-runner.js'
import { sortCuts } from './sort-cuts.js'

const rows = 4000
const blocks = 10

interface Row {
  readonly id: number
  readonly key: number | string | null
}

/** What is in each block of sorted rows. */
async function sorted(keyOf: (id: number) => Row['key'], isDescending: boolean): Promise<Row[][]> {
  const source = { kind: 'range', rows, blocks } as const
  const ds = new Dataset<Row>(new DatasetSession(new InProcessRunner()), { source, steps: [] })
  const keyed = ds.map(({ id }) => ({ id, key: keyOf(id) }))
  const made: Row[][] = []
  for await (const batch of keyed
    .sort('key', { descending: isDescending })
    .iterBatches({ batchFormat: 'rows' })) {
    made.push([...batch] as Row[])
  }
  return made
}

test('a sort in which nearly all rows have one key has no large block, and is stable', async () => {
  const prng = new Prng(5)
  const draws = Array.from({ length: rows }, () => prng.integer(0, 99))
  const common = (id: number): boolean => (draws[id] ?? 0) < 95
  const kinds: Record<string, (id: number) => Row['key']> = {
    number: (id) => (common(id) ? 50 : (draws[id] ?? 0) + id / rows - 47.5),
    text: (id) => (common(id) ? 'm' : String.fromCharCode(97 + (id % 26))),
    null: (id) => (common(id) ? null : id % 26),
    same: () => 7,
  }
  for (const [i, [kind, keyOf]] of Object.entries(kinds).entries()) {
    const isDescending = i % 2 === 1
    const made = await sorted(keyOf, isDescending)
    // Blocks without rows are not seen, and lie on both sides of the key.
    assert.ok(made.length >= blocks - 2, `${kind}: ${made.length} blocks`)
    const largest = Math.max(...made.map((block) => block.length))
    assert.ok(largest <= (3 * rows) / blocks, `${kind}: ${largest} rows in a block`)
    const order = (a: Row['key'], b: Row['key']): number => {
      if (a === b) return 0
      if (a === null || b === null) return a === null ? 1 : -1
      return a < b === isDescending ? 1 : -1
    }
    const expected = Array.from({ length: rows }, (_, id) => ({ id, key: keyOf(id) }))
    expected.sort((a, b) => order(a.key, b.key))
    assert.deepEqual(
      made.flat().map(({ id }) => id),
      expected.map(({ id }) => id),
      kind,
    )
  }
})

test('a key that several cuts fall on is a part of its own, with as many blocks', () => {
  const key = (...bytes: number[]) => ({ key: Uint8Array.from(bytes), first: bytes[0] ?? null })
  const sample = [key(1), ...Array.from({ length: 6 }, () => key(5)), key(7)]
  const { boundaries, firsts, parts } = sortCuts(sample, 4)
  assert.deepEqual(
    boundaries.map((each) => [...each]),
    [[5], [5, 0]],
  )
  assert.equal(firsts, undefined)
  assert.deepEqual(
    parts.map(({ isEqual, blocks: count }) => [isEqual, count]),
    [
      [false, 1],
      [true, 2],
      [false, 1],
    ],
  )
  const apart = sortCuts(
    [1, 2, 3, 4].map((n) => key(n)),
    4,
  )
  assert.deepEqual(apart.firsts, [2, 3, 4])
  assert.ok(apart.parts.length === 4 && apart.parts.every(({ isEqual }) => !isEqual))
})
