import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { after, before, test } from 'node:test'
import {
  Dataset,
  type FilesystemOptions,
  readBinaryFiles,
  readCsv,
  readJson,
  readParquet,
  readText,
} from '../../src/data/index.js'
import { DatasetSession } from '../../src/data/dataset-session.js'
import { InProcessRunner } from '../../src/data/execution/in-process-runner.js'
import { type S3Server, startS3 } from './s3-server.js'
import { blocksOf, describe, rowsOf, temporaryFolder } from './read-in-process.js'

const require = createRequire(import.meta.url)
const flights = path.join(
  path.dirname(require.resolve('vega-datasets')),
  '../data/flights-3m.parquet',
)
const folder = temporaryFolder('remote')
const dataset = (rows: readonly Record<string, unknown>[]) => {
  const plan = { source: { kind: 'items', rows }, steps: [] } as const
  return new Dataset(new DatasetSession(new InProcessRunner()), plan)
}
const rows = Array.from({ length: 2500 }, (_, i) => ({ n: i, kind: `k${i % 2}` }))

let s3: S3Server
let filesystem: FilesystemOptions = {}

/** A server of two files, one of which it sends only whole. */
const asked: string[] = []
const web = http.createServer((request, response) => {
  const name = request.url ?? ''
  asked.push(`${request.method} ${request.headers.range ?? 'all'}`)
  if (request.headers.authorization !== 'Bearer t' || name === '/none.csv') {
    response.writeHead(404).end()
    return
  }
  const body = name === '/flights.parquet' ? fs.readFileSync(flights) : Buffer.from('a,b\n1,x\n')
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  if (range === null || name === '/whole.csv') {
    response.writeHead(200, { 'content-length': body.length })
    response.end(request.method === 'HEAD' ? undefined : body)
    return
  }
  const part = body.subarray(Number(range[1]), Number(range[2]) + 1)
  response.writeHead(206, { 'content-length': part.length }).end(part)
})
let origin = ''

before(async () => {
  s3 = await startS3(path.join(folder, 's3'))
  filesystem = s3.filesystem
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
})
after(async () => {
  await s3.close()
  web.close()
  web.closeAllConnections()
})

test('what is written to S3 is read from there, in order', async () => {
  const to = 's3://bucket/out/parquet/'
  const files = await dataset(rows).writeParquet(to, { filesystem })
  assert.deepEqual(
    files,
    [0, 1, 2].map((i) => `s3://bucket/out/parquet/part-0000${i}.parquet`),
  )
  assert.deepEqual(await rowsOf(readParquet(to, { filesystem })), rows)
  assert.deepEqual(
    await rowsOf(readParquet('s3://bucket/out/*/part-*1.parquet', { filesystem })),
    rows.slice(833, 1666),
  )
  const csv = await dataset(rows).writeCsv('s3://bucket/out/csv', {
    filesystem,
    partitionCols: ['kind'],
  })
  assert.equal(csv.length, 6)
  const back = await rowsOf(
    readCsv('s3://bucket/out/csv', { filesystem, int64: 'number', includePaths: true }),
  )
  assert.equal(back.length, 2500)
  const paths = new Set(back.map((row) => row.path))
  assert.deepEqual([...paths], [...csv].sort())
  assert.ok(back.every(({ n, kind }) => kind === `k${Number(n) % 2}`))
  await dataset(rows.slice(0, 1)).writeJson('s3://bucket/out/json', {
    filesystem,
    compression: 'gzip',
  })
  const json = readJson('s3://bucket/out/json/part-00000.json.gz', { filesystem, int64: 'number' })
  assert.deepEqual(await rowsOf(json), rows.slice(0, 1))
})

test('a shorter dataset in S3 replaces a longer one', async () => {
  const to = 's3://bucket/stale'
  await dataset(rows).writeJson(to, { filesystem })
  await dataset([{ n: 1 }]).writeJson(to, { filesystem })
  assert.deepEqual(await rowsOf(readJson(to, { filesystem, int64: 'number' })), [{ n: 1 }])
})

test('what S3 does not have is an error that names it', async () => {
  await assert.rejects(
    describe(readText('s3://bucket/nothing', { filesystem })),
    /no file or folder s3:\/\/bucket\/nothing/,
  )
  await assert.rejects(
    describe(readText('s3://other/x', { filesystem })),
    /s3:\/\/other\/x: |no file or folder/,
  )
  await assert.rejects(describe(readText('s3:///x', { filesystem })), /names no bucket/)
})

test('of a remote Parquet file only what is wanted is fetched', async () => {
  const headers = { authorization: 'Bearer t' }
  const ds = readParquet(`${origin}/flights.parquet`, {
    filesystem: { headers },
    columns: ['delay'],
    int64: 'number',
  })
  const { files, columns } = await describe(ds)
  assert.equal(files[0]?.pieces.length, 11)
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['delay'],
  )
  asked.length = 0
  const [block] = await blocksOf(ds, 1)
  assert.equal(block?.numRows, 272_727)
  assert.ok(asked.length > 0 && !asked.includes('GET all'), asked.join(', '))
})

test('files of web servers are read, whether they give ranges or not', async () => {
  const options = { filesystem: { headers: { authorization: 'Bearer t' } } }
  const expected = [{ a: 1n, b: 'x' }]
  assert.deepEqual(await rowsOf(readCsv(`${origin}/a.csv`, options)), expected)
  assert.deepEqual(await rowsOf(readCsv(`${origin}/whole.csv`, options)), expected)
  const [row] = await rowsOf(readBinaryFiles(`${origin}/a.csv`, options))
  assert.deepEqual(Buffer.from(row?.bytes as Uint8Array).toString(), 'a,b\n1,x\n')
  await assert.rejects(
    rowsOf(readCsv(`${origin}/none.csv`, options)),
    /no file or folder http:.*none\.csv/,
  )
  await assert.rejects(rowsOf(readCsv(`${origin}/a.csv`)), /no file or folder/)
  await assert.rejects(
    dataset(rows).writeCsv(`${origin}/out`),
    /cannot be written to|no file or folder/,
  )
})

test('servers redirect, fail for a while, break off, or send too little', async () => {
  const body = Buffer.from(`a,b\n${'1,x\n'.repeat(5000)}`)
  const requests = new Map<string, number>()
  const server = http.createServer((request, response) => {
    const { method, url = '' } = request
    const count = (requests.get(url) ?? 0) + (method === 'GET' ? 1 : 0)
    requests.set(url, count)
    const send = (length = body.length): void => {
      response.writeHead(200, { 'content-length': body.length })
      if (method === 'HEAD') response.end()
      else if (length === body.length) response.end(body)
      // The connection ends before the body does.
      else response.write(body.subarray(0, length), () => response.destroy())
    }
    switch (url) {
      case '/moved.csv':
        response.writeHead(302, { location: '/there.csv' }).end()
        return
      case '/there.csv':
        send()
        return
      case '/busy.csv':
        if (method === 'GET' && count < 3) response.writeHead(503).end()
        else send()
        return
      case '/breaks.csv':
        send(count < 3 ? 100 : body.length)
        return
      case '/never.csv':
        send(100)
        return
      case '/gone-later.csv':
        if (method === 'HEAD') send()
        else response.writeHead(403).end()
        return
      case '/no-head.csv':
        if (method === 'HEAD') response.writeHead(405).end()
        else send()
        return
      default:
        response.writeHead(500).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const count = async (name: string) => (await rowsOf(readCsv(`${at}/${name}.csv`))).length
  try {
    for (const name of ['moved', 'there', 'busy', 'breaks', 'no-head']) {
      assert.equal(await count(name), 5000, name)
    }
    await assert.rejects(count('never'), /never\.csv cannot be reached: /)
    await assert.rejects(count('gone-later'), /gone-later\.csv: the server answers 403/)
    await assert.rejects(count('other'), /other\.csv: the server answers 500/)
  } finally {
    server.close()
    server.closeAllConnections()
  }
  await assert.rejects(count('moved'), /moved\.csv cannot be reached: .*ECONNREFUSED/)
})
