// Memory that the processes of one node share.
//
// A file in /dev/shm has a name, and a name survives SIGKILL: somebody has to find and remove it.
// A memfd has none. The raylet creates it, everybody else of the same user opens it through
// /proc/<raylet pid>/fd/<fd>, and it is gone with the last process.
//
// Writers keep one shared mapping of it, in windows, for pages that exist; see object-writer.ts.
// Readers map every object by itself, privately and writable: a reader that writes to its array
// gets a page of its own, where a read-only mapping would kill the process with SIGSEGV.
//
// A view must never outlive its mapping. Three ways were found in which it could:
//   - close() with views still in use. So close() puts anonymous memory over the range, which
//     then reads as zeros, and the addresses are only given back when the buffer is collected;
//   - `ArrayBuffer.prototype.transfer` (Node 22) moves the memory to another object and lets the
//     registered one be collected. So a mapped buffer has its own `transfer`, which copies;
//   - transfer by `postMessage` or `structuredClone`. Node marks buffers made by native code as
//     untransferable: Node 20 copies them, later ones throw a DataCloneError. Nothing to do.
// `ArrayBuffer.prototype.transfer.call(buffer)` is the one hole left; V8 has no lock for it that
// JavaScript could turn.

import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { assert } from '../base/assert.js'
import { SerializationError } from '../base/errors.js'
import { pageBytes } from '../base/limits.js'
import { libc, systemError } from './libc.js'

const mfdCloexec = 1
const mapSharedFlag = 0x01
const mapPrivate = 0x02
const mapFixed = 0x10
const mapAnonymous = 0x20
const mapNoReserve = 0x4000

/** The largest buffer that Node 20 can lay over foreign memory; one byte more aborts it. */
export const viewBytesMax = 4 * 1024 * 1024 * 1024
/** A writer's window. Large, because a copy is split at its edges; far below the 4 GiB limit. */
export const windowBytes = 1024 * 1024 * 1024
/**
 * A page that exists still costs a fault when this process writes it first: 2.7 GB/s, 4.1 when
 * the kernel maps pieces of this size at once just before they are copied, 10 from then on.
 */
const pieceBytes = 2 * 1024 * 1024

export interface Memory {
  readonly fd: number
  readonly sizeBytes: number
}

/** Anonymous shared memory of `sizeBytes`; costs nothing until pages are written. */
export function createMemory(name: string, sizeBytes: number): Memory {
  assert(Number.isSafeInteger(sizeBytes) && sizeBytes > 0, 'memory has a size')
  const fd = libc().memfdCreate(name, mfdCloexec)
  if (fd < 0) throw systemError('memfd_create', libc().errno())
  try {
    ftruncateSync(fd, sizeBytes)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { fd, sizeBytes }
}

/** Opens descriptor `fd` of process `pid`: its arena or one of its spill files. */
export function openMemory(pid: number, fd: number): number {
  return openSync(`/proc/${pid}/fd/${fd}`, 'r+')
}

interface Window {
  readonly address: number
  readonly bytes: Uint8Array
  /** Pieces whose pages this process has touched: 1, else 0. */
  readonly touched: Uint8Array
}

/**
 * A small memory of process `pid` mapped whole and shared, until its bytes are collected: words
 * that several processes change.
 */
export function mapShared(pid: number, memory: Memory): Uint8Array {
  const fd = openMemory(pid, memory.fd)
  try {
    const { sizeBytes } = memory
    const address = libc().map({ address: 0, sizeBytes, flags: mapSharedFlag, fd, offset: 0 })
    const buffer = libc().view(address, sizeBytes)
    collected.register(buffer, { address, sizeBytes, onUnmapped: undefined, isClosed: false })
    return new Uint8Array(buffer)
  } finally {
    closeSync(fd)
  }
}

/** A process's shared mapping of the arena, made window by window at first use and then kept. */
export class SharedWindows {
  readonly #memory: Memory
  readonly #windowBytes: number
  readonly #windows: (Window | undefined)[] = []
  #isClosed = false

  constructor(memory: Memory, size = windowBytes) {
    assert(size % pageBytes === 0 && size > 0 && size < viewBytesMax, 'window size is usable')
    this.#memory = memory
    this.#windowBytes = size
  }

  /** Copies `bytes` to `offset`. Meant for pages that exist: a new one costs a fault here. */
  copy(offset: number, bytes: Uint8Array): void {
    assert(!this.#isClosed, 'windows are open')
    assert(offset >= 0 && offset + bytes.length <= this.#memory.sizeBytes, 'copy is inside memory')
    let done = 0
    while (done < bytes.length) {
      const index = Math.floor((offset + done) / this.#windowBytes)
      const within = offset + done - index * this.#windowBytes
      const count = Math.min(bytes.length - done, this.#windowBytes - within)
      const isWhole = count === bytes.length
      const source = isWhole ? bytes : bytes.subarray(done, done + count)
      copyInto(this.#window(index), within, source)
      done += count
    }
  }

  /**
   * A view from `offset` on, of `sizeBytes` or what is left of its window. Whoever will write there
   * says so: the pages are made at once, which is cheaper than one fault for each.
   */
  view(offset: number, sizeBytes: number, isWritten = false): Uint8Array {
    assert(!this.#isClosed, 'windows are open')
    assert(offset >= 0 && offset + sizeBytes <= this.#memory.sizeBytes, 'view is inside memory')
    const index = Math.floor(offset / this.#windowBytes)
    const within = offset - index * this.#windowBytes
    const window = this.#window(index)
    const end = Math.min(within + sizeBytes, this.#windowBytes)
    if (isWritten) touch(window, within, end)
    return window.bytes.subarray(within, end)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const window of this.#windows) {
      // The views never leave this class, so nobody can touch them once it is closed.
      if (window !== undefined) libc().unmap(window.address, window.bytes.length)
    }
    this.#windows.length = 0
  }

  #window(index: number): Window {
    const known = this.#windows[index]
    if (known !== undefined) return known
    const offset = index * this.#windowBytes
    const sizeBytes = Math.min(this.#windowBytes, this.#memory.sizeBytes - offset)
    const fd = this.#memory.fd
    const address = libc().map({ address: 0, sizeBytes, flags: mapSharedFlag, fd, offset })
    const bytes = new Uint8Array(libc().view(address, sizeBytes))
    const window = { address, bytes, touched: new Uint8Array(Math.ceil(sizeBytes / pieceBytes)) }
    this.#windows[index] = window
    return window
  }
}

function touch({ address, touched }: Window, start: number, end: number): void {
  for (let i = Math.ceil(start / pieceBytes); (i + 1) * pieceBytes <= end; i++) {
    if (touched[i] === 1) continue
    touched[i] = 1
    libc().populate(address + i * pieceBytes, pieceBytes)
  }
}

function copyInto({ address, bytes, touched }: Window, offset: number, source: Uint8Array): void {
  const end = offset + source.length
  let done = offset
  // Only pieces that are overwritten whole: the others may have pages that do not exist.
  for (let i = Math.ceil(offset / pieceBytes); (i + 1) * pieceBytes <= end; i++) {
    if (touched[i] === 1) continue
    touched[i] = 1
    const next = (i + 1) * pieceBytes
    libc().populate(address + i * pieceBytes, pieceBytes)
    bytes.set(source.subarray(done - offset, next - offset), done)
    done = next
  }
  if (done < end) bytes.set(done === offset ? source : source.subarray(done - offset), done)
}

export interface PrivateRange {
  readonly fd: number
  readonly offset: number
  readonly sizeBytes: number
  /**
   * Called once, when this process no longer sees the pages: after close() or collection. It must
   * not refer to the bytes, or they are never collected.
   */
  readonly onUnmapped?: () => void
}

export interface Mapping {
  readonly bytes: Uint8Array
  /** Lets go of the pages now; views read zeros from here on. May be called again. */
  close(): void
}

interface Mapped {
  readonly address: number
  readonly sizeBytes: number
  readonly onUnmapped: (() => void) | undefined
  /** The pages are gone and that was reported; after close() the addresses remain. */
  isClosed: boolean
}

const collected = new FinalizationRegistry<Mapped>((mapped) => {
  const wasClosed = mapped.isClosed
  // From here on the addresses may be somebody else's; a late close() must not touch them.
  mapped.isClosed = true
  if (mapped.sizeBytes > 0) libc().unmap(mapped.address, mapped.sizeBytes)
  if (!wasClosed) mapped.onUnmapped?.()
})

/** A private, writable, lazily loaded copy of a range of a file or memory. */
export function mapRange({ fd, offset, sizeBytes, onUnmapped }: PrivateRange): Mapping {
  assert(offset >= 0 && sizeBytes >= 0, 'range is valid')
  const start = offset - (offset % pageBytes)
  const length = offset - start + sizeBytes
  if (length > viewBytesMax) {
    throw new SerializationError(
      `One buffer of ${sizeBytes} bytes cannot be read from the object store: the largest that a ` +
        `process can map is ${viewBytesMax} bytes. Split it into several typed arrays.`,
      { fields: { sizeBytes, sizeBytesMax: viewBytesMax } },
    )
  }
  const flags = mapPrivate | mapNoReserve
  const isEmpty = length === 0
  const args = { address: 0, sizeBytes: length, flags, fd, offset: start }
  const address = isEmpty ? 0 : libc().map(args)
  const buffer = isEmpty ? new ArrayBuffer(0) : libc().view(address, length)
  const mapped: Mapped = { address, sizeBytes: length, onUnmapped, isClosed: false }
  collected.register(buffer, mapped)
  guardTransfer(buffer)
  const bytes = new Uint8Array(buffer, offset - start, sizeBytes)
  return { bytes, close: () => closeMapping(mapped) }
}

function closeMapping(mapped: Mapped): void {
  if (mapped.isClosed) return
  mapped.isClosed = true
  const { address, sizeBytes } = mapped
  const flags = mapPrivate | mapAnonymous | mapFixed | mapNoReserve
  if (sizeBytes > 0) libc().map({ address, sizeBytes, flags, fd: -1, offset: 0 })
  mapped.onUnmapped?.()
}

function guardTransfer(buffer: ArrayBuffer): void {
  const value = function (this: ArrayBuffer, sizeBytes: number = this.byteLength): ArrayBuffer {
    const copy = new ArrayBuffer(sizeBytes)
    new Uint8Array(copy).set(new Uint8Array(this, 0, Math.min(sizeBytes, this.byteLength)))
    return copy
  }
  Object.defineProperties(buffer, { transfer: { value }, transferToFixedLength: { value } })
}
