// Servers that are slow, stop in the middle, or are not there for a while.

import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import { after, before, test } from 'node:test'
import { type FilesystemOptions, readCsv } from '../../src/data/index.js'
import { type FileServer, startFileServer } from './file-server.js'
import { rowsOf } from './read-in-process.js'

const body = Buffer.from(`a,b\n${'1,x\n'.repeat(5000)}`)

/** How often each path was asked for with GET. */
const asked = new Map<string, number>()

/** Sends some of the body, and nothing more. */
function stall(response: http.ServerResponse): true {
  response.writeHead(200, { 'content-length': body.length }).write(body.subarray(0, 100))
  return true
}

/** Sends byte after byte: never silent, and never done. */
function drip(response: http.ServerResponse): true {
  response.writeHead(200, { 'content-length': body.length })
  const timer = setInterval(() => response.write('1'), 50)
  response.on('close', () => clearInterval(timer))
  return true
}

function answers(request: http.IncomingMessage, response: http.ServerResponse): boolean {
  const { method, url = '' } = request
  const [, place = '', name = ''] = /^\/(\w+)\/([^/?]+)\.csv/.exec(url) ?? []
  if (method !== 'GET') return false
  const count = (asked.get(`${place}/${name}`) ?? 0) + 1
  asked.set(`${place}/${name}`, count)
  switch (name) {
    case 'stalls':
      return count === 1 && stall(response)
    case 'ever':
      return stall(response)
    case 'drips':
      return drip(response)
    case 'resets':
      if (count < 3) request.socket.destroy()
      return count < 3
    case 'slow-down':
    case 'busy': {
      if (name === 'slow-down' && count >= 3) return false
      response.writeHead(503, { 'retry-after': '0' })
      response.end(
        '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
      )
      return true
    }
    case 'waits':
      if (count === 1) response.writeHead(429, { 'retry-after': '1' }).end()
      return count === 1
    default:
      return false
  }
}

const timeoutMs = 1000
let server: FileServer
let s3: FilesystemOptions = {}

before(async () => {
  server = await startFileServer(answers)
  const keys = { accessKeyId: 'a', secretAccessKey: 'b' }
  s3 = { endpoint: server.origin, region: 'us-east-1', timeoutMs, ...keys }
  for (const name of ['stalls', 'ever', 'drips', 'resets', 'slow-down', 'busy', 'waits']) {
    for (const place of ['bucket', 'web']) server.files.set(`/${place}/${name}.csv`, body)
  }
})
after(() => server.close())

/** The rows of a file, from the web or from S3. */
async function count(name: string, from: 's3' | 'web'): Promise<number> {
  const path = from === 's3' ? `s3://bucket/${name}.csv` : `${server.origin}/web/${name}.csv`
  const filesystem = from === 's3' ? s3 : { timeoutMs }
  return (await rowsOf(readCsv(path, { filesystem }))).length
}

test('a body that stops halfway, or a connection that ends, is asked for again', async () => {
  const names = ['stalls', 'resets', 'slow-down', 'waits']
  const counts = await Promise.all(names.flatMap((name) => [count(name, 'web'), count(name, 's3')]))
  assert.deepEqual(
    counts,
    names.flatMap(() => [5000, 5000]),
  )
  for (const name of ['stalls', 'resets', 'slow-down', 'waits']) {
    assert.ok((asked.get(`web/${name}`) ?? 0) >= 2 && (asked.get(`bucket/${name}`) ?? 0) >= 2)
  }
})

test('a server that is silent, slow or busy is an error that says what to do', async () => {
  const silent =
    /http:\S+\/ever\.csv cannot be reached: it sent only 100 bytes in 1000 ms\. .* 4 times/
  await Promise.all([
    assert.rejects(count('ever', 'web'), silent),
    assert.rejects(count('ever', 's3'), /s3:\/\/bucket\/ever\.csv: .*1000 ms.*timeoutMs/),
    assert.rejects(count('drips', 'web'), /drips\.csv cannot be reached: it sent only \d+ bytes/),
    assert.rejects(count('drips', 's3'), /drips\.csv: .*only \d+ bytes in 1000 ms.*timeoutMs/),
    assert.rejects(count('busy', 'web'), /busy\.csv: the server answers 503 .*4 times/),
    assert.rejects(count('busy', 's3'), /busy\.csv: SlowDown: .*AWS_MAX_ATTEMPTS/),
  ])
  const wrong = readCsv(`${server.origin}/x.csv`, { filesystem: { timeoutMs: 0 } })
  await assert.rejects(rowsOf(wrong), /timeoutMs must be milliseconds/)
})

test('a server that is not there yet is asked again', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as net.AddressInfo
  await new Promise((resolve) => taken.close(resolve))
  const late = http.createServer((_request, response) => response.end(body))
  // Before the third request: both are timers of this process.
  const timer = setTimeout(() => late.listen(port, '127.0.0.1'), 200)
  try {
    assert.equal((await rowsOf(readCsv(`http://127.0.0.1:${port}/late.csv`))).length, 5000)
  } finally {
    clearTimeout(timer)
    late.close()
    late.closeAllConnections()
  }
})
