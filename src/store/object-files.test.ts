import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { pageBytes } from '../base/limits.js'
import { SpillFiles } from './object-files.js'
import { createMemory, mapRange, openMemory } from './shared-memory.js'

function setUp(t: TestContext): { files: SpillFiles; arenaFd: number; folder: string } {
  const root = mkdtempSync(path.join(tmpdir(), 'typeray-test-'))
  const folder = path.join(root, 'spill')
  const arena = createMemory('typeray-test', 64 * pageBytes)
  const files = new SpillFiles({ folder, arenaFd: arena.fd, chunkBytes: 5000 })
  t.after(async () => {
    await files.closeAll()
    closeSync(arena.fd)
    rmSync(root, { recursive: true })
  })
  return { files, arenaFd: arena.fd, folder }
}

test('copies objects of the arena into one nameless file that others can map', async (t) => {
  const { files, arenaFd, folder } = setUp(t)
  const one = new Uint8Array(20_000).map((_, i) => i % 253)
  const two = new Uint8Array(10).fill(9)
  writeSync(arenaFd, one, 0, one.length, 8 * pageBytes)
  writeSync(arenaFd, two, 0, two.length, 2 * pageBytes)
  await files.spill(1, [
    { from: 8 * pageBytes, to: 0, sizeBytes: one.length },
    { from: 2 * pageBytes, to: 5 * pageBytes, sizeBytes: two.length },
  ])
  assert.deepEqual(readdirSync(folder), [])
  const fd = openMemory(process.pid, files.fdOf(1))
  const first = mapRange({ fd, offset: 0, sizeBytes: one.length })
  const second = mapRange({ fd, offset: 5 * pageBytes, sizeBytes: two.length })
  closeSync(fd)
  await files.close(1)
  await files.close(1)
  assert.equal(files.count, 0)
  // The mappings keep the file that nobody has open.
  assert.deepEqual(first.bytes, one)
  assert.deepEqual(second.bytes, two)
  first.close()
  second.close()
})

test('an opened file has room for its object and is writable by descriptor', async (t) => {
  const { files } = setUp(t)
  await files.open(7, 100_000)
  const fd = files.fdOf(7)
  writeSync(fd, Buffer.from('end'), 0, 3, 99_997)
  const end = Buffer.alloc(3)
  readSync(fd, end, 0, 3, 99_997)
  assert.equal(end.toString(), 'end')
  assert.ok((await files.diskFreeBytes()) > 0)
})

test('a full disk fails the file with ENOSPC and leaves no file open', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'typeray-test-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true })
    t.skip('mounting a small disk is not permitted here')
    return
  }
  t.after(() => {
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true })
  })
  const arena = createMemory('typeray-test', 64 * pageBytes)
  t.after(() => closeSync(arena.fd))
  const files = new SpillFiles({ folder, arenaFd: arena.fd })
  await assert.rejects(files.open(1, 200_000), { code: 'ENOSPC' })
  const items = [{ from: 0, to: 0, sizeBytes: 200_000 }]
  await assert.rejects(files.spill(2, items), { code: 'ENOSPC' })
  assert.equal(files.count, 0)
  assert.equal(await files.diskFreeBytes(), 64 * 1024)
  await files.spill(3, [{ from: 0, to: 0, sizeBytes: 30_000 }])
  assert.equal(files.count, 1)
  await files.closeAll()
})

test('closing ends a copy that is under way before its descriptor is given away', async (t) => {
  const { files } = setUp(t)
  const spill = files.spill(1, [{ from: 0, to: 0, sizeBytes: 60 * pageBytes }])
  const failed = assert.rejects(spill, /closing/)
  await files.closeAll()
  await failed
  assert.equal(files.count, 0)
})
