// What only Redis can do: go away and come back, and be missing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SessionError } from '../../src/base/errors.js'
import { openStorage, storagePlace } from '../../src/gcs/storage/open-storage.js'
import { StorageTakenError } from '../../src/gcs/storage/storage-taken-error.js'
import { noRedis, startRedis } from './redis-server.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('a batch waits while Redis is away', { skip: noRedis ?? false }, async () => {
  const redis = await startRedis()
  const storage = await openStorage(storagePlace(redis.url, ''))
  await storage.write([{ table: 'jobs', key: 'a', bytes: bytes('1') }])
  process.kill(redis.pid, 'SIGSTOP')
  let isWritten = false
  const write = storage.write([{ table: 'jobs', key: 'a', bytes: bytes('2') }])
  void write.then(() => (isWritten = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isWritten, false)
  process.kill(redis.pid, 'SIGCONT')
  await write
  assert.deepEqual(await storage.read('jobs', 'a'), bytes('2'))
  await storage.close()
  await redis.stop()
})

test(
  'a batch is sent again to a Redis that lost the connection',
  {
    skip: noRedis ?? false,
  },
  async () => {
    const redis = await startRedis()
    const storage = await openStorage(storagePlace(`${redis.url}?namespace=cut`, ''))
    const other = await openStorage(storagePlace(`${redis.url}?namespace=other`, ''))
    const { Redis } = await import('ioredis')
    const admin = new Redis(redis.url)
    for (let i = 0; i < 20; i++) {
      const write = storage.write([{ table: 'jobs', key: String(i), bytes: bytes('row') }])
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await write
    }
    assert.equal((await storage.load('jobs')).length, 20)
    assert.equal((await other.load('jobs')).length, 0)
    admin.disconnect()
    await Promise.all([storage.close(), other.close()])
    await redis.stop()
  },
)

test('says so when nobody answers at the address', async () => {
  const place = storagePlace('redis://:secret@127.0.0.1:1/0', '')
  await assert.rejects(openStorage(place), (error) => {
    assert.ok(error instanceof SessionError)
    assert.match(error.message, /redis:\/\/127\.0\.0\.1:1\/0 \(namespace default\) cannot be used/)
    assert.doesNotMatch(error.message, /secret/)
    assert.ok(!(error instanceof StorageTakenError))
    return true
  })
})

test('a storage that is not known is refused by name', () => {
  assert.throws(() => storagePlace('mysql://x', ''), /The storage mysql:\/\/x is not known/)
  assert.throws(
    () => storagePlace('redis://h?name=x', ''),
    /has no option name; there is namespace/,
  )
  assert.throws(() => storagePlace('redis://h?namespace=a%20b', ''), /namespace "a b" must be/)
  assert.deepEqual(storagePlace(undefined, '/s/gcs'), { kind: 'lmdb', folder: '/s/gcs' })
})
