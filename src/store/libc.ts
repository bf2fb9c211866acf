// The handful of libc calls that Node does not offer, reached through koffi's prebuilt FFI.
//
// Loading koffi costs 10 to 25 ms, so nothing here happens at import: the first call of `libc()`
// loads it, synchronously, because a `put` must be able to do so in the middle of a turn.

import { createRequire } from 'node:module'
import type * as Koffi from 'koffi'
import { getSystemErrorName } from 'node:util'

/** What koffi hands out for `uintptr_t`: a bigint only above 2^53, which no user address is. */
type Word = number | bigint

export interface MapArgs {
  readonly address: number
  readonly sizeBytes: number
  readonly flags: number
  readonly fd: number
  readonly offset: number
}

export interface Libc {
  memfdCreate(name: string, flags: number): number
  /** Readable and writable memory; throws a system error. Returns the address. */
  map(args: MapArgs): number
  unmap(address: number, sizeBytes: number): void
  /** Makes page table entries for pages before they are written, where the kernel knows how. */
  populate(address: number, sizeBytes: number): void
  prctl(option: number, value: number): number
  socket(domain: number, type: number): number
  connect(fd: number, address: Uint8Array): number
  poll(fds: Uint8Array, count: number, timeoutMs: number): number
  /** Reserves disk blocks off the event loop; resolves to 0 or to an errno. */
  reserve(fd: number, sizeBytes: number): Promise<number>
  errno(): number
  /** Gives memory that `free` has kept back to the kernel; nothing where libc is not glibc. */
  trim(): void
  /** An ArrayBuffer over foreign memory. More than 4 GiB aborts the process. */
  view(address: number, sizeBytes: number): ArrayBuffer
}

const protReadWrite = 3
/** Bytes that `malloc_trim` leaves at the end of the heap. */
const trimKept = 0
const madvPopulateWrite = 23
const mapFailed = 0xffff_ffff_ffff_ffffn
let loaded: Libc | undefined
let trimmer: ((kept: number) => void) | undefined

export function libc(): Libc {
  loaded ??= load()
  return loaded
}

/** An error of the shape that `node:fs` throws, so that callers treat both alike. */
export function systemError(syscall: string, errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno)
  const error: NodeJS.ErrnoException = new Error(`${code}: ${syscall} failed`)
  error.code = code
  error.errno = -errno
  error.syscall = syscall
  return error
}

function load(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
  const library = koffi.load(null)
  const mmap = library.func(
    'uintptr_t mmap(uintptr_t addr, size_t len, int prot, int flags, int fd, int64_t offset)',
  ) as (...args: number[]) => Word
  const munmap = library.func('int munmap(uintptr_t addr, size_t len)')
  const madvise = library.func('int madvise(uintptr_t addr, size_t len, int advice)')
  const connect = library.func('int connect(int fd, const void *addr, unsigned int len)')
  const socket = library.func('int socket(int domain, int type, int protocol)')
  const fallocate = library.func('int fallocate(int fd, int mode, int64_t offset, int64_t len)')
  const prctl = library.func(
    'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  )
  return {
    memfdCreate: library.func('int memfd_create(const char *name, unsigned int flags)'),
    map: ({ address, sizeBytes, flags, fd, offset }) => {
      const found = mmap(address, sizeBytes, protReadWrite, flags, fd, offset)
      if (found === mapFailed) throw systemError('mmap', koffi.errno())
      return Number(found)
    },
    unmap: (address, sizeBytes) => {
      if (munmap(address, sizeBytes) !== 0) throw systemError('munmap', koffi.errno())
    },
    // Linux has it since 5.14. It saves time only, so a failure is not one.
    populate: (address, sizeBytes) => void madvise(address, sizeBytes, madvPopulateWrite),
    prctl: (option, value) => prctl(option, value, 0, 0, 0) as number,
    socket: (domain, type) => socket(domain, type, 0) as number,
    connect: (fd, address) => connect(fd, address, address.length) as number,
    poll: library.func('int poll(void *fds, unsigned long count, int timeout)'),
    reserve: (fd, sizeBytes) =>
      new Promise((resolve, reject) => {
        fallocate.async(fd, 0, 0, sizeBytes, (error: unknown, result: number) => {
          if (error !== null && error !== undefined) reject(error as Error)
          else resolve(result === 0 ? 0 : koffi.errno())
        })
      }),
    errno: () => koffi.errno(),
    trim: () => trimOf(library)(trimKept),
    view: (address, sizeBytes) => koffi.view(address, sizeBytes),
  }
}

function trimOf(library: Koffi.LibraryHandle): (kept: number) => void {
  trimmer ??= findTrim(library)
  return trimmer
}

function findTrim(library: Koffi.LibraryHandle): (kept: number) => void {
  try {
    return library.func('int malloc_trim(size_t pad)') as (kept: number) => void
  } catch {
    // Only glibc has it.
    return () => undefined
  }
}
