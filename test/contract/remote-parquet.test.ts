// Parquet files of which only parts come to this machine.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { readParquet } from '../../src/data/index.js'
import { describeFiles, queryFiles } from '../../src/data/datasource/file-readers.js'
import { execute, query, quoteText } from '../../src/data/engine/engine.js'
import { type FileServer, startFileServer } from './file-server.js'
import { filesOf, rowsOf, temporaryFolder } from './read-in-process.js'

const folder = temporaryFolder('remote-parquet')
let server: FileServer

/** Called before a GET is answered. */
let onGet: (path: string) => void = () => undefined

before(async () => {
  server = await startFileServer(({ method, url = '' }) => {
    if (method === 'GET') onGet(url)
    return false
  })
})
after(() => server.close())

/** Has the server give the rows of a query under a name. */
function serve(name: string, rows: string, options = ''): string {
  const file = path.join(folder, 'made.parquet')
  execute(`COPY (${rows}) TO ${quoteText(file)} (FORMAT parquet${options})`)
  server.files.set(`/${name}`, fs.readFileSync(file))
  return `${server.origin}/${name}`
}

test('files of one size are read one after the other, each with its own footer', async () => {
  const files = Array.from({ length: 12 }, (_, i) => {
    // Sizes repeat, and what lies where in the file differs.
    const rows = `SELECT if(i < ${i}, i, ${i}) AS a, if(i < ${11 - i}, i, ${i}) AS b`
    return serve(`${i}.parquet`, `${rows} FROM range(50) AS r(i)`)
  })
  const sizes = new Set(files.map((_, i) => server.files.get(`/${i}.parquet`)?.length))
  assert.ok(sizes.size < files.length)
  for (const [i, file] of [...files.entries(), ...files.entries()]) {
    const rows = await rowsOf(readParquet(file, { int64: 'number' }))
    const at = (row: number) => ({ a: Math.min(row, i), b: row < 11 - i ? row : i })
    assert.deepEqual(
      rows,
      Array.from({ length: 50 }, (_, row) => at(row)),
      String(i),
    )
  }
})

test('values are looked for in remote files that have bloom filters', async () => {
  const rows = `SELECT (i % 3000) * 2 AS k, 's' || (i % 3000) AS s`
  const options = ', ROW_GROUP_SIZE 4000, DICTIONARY_SIZE_LIMIT 100000'
  const file = serve('bloom.parquet', `${rows} FROM range(48000) AS r(i)`, options)
  const source = filesOf(readParquet(file))
  const { files, columns } = await describeFiles(source)
  const pieces = files[0]?.pieces ?? []
  assert.equal(pieces.length, 12)
  const count = (where: string) => {
    return pieces.map(async (piece) => {
      const request = { source, pieces: [piece], columns }
      const counted = await queryFiles(request, (sql) => {
        const [row] = query(`SELECT count(*)::INTEGER AS n FROM (${sql}) WHERE ${where}`)
        return Number(row?.n)
      })
      return counted ?? 0
    })
  }
  const expected = { 'k = 2000': 16, 'k = 2001': 0, "s = 's1000'": 16, "s = 't'": 0 }
  for (const [where, total] of Object.entries(expected)) {
    const counts = await Promise.all(count(where))
    assert.equal(
      counts.reduce((a, b) => a + b, 0),
      total,
      where,
    )
  }
})

test('an object that is replaced between its footer and its columns is read anew', async () => {
  const rowsOver = (from: number) =>
    `SELECT hash(i + ${from})::DOUBLE AS a FROM range(20000) AS r(i)`
  const [old, fresh] = [0, 1].map((from) => {
    serve('bucket/replaced.parquet', rowsOver(from), ', COMPRESSION uncompressed')
    return server.files.get('/bucket/replaced.parquet') ?? Buffer.alloc(0)
  })
  assert.ok(old !== undefined && fresh !== undefined && old.length === fresh.length)
  const keys = { accessKeyId: 'a', secretAccessKey: 'b' }
  const filesystem = { endpoint: server.origin, region: 'us-east-1', ...keys }
  const read = () => rowsOf(readParquet('s3://bucket/replaced.parquet', { filesystem }))
  const expected = await read()
  let gets = 0
  const swapAt = (...at: number[]) => {
    gets = 0
    server.files.set('/bucket/replaced.parquet', old)
    onGet = () => {
      // The footer is read to describe the file, and again with the columns.
      if (at.includes(++gets)) server.files.set('/bucket/replaced.parquet', gets % 2 ? fresh : old)
    }
  }
  swapAt(3)
  assert.deepEqual(await read(), expected)
  assert.ok(gets > 3, `${gets} requests`)
  swapAt(3, 5, 4, 6)
  await assert.rejects(read(), /replaced\.parquet: .*replaced while it was read/)
  onGet = () => undefined
})
