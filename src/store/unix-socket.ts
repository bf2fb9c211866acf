// Blocking Unix sockets. Node's own are tied to the event loop; `put` must talk to the raylet in
// the middle of a turn, so it reads and writes a plain descriptor with fs.readSync and writeSync.

import { closeSync } from 'node:fs'
import { libc, systemError } from './libc.js'

const afUnix = 1
const sockStream = 1
const sockCloexec = 0o2000000
const pathBytesMax = 108
const pollIn = 1
const eintr = 4

/** Connects to a Unix socket and returns its blocking descriptor; `\0name` is an abstract one. */
export function connectUnix(path: string): number {
  const name = Buffer.from(path)
  const isAbstract = name[0] === 0
  const sizeBytes = name.length + (isAbstract ? 0 : 1)
  if (name.length === 0 || sizeBytes > pathBytesMax) {
    throw new RangeError(`A Unix socket path has 1 to ${pathBytesMax - 1} bytes, not "${path}".`)
  }
  // The length is part of an abstract name, and Node 20 pads those it listens on with zeros.
  const sizes = isAbstract ? [sizeBytes, pathBytesMax] : [sizeBytes]
  const fd = libc().socket(afUnix, sockStream | sockCloexec)
  if (fd < 0) throw systemError('socket', libc().errno())
  let errno = 0
  for (const size of sizes) {
    const address = new Uint8Array(2 + size)
    address[0] = afUnix
    address.set(name, 2)
    errno = connect(fd, address)
    if (errno === 0) return fd
  }
  closeSync(fd)
  throw systemError(`connect to ${path.replace('\0', '@')}`, errno)
}

function connect(fd: number, address: Uint8Array): number {
  for (;;) {
    if (libc().connect(fd, address) === 0) return 0
    const errno = libc().errno()
    if (errno !== eintr) return errno
  }
}

/** Waits until `fd` has something to read or is hung up; false when the time is over. */
export function pollReadable(fd: number, timeoutMs: number, now: () => number): boolean {
  const request = new Uint8Array(8)
  const words = new DataView(request.buffer)
  words.setInt32(0, fd, true)
  words.setInt16(4, pollIn, true)
  const deadline = now() + timeoutMs
  for (;;) {
    const remainingMs = Math.max(0, Math.ceil(deadline - now()))
    const count = libc().poll(request, 1, remainingMs)
    if (count > 0) return true
    if (count === 0) return false
    // Any signal, a profiler's too, ends poll early.
    if (libc().errno() !== eintr) throw systemError('poll', libc().errno())
  }
}
