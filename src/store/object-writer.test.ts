import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { pageBytes } from '../base/limits.js'
import type { Location } from './location.js'
import { ObjectReader } from './object-reader.js'
import { type ObjectLayout, ObjectWriter } from './object-writer.js'
import { createMemory, type Memory } from './shared-memory.js'

const arenaPages = 64

interface Store {
  readonly arena: Memory
  readonly writer: ObjectWriter
  readonly reader: ObjectReader
}

function storeFor(t: TestContext, sizeBytes = arenaPages * pageBytes): Store {
  const arena = createMemory('typeray-test', sizeBytes)
  const options = { pid: process.pid, arena }
  const writer = new ObjectWriter({ ...options, windowBytes: 8 * pageBytes, callBytesMax: 9000 })
  const reader = new ObjectReader(options)
  t.after(() => {
    writer.close()
    writer.close()
    reader.close()
    reader.close()
    closeSync(arena.fd)
  })
  return { arena, writer, reader }
}

function layoutOf(sizes: readonly number[], first = 0): ObjectLayout {
  let end = 0
  const parts = sizes.map((size, i) => {
    const offset = Math.ceil(end / 64) * 64
    end = offset + size
    return { offset, bytes: new Uint8Array(size).map((_, k) => (first + i * 31 + k) % 256) }
  })
  return { sizeBytes: end, parts }
}

function expectObject({ reader }: Store, location: Location, layout: ObjectLayout): void {
  const mapping = reader.map(location)
  for (const { offset, bytes } of layout.parts) {
    assert.deepEqual(mapping.bytes.subarray(offset, offset + bytes.length), bytes)
  }
  mapping.close()
}

test('an object reads the same whatever share of its pages is warm', (t) => {
  const store = storeFor(t)
  const sizes = fc.array(fc.oneof(fc.nat(200), fc.nat(20_000)), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(sizes, fc.nat(16), fc.nat(), fc.nat(255), (parts, page, warm, first) => {
      const layout = layoutOf(parts, first)
      const { sizeBytes } = layout
      const place = { file: store.arena.fd, offset: page * pageBytes, sizeBytes }
      const location = { ...place, warmBytes: warm % (sizeBytes + 1) }
      store.writer.write(location, layout)
      expectObject(store, location, layout)
    }),
    { numRuns: 200 },
  )
})

test('more parts than one call takes are all written', (t) => {
  const store = storeFor(t)
  const layout = layoutOf(Array.from({ length: 2500 }, (_, i) => 1 + (i % 40)))
  const { sizeBytes } = layout
  const location = { file: store.arena.fd, offset: 0, sizeBytes, warmBytes: 0 }
  store.writer.write(location, layout)
  expectObject(store, location, layout)
})

test('parts that are far apart leave what lies between them alone', (t) => {
  const store = storeFor(t)
  const bytes = new Uint8Array([1, 2, 3])
  const sizeBytes = 20 * pageBytes
  const location = { file: store.arena.fd, offset: 0, sizeBytes, warmBytes: 0 }
  store.writer.write(location, { sizeBytes, parts: [{ offset: sizeBytes - 3, bytes }] })
  const parts = [{ offset: 5, bytes }]
  store.writer.write(location, { sizeBytes, parts })
  const mapping = store.reader.map(location)
  assert.deepEqual([...mapping.bytes.subarray(5, 8)], [1, 2, 3])
  assert.deepEqual([...mapping.bytes.subarray(-3)], [1, 2, 3])
  mapping.close()
})

test('an object in a spill file is written and mapped like one in the arena', (t) => {
  const store = storeFor(t)
  const folder = mkdtempSync(path.join(tmpdir(), 'typeray-test-'))
  const fd = openSync(path.join(folder, 'spill'), 'wx+')
  rmSync(folder, { recursive: true })
  t.after(() => closeSync(fd))
  const layout = layoutOf([100, 5000, 3])
  const { sizeBytes } = layout
  const location = { file: fd, offset: 2 * pageBytes, sizeBytes, warmBytes: 0 }
  store.writer.write(location, layout)
  expectObject(store, location, layout)
})

test('one buffer of an object is mapped by itself', (t) => {
  const store = storeFor(t)
  const layout = layoutOf([100, 5000, 300])
  const { sizeBytes, parts } = layout
  const location = { file: store.arena.fd, offset: pageBytes, sizeBytes, warmBytes: 0 }
  store.writer.write(location, layout)
  for (const { offset, bytes } of parts) {
    let unmapped = 0
    const onUnmapped = (): void => void unmapped++
    const mapping = store.reader.map(location, { offset, sizeBytes: bytes.length, onUnmapped })
    assert.deepEqual(mapping.bytes, bytes)
    mapping.close()
    assert.equal(unmapped, 1)
  }
})

test('what one process writes another maps, and only new mappings see a reused extent', (t) => {
  const store = storeFor(t)
  const layout = layoutOf([70_000], 7)
  const { sizeBytes } = layout
  const location = { file: store.arena.fd, offset: 0, sizeBytes, warmBytes: 0 }
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
  const script = `
    import { ObjectWriter } from ${module('./object-writer.js')}
    const arena = { fd: ${store.arena.fd}, sizeBytes: ${store.arena.sizeBytes} }
    const writer = new ObjectWriter({ pid: ${process.pid}, arena })
    const bytes = new Uint8Array(${sizeBytes}).map((_, k) => (7 + k) % 256)
    const parts = [{ offset: 0, bytes }]
    writer.write(${JSON.stringify(location)}, { sizeBytes: bytes.length, parts })
  `
  execFileSync(process.execPath, ['--input-type=module', '-e', script])
  expectObject(store, location, layout)
})

test('a disk that fills up under a file is ENOSPC, not SIGBUS', (t) => {
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
  const store = storeFor(t)
  const fd = openSync(path.join(folder, 'spill'), 'wx+')
  t.after(() => closeSync(fd))
  const layout = layoutOf([200_000])
  const location = { file: fd, offset: 0, sizeBytes: 200_000, warmBytes: 0 }
  assert.throws(() => store.writer.write(location, layout), { code: 'ENOSPC' })
})
