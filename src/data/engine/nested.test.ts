import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Table, tableFromIPC, tableToIPC } from 'apache-arrow'
import { rowsOfBlock } from '../block/rows.js'
import { plainBlock } from '../block/plain-data.js'
import { meetUsersArrow } from '../block/arrow-library.js'
import { withBlock } from './block-scan.js'
import { query } from './engine.js'

before(meetUsersArrow)

/** Each column, and the expression of `i` that made it. */
const columns = {
  list: 'CASE WHEN i % 7 = 0 THEN NULL ELSE list_transform(range(i % 5), x -> x * i) END',
  struct: `CASE WHEN i % 11 = 0 THEN NULL
    ELSE {'a': i, 'b': CASE WHEN i % 3 = 0 THEN NULL ELSE 's' || i END, 'c': [i, NULL]} END`,
  map: `map([i, i + 1], ['x', 'y' || i])`,
  vector: 'array_value(i::FLOAT, 1, 2)',
  matrix: 'array_value(array_value(i::INTEGER, 1), array_value(2, 3))',
  deep: `[{'q': i, 'w': [[i], NULL]}]`,
  bytes: `('a' || i)::BLOB`,
  decimal: '(i / 8)::DECIMAL(20, 3)',
  time: `(TIME '10:00:00' + to_seconds(i))::TIME`,
  flag: 'CASE WHEN i % 4 = 0 THEN NULL ELSE i % 3 = 0 END',
  zoned: `TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_seconds(i)`,
}

const made = query(
  `SELECT i, ${Object.entries(columns).map(([name, sql]) => `${sql} AS ${name}`)}
   FROM range(5000) AS r(i)`,
)

/** The number of rows, and for each column how many DuckDB finds to be what they were. */
function unchanged(block: Table): Record<string, number> {
  const counts = Object.entries(columns).map(([name, sql]) => {
    return `count(*) FILTER (${name} IS NOT DISTINCT FROM (${sql}))::DOUBLE AS ${name}`
  })
  return withBlock(plainBlock(block), (table) => {
    const [row] = rowsOfBlock(query(`SELECT count(*)::DOUBLE AS rows, ${counts} FROM ${table}`))
    return row as Record<string, number>
  })
}

test('nested columns leave the engine and enter it again unchanged', () => {
  for (const count of Object.values(unchanged(made))) assert.equal(count, 5000)
})

test('so they do after a trip through a message, and in slices', () => {
  const travelled = tableFromIPC(tableToIPC(made))
  for (const count of Object.values(unchanged(travelled))) assert.equal(count, 5000)
  for (const count of Object.values(unchanged(travelled.slice(1001, 3334)))) {
    assert.equal(count, 2333)
  }
})

test('a type that blocks do not have is refused by the name of its column', () => {
  assert.throws(() => query(`SELECT INTERVAL 1 DAY AS lasts`), /Column "lasts" has a type/)
  assert.throws(() => query(`SELECT 'a'::ENUM ('a', 'b') AS letter`), /"letter" is an ENUM/)
})
