// Decides where objects of this node live: in the arena, or in files when it is full.
//
// The obvious store keeps every object in memory until its refs are gone, and refuses a put that
// does not fit. But readers hold views, refs die late in a garbage-collected language, and a
// program may simply have more data than memory; a put must wait, not fail, and not for ever.
//
// So, when an allocation does not fit it waits in line while room is made, cheapest first: copies
// that another node has are evicted, processes are asked to collect garbage, and objects that
// nobody reads are spilled, oldest use first, many to a file: at once, unless freed copies that
// readers still pin would make room enough and their processes may yet collect them. What still
// waits after `waitMs` (readers pin everything, or the disk is slow) gets a file of its own that
// the writer fills. Only when that file cannot be had is the put refused.
//
// A reader may see the pages of its object for as long as it lives, so a pinned copy keeps its
// place: it is not spilled, and after `free` its pages are reused only when the last reader said
// it unmapped them, or died. A copy that is pinned while it is being spilled stays in the arena.
//
// Invariants, checked by validate():
//   - extents of the arena belong to exactly one copy, and what is free belongs to none;
//   - a freed copy exists only while it is pinned;
//   - spillable and evictable are the copies sealed, in the arena, unpinned, and not being spilled;
//   - a file is open exactly while it holds a copy, or is being written;
//   - the first in line does not fit, and everybody in line has a deadline.
//
// See docs/internals/object-store.md.

import { assert, assertNever } from '../base/assert.js'
import {
  spillFileBytesMin,
  storeCollectMs,
  storeGraceMs,
  storeSpillRetryMs,
  storeSpillShare,
  storeSpillsMax,
  storeWaitingMax,
  storeWaitMs,
} from '../base/limits.js'
import { Arena, extentBytes } from './arena.js'
import {
  arenaFile,
  type ClientId,
  type CopyId,
  type FileFailure,
  type FileId,
  type ObjectKey,
  type Place,
  type SpillItem,
  type StoreEffect,
  type StoreEvent,
} from './store-events.js'
import { refusal } from './store-refusal.js'
import type { StoreStats } from './store-stats.js'
import { validateStore } from './store-validation.js'

export interface StoreConfig {
  readonly arenaBytes: number
  /** Only named in messages. */
  readonly spillFolder: string
  readonly waitMs?: number
  /** A spill file gets objects until it is this large. */
  readonly spillFileBytes?: number
  readonly spillShare?: number
}

export interface Copy {
  readonly id: CopyId
  readonly sizeBytes: number
  place: Place
  /** Who is writing; undefined once sealed. */
  writer: ClientId | undefined
  /** The key it was sealed under. */
  object: ObjectKey | undefined
  isSecondary: boolean
  /** The object is gone; the copy stays until its last pin goes. */
  isFreed: boolean
  /** Over all clients; `Client.pins` has the shares. */
  pins: number
  /** The file it is being copied to. Cleared by a pin or a free, which make that copy moot. */
  spillFile: FileId | undefined
}

export interface Client {
  /** Added by `pin`, removed by `unpin`; the values are positive. */
  readonly pins: Map<CopyId, number>
  readonly writing: Set<CopyId>
}

export interface StoreFile {
  state: 'spilling' | 'opening' | 'open'
  /** Copies that live here, and while spilling those that will. */
  readonly copies: Set<CopyId>
  readonly items: readonly SpillItem[]
  /** Whom it is being opened for; undefined when that client died. */
  request: Waiting | undefined
}

export interface Waiting {
  readonly client: ClientId
  readonly request: number
  readonly sizeBytes: number
  readonly deadline: number
}

export class StoreState {
  readonly arena: Arena
  readonly copies = new Map<CopyId, Copy>()
  readonly objects = new Map<ObjectKey, Copy>()
  readonly clients = new Map<ClientId, Client>()
  readonly files = new Map<FileId, StoreFile>()
  /** Allocations in line, first come first served. */
  readonly waiting: Waiting[] = []
  /** Primary copies in the arena that nobody uses, the least recently used first. */
  readonly spillable = new Map<CopyId, Copy>()
  /** The same of secondary copies: they are dropped, not spilled, and only when somebody waits. */
  readonly evictable = new Map<CopyId, Copy>()
  readonly #config: Required<StoreConfig>
  #nextCopy = 1
  #nextFile = 1
  #waitingBytes = 0
  #evictableBytes = 0
  /** Arena bytes that the spills under way will set free. */
  #spillingBytes = 0
  #spills = 0
  /** Arena bytes of freed copies that readers have not let go of: garbage of their processes. */
  #garbageBytes = 0
  /** Until then garbage that was asked for may come back, and nothing is spilled in its place. */
  #graceUntil = -Infinity
  #isGraceVain = false
  #handledAt = -Infinity
  #spillNotBefore = -Infinity
  #collectNotBefore = -Infinity
  /** A wait was in vain and nothing has changed since, so the next one would be too. */
  #isStuck = false
  #fileBytes = 0
  #spilledBytesTotal = 0
  #fallbackBytesTotal = 0
  #effects: StoreEffect[] = []

  constructor(config: StoreConfig) {
    this.arena = new Arena(config.arenaBytes)
    this.#config = {
      waitMs: storeWaitMs,
      // A small store would be emptied by one file of the usual size.
      spillFileBytes: Math.min(spillFileBytesMin, this.arena.totalBytes / 4),
      spillShare: storeSpillShare,
      ...config,
    }
  }

  handle(event: StoreEvent, now: number): StoreEffect[] {
    this.#effects = []
    this.#handledAt = now
    this.#apply(event, now)
    this.#makeRoom(now, event.kind === 'allocate')
    this.#endWaits(now)
    return this.#effects
  }

  /** When a `tick` is wanted, or undefined when nothing waits for time to pass. */
  nextTickAt(): number | undefined {
    const first = this.waiting[0]
    if (first === undefined) return undefined
    const retry = this.spillable.size > 0 ? this.#spillNotBefore : -Infinity
    const soon = Math.max(this.#collectNotBefore, retry)
    const grace = this.#graceUntil > this.#handledAt ? this.#graceUntil : first.deadline
    return Math.min(first.deadline, grace, soon === -Infinity ? first.deadline : soon)
  }

  locationOf(object: ObjectKey): Place | undefined {
    return this.objects.get(object)?.place
  }

  sizeOf(object: ObjectKey): number | undefined {
    return this.objects.get(object)?.sizeBytes
  }

  stats(): StoreStats {
    const { totalBytes, usedBytes, warmBytes } = this.arena.stats()
    let pinnedCopies = 0
    for (const copy of this.copies.values()) if (copy.pins > 0) pinnedCopies++
    return {
      arenaBytes: totalBytes,
      usedBytes,
      warmBytes,
      objects: this.objects.size,
      pinnedCopies,
      waiting: this.waiting.length,
      files: this.files.size,
      fileBytes: this.#fileBytes,
      spilledBytesTotal: this.#spilledBytesTotal,
      fallbackBytesTotal: this.#fallbackBytesTotal,
    }
  }

  validate(): void {
    validateStore(this, {
      waitingBytes: this.#waitingBytes,
      evictableBytes: this.#evictableBytes,
      spillingBytes: this.#spillingBytes,
      spills: this.#spills,
      fileBytes: this.#fileBytes,
      garbageBytes: this.#garbageBytes,
    })
  }

  #apply(event: StoreEvent, now: number): void {
    switch (event.kind) {
      case 'allocate':
        return this.#allocate(event, now)
      case 'seal':
        return this.#seal(event)
      case 'makePrimary':
        return this.#makePrimary(event.object)
      case 'abort':
        return this.#abort(event.client, event.copy)
      case 'pin':
        return this.#pin(event)
      case 'unpin':
        return this.#unpin(event.client, event.copy)
      case 'free':
        return this.#free(event.object)
      case 'clientDied':
        return this.#clientDied(event.client)
      case 'spillDone':
        return this.#spillDone(event.file)
      case 'spillFailed':
        return this.#spillFailed(event.file, now)
      case 'fileOpened':
        return this.#fileOpened(event.file)
      case 'fileFailed':
        return this.#fileFailed(event)
      case 'tick':
        return
      default:
        assertNever(event)
    }
  }

  #allocate(event: StoreEvent & { kind: 'allocate' }, now: number): void {
    const { client, request, sizeBytes } = event
    this.#client(client)
    const waiting = { client, request, sizeBytes, deadline: now + this.#config.waitMs }
    if (sizeBytes > this.arena.totalBytes) return this.#openFile(waiting)
    if (this.waiting.length === 0 && this.#grantExtent(waiting)) return
    if (this.#isStuck || this.waiting.length >= storeWaitingMax) return this.#openFile(waiting)
    this.waiting.push(waiting)
    this.#waitingBytes += extentBytes(sizeBytes)
  }

  #grantExtent(waiting: Waiting): boolean {
    const extent = this.arena.allocate(waiting.sizeBytes)
    if (extent === undefined) return false
    this.#grant(waiting, { file: arenaFile, ...extent })
    return true
  }

  #grant({ client, request, sizeBytes }: Waiting, place: Place): Copy {
    const copy: Copy = {
      id: this.#nextCopy++,
      sizeBytes,
      place,
      writer: client,
      object: undefined,
      isSecondary: false,
      isFreed: false,
      pins: 0,
      spillFile: undefined,
    }
    this.copies.set(copy.id, copy)
    this.#client(client).writing.add(copy.id)
    this.#effects.push({ kind: 'grant', client, request, copy: copy.id, place })
    return copy
  }

  #grantWaiting(): void {
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      if (!this.#grantExtent(first)) return
      this.#leaveLine()
    }
  }

  #leaveLine(): Waiting {
    const first = this.waiting.shift()
    assert(first !== undefined, 'somebody waits')
    this.#waitingBytes -= extentBytes(first.sizeBytes)
    return first
  }

  #seal(event: StoreEvent & { kind: 'seal' }): void {
    const copy = this.copies.get(event.copy)
    if (copy === undefined || copy.writer !== event.client) return
    copy.writer = undefined
    this.clients.get(event.client)?.writing.delete(copy.id)
    // Two attempts of a task may both finish: the first result is the object.
    if (this.objects.has(event.object)) return this.#release(copy)
    copy.object = event.object
    copy.isSecondary = event.isSecondary ?? false
    this.objects.set(event.object, copy)
    this.#unused(copy)
  }

  #makePrimary(object: ObjectKey): void {
    const copy = this.objects.get(object)
    if (copy?.isSecondary !== true) return
    const isEvictable = this.evictable.has(copy.id)
    this.#used(copy)
    copy.isSecondary = false
    if (isEvictable) this.#unused(copy)
  }

  #abort(client: ClientId, id: CopyId): void {
    const copy = this.copies.get(id)
    if (copy === undefined || copy.writer !== client) return
    this.clients.get(client)?.writing.delete(id)
    this.#release(copy)
  }

  #pin({ client, request, object }: StoreEvent & { kind: 'pin' }): void {
    const copy = this.objects.get(object)
    if (copy === undefined) {
      this.#effects.push({ kind: 'missing', client, request, object })
      return
    }
    const pins = this.#client(client).pins
    pins.set(copy.id, (pins.get(copy.id) ?? 0) + 1)
    copy.pins++
    this.#used(copy)
    this.#effects.push({
      kind: 'pinned',
      client,
      request,
      object,
      copy: copy.id,
      place: copy.place,
    })
  }

  #unpin(client: ClientId, id: CopyId): void {
    const pins = this.clients.get(client)?.pins
    const count = pins?.get(id)
    const copy = this.copies.get(id)
    // A dead client's pins are gone already, and its last messages may come after its death.
    if (pins === undefined || count === undefined || copy === undefined) return
    if (count === 1) pins.delete(id)
    else pins.set(id, count - 1)
    this.#dropPins(copy, 1)
  }

  #dropPins(copy: Copy, count: number): void {
    copy.pins -= count
    assert(copy.pins >= 0, 'pins are counted')
    if (copy.pins > 0) return
    if (copy.isFreed) this.#release(copy)
    else this.#unused(copy)
  }

  #free(object: ObjectKey): void {
    const copy = this.objects.get(object)
    if (copy === undefined) return
    this.objects.delete(object)
    this.#used(copy)
    copy.isFreed = true
    if (copy.place.file === arenaFile) this.#garbageBytes += extentBytes(copy.sizeBytes)
    if (copy.pins === 0) this.#release(copy)
  }

  #clientDied(id: ClientId): void {
    const client = this.clients.get(id)
    if (client === undefined) return
    this.clients.delete(id)
    for (let i = this.waiting.length - 1; i >= 0; i--) {
      if (this.waiting[i]!.client !== id) continue
      const [gone] = this.waiting.splice(i, 1)
      this.#waitingBytes -= extentBytes(gone!.sizeBytes)
    }
    for (const file of this.files.values()) {
      if (file.request?.client === id) file.request = undefined
    }
    for (const copy of client.writing) this.#release(this.#copy(copy))
    for (const [copy, count] of client.pins) this.#dropPins(this.#copy(copy), count)
  }

  /** Nobody uses the copy: if it is in the arena, it may make room for others. */
  #unused(copy: Copy): void {
    if (copy.place.file !== arenaFile) return
    this.#isStuck = false
    if (copy.isSecondary) {
      this.evictable.set(copy.id, copy)
      this.#evictableBytes += extentBytes(copy.sizeBytes)
    } else this.spillable.set(copy.id, copy)
  }

  /** The opposite, also for a copy that is about to go. */
  #used(copy: Copy): void {
    this.spillable.delete(copy.id)
    if (this.evictable.delete(copy.id)) this.#evictableBytes -= extentBytes(copy.sizeBytes)
    this.#cancelSpill(copy)
  }

  #release(copy: Copy): void {
    assert(copy.pins === 0, 'a pinned copy keeps its place')
    this.copies.delete(copy.id)
    if (copy.place.file === arenaFile) {
      this.arena.release(copy.place.offset)
      this.#isStuck = false
      if (copy.isFreed) {
        this.#garbageBytes -= extentBytes(copy.sizeBytes)
        this.#isGraceVain = false
      }
    } else {
      this.#fileBytes -= copy.sizeBytes
      this.#leaveFile(copy.id, copy.place.file)
    }
  }

  #makeRoom(now: number, isAllocation: boolean): void {
    this.#grantWaiting()
    for (const copy of this.evictable.values()) {
      if (this.waiting.length === 0) break
      this.#evict(copy)
    }
    const isWaited = this.waiting.length > 0
    if (!isWaited && this.arena.usedBytes <= this.#spillAboveBytes()) return
    if (isWaited || isAllocation || this.#garbageBytes > 0) this.#askCollect(now)
    while (this.#wantsSpill(now)) this.#startSpill()
  }

  #evict(copy: Copy): void {
    const object = copy.object
    assert(object !== undefined, 'an evictable copy is sealed')
    this.#effects.push({ kind: 'evicted', object })
    this.#free(object)
    this.#grantWaiting()
  }

  #askCollect(now: number): void {
    if (now < this.#collectNotBefore || this.clients.size === 0) return
    const isHopeful = this.#garbageBytes > 0 && !this.#isGraceVain
    this.#collectNotBefore = now + (isHopeful ? storeGraceMs : storeCollectMs)
    if (isHopeful) this.#graceUntil = now + storeGraceMs
    this.#effects.push({ kind: 'askCollect', clients: [...this.clients.keys()] })
  }

  #spillAboveBytes(): number {
    return this.arena.totalBytes * this.#config.spillShare
  }

  #wantsSpill(now: number): boolean {
    if (this.spillable.size === 0 || now < this.#spillNotBefore) return false
    if (this.#spills >= storeSpillsMax) return false
    const remainBytes = this.arena.usedBytes - this.#spillingBytes - this.#evictableBytes
    if (this.#awaitsGarbage(remainBytes, now)) return false
    if (remainBytes > this.#spillAboveBytes()) return true
    if (this.waiting.length === 0) return false
    if (this.arena.totalBytes - remainBytes < this.#waitingBytes) return true
    // There is room enough, but not in one piece.
    return this.#spills === 0
  }

  /** Whether what processes are asked to collect would do, and may still come. */
  #awaitsGarbage(remainBytes: number, now: number): boolean {
    if (this.#garbageBytes === 0) return false
    if (now >= this.#graceUntil) {
      this.#isGraceVain = true
      return false
    }
    const leftBytes = remainBytes - this.#garbageBytes
    const isRoom = this.arena.totalBytes - leftBytes >= this.#waitingBytes
    return isRoom && leftBytes <= this.#spillAboveBytes()
  }

  #startSpill(): void {
    const file = this.#nextFile++
    const items: SpillItem[] = []
    let to = 0
    for (const copy of this.spillable.values()) {
      if (to >= this.#config.spillFileBytes) break
      items.push({ copy: copy.id, from: copy.place.offset, to, sizeBytes: copy.sizeBytes })
      to += extentBytes(copy.sizeBytes)
      copy.spillFile = file
      this.spillable.delete(copy.id)
    }
    this.#spillingBytes += to
    this.#spills++
    const copies = new Set(items.map((item) => item.copy))
    this.files.set(file, { state: 'spilling', copies, items, request: undefined })
    this.#effects.push({ kind: 'startSpill', file, items })
  }

  /** The copy stays where it is, or goes; what is written of it to the file does not matter. */
  #cancelSpill(copy: Copy): void {
    if (copy.spillFile === undefined) return
    this.files.get(copy.spillFile)?.copies.delete(copy.id)
    this.#spillingBytes -= extentBytes(copy.sizeBytes)
    copy.spillFile = undefined
  }

  #spillDone(id: FileId): void {
    const file = this.#file(id, 'spilling')
    this.#spills--
    file.state = 'open'
    for (const { copy: copyId, to, sizeBytes } of file.items) {
      const copy = this.copies.get(copyId)
      if (copy === undefined || copy.spillFile !== id) continue
      this.arena.release(copy.place.offset)
      this.#spillingBytes -= extentBytes(sizeBytes)
      copy.spillFile = undefined
      copy.place = { file: id, offset: to, sizeBytes, warmBytes: 0 }
      this.#fileBytes += sizeBytes
      this.#spilledBytesTotal += sizeBytes
      this.#isStuck = false
    }
    this.#closeIfEmpty(id, file)
  }

  /** The shell has no such file any more; its copies are where they were. */
  #spillFailed(id: FileId, now: number): void {
    const file = this.#file(id, 'spilling')
    this.#spills--
    this.#spillNotBefore = now + storeSpillRetryMs
    this.files.delete(id)
    for (const copyId of [...file.copies]) {
      const copy = this.#copy(copyId)
      this.#cancelSpill(copy)
      this.spillable.set(copyId, copy)
    }
  }

  #endWaits(now: number): void {
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      if (first.deadline > now) return
      // The line being longer than nothing, there is nothing to evict.
      this.#isStuck = this.spillable.size === 0 && this.#spills === 0
      this.#openFile(this.#leaveLine())
      this.#grantWaiting()
    }
  }

  #openFile(request: Waiting): void {
    const file = this.#nextFile++
    this.files.set(file, { state: 'opening', copies: new Set(), items: [], request })
    this.#effects.push({ kind: 'openFile', file, sizeBytes: request.sizeBytes })
  }

  #fileOpened(id: FileId): void {
    const file = this.#file(id, 'opening')
    file.state = 'open'
    if (file.request !== undefined) {
      const { sizeBytes } = file.request
      const place = { file: id, offset: 0, sizeBytes, warmBytes: 0 }
      file.copies.add(this.#grant(file.request, place).id)
      this.#fileBytes += sizeBytes
      this.#fallbackBytesTotal += sizeBytes
      file.request = undefined
    }
    this.#closeIfEmpty(id, file)
  }

  #fileFailed(failure: FileFailure): void {
    const { request } = this.#file(failure.file, 'opening')
    this.files.delete(failure.file)
    if (request === undefined || this.#grantExtent(request)) return
    const { spillFolder } = this.#config
    const { totalBytes, usedBytes } = this.arena
    this.#effects.push(refusal(request, failure, { spillFolder, totalBytes, usedBytes }))
  }

  #leaveFile(copy: CopyId, id: FileId): void {
    const file = this.#file(id, 'open')
    file.copies.delete(copy)
    this.#closeIfEmpty(id, file)
  }

  #closeIfEmpty(id: FileId, file: StoreFile): void {
    if (file.copies.size > 0) return
    this.files.delete(id)
    this.#effects.push({ kind: 'closeFile', file: id })
  }

  #client(id: ClientId): Client {
    let client = this.clients.get(id)
    if (client === undefined) {
      client = { pins: new Map(), writing: new Set() }
      this.clients.set(id, client)
    }
    return client
  }

  #copy(id: CopyId): Copy {
    const copy = this.copies.get(id)
    assert(copy !== undefined, `copy ${id} exists`)
    return copy
  }

  #file(id: FileId, state: StoreFile['state']): StoreFile {
    const file = this.files.get(id)
    assert(file !== undefined && file.state === state, `file ${id} is ${state}`)
    return file
  }
}
