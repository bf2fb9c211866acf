// `mapGroups` against plain arrays: groups of several keys with nulls, in every batch format, by
// functions, generators and classes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Table } from 'apache-arrow'
import fc from 'fast-check'
import type { Dataset } from '../../src/data/index.js'
import { datasetOf } from './data-blocks.js'

interface Row {
  readonly k: string | null
  readonly n: number | null
  readonly i: number
}
interface Group {
  readonly k: string | null
  readonly n: number | null
  readonly list: string
}

const cell = fc.record({
  k: fc.option(fc.constantFrom('a', 'ü', ''), { freq: 3 }),
  n: fc.option(fc.constantFrom(0, -1.5, 7), { freq: 3 }),
})
const blocks = fc
  .array(fc.array(cell, { maxLength: 10 }), { minLength: 1, maxLength: 4 })
  .map((parts): Row[][] => {
    let i = 0
    return parts.map((rows) => rows.map((row) => ({ ...row, i: i++ })))
  })

/** Sorted text of the groups: their order is not defined. */
const textOf = (groups: readonly Group[]): string[] => {
  return groups.map(({ k, n, list }) => JSON.stringify([k, n, list])).sort()
}

function expectedOf(rows: readonly Row[]): string[] {
  const groups = new Map<string, Group>()
  for (const { k, n, i } of rows) {
    const key = JSON.stringify([k, n])
    const list = groups.get(key)?.list
    groups.set(key, { k, n, list: list === undefined ? `${i}` : `${list} ${i}` })
  }
  return textOf([...groups.values()])
}

const ofRows = (rows: readonly Row[]): Group[] => {
  const { k = null, n = null } = rows[0] ?? {}
  return [{ k, n, list: rows.map(({ i }) => i).join(' ') }]
}

interface Batch {
  readonly k: readonly (string | null)[]
  readonly n: ArrayLike<number | null>
  readonly i: ArrayLike<number>
}
const ofColumns = ({ k, n, i }: Batch) => {
  return { k: [k[0] ?? null], n: [n[0] ?? null], list: [Array.from(i).join(' ')] }
}

class ByClass {
  readonly separator: string
  constructor(separator: string) {
    this.separator = separator
  }
  call(rows: readonly Row[]): Group[] {
    return ofRows(rows).map((group) => ({ ...group, list: group.list.replaceAll(' ', '/') }))
  }
}

test('groups of several keys come whole and in order, in every format', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, fc.integer({ min: 1, max: 3 }), async (parts, numPartitions) => {
      const grouped = datasetOf(parts).groupBy(['k', 'n'], { numPartitions })
      const expected = expectedOf(parts.flat())
      const check = async (made: Dataset<Group>): Promise<void> => {
        assert.deepEqual(textOf(await made.takeAll()), expected)
      }
      await check(grouped.mapGroups(ofRows, { batchFormat: 'rows' }))
      await check(grouped.mapGroups(ofColumns as never) as unknown as Dataset<Group>)
      await check(
        grouped.mapGroups(
          function* (rows: Row[]) {
            yield []
            yield ofRows(rows)
          },
          { batchFormat: 'rows' },
        ),
      )
      const rows = (table: Table): Table => table.slice(0, 1)
      const firsts = grouped.mapGroups<Row>(rows, { batchFormat: 'arrow' })
      assert.equal((await firsts.takeAll()).length, expected.length)
      const byClass = grouped.mapGroups(ByClass, {
        batchFormat: 'rows',
        concurrency: 2,
        fnConstructorArgs: ['/'],
      })
      const slashed = (await byClass.takeAll()).map((group) => {
        return { ...group, list: group.list.replaceAll('/', ' ') }
      })
      assert.deepEqual(textOf(slashed), expected)
    }),
    { numRuns: 30 },
  )
})

test('an error names the function and the group', async () => {
  const rows = [{ k: 'a', n: 1 }, { k: 'b', n: null }] // prettier-ignore
  const failing = datasetOf([rows])
    .groupBy(['k', 'n'])
    .mapGroups(({ k }): { k: string[] } => {
      if (k[0] === 'b') throw new RangeError('no')
      return { k }
    })
  await assert.rejects(
    failing.takeAll(),
    /mapGroups\(anonymous\) failed in the group k = b, n = null: RangeError: no/,
  )
})

test('a function of groups or of sorted rows has the concurrency that it asks for', async () => {
  let running = 0
  let most = 0
  const counted = async <T>(value: T): Promise<T> => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return value
  }
  const parts = Array.from({ length: 6 }, (_, i) => [{ k: i }, { k: i + 1 }])
  const sorted = datasetOf(parts).sort('k').mapBatches(counted, { concurrency: 1 })
  assert.equal((await sorted.takeAll()).length, 12)
  const groups = datasetOf(parts)
    .groupBy('k', { numPartitions: 4 })
    .mapGroups((rows: { k: number }[]) => counted(rows.slice(0, 1)), {
      batchFormat: 'rows',
      concurrency: 1,
    })
  assert.equal((await groups.takeAll()).length, 7)
  assert.equal(most, 1)
})
