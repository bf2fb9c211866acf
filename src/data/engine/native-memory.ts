// Copies between native memory and JavaScript, and the structures of the Arrow C data interface.
//
// ArrowSchema (72 bytes): format, name, metadata, flags, child count, children, dictionary,
// release, private data. ArrowArray (80 bytes): length, null count, offset, buffer count, child
// count, buffers, children, dictionary, release, private data. Every field has 8 bytes.

import { createRequire } from 'node:module'
import type KoffiModule from 'koffi'
import type { Pointer } from './duckdb-library.js'

interface Libc {
  copyIn(target: Uint8Array, source: Pointer, bytes: number): void
  copy(target: Pointer, source: Pointer, bytes: number): void
  stringLength(source: Pointer): number
  addressOf(buffer: ArrayBufferLike): Pointer
}

let libc: Libc | undefined

function native(): Libc {
  if (libc !== undefined) return libc
  const koffi = createRequire(import.meta.url)('koffi') as typeof KoffiModule
  const library = koffi.load(null)
  libc = {
    copyIn: library.func('void* memcpy(void* target, uintptr_t source, size_t bytes)'),
    copy: library.func('void* memcpy(uintptr_t target, uintptr_t source, size_t bytes)'),
    stringLength: library.func('size_t strlen(uintptr_t text)'),
    addressOf: (buffer) => Number(koffi.address(buffer)),
  }
  return libc
}

/** Copies `target.byteLength` bytes that begin at `source`. */
export function copyFromNative(target: Uint8Array, source: Pointer): void {
  if (target.byteLength > 0) native().copyIn(target, source, target.byteLength)
}

/** The same, to an address. */
export function copyNative(target: Pointer, source: Pointer, bytes: number): void {
  if (bytes > 0) native().copy(target, source, bytes)
}

/** Room for a native structure, zeroed; 128 bytes hold any that is used here. */
export function nativeBox(bytes = 128): Buffer {
  return Buffer.from(new ArrayBuffer(bytes))
}

export function pointerBox(pointer: Pointer): Buffer {
  const box = nativeBox(8)
  box.writeBigUInt64LE(BigInt(pointer))
  return box
}

export function readPointer(from: Buffer, offset = 0): Pointer {
  return Number(from.readBigUInt64LE(offset))
}

export function readCString(at: Pointer): string {
  if (at === 0) return ''
  const bytes = Buffer.alloc(Number(native().stringLength(at)))
  copyFromNative(bytes, at)
  return bytes.toString('utf8')
}

/** Reads `count` 8-byte words as numbers: pointers and counts, all below 2^53. */
export function readWords(at: Pointer, count: number): Float64Array {
  if (2 * count > halves.length) halves = new Int32Array(4 * count)
  copyFromNative(new Uint8Array(halves.buffer, 0, 8 * count), at)
  const words = new Float64Array(count)
  // As two halves: a bigint per word would cost five times as much.
  for (let i = 0; i < count; i++) {
    words[i] = (halves[2 * i + 1] ?? 0) * 0x1_0000_0000 + ((halves[2 * i] ?? 0) >>> 0)
  }
  return words
}

/** Where `readWords` copies words to, again and again. */
let halves = new Int32Array(64)

/** The native address of the first byte of a view; 0 for an empty one. */
export function addressOf(view: ArrayBufferView): Pointer {
  if (view.byteLength === 0) return 0
  return native().addressOf(view.buffer) + view.byteOffset
}
