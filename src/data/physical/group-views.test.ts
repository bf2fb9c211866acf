import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { type BatchFormat, batchFormats, batchOfBlock } from '../block/batch.js'
import { blockOfColumns, isTable } from '../block/block.js'
import type { DateFormat } from '../block/column.js'
import { dictionaryEncode } from '../block/dictionary-column.js'
import { rowsOfBlock } from '../block/rows.js'
import { GroupViews } from './group-views.js'

const rows = 20_000
const of = <T>(value: (row: number) => T): T[] => Array.from({ length: rows }, (_, i) => value(i))
const sparse = (row: number): boolean => row % 7 === 3 || (row > 500 && row < 600)

const block = blockOfColumns({
  int: Int32Array.from(of((i) => i)),
  wide: BigInt64Array.from(of(BigInt)),
  gaps: of((i) => (sparse(i) ? null : i / 2)),
  text: of((i) => (sparse(i) ? null : `text ${i}`)),
  code: dictionaryEncode(of((i) => `code ${i % 5}`)),
  flag: of((i) => i % 3 === 0),
  day: of((i) => new Date(i * 86_400_000)),
  late: of((i) => (sparse(i) ? null : new Date(i))),
  list: of((i) => [i, i + 1]),
  ['__proto__']: of((i) => i),
})

/** Groups of one to three rows, and two that are larger than a window. */
const ends: number[] = []
for (let end = 1; end < 1000; end += 1 + (end % 3)) ends.push(end)
ends.push(10_000, 10_001, rows)

function plain(view: unknown): unknown {
  return isTable(view) ? rowsOfBlock(view) : Array.isArray(view) ? view : { ...(view as object) }
}

function check(batchFormat: BatchFormat, dates: DateFormat): void {
  const options = { batchFormat, dates }
  const views = new GroupViews(block, ends, options)
  for (let group = 0; group < ends.length; group++) {
    const alone = batchOfBlock(views.rowsOf(group), options)
    assert.deepEqual(plain(views.view(group)), plain(alone), `group ${group}`)
  }
}

test('a group in a window is what it would be alone, in every format', () => {
  for (const batchFormat of batchFormats) check(batchFormat, 'date')
  check('columns', 'number')
})

test('columns that only some groups read are there, in order, for all', () => {
  const views = new GroupViews(block, ends, { batchFormat: 'columns', dates: 'date' })
  const names = block.schema.fields.map(({ name }) => name)
  for (let group = 0; group < 20; group++) {
    const view = views.view(group) as Record<string, ArrayLike<unknown>>
    assert.deepEqual(Object.keys(view), names)
    const name = names[group % 3] ?? ''
    assert.equal(view[name]?.length, view['int']?.length)
    if (group === 5) assert.match(inspect(view), /text: \[/)
    view['int'] = [5]
    assert.deepEqual(view['int'], [5])
  }
})
