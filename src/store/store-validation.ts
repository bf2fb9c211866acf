import { assert } from '../base/assert.js'
import { storeSpillsMax, storeWaitingMax } from '../base/limits.js'
import { extentBytes } from './arena.js'
import { arenaFile, type FileId } from './store-events.js'
import type { Copy, StoreFile, StoreState } from './store-state.js'

/** Sums that the state keeps, to be compared with what they sum. */
export interface StoreSums {
  readonly waitingBytes: number
  readonly evictableBytes: number
  readonly spillingBytes: number
  readonly spills: number
  readonly fileBytes: number
  readonly garbageBytes: number
}

/** Asserts every invariant of the object store's state. For tests: linear in its size. */
export function validateStore(state: StoreState, sums: StoreSums): void {
  state.arena.validate()
  validateCopies(state, sums)
  validateClients(state)
  validateLine(state, sums)
  let spills = 0
  for (const [id, file] of state.files) {
    if (file.state === 'spilling') spills++
    validateFile(state, id, file)
  }
  assert(spills === sums.spills && spills <= storeSpillsMax, 'spills are counted and bounded')
}

function validateCopies(state: StoreState, sums: StoreSums): void {
  let arenaBytes = 0
  let fileBytes = 0
  let spillingBytes = 0
  let evictableBytes = 0
  let garbageBytes = 0
  let listed = 0
  let sealed = 0
  for (const copy of state.copies.values()) {
    const isInArena = copy.place.file === arenaFile
    const isObject = copy.object !== undefined && !copy.isFreed
    if (isInArena) arenaBytes += extentBytes(copy.sizeBytes)
    else fileBytes += copy.sizeBytes
    if (copy.spillFile !== undefined) spillingBytes += extentBytes(copy.sizeBytes)
    if (isObject) sealed++
    if (copy.isFreed && isInArena) garbageBytes += extentBytes(copy.sizeBytes)
    assert(copy.place.sizeBytes === copy.sizeBytes, 'a place has the size of its copy')
    assert((copy.writer === undefined) !== (copy.object === undefined), 'sealed or being written')
    assert(!copy.isFreed || copy.pins > 0, `freed copy ${copy.id} is pinned`)
    assert(copy.writer === undefined || copy.pins === 0, 'only sealed copies are pinned')
    if (isObject) assert(state.objects.get(copy.object!) === copy, 'an object has one copy')
    if (!isInArena) assert(state.files.get(copy.place.file)?.copies.has(copy.id), 'file has copy')
    const list = copy.isSecondary ? state.evictable : state.spillable
    if (copy.isSecondary && list.has(copy.id)) evictableBytes += extentBytes(copy.sizeBytes)
    if (list.has(copy.id)) listed++
    assert(list.has(copy.id) === isUnused(copy), `copy ${copy.id} is listed right`)
  }
  assert(arenaBytes === state.arena.usedBytes, 'used extents are those of copies')
  assert(fileBytes === sums.fileBytes, 'bytes in files are counted')
  assert(spillingBytes === sums.spillingBytes, 'bytes being spilled are counted')
  assert(garbageBytes === sums.garbageBytes, 'freed bytes that are pinned are counted')
  assert(sealed === state.objects.size, 'every object has a copy')
  assert(evictableBytes === sums.evictableBytes, 'evictable bytes are counted')
  assert(listed === state.spillable.size + state.evictable.size, 'listed copies exist')
}

function isUnused(copy: Copy): boolean {
  const isSealed = copy.writer === undefined && !copy.isFreed
  const isIdle = copy.pins === 0 && copy.spillFile === undefined
  return isSealed && isIdle && copy.place.file === arenaFile
}

function validateClients(state: StoreState): void {
  const pins = new Map<number, number>()
  let writing = 0
  for (const [id, client] of state.clients) {
    for (const [copy, count] of client.pins) {
      assert(count > 0, 'shares of pins are positive')
      pins.set(copy, (pins.get(copy) ?? 0) + count)
    }
    for (const copy of client.writing)
      assert(state.copies.get(copy)?.writer === id, 'writer writes')
    writing += client.writing.size
  }
  for (const copy of state.copies.values()) {
    assert(copy.pins === (pins.get(copy.id) ?? 0), `pins of copy ${copy.id} are those of clients`)
    if (copy.writer !== undefined) writing--
    pins.delete(copy.id)
  }
  assert(pins.size === 0, 'pinned copies exist')
  assert(writing === 0, 'every copy being written has a living writer')
}

function validateLine(state: StoreState, sums: StoreSums): void {
  const { waiting } = state
  assert(waiting.length <= storeWaitingMax, 'the line is bounded')
  let bytes = 0
  waiting.forEach((one, i) => {
    bytes += extentBytes(one.sizeBytes)
    assert(i === 0 || waiting[i - 1]!.deadline <= one.deadline, 'deadlines ascend')
    assert(state.clients.has(one.client), 'who waits lives')
  })
  assert(bytes === sums.waitingBytes, 'waiting bytes are counted')
  const first = waiting[0]
  if (first === undefined) return
  assert(state.arena.stats().largestFreeBytes < extentBytes(first.sizeBytes), 'the first must wait')
}

function validateFile(state: StoreState, id: FileId, file: StoreFile): void {
  for (const copyId of file.copies) {
    const copy = state.copies.get(copyId)
    const place = file.state === 'spilling' ? copy?.spillFile : copy?.place.file
    assert(place === id, `copy ${copyId} belongs to file ${id}`)
  }
  if (file.state === 'open') assert(file.copies.size > 0, `open file ${id} holds a copy`)
  if (file.state === 'opening') assert(file.copies.size === 0, `file ${id} is not granted yet`)
  assert(file.request === undefined || file.state === 'opening', 'only opening files have requests')
}
