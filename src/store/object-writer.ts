// Writes objects into the place that the raylet granted, without an event-loop turn.
//
// Pages that exist are written through a shared mapping that the process keeps: 12 GB/s. New pages
// and files are written with write(2): 2.7 GB/s, where a fault per page through the mapping gives
// under 1. It also turns a full disk into ENOSPC, which through a mapping would be SIGBUS.

import { closeSync, writevSync } from 'node:fs'
import { assert } from '../base/assert.js'
import { type Piece, pieceBytes, writePiece } from '../base/pieced-bytes.js'
import type { Location } from './location.js'
import { type Memory, openMemory, SharedWindows, windowBytes } from './shared-memory.js'

/** What src/wire says about a value's bytes; parts ascend and do not overlap. */
export interface ObjectLayout {
  readonly sizeBytes: number
  readonly parts: readonly { readonly offset: number; readonly bytes: Piece }[]
}

export interface WriterOptions {
  /** Process id of the raylet. */
  readonly pid: number
  readonly arena: Memory
  /** Smaller ones are for tests. */
  readonly windowBytes?: number
  readonly callBytesMax?: number
}

/** Most buffers that one writev takes (IOV_MAX). */
const vectorsMax = 1024
/** Most bytes of one call: libuv counts in a signed 32-bit integer and goes wrong at 2 GiB. */
const callBytesMaxDefault = 1024 * 1024 * 1024
/** Alignment gaps up to this are filled with zeros to keep one call for neighbouring parts. */
const gap = new Uint8Array(4096)

export class ObjectWriter {
  readonly #pid: number
  readonly #arenaFile: number
  readonly #arenaFd: number
  readonly #windows: SharedWindows
  readonly #callBytesMax: number
  #isClosed = false

  constructor(options: WriterOptions) {
    this.#pid = options.pid
    this.#arenaFile = options.arena.fd
    this.#arenaFd = openMemory(options.pid, options.arena.fd)
    this.#callBytesMax = options.callBytesMax ?? callBytesMaxDefault
    const memory = { fd: this.#arenaFd, sizeBytes: options.arena.sizeBytes }
    this.#windows = new SharedWindows(memory, options.windowBytes ?? windowBytes)
  }

  /** Throws what the file system throws; the caller then aborts its allocation. */
  write(location: Location, layout: ObjectLayout): void {
    assert(!this.#isClosed, 'writer is open')
    assert(layout.sizeBytes <= location.sizeBytes, 'object fits its place')
    if (location.file === this.#arenaFile) {
      this.#writeArena(location, layout)
      return
    }
    const fd = openMemory(this.#pid, location.file)
    try {
      this.#writeParts(fd, location.offset, layout.parts)
    } finally {
      closeSync(fd)
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#windows.close()
    closeSync(this.#arenaFd)
  }

  #writeArena(location: Location, layout: ObjectLayout): void {
    const cold: { offset: number; bytes: Uint8Array }[] = []
    for (const { offset, bytes: piece } of layout.parts) {
      if (this.#fillWarm(location, offset, piece)) continue
      const bytes = pieceBytes(piece)
      const warm = Math.min(bytes.length, Math.max(0, location.warmBytes - offset))
      if (warm > 0) {
        const isWhole = warm === bytes.length
        this.#windows.copy(location.offset + offset, isWhole ? bytes : bytes.subarray(0, warm))
      }
      if (warm < bytes.length) cold.push({ offset: offset + warm, bytes: bytes.subarray(warm) })
    }
    this.#writeParts(this.#arenaFd, location.offset, cold)
  }

  /** Lets a filling write itself, where that is possible: to pages that exist. */
  #fillWarm({ offset: base, warmBytes }: Location, offset: number, piece: Piece): boolean {
    if (piece instanceof Uint8Array || offset + piece.length > warmBytes) return false
    const target = this.#windows.view(base + offset, piece.length, true)
    if (target.length < piece.length) return false
    writePiece(piece, target)
    return true
  }

  /** Writes parts at `base`, neighbours in one call. */
  #writeParts(fd: number, base: number, parts: ObjectLayout['parts']): void {
    let run: Run = { position: base, sizeBytes: 0, vectors: [] }
    for (const { offset, bytes: piece } of parts) {
      const bytes = pieceBytes(piece)
      for (let done = 0; done < bytes.length;) {
        const position = base + offset + done
        const gapBytes = position - run.position - run.sizeBytes
        assert(gapBytes >= 0 || run.vectors.length === 0, 'parts ascend')
        const roomBytes = this.#callBytesMax - run.sizeBytes - gapBytes
        const isFull = roomBytes <= 0 || run.vectors.length + 2 > vectorsMax
        if (run.vectors.length === 0 || isFull || gapBytes > gap.length) {
          writeAll(fd, run)
          run = { position, sizeBytes: 0, vectors: [] }
        } else if (gapBytes > 0) extend(run, gap.subarray(0, gapBytes))
        const count = Math.min(bytes.length - done, this.#callBytesMax - run.sizeBytes)
        extend(run, bytes.subarray(done, done + count))
        done += count
      }
    }
    writeAll(fd, run)
  }
}

/** Buffers that go to one place in one call. */
interface Run {
  position: number
  sizeBytes: number
  vectors: Uint8Array[]
}

function extend(run: Run, bytes: Uint8Array): void {
  run.vectors.push(bytes)
  run.sizeBytes += bytes.length
}

function writeAll(fd: number, run: Run): void {
  let { position, vectors } = run
  while (vectors.length > 0) {
    const written = writevSync(fd, vectors, position)
    position += written
    vectors = dropBytes(vectors, written)
  }
}

function dropBytes(vectors: Uint8Array[], count: number): Uint8Array[] {
  let index = 0
  let left = count
  while (index < vectors.length && left >= vectors[index]!.length) left -= vectors[index++]!.length
  if (left === 0) return vectors.slice(index)
  return [vectors[index]!.subarray(left), ...vectors.slice(index + 1)]
}
