// Reads what ByteWriter wrote. The bytes may come from anywhere, so every length is compared with
// what is left before anything is allocated for it.

import { readF64, readI32, readU32 } from '../base/bytes.js'
import { SerializationError } from '../base/errors.js'
import { readLongString, readName, readShortString } from './value-strings.js'
import { shortStringMax, tagLatin1, tagShortString, tagUtf16 } from './value-tags.js'

export class ByteReader {
  readonly bytes: Uint8Array
  at: number
  readonly end: number

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes
    this.at = start
    this.end = bytes.length
  }

  malformed(why: string): SerializationError {
    return new SerializationError(
      `The bytes of a value are malformed near offset ${this.at}: ${why}.`,
    )
  }

  /** Moves over `size` bytes and returns where they begin. */
  take(size: number): number {
    const start = this.at
    if (size > this.end - start) throw this.malformed('they end too early')
    this.at = start + size
    return start
  }

  byte(): number {
    const byte = this.bytes[this.at]
    if (byte === undefined) throw this.malformed('they end too early')
    this.at++
    return byte
  }

  u32(): number {
    return readU32(this.bytes, this.take(4))
  }

  i32(): number {
    return readI32(this.bytes, this.take(4))
  }

  f64(): number {
    return readF64(this.bytes, this.take(8))
  }

  varuint(): number {
    let value = 0
    let unit = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * unit
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      unit *= 0x80
    }
    throw this.malformed('a number is too large')
  }

  /** A number of things that take at least one byte each. */
  count(): number {
    const count = this.varuint()
    if (count > this.end - this.at) throw this.malformed('a length is larger than the rest')
    return count
  }

  raw(size: number): Uint8Array {
    const start = this.take(size)
    return this.bytes.subarray(start, start + size)
  }

  string(): string {
    const tag = this.byte()
    const text = this.stringOf(tag)
    if (text === undefined) throw this.malformed('a string is expected')
    return text
  }

  /** The string that begins with `tag`, or undefined if none begins so. */
  stringOf(tag: number): string | undefined {
    if (tag >= tagShortString && tag <= tagShortString + shortStringMax) {
      const size = tag - tagShortString
      return readShortString(this.bytes, this.take(size), size)
    }
    if (tag < tagLatin1 || tag > tagUtf16) return undefined
    const size = this.u32()
    const start = this.take(size)
    return readLongString(this.bytes, tag, { start, end: start + size })
  }

  /** The same for a property name. */
  nameOf(tag: number): string | undefined {
    if (tag < tagShortString || tag > tagShortString + shortStringMax) return this.stringOf(tag)
    const size = tag - tagShortString
    return readName(this.bytes, this.take(size), size)
  }
}
