import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, readFileSync, readSync, writeSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SerializationError } from '../base/errors.js'
import { pageBytes } from '../base/limits.js'
import {
  createMemory,
  mapRange,
  type Memory,
  openMemory,
  SharedWindows,
  viewBytesMax,
} from './shared-memory.js'

function memoryFor(t: TestContext, sizeBytes = 16 * pageBytes): Memory {
  const memory = createMemory('typeray-test', sizeBytes)
  t.after(() => closeSync(memory.fd))
  return memory
}

function isMapped(fd: number): boolean {
  const inode = /ino:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .some((line) => line.split(/\s+/)[4] === inode && line.includes('memfd:typeray-test'))
}

async function collectGarbage(isDone: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let i = 0; i < 100 && !isDone(); i++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('memory written through windows is read through a mapping, also across windows', (t) => {
  const memory = memoryFor(t)
  const windows = new SharedWindows(memory, 4 * pageBytes)
  t.after(() => windows.close())
  const bytes = new Uint8Array(9 * pageBytes).map((_, i) => i % 251)
  windows.copy(3 * pageBytes + 7, bytes)
  const range = { fd: memory.fd, offset: 3 * pageBytes + 7, sizeBytes: bytes.length }
  const mapping = mapRange(range)
  assert.deepEqual(mapping.bytes, bytes)
  mapping.close()
})

test('a large copy is right the first time and the next', (t) => {
  const memory = memoryFor(t, 16 * 1024 * 1024)
  const windows = new SharedWindows(memory)
  t.after(() => windows.close())
  const offset = 3 * pageBytes + 1
  for (const first of [1, 2]) {
    const bytes = new Uint8Array(9 * 1024 * 1024).map((_, i) => (first + i) % 251)
    windows.copy(offset, bytes.subarray(0, 3_000_000))
    windows.copy(offset, bytes)
    const mapping = mapRange({ fd: memory.fd, offset, sizeBytes: bytes.length })
    assert.equal(Buffer.compare(mapping.bytes, bytes), 0)
    mapping.close()
  }
})

test('another process maps the memory by /proc and sees no write to a private mapping', (t) => {
  const memory = memoryFor(t)
  writeSync(memory.fd, Buffer.from('shared'), 0, 6, pageBytes)
  const mapping = mapRange({ fd: memory.fd, offset: pageBytes, sizeBytes: 6 })
  t.after(() => mapping.close())
  mapping.bytes.set(Buffer.from('SECRET'))
  const module = new URL('./shared-memory.js', import.meta.url).href
  const script = `
    import { mapRange, openMemory } from ${JSON.stringify(module)}
    const fd = openMemory(${process.pid}, ${memory.fd})
    const { bytes } = mapRange({ fd, offset: ${pageBytes}, sizeBytes: 6 })
    process.stdout.write(Buffer.from(bytes))
    bytes.set(Buffer.from('nobody'))
  `
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script])
  assert.equal(output.toString(), 'shared')
  assert.equal(Buffer.from(mapping.bytes).toString(), 'SECRET')
  const stored = Buffer.alloc(6)
  readSync(memory.fd, stored, 0, 6, pageBytes)
  assert.equal(stored.toString(), 'shared')
})

test('close lets go of the pages once, and views then read zeros', (t) => {
  const memory = memoryFor(t)
  writeSync(memory.fd, Buffer.from('x'), 0, 1, 0)
  let unmapped = 0
  const onUnmapped = (): void => void unmapped++
  const mapping = mapRange({ fd: memory.fd, offset: 0, sizeBytes: pageBytes, onUnmapped })
  assert.equal(mapping.bytes[0], 120)
  assert.ok(isMapped(memory.fd))
  mapping.close()
  mapping.close()
  assert.equal(unmapped, 1)
  assert.equal(isMapped(memory.fd), false)
  assert.equal(mapping.bytes[0], 0)
  mapping.bytes[0] = 1
})

test('a mapping ends when its last view is collected, and not before', async (t) => {
  const memory = memoryFor(t)
  writeSync(memory.fd, Buffer.from('abcd'), 0, 4, 0)
  let unmapped = 0
  const onUnmapped = (): void => void unmapped++
  const views: Uint8Array[] = []
  const map = (): (() => void) => {
    const { bytes, close } = mapRange({ fd: memory.fd, offset: 0, sizeBytes: 8, onUnmapped })
    views.push(bytes.subarray(1, 3))
    return close
  }
  const close = map()
  await collectGarbage(() => unmapped > 0)
  assert.equal(unmapped, 0)
  assert.equal(Buffer.from(views[0]!).toString(), 'bc')
  views.length = 0
  await collectGarbage(() => unmapped > 0)
  assert.equal(unmapped, 1)
  assert.equal(isMapped(memory.fd), false)
  close()
  assert.equal(unmapped, 1, 'a close that comes too late does nothing')
})

test('a mapping that was closed is not reported again when it is collected', async (t) => {
  const memory = memoryFor(t)
  let unmapped = 0
  let collected = 0
  const registry = new FinalizationRegistry(() => void collected++)
  const map = (): void => {
    const onUnmapped = (): void => void unmapped++
    const mapping = mapRange({ fd: memory.fd, offset: 0, sizeBytes: 8, onUnmapped })
    registry.register(mapping.bytes.buffer, 0)
    mapping.close()
  }
  map()
  await collectGarbage(() => collected > 0)
  assert.equal(collected, 1)
  assert.equal(unmapped, 1)
})

test('transfer of a mapped buffer copies it or is refused, and never moves it', async (t) => {
  const memory = memoryFor(t)
  writeSync(memory.fd, Buffer.from('abcd'), 0, 4, 0)
  let unmapped = 0
  const onUnmapped = (): void => void unmapped++
  const transferred: ArrayBuffer[] = []
  const map = (): void => {
    const { bytes } = mapRange({ fd: memory.fd, offset: 0, sizeBytes: 4, onUnmapped })
    const buffer = bytes.buffer as ArrayBuffer
    try {
      transferred.push(structuredClone(buffer, { transfer: [buffer] }))
    } catch (error) {
      assert.equal((error as Error).name, 'DataCloneError')
    }
    const transfer = (buffer as unknown as { transfer(size?: number): ArrayBuffer }).transfer
    transferred.push(transfer.call(buffer), transfer.call(buffer, 6))
    assert.equal(bytes.length, 4, 'the source is not detached')
  }
  map()
  await collectGarbage(() => unmapped > 0)
  assert.equal(unmapped, 1)
  for (const buffer of transferred) assert.equal(Buffer.from(buffer, 0, 4).toString(), 'abcd')
  assert.equal(transferred.at(-1)?.byteLength, 6)
})

test('a buffer over 4 GiB is refused by name instead of aborting the process', (t) => {
  const memory = memoryFor(t, 5 * 1024 ** 3)
  const range = { fd: memory.fd, offset: 0, sizeBytes: viewBytesMax + 1 }
  assert.throws(() => mapRange(range), SerializationError)
  const mapping = mapRange({ fd: memory.fd, offset: 4096, sizeBytes: viewBytesMax })
  assert.equal(mapping.bytes.length, viewBytesMax)
  assert.equal(mapping.bytes[viewBytesMax - 1], 0)
  mapping.close()
})

test('an empty range is reported like any other', async (t) => {
  const memory = memoryFor(t)
  let unmapped = 0
  const onUnmapped = (): void => void unmapped++
  const map = (): void => {
    const mapping = mapRange({ fd: memory.fd, offset: 0, sizeBytes: 0, onUnmapped })
    assert.equal(mapping.bytes.length, 0)
  }
  map()
  await collectGarbage(() => unmapped > 0)
  assert.equal(unmapped, 1)
  const mapping = mapRange({ fd: memory.fd, offset: 0, sizeBytes: 0, onUnmapped })
  mapping.close()
  mapping.close()
  assert.equal(unmapped, 2)
})

test('failures are system errors with a code', () => {
  assert.throws(() => openMemory(process.pid, 9999), { code: 'ENOENT' })
  assert.throws(() => mapRange({ fd: 9999, offset: 0, sizeBytes: 1 }), { code: 'EBADF' })
})
