// Any sequence of events against the object store's state machine, beside a model that knows no
// policy at all: it only remembers what lies on every page of every file.
//
// The model writes the number of a copy on its pages when they are granted, and moves them when a
// spill is done. Whatever the store decides, a reader must find its copy's number on every page
// for as long as it holds its pin; every request must be answered once; and when everybody has
// gone, nothing may be in use.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pageBytes, storeWaitMs } from '../../src/base/limits.js'
import type {
  CopyId,
  FileId,
  Place,
  SpillItem,
  StoreEffect,
  StoreEvent,
} from '../../src/store/store-events.js'
import { StoreState } from '../../src/store/store-state.js'

interface Step {
  readonly verb: (typeof verbs)[number]
  readonly client: number
  readonly pick: number
}

interface Granted {
  readonly client: number
  readonly copy: CopyId
}

// prettier-ignore
const verbs = [
  'allocate', 'allocate', 'seal', 'seal', 'abort', 'pin', 'pin', 'unpin', 'free', 'die',
  'spilled', 'opened', 'failed', 'tick',
] as const
const arenaPages = 16
const keys = 8

class World {
  readonly state = new StoreState({
    arenaBytes: arenaPages * pageBytes,
    spillFolder: '/spill',
    spillFileBytes: 3 * pageBytes,
  })
  now = 0
  #request = 0
  /** Number of the copy last written on a page of a file; the arena is file 0. */
  readonly #pages = new Map<FileId, Map<number, CopyId>>([[0, new Map()]])
  readonly #objects = new Map<number, { copy: CopyId; isSecondary: boolean }>()
  readonly #writing: Granted[] = []
  readonly #pins: (Granted & { readonly place: Place })[] = []
  /** Unanswered allocations: who asked, and when. */
  readonly #asked = new Map<number, { client: number; at: number }>()
  readonly spills = new Map<FileId, readonly SpillItem[]>()
  readonly opening = new Set<FileId>()
  #pinsAnswered = 0

  step({ verb, client, pick }: Step): void {
    switch (verb) {
      case 'allocate':
        return this.#allocate(client, pick)
      case 'seal':
        return this.#seal(pick)
      case 'abort':
        return this.#abort(pick)
      case 'pin':
        return this.#pin(client, pick % keys)
      case 'unpin':
        return this.#unpin(pick)
      case 'free':
        this.#objects.delete(pick % keys)
        return this.send({ kind: 'free', object: pick % keys })
      case 'die':
        return this.#die(client)
      case 'spilled':
        return this.finishSpill(pick)
      case 'opened':
        return this.finishOpen(pick)
      case 'failed':
        return this.#fail(pick)
      case 'tick':
        this.now += pick % 1500
        return this.send({ kind: 'tick' })
    }
  }

  send(event: StoreEvent): void {
    for (const effect of this.state.handle(event, this.now)) this.#take(effect)
    this.state.validate()
    for (const { copy, place } of this.#pins) this.#expect(place, copy)
    for (const { client, at } of this.#asked.values()) {
      const isLate = this.now > at + storeWaitMs && this.opening.size === 0
      assert.ok(!isLate, `an allocation of client ${client} waits too long`)
    }
  }

  #allocate(client: number, pick: number): void {
    // The client is in a synchronous call while it waits.
    if ([...this.#asked.values()].some((one) => one.client === client)) return
    const request = ++this.#request
    this.#asked.set(request, { client, at: this.now })
    const sizeBytes = (pick % (9 * pageBytes)) + (pick % 20 === 0 ? 8 * pageBytes : 0)
    this.send({ kind: 'allocate', client, request, sizeBytes })
  }

  #seal(pick: number): void {
    const [granted] = this.#writing.splice(pick % Math.max(1, this.#writing.length), 1)
    if (granted === undefined) return
    const object = pick % keys
    const isSecondary = pick % 3 === 0
    if (!this.#objects.has(object)) this.#objects.set(object, { copy: granted.copy, isSecondary })
    this.send({ kind: 'seal', ...granted, object, isSecondary })
  }

  #abort(pick: number): void {
    const [granted] = this.#writing.splice(pick % Math.max(1, this.#writing.length), 1)
    if (granted !== undefined) this.send({ kind: 'abort', ...granted })
  }

  #pin(client: number, object: number): void {
    const answered = this.#pinsAnswered
    this.send({ kind: 'pin', client, request: ++this.#request, object })
    assert.equal(this.#pinsAnswered, answered + 1)
  }

  #unpin(pick: number): void {
    const [pin] = this.#pins.splice(pick % Math.max(1, this.#pins.length), 1)
    if (pin !== undefined) this.send({ kind: 'unpin', client: pin.client, copy: pin.copy })
  }

  #die(client: number): void {
    for (const list of [this.#writing, this.#pins]) {
      for (let i = list.length - 1; i >= 0; i--) if (list[i]!.client === client) list.splice(i, 1)
    }
    for (const [request, one] of this.#asked) {
      if (one.client === client) this.#asked.delete(request)
    }
    this.send({ kind: 'clientDied', client })
  }

  finishSpill(pick: number): void {
    const file = [...this.spills.keys()][pick % Math.max(1, this.spills.size)]
    if (file === undefined) return
    const items = this.spills.get(file) ?? []
    this.spills.delete(file)
    // Some bytes are copied late, when the pages may have a new owner.
    for (const item of items) if (item.copy % 2 === 0) this.#copyPages(file, item)
    this.send({ kind: 'spillDone', file })
  }

  finishOpen(pick: number): void {
    const file = [...this.opening][pick % Math.max(1, this.opening.size)]
    if (file === undefined) return
    this.opening.delete(file)
    this.send({ kind: 'fileOpened', file })
  }

  #fail(pick: number): void {
    const isSpill = pick % 2 === 0
    const files = isSpill ? [...this.spills.keys()] : [...this.opening]
    const file = files[pick % Math.max(1, files.length)]
    if (file === undefined) return
    this.spills.delete(file)
    this.opening.delete(file)
    this.#pages.delete(file)
    this.send({ kind: isSpill ? 'spillFailed' : 'fileFailed', file, code: 'ENOSPC', freeBytes: 0 })
  }

  #take(effect: StoreEffect): void {
    switch (effect.kind) {
      case 'grant':
        assert.ok(this.#asked.delete(effect.request), 'one answer to one request')
        this.#write(effect.place, effect.copy)
        this.#writing.push({ client: effect.client as number, copy: effect.copy })
        return
      case 'refuse':
        assert.ok(this.#asked.delete(effect.request), 'one answer to one request')
        return
      case 'pinned':
        this.#pinsAnswered++
        assert.equal(this.#objects.get(effect.object as number)?.copy, effect.copy)
        this.#expect(effect.place, effect.copy)
        this.#pins.push({ ...effect, client: effect.client as number })
        return
      case 'missing':
        this.#pinsAnswered++
        assert.ok(!this.#objects.has(effect.object as number), 'no object is lost')
        return
      case 'evicted': {
        const gone = this.#objects.get(effect.object as number)
        assert.ok(gone?.isSecondary, 'only secondary copies are evicted')
        assert.ok(!this.#pins.some(({ copy }) => copy === gone.copy), 'and no pinned ones')
        this.#objects.delete(effect.object as number)
        return
      }
      case 'startSpill':
        assert.ok(!this.#pages.has(effect.file), 'a file is new')
        this.#pages.set(effect.file, new Map())
        this.spills.set(effect.file, effect.items)
        for (const item of effect.items) if (item.copy % 2 > 0) this.#copyPages(effect.file, item)
        return
      case 'openFile':
        assert.ok(!this.#pages.has(effect.file), 'a file is new')
        this.#pages.set(effect.file, new Map())
        this.opening.add(effect.file)
        return
      case 'closeFile':
        assert.ok(this.#pages.delete(effect.file), 'an open file is closed')
        assert.ok(!this.spills.has(effect.file) && !this.opening.has(effect.file), 'and idle')
        return
      case 'askCollect':
        return
    }
  }

  #pageRange(offset: number, sizeBytes: number): number[] {
    assert.equal(offset % pageBytes, 0)
    const count = Math.max(1, Math.ceil(sizeBytes / pageBytes))
    return Array.from({ length: count }, (_, i) => offset / pageBytes + i)
  }

  #write(place: Place, copy: CopyId): void {
    const pages = this.#pages.get(place.file)
    assert.ok(pages, 'a grant is in an open file')
    for (const page of this.#pageRange(place.offset, place.sizeBytes)) {
      if (place.file === 0) assert.ok(page < arenaPages, 'a grant is inside the arena')
      pages.set(page, copy)
    }
  }

  #expect({ file, offset, sizeBytes }: Place, copy: CopyId): void {
    for (const page of this.#pageRange(offset, sizeBytes)) {
      assert.equal(this.#pages.get(file)?.get(page), copy, `page ${page} of file ${file}`)
    }
  }

  #copyPages(file: FileId, { from, to, sizeBytes }: SpillItem): void {
    const target = this.#pages.get(file)
    const count = this.#pageRange(from, sizeBytes).length
    for (let i = 0; i < count; i++) {
      const copy = this.#pages.get(0)?.get(from / pageBytes + i)
      assert.ok(target && copy !== undefined)
      target.set(to / pageBytes + i, copy)
    }
  }

  /** Time passes and the disk answers: everybody gets an answer. */
  settle(): void {
    for (let round = 0; round < 2 * storeWaitMs && this.#asked.size > 0; round++) {
      while (this.spills.size > 0) this.finishSpill(0)
      while (this.opening.size > 0) this.finishOpen(0)
      this.now = Math.max(this.now + 1, this.state.nextTickAt() ?? this.now)
      this.send({ kind: 'tick' })
    }
    assert.equal(this.#asked.size, 0, 'every request is answered')
    while (this.spills.size > 0) this.finishSpill(0)
    while (this.opening.size > 0) this.finishOpen(0)
  }

  end(clients: number): void {
    this.settle()
    for (let object = 0; object < keys; object++) this.send({ kind: 'free', object })
    for (let client = 0; client < clients; client++) this.#die(client)
    while (this.spills.size > 0) this.finishSpill(0)
    assert.equal(this.state.arena.usedBytes, 0)
    assert.equal(this.state.copies.size, 0)
    assert.deepEqual([...this.#pages.keys()], [0], 'every file is closed')
  }
}

test('readers see their object, requests are answered, and nothing stays behind', () => {
  const clients = 4
  const step: fc.Arbitrary<Step> = fc.record({
    verb: fc.constantFrom(...verbs),
    client: fc.nat(clients - 1),
    pick: fc.nat(1_000_000),
  })
  const seen = { spills: 0, opens: 0 }
  const runs = Number(process.env.RUNS ?? 500)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const world = new World()
      for (const one of steps) world.step(one)
      world.end(clients)
      const { spilledBytesTotal, fallbackBytesTotal } = world.state.stats()
      if (spilledBytesTotal > 0) seen.spills++
      if (fallbackBytesTotal > 0) seen.opens++
    }),
    { numRuns: runs },
  )
  assert.ok(seen.spills > runs / 5, `${seen.spills} of ${runs} runs spilled`)
  assert.ok(seen.opens > runs / 20, `${seen.opens} of ${runs} runs fell back to a file`)
})
