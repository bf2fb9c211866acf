import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { LocalRayletDiedError, RpcError } from '../base/errors.js'
import { StoreChannel } from './store-channel.js'
import { connectUnix } from './unix-socket.js'

// Calls block this thread, so the other end lives in a process of its own. The first byte of a
// request says what to do: 1 echo, 2 echo byte by byte, 3 say nothing, 4 die, 5 answer with
// half a frame and die.
const serverScript = `
  const net = require('node:net')
  net.createServer((socket) => {
    let have = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      have = Buffer.concat([have, bytes])
      if (have.length < 4 || have.length < 4 + have.readUInt32LE(0)) return
      const frame = have
      have = Buffer.alloc(0)
      if (frame[4] === 1) socket.write(frame)
      if (frame[4] === 2) for (const x of frame) setImmediate(() => socket.write(Buffer.of(x)))
      if (frame[4] === 4) process.kill(process.pid, 'SIGKILL')
      if (frame[4] === 5) socket.write(frame.subarray(0, 6), () => process.exit())
    })
  }).listen(process.argv[1], () => process.stdout.write('ready'))
`

async function startServer(t: TestContext, address?: string): Promise<[string, ChildProcess]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'typeray-test-'))
  const where = address ?? path.join(folder, 'store.sock')
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  // An argument cannot hold a zero byte, so an abstract name is made over there.
  const script = serverScript.replace('process.argv[1]', JSON.stringify(where))
  const server = spawn(process.execPath, ['-e', script], { stdio: [...stdio] })
  const exited = once(server, 'exit')
  t.after(async () => {
    server.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true })
  })
  await once(server.stdout!, 'data')
  return [where, server]
}

function channelTo(t: TestContext, address: string): StoreChannel {
  const channel = new StoreChannel(address, () => performance.now())
  t.after(() => channel.close())
  return channel
}

test('answers come back whole, large, small and in pieces', async (t) => {
  const [address] = await startServer(t)
  const channel = channelTo(t, address)
  for (const sizeBytes of [1, 10, 100_000, 3_000_000, 5]) {
    const frame = new Uint8Array(sizeBytes).map((_, i) => i % 200)
    frame[0] = 1
    assert.deepEqual(channel.call(frame, 10_000), frame)
  }
  const frame = Uint8Array.of(2, 50, 60, 70)
  assert.deepEqual(channel.call(frame, 10_000), frame)
})

test('an abstract socket works as well', async (t) => {
  const [address] = await startServer(t, `\0typeray-test-${process.pid}`)
  const channel = channelTo(t, address)
  assert.deepEqual(channel.call(Uint8Array.of(1, 2), 10_000), Uint8Array.of(1, 2))
})

test('a call without an answer ends in time and closes the channel', async (t) => {
  const [address] = await startServer(t)
  const channel = channelTo(t, address)
  assert.throws(() => channel.call(Uint8Array.of(3), 20), RpcError)
  assert.throws(() => channel.call(Uint8Array.of(1), 10_000), LocalRayletDiedError)
  channel.close()
})

for (const [how, code] of [
  ['before it answers', 4],
  ['in the middle of an answer', 5],
] as const) {
  test(`the death of the raylet ${how} is LocalRayletDiedError`, async (t) => {
    const [address] = await startServer(t)
    const channel = channelTo(t, address)
    assert.throws(() => channel.call(Uint8Array.of(code, 0, 0, 0), 10_000), LocalRayletDiedError)
  })
}

test('a raylet that is not there is LocalRayletDiedError', () => {
  const open = (): StoreChannel => new StoreChannel('\0typeray-test-nobody', () => 0)
  assert.throws(open, LocalRayletDiedError)
  assert.throws(() => connectUnix('\0typeray-test-nobody'), { code: 'ECONNREFUSED' })
  assert.throws(() => connectUnix(`/tmp/${'x'.repeat(110)}`), RangeError)
})
