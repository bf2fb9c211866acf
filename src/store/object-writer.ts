// Writes objects into the place that the raylet granted, without an event-loop turn.
//
// Pages that exist are written through a shared mapping that the process keeps: 12 GB/s. New pages
// and files are written with write(2): 2.7 GB/s, where a fault per page through the mapping gives
// under 1. It also turns a full disk into ENOSPC, which through a mapping would be SIGBUS.

import { closeSync, writevSync } from 'node:fs'
import { assert } from '../base/assert.js'
import type { Location } from './location.js'
import { type Memory, openMemory, SharedWindows, windowBytes } from './shared-memory.js'

/** What src/wire says about a value's bytes; parts ascend and do not overlap. */
export interface ObjectLayout {
  readonly sizeBytes: number
  readonly parts: readonly { readonly offset: number; readonly bytes: Uint8Array }[]
}

export interface WriterOptions {
  /** Process id of the raylet. */
  readonly pid: number
  readonly arena: Memory
  /** Smaller windows are for tests. */
  readonly windowBytes?: number
}

/** Most buffers that one writev takes (IOV_MAX). */
const vectorsMax = 1024
/** Most bytes of one buffer per call: the kernel stops at 2 GiB. */
const vectorBytesMax = 1024 * 1024 * 1024
/** Alignment gaps up to this are filled with zeros to keep one call for neighbouring parts. */
const gap = new Uint8Array(4096)

export class ObjectWriter {
  readonly #pid: number
  readonly #arenaFile: number
  readonly #arenaFd: number
  readonly #windows: SharedWindows
  #isClosed = false

  constructor(options: WriterOptions) {
    this.#pid = options.pid
    this.#arenaFile = options.arena.fd
    this.#arenaFd = openMemory(options.pid, options.arena.fd)
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
      writeParts(fd, location.offset, layout.parts)
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
    for (const { offset, bytes } of layout.parts) {
      const warm = Math.min(bytes.length, Math.max(0, location.warmBytes - offset))
      if (warm > 0) {
        const isWhole = warm === bytes.length
        this.#windows.copy(location.offset + offset, isWhole ? bytes : bytes.subarray(0, warm))
      }
      if (warm < bytes.length) cold.push({ offset: offset + warm, bytes: bytes.subarray(warm) })
    }
    writeParts(this.#arenaFd, location.offset, cold)
  }
}

/** Writes parts at `base`, neighbours in one call. */
function writeParts(fd: number, base: number, parts: ObjectLayout['parts']): void {
  let vectors: Uint8Array[] = []
  let start = 0
  let end = 0
  const flush = (): void => {
    writeAll(fd, base + start, vectors)
    vectors = []
  }
  for (const { offset, bytes } of parts) {
    assert(offset >= end, 'parts ascend')
    const gapBytes = offset - end
    if (gapBytes > gap.length || vectors.length + 2 > vectorsMax) flush()
    if (vectors.length === 0) start = offset
    else if (gapBytes > 0) vectors.push(gap.subarray(0, gapBytes))
    end = offset + bytes.length
    for (let at = 0; at < bytes.length; at += vectorBytesMax) {
      vectors.push(bytes.subarray(at, at + vectorBytesMax))
      if (vectors.length >= vectorsMax) {
        flush()
        start = offset + Math.min(bytes.length, at + vectorBytesMax)
      }
    }
  }
  flush()
}

function writeAll(fd: number, position: number, vectors: Uint8Array[]): void {
  let rest = vectors
  while (rest.length > 0) {
    const written = writevSync(fd, rest, position)
    position += written
    rest = dropBytes(rest, written)
  }
}

function dropBytes(vectors: Uint8Array[], count: number): Uint8Array[] {
  let index = 0
  let left = count
  while (index < vectors.length && left >= vectors[index]!.length) left -= vectors[index++]!.length
  if (left === 0) return vectors.slice(index)
  return [vectors[index]!.subarray(left), ...vectors.slice(index + 1)]
}
