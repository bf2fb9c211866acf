import { closeSync } from 'node:fs'
import { assert } from '../base/assert.js'
import type { Location } from './location.js'
import { type Mapping, type Memory, mapRange, openMemory } from './shared-memory.js'

export interface ReaderOptions {
  /** Process id of the raylet. */
  readonly pid: number
  readonly arena: Memory
}

export interface ReadRange {
  /** From the start of the object; the whole object if left out. */
  readonly offset?: number
  readonly sizeBytes?: number
  readonly onUnmapped?: () => void
}

/** Maps objects, or the buffers of one that is over 4 GiB, from the arena or a spill file. */
export class ObjectReader {
  readonly #pid: number
  readonly #arenaFile: number
  readonly #arenaFd: number
  #isClosed = false

  constructor(options: ReaderOptions) {
    this.#pid = options.pid
    this.#arenaFile = options.arena.fd
    this.#arenaFd = openMemory(options.pid, options.arena.fd)
  }

  /** The caller holds a pin on the object until `onUnmapped`. */
  map(location: Location, range: ReadRange = {}): Mapping {
    assert(!this.#isClosed, 'reader is open')
    const within = range.offset ?? 0
    const sizeBytes = range.sizeBytes ?? location.sizeBytes - within
    assert(within + sizeBytes <= location.sizeBytes, 'range is inside the object')
    const onUnmapped = range.onUnmapped === undefined ? {} : { onUnmapped: range.onUnmapped }
    const rest = { offset: location.offset + within, sizeBytes, ...onUnmapped }
    if (location.file === this.#arenaFile) return mapRange({ fd: this.#arenaFd, ...rest })
    // Not kept: the raylet gives the number to another file once this one is gone.
    const fd = openMemory(this.#pid, location.file)
    try {
      return mapRange({ fd, ...rest })
    } finally {
      closeSync(fd)
    }
  }

  /** Existing mappings stay. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    closeSync(this.#arenaFd)
  }
}
