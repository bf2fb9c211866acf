import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { execute, query, quoteText } from './engine.js'

test('a file that changes within a second, and keeps its size, is read anew', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'typeray-engine-'))
  const at = path.join(folder, 'x.parquet')
  const age = new Date('2020-01-01')
  try {
    const files = [100, 200].map((first) => {
      const file = path.join(folder, `${first}.parquet`)
      const rows = `SELECT i + ${first} AS id FROM range(50) AS r(i)`
      execute(`COPY (${rows}) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION uncompressed)`)
      return { first, bytes: fs.readFileSync(file) }
    })
    assert.equal(files[0]?.bytes.length, files[1]?.bytes.length)
    for (const { first, bytes } of files) {
      fs.writeFileSync(at, bytes)
      fs.utimesSync(at, age, age)
      const [footer] = query(`SELECT min(id)::INTEGER AS id FROM read_parquet(${quoteText(at)})`)
      const [row] = query(`SELECT id::INTEGER AS id FROM read_parquet(${quoteText(at)})`)
      assert.deepEqual([footer?.id, row?.id], [first, first])
    }
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
})
