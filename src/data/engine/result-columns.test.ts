import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DataType, type Table } from 'apache-arrow'
import { query } from './engine.js'

/** More than three vectors of the engine, the last one short. */
const rows = 6500

/** The values of the only column, as they print. */
function valuesOf(table: Table): string[] {
  return Array.from(table.getChildAt(0) ?? [], (value) => String(value))
}

function isCoded(table: Table): boolean {
  return DataType.isDictionary(table.schema.fields[0]?.type)
}

const from = `FROM range(${rows}) AS r(i)`
const sometimes = 'CASE WHEN i % 5 = 0 OR i BETWEEN 2048 AND 4095 THEN NULL ELSE'

test("values of a fixed width come out of the engine's vectors as they are", () => {
  for (const type of ['TINYINT', 'USMALLINT', 'INTEGER', 'UBIGINT', 'FLOAT', 'DOUBLE']) {
    for (const value of ['(i % 120)', `${sometimes} (i % 120) END`]) {
      const table = query(`SELECT ${value}::${type} AS v ${from}`)
      const expected = query(`SELECT ${value}::INTEGER::VARCHAR AS v ${from}`)
      assert.deepEqual(valuesOf(table), valuesOf(expected), `${value} as ${type}`)
    }
  }
  for (const type of ['DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMPTZ']) {
    const value = `make_timestamp(i * 86461000000)`
    const table = query(`SELECT (${value})::${type} AS v ${from}`)
    const back = query(`SELECT epoch_us((${value})::${type})::DOUBLE AS v ${from}`)
    assert.deepEqual(table.numRows, back.numRows)
    const raw = Array.from(table.getChildAt(0)?.data[0]?.values as ArrayLike<unknown>, Number)
    const perUnit = { DATE: 86_400e6, TIMESTAMP_S: 1e6, TIMESTAMP_MS: 1e3 }[type] ?? 1
    const expected = Array.from(back.getChildAt(0)?.data[0]?.values as ArrayLike<number>)
    assert.deepEqual(
      raw,
      expected.map((us) => us / perUnit),
      type,
    )
  }
})

const strings: readonly (readonly [name: string, value: string, isCoded: boolean])[] = [
  ['short ones that repeat', `'k' || (i % 7)`, true],
  ['empty ones', `CASE WHEN i % 3 = 0 THEN '' ELSE 'x' END`, true],
  ['twelve bytes', `'twelve bytes'`, true],
  ['more than one byte for a character', `'zoë' || (i % 4)`, true],
  ['nulls between', `${sometimes} 'k' || (i % 7) END`, true],
  ['nothing but nulls', 'NULL::VARCHAR', true],
  ['NUL bytes', `CASE WHEN i % 2 = 0 THEN 'a' ELSE 'a' || chr(0) END`, true],
  ['long ones that repeat', `'a string that does not fit ' || (i % 7)`, true],
  ['a long one at the end', `CASE WHEN i = 6400 THEN 'a string that is long' ELSE 'k' END`, true],
  ['distinct ones', `'k' || i`, false],
  ['distinct ones at the end', `CASE WHEN i < 4500 THEN 'k' ELSE 'k' || i END`, false],
  ['long, distinct and null', `${sometimes} 'a string that does not fit ' || i END`, false],
]

test('strings become codes where they repeat, and are the same either way', () => {
  for (const [name, value, coded] of strings) {
    const plain = query(`SELECT ${value} AS v ${from}`)
    const table = query(`SELECT ${value} AS v ${from}`, 'coded')
    assert.equal(isCoded(plain), false, name)
    assert.equal(isCoded(table), coded, name)
    assert.deepEqual(valuesOf(table), valuesOf(plain), name)
    assert.equal(table.getChildAt(0)?.nullCount, plain.getChildAt(0)?.nullCount, name)
  }
})

test('every string of a column of many has its own code', () => {
  const table = query(`SELECT 's' || (i * 7919 % 3000) AS v FROM range(60000) AS r(i)`, 'coded')
  const data = table.getChildAt(0)?.data[0]
  assert.equal(data?.dictionary?.length, 3000)
  const distinct = new Set(data.dictionary)
  assert.equal(distinct.size, 3000)
  const row = 59_999
  assert.equal(table.getChildAt(0)?.get(row), `s${(row * 7919) % 3000}`)
})

test('columns of different kinds keep their rows together', () => {
  const sql = `SELECT i::INTEGER AS number, 'k' || (i % 7) AS short, [i] AS list,
    'a string that does not fit ' || i AS long, i % 2 = 0 AS even ${from} WHERE i % 3 > 0`
  const table = query(sql, 'coded')
  assert.equal(table.numRows, 4333)
  for (const [at, { number, short, list, long, even }] of [...table].entries()) {
    const i = Math.floor(at / 2) * 3 + (at % 2) + 1
    const shown = [number, short, Number(list.get(0)), long, even]
    const expected = [i, `k${i % 7}`, i, `a string that does not fit ${i}`, i % 2 === 0]
    assert.deepEqual(shown, expected)
  }
})
