// What every storage of the GCS does, for each of the three.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { GcsStorage, StorageTable } from '../../src/gcs/storage/gcs-storage.js'
import { MemoryStorage } from '../../src/gcs/storage/memory-storage.js'
import { openStorage, storagePlace } from '../../src/gcs/storage/open-storage.js'
import { StorageTakenError } from '../../src/gcs/storage/storage-taken-error.js'
import { noRedis, startRedis, type RedisServer } from './redis-server.js'

interface Subject {
  readonly name: string
  readonly skip?: string | undefined
  /** Opens the tables of that name, for the first time or again. */
  readonly open: (name: string) => Promise<GcsStorage>
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'typeray-storage-'))
const inMemory = new Map<string, MemoryStorage>()
let redis: RedisServer | undefined

before(async () => {
  if (noRedis === undefined) redis = await startRedis()
})

after(async () => {
  rmSync(folder, { recursive: true })
  await redis?.stop()
})

const subjects: readonly Subject[] = [
  {
    name: 'memory',
    open: (name) => {
      const storage = inMemory.get(name) ?? new MemoryStorage()
      inMemory.set(name, storage)
      return Promise.resolve(storage)
    },
  },
  { name: 'LMDB', open: (name) => openStorage(storagePlace('lmdb', path.join(folder, name))) },
  {
    name: 'Redis',
    skip: noRedis,
    open: (name) => openStorage(storagePlace(`${redis?.url}/1?namespace=${name}`, '')),
  },
]

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function rowsOf(storage: GcsStorage, table: StorageTable): Promise<Record<string, string>> {
  const rows = await storage.load(table)
  const texts = rows.map((row) => [row.key, new TextDecoder().decode(row.bytes)] as const)
  return Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : 1)))
}

for (const { name, skip, open } of subjects) {
  describe(name, { skip: skip ?? false }, () => {
    test('a table is empty at first', async () => {
      const storage = await open('empty')
      assert.deepEqual(await storage.load('actors'), [])
      assert.equal(await storage.read('actors', 'a'), undefined)
      await storage.close()
    })

    test('finds again what was written, in the table it was written to', async () => {
      const storage = await open('found')
      await storage.write([
        { table: 'actors', key: '7/1', bytes: bytes('one') },
        { table: 'actors', key: '7/2', bytes: bytes('two') },
        { table: 'groups', key: '7/1', bytes: bytes('group') },
      ])
      assert.deepEqual(await rowsOf(storage, 'actors'), { '7/1': 'one', '7/2': 'two' })
      assert.deepEqual(await storage.read('groups', '7/1'), bytes('group'))
      assert.equal(await storage.read('groups', '7/2'), undefined)
      await storage.close()
      const again = await open('found')
      assert.deepEqual(await rowsOf(again, 'actors'), { '7/1': 'one', '7/2': 'two' })
      await again.close()
    })

    test('replaces and removes rows, and the last change of a batch holds', async () => {
      const storage = await open('replaced')
      await storage.write([
        { table: 'jobs', key: 'a', bytes: bytes('1') },
        { table: 'jobs', key: 'b', bytes: bytes('1') },
        { table: 'jobs', key: 'c', bytes: undefined },
      ])
      await storage.write([
        { table: 'jobs', key: 'a', bytes: bytes('2') },
        { table: 'jobs', key: 'b', bytes: undefined },
        { table: 'jobs', key: 'c', bytes: bytes('1') },
        { table: 'jobs', key: 'c', bytes: bytes('2') },
        { table: 'jobs', key: 'd', bytes: bytes('1') },
        { table: 'jobs', key: 'd', bytes: undefined },
      ])
      assert.deepEqual(await rowsOf(storage, 'jobs'), { a: '2', c: '2' })
      await storage.close()
    })

    test('keeps any bytes and any key', async () => {
      const storage = await open('any')
      const all = Uint8Array.from({ length: 256 }, (_, i) => i)
      const keys = ['ns/with space/ä😀', '12/app/name', 'epoch', '__proto__', 'x'.repeat(500)]
      await storage.write(keys.map((key) => ({ table: 'actors', key, bytes: all }) as const))
      await storage.write([{ table: 'groups', key: 'none', bytes: new Uint8Array(0) }])
      const rows = await storage.load('actors')
      assert.deepEqual(rows.map((row) => row.key).sort(), [...keys].sort())
      for (const row of rows) assert.deepEqual(row.bytes, all)
      assert.deepEqual(await storage.read('actors', '__proto__'), all)
      assert.deepEqual(await storage.read('groups', 'none'), new Uint8Array(0))
      await storage.close()
    })

    test('writes batches in the order of the calls', async () => {
      const storage = await open('order')
      const writes = Array.from({ length: 200 }, (_, i) =>
        storage.write([{ table: 'nodes', key: `${i % 3}`, bytes: bytes(String(i)) }]),
      )
      await Promise.all(writes)
      assert.deepEqual(await rowsOf(storage, 'nodes'), { 0: '198', 1: '199', 2: '197' })
      await storage.close()
    })

    test('takes a batch of many rows, and a row of many bytes', async () => {
      const storage = await open('many')
      const many = Array.from({ length: 20_000 }, (_, i) => ({
        table: 'actors' as const,
        key: String(i),
        bytes: bytes(`row ${i}`),
      }))
      await storage.write(many)
      assert.equal((await storage.load('actors')).length, 20_000)
      const large = new Uint8Array(20 * 1024 * 1024).fill(7)
      await storage.write([{ table: 'functionBytes', key: 'f', bytes: large }])
      const read = await storage.read('functionBytes', 'f')
      assert.equal(Buffer.compare(read ?? new Uint8Array(0), large), 0)
      await storage.close()
    })

    test('what was read stays as it is when the row changes', async () => {
      const storage = await open('stays')
      const row = bytes('before')
      await storage.write([{ table: 'jobs', key: 'a', bytes: row }])
      row.fill(0)
      const [read] = await storage.load('jobs')
      await storage.write([{ table: 'jobs', key: 'a', bytes: bytes('after!') }])
      assert.deepEqual(read?.bytes, bytes('before'))
      await storage.close()
    })

    test('closes once or twice', async () => {
      const storage = await open('closes')
      await storage.close()
      await storage.close()
    })

    const lasts = name === 'memory' ? 'there is one process to write to memory' : false
    test(
      'refuses who had the tables before somebody else opened them',
      { skip: lasts },
      async () => {
        const first = await open('taken')
        await first.write([{ table: 'jobs', key: 'a', bytes: bytes('first') }])
        const second = await open('taken')
        await second.write([{ table: 'jobs', key: 'b', bytes: bytes('second') }])
        const late = first.write([{ table: 'jobs', key: 'a', bytes: bytes('late') }])
        await assert.rejects(late, (error) => error instanceof StorageTakenError)
        assert.deepEqual(await rowsOf(second, 'jobs'), { a: 'first', b: 'second' })
        await first.close()
        await second.close()
      },
    )
  })
}
