// How fast bytes get into shared memory: copied into pages that exist (warm), copied through a new
// mapping into pages that the kernel must make and clear first (fresh), or written into a new file
// in memory. A put can use any of them.
import { randomFillSync } from 'node:crypto'
import { closeSync, ftruncateSync, writeSync } from 'node:fs'
import koffi from 'koffi'
import { assert } from '../../src/base/assert.js'
import type { OpenProbe, ProbeTable } from '../probe.js'

const libc = koffi.load('libc.so.6')
const memfdCreate = libc.func('int memfd_create(const char *name, unsigned int flags)')
const mmap = libc.func(
  'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
)
const munmap = libc.func('int munmap(void *address, size_t length)')
const memcpy = libc.func('void *memcpy(void *to, const void *from, size_t length)')

const closeOnExec = 1
const readAndWrite = 3
const shared = 1

export function randomBytes(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length))
}

function openMemoryFile(length: number): number {
  const fd: unknown = memfdCreate('typeray-bench', closeOnExec)
  assert(typeof fd === 'number' && fd >= 0, 'memfd_create works on every Linux we support')
  ftruncateSync(fd, length)
  return fd
}

class Mapping {
  readonly #fd: number
  readonly #length: number
  readonly #address: unknown

  constructor(length: number) {
    this.#fd = openMemoryFile(length)
    this.#length = length
    this.#address = mmap(null, length, readAndWrite, shared, this.#fd, 0)
  }

  fill(source: Uint8Array): void {
    memcpy(this.#address, source, this.#length)
  }

  close(): void {
    munmap(this.#address, this.#length)
    closeSync(this.#fd)
  }
}

const openWarm =
  (length: number): OpenProbe =>
  async () => {
    const source = randomBytes(length)
    const mapping = new Mapping(length)
    return {
      kind: 'rate',
      unitsPerStep: length / 1e9,
      step: () => mapping.fill(source),
      close: async () => mapping.close(),
    }
  }

/**
 * Repeats `copy`, which returns the milliseconds it spent on the bytes themselves, and yields
 * gigabytes per second.
 */
const openCold =
  (length: number, copy: (source: Uint8Array) => number): OpenProbe =>
  async () => {
    const source = randomBytes(length)
    return {
      kind: 'sample',
      async sample(roundMs) {
        let count = 0
        let copyMs = 0
        do {
          copyMs += copy(source)
          count++
        } while (copyMs < roundMs)
        return (count * length) / 1e6 / copyMs
      },
    }
  }

function copyToFreshPages(source: Uint8Array): number {
  const mapping = new Mapping(source.length)
  const startedMs = performance.now()
  mapping.fill(source)
  const copyMs = performance.now() - startedMs
  mapping.close()
  return copyMs
}

function writeToFreshFile(source: Uint8Array): number {
  const fd = openMemoryFile(0)
  const startedMs = performance.now()
  let written = 0
  while (written < source.length) written += writeSync(fd, source, written)
  const copyMs = performance.now() - startedMs
  closeSync(fd)
  return copyMs
}

const probesOf = (label: string, length: number): ProbeTable => ({
  [`memcpy warm ${label}`]: openWarm(length),
  [`memcpy fresh ${label}`]: openCold(length, copyToFreshPages),
  [`write(2) fresh ${label}`]: openCold(length, writeToFreshFile),
})

export const memoryCopyProbes: ProbeTable = {
  'memcpy warm 64 MB': openWarm(64e6),
  ...probesOf('80 MB', 80e6),
  ...probesOf('800 MB', 800e6),
}
