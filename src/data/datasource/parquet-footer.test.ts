import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { execute, query, quoteText } from '../engine/engine.js'
import { readFooters } from './parquet-footer.js'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'typeray-footers-'))
after(() => fs.rmSync(folder, { recursive: true }))

function write(name: string, sql: string, options = ''): string {
  const file = path.join(folder, name)
  execute(`COPY (${sql}) TO ${quoteText(file)} (FORMAT parquet${options})`)
  return file
}

/** What the engine says of the row groups. */
function engineGroups(file: string) {
  const groups = query(
    `SELECT row_group_id::INTEGER AS id, any_value(row_group_num_rows)::DOUBLE AS rows,
       sum(total_uncompressed_size)::DOUBLE AS bytes
     FROM parquet_metadata(${quoteText(file)}) GROUP BY id ORDER BY id`,
  )
  return [...groups].map(({ rows, bytes }) => ({ rows: Number(rows), bytes: Number(bytes) }))
}

const wide = Array.from({ length: 1000 }, (_, i) => `i * ${i} AS "a column with number ${i}"`)
const files = [
  write('one.parquet', 'SELECT i, i % 7 AS k FROM range(1000) t(i)'),
  write('groups.parquet', 'SELECT i FROM range(10000) t(i)', ', ROW_GROUP_SIZE 2048'),
  write('empty.parquet', 'SELECT 1 AS i WHERE false'),
  write('wide.parquet', `SELECT ${wide.join(', ')} FROM range(10) t(i)`),
  write(
    'nested.parquet',
    `SELECT [i, i + 1] AS list, {'a': i, 'b': i > 3} AS struct, i::VARCHAR AS text,
       i::DECIMAL(12, 2) AS amount, i % 2 = 0 AS flag, TIMESTAMP '2020-01-01' AS at
     FROM range(100) t(i)`,
    ", KV_METADATA { note: 'something else' }",
  ),
]

test('row groups are those that the engine finds', () => {
  const footers = readFooters(files)
  assert.equal(footers?.length, files.length)
  for (const [i, file] of files.entries()) {
    assert.deepEqual(footers[i]?.groups, engineGroups(file), file)
  }
})

test('files of the same columns say so, whatever is in them', () => {
  const more = [
    write('more.parquet', 'SELECT i, i % 9 AS k FROM range(5) t(i)', ', COMPRESSION zstd'),
    write('other.parquet', 'SELECT i, i % 9 AS l FROM range(5) t(i)'),
    write('wider.parquet', 'SELECT i, (i % 9)::DOUBLE AS k FROM range(5) t(i)'),
  ]
  const [one, same, ...others] = readFooters([...files.slice(0, 1), ...more]) ?? []
  assert.equal(same?.schema, one?.schema)
  assert.equal(new Set([one, ...others].map((footer) => footer?.schema)).size, 3)
})

test('whatever is not a whole Parquet file is left to the engine', () => {
  const whole = fs.readFileSync(files[1] ?? '')
  const broken: Record<string, Uint8Array> = {
    nothing: Buffer.alloc(0),
    short: Buffer.from('PAR1'),
    text: Buffer.from('x,y\n1,2\n'.repeat(100)),
    'cut off': whole.subarray(0, whole.length - 20),
    'begun in the middle': whole.subarray(whole.length - 40),
    'too long a footer': Buffer.from(whole).fill(0xff, whole.length - 8, whole.length - 4),
    'zeros for a footer': Buffer.from(whole).fill(0, whole.length - 200, whole.length - 8),
    encrypted: Buffer.from(whole).fill('E', whole.length - 1),
  }
  for (const [name, bytes] of Object.entries(broken)) {
    const file = path.join(folder, name)
    fs.writeFileSync(file, bytes)
    assert.equal(readFooters([...files, file]), undefined, name)
  }
})

test('no bytes in place of a footer make it go on for ever, or be more than odd', () => {
  const whole = fs.readFileSync(files[4] ?? '')
  const from = whole.length - 8 - whole.readUInt32LE(whole.length - 8)
  const file = path.join(folder, 'mangled')
  let state = 1
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(whole)
    for (let change = 0; change < 1 + (round % 4); change++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      bytes[from + ((state >>> 8) % (whole.length - 8 - from))] = state & 255
    }
    fs.writeFileSync(file, bytes)
    for (const { rows } of readFooters([file])?.[0]?.groups ?? []) assert.ok(rows >= 0)
  }
})
