// A growing byte array to write values into. Its first memory is a slab that is kept from one value
// to the next, so that an ordinary value allocates nothing; a value written while another is under
// way gets memory of its own.

import { writeF64, writeU32 } from '../base/bytes.js'
import { SerializationError } from '../base/errors.js'
import { codecSlabBytesMax } from '../base/limits.js'
import { stringBytesMax, writeString } from './value-strings.js'

const bytesMin = 16 * 1024
const bytesMax = 0xffff_ffff

let slab: Uint8Array | undefined = new Uint8Array(new ArrayBuffer(bytesMin))

export class ByteWriter {
  bytes: Uint8Array
  at = 0

  constructor() {
    this.bytes = slab ?? new Uint8Array(bytesMin)
    slab = undefined
  }

  /**
   * Gives the memory back to the next writer; what was written stays valid until that one writes.
   */
  release(): void {
    if (slab === undefined && this.bytes.length <= codecSlabBytesMax) slab = this.bytes
  }

  /** Makes room for `size` more bytes. */
  need(size: number): void {
    if (this.at + size > this.bytes.length) this.grow(size)
  }

  private grow(size: number): void {
    const wanted = this.at + size
    if (wanted > bytesMax)
      throw new SerializationError('A value is larger than 4 GiB without its binary arrays.')
    const grown = new Uint8Array(Math.min(bytesMax, Math.max(wanted, this.bytes.length * 2)))
    grown.set(this.bytes.subarray(0, this.at))
    this.bytes = grown
  }

  byte(value: number): void {
    if (this.at === this.bytes.length) this.grow(1)
    this.bytes[this.at++] = value
  }

  u32(value: number): void {
    this.need(4)
    writeU32(this.bytes, this.at, value)
    this.at += 4
  }

  f64(value: number): void {
    this.need(8)
    writeF64(this.bytes, this.at, value)
    this.at += 8
  }

  varuint(value: number): void {
    this.need(8)
    let rest = value
    while (rest > 0x7f) {
      this.bytes[this.at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.bytes[this.at++] = rest
  }

  string(text: string): void {
    let end = writeString(this.bytes, this.at, this.bytes.length, text)
    if (end < 0) {
      this.need(stringBytesMax(text))
      end = writeString(this.bytes, this.at, this.bytes.length, text)
    }
    this.at = end
  }

  raw(bytes: Uint8Array): void {
    this.need(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }
}
