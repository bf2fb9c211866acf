// The parts of the store together, on a real arena and real files, without a raylet between them.

import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Location } from './location.js'
import { SpillFiles } from './object-files.js'
import { ObjectReader } from './object-reader.js'
import { ObjectWriter } from './object-writer.js'
import { createMemory, type Mapping } from './shared-memory.js'
import { arenaFile, type CopyId, type Place, type StoreEvent } from './store-events.js'
import { StoreState } from './store-state.js'

const client = 'driver'

/** Carries out effects as a raylet does, for one client in the same process. */
class Store {
  readonly arena = createMemory('typeray-test', 4 * 1024 * 1024)
  readonly folder = mkdtempSync(path.join(tmpdir(), 'typeray-test-'))
  readonly state: StoreState
  readonly files: SpillFiles
  readonly writer = new ObjectWriter({ pid: process.pid, arena: this.arena })
  readonly reader = new ObjectReader({ pid: process.pid, arena: this.arena })
  readonly work = new Set<Promise<void>>()
  #now = 0
  #answers: { copy: CopyId; place: Place }[] = []

  constructor() {
    const arenaBytes = this.arena.sizeBytes
    this.state = new StoreState({ arenaBytes, spillFolder: this.folder })
    this.files = new SpillFiles({ folder: this.folder, arenaFd: this.arena.fd })
  }

  async put(object: number, bytes: Uint8Array): Promise<void> {
    const sizeBytes = bytes.length
    const { copy, place } = await this.#ask({ kind: 'allocate', client, request: 1, sizeBytes })
    this.writer.write(this.#location(place), { sizeBytes, parts: [{ offset: 0, bytes }] })
    this.send({ kind: 'seal', client, copy, object })
  }

  async get(object: number): Promise<Mapping> {
    const { copy, place } = await this.#ask({ kind: 'pin', client, request: 1, object })
    const onUnmapped = (): void => this.send({ kind: 'unpin', client, copy })
    return this.reader.map(this.#location(place), { onUnmapped })
  }

  async #ask(event: StoreEvent): Promise<{ copy: CopyId; place: Place }> {
    this.send(event)
    while (this.#answers.length === 0) {
      if (this.work.size > 0) await Promise.race(this.work)
      else {
        // Nothing is under way, so only time can bring the answer.
        this.#now = this.state.nextTickAt() ?? assert.fail('nobody answers')
        this.send({ kind: 'tick' })
      }
    }
    return this.#answers.pop()!
  }

  send(event: StoreEvent): void {
    for (const effect of this.state.handle(event, this.#now)) {
      const fail = (kind: 'spillFailed' | 'fileFailed', file: number) => (error: unknown) =>
        this.send({ kind, file, code: (error as NodeJS.ErrnoException).code ?? 'EIO' })
      switch (effect.kind) {
        case 'grant':
        case 'pinned':
          this.#answers.push(effect)
          break
        case 'startSpill': {
          const { file, items } = effect
          const done = (): void => this.send({ kind: 'spillDone', file })
          this.#start(this.files.spill(file, items).then(done, fail('spillFailed', file)))
          break
        }
        case 'openFile': {
          const { file, sizeBytes } = effect
          const done = (): void => this.send({ kind: 'fileOpened', file })
          this.#start(this.files.open(file, sizeBytes).then(done, fail('fileFailed', file)))
          break
        }
        case 'closeFile':
          this.#start(this.files.close(effect.file))
          break
        case 'askCollect':
          break
        default:
          assert.fail(`unexpected ${effect.kind}`)
      }
    }
    this.state.validate()
  }

  #start(work: Promise<void>): void {
    const tracked = work.finally(() => this.work.delete(tracked))
    this.work.add(tracked)
  }

  #location(place: Place): Location {
    const isArena = place.file === arenaFile
    return { ...place, file: isArena ? this.arena.fd : this.files.fdOf(place.file) }
  }

  async close(): Promise<void> {
    await this.files.closeAll()
    this.writer.close()
    this.reader.close()
    closeSync(this.arena.fd)
    rmSync(this.folder, { recursive: true })
  }
}

function storeFor(t: TestContext): Store {
  const store = new Store()
  t.after(() => store.close())
  return store
}

function contentOf(object: number): Uint8Array {
  const bytes = new Uint8Array(150_000 + ((object * 77_777) % 400_000))
  return bytes.map((_, i) => (object * 13 + i) % 256)
}

test('eight times what the arena holds is all readable, and gone when freed', async (t) => {
  const store = storeFor(t)
  const count = 96
  for (let object = 0; object < count; object++) await store.put(object, contentOf(object))
  assert.ok(store.state.stats().spilledBytesTotal > 20_000_000)
  for (let i = 0; i < 300; i++) {
    const object = (i * 37) % count
    const mapping = await store.get(object)
    assert.deepEqual(mapping.bytes, contentOf(object))
    mapping.close()
  }
  assert.deepEqual(readdirSync(store.folder), [])
  for (let object = 0; object < count; object++) store.send({ kind: 'free', object })
  await Promise.all(store.work)
  assert.equal(store.state.arena.usedBytes, 0)
  assert.equal(store.files.count, 0)
})

test('readers pin the whole arena: puts go to files, nothing moves under a reader', async (t) => {
  const store = storeFor(t)
  const held: Mapping[] = []
  for (let object = 0; object < 30; object++) {
    await store.put(object, contentOf(object))
    held.push(await store.get(object))
  }
  assert.equal(store.state.stats().spilledBytesTotal, 0)
  assert.ok(store.state.stats().fallbackBytesTotal > 3_000_000)
  held.forEach((mapping, object) => assert.deepEqual(mapping.bytes, contentOf(object)))
  for (const mapping of held) mapping.close()
  for (let object = 0; object < 30; object++) store.send({ kind: 'free', object })
  await Promise.all(store.work)
  assert.equal(store.state.arena.usedBytes, 0)
  assert.equal(store.files.count, 0)
})
