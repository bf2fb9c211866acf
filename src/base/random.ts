// Random bytes from the kernel.
//
// `node:crypto` costs 3 ms to load and up to 10 ms to seed, in every worker and for a few bytes.

import { closeSync, openSync, readSync } from 'node:fs'

const poolBytes = 256
let pool: Buffer = Buffer.alloc(0)

/** Unpredictable bytes. Valid for good: they are a copy. */
export function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count)
  let done = 0
  while (done < count) {
    if (pool.length === 0) pool = readPool()
    const copied = pool.copy(bytes, done)
    pool = pool.subarray(copied)
    done += copied
  }
  return bytes
}

function readPool(): Buffer {
  const fresh = Buffer.alloc(poolBytes)
  const fd = openSync('/dev/urandom', 'r')
  try {
    return fresh.subarray(0, readSync(fd, fresh, 0, poolBytes, null))
  } finally {
    closeSync(fd)
  }
}
