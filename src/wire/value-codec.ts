// The value codec: every value that crosses a process boundary (arguments, results, `put`) goes
// through here.
//
// The result has four parts. In-band bytes; binary contents of 4 KiB and more, not copied;
// attachments (refs, handles) and code (functions, classes of instances), which the caller encodes
// in its own way. `docs/internals/values.md` describes what travels and how.

import { writeU32 } from '../base/bytes.js'
import { SerializationError } from '../base/errors.js'
import { messageOf } from '../base/thrown.js'
import { ByteWriter } from './byte-writer.js'
import type { OutOfBand } from './value-backings.js'
import { ValueDecoder, type ValueParts } from './value-decoder.js'
import { ValueEncoder } from './value-encoder.js'
import type { ValueHooks } from './value-hooks.js'
import { tagBackings } from './value-tags.js'

export {
  arrowCode,
  type BlockArrow,
  blockCode,
  loadArrow,
  loadedArrow,
  loadedBlockArrow,
  teachArrow,
  useBlockArrow,
} from './arrow-copies.js'
export { decodeSmall, encodeSmall, smallEnd } from './small-codec.js'
export type { ValueParts } from './value-decoder.js'
export { attachmentBrand, type ValueHooks } from './value-hooks.js'

export interface EncodedValue {
  /**
   * The value, in band. A view of memory that the next `encodeValue` reuses: copy it or send it
   * before.
   */
  readonly bytes: Uint8Array
  /** Contents of ArrayBuffers and views, as they are in the value: not copied. */
  readonly buffers: readonly OutOfBand[]
  /** Attachments in order of their index. */
  readonly attachments: readonly object[]
  /** Functions as values and classes of instances, in order of their index. */
  readonly code: readonly CallableFunction[]
  /** There are Arrow values in it: whoever decodes it needs the library (`arrowCode`). */
  readonly hasArrow: boolean
  /** There are blocks of datasets in it (`blockCode`). */
  readonly hasBlocks: boolean
}

/** Room for the tag and position of a backing table, before the value. */
const headBytes = 5

/**
 * Encodes any value; `name` is what error messages call it. Throws SerializationError with the path
 * of what cannot travel.
 */
export function encodeValue(value: unknown, name: string, hooks: ValueHooks): EncodedValue {
  const to = new ByteWriter()
  try {
    to.at = headBytes
    const encoder = new ValueEncoder(to, name, hooks)
    encoder.encode(value)
    const { backings, hasArrow, hasBlocks } = encoder
    const attachments = encoder.attachments.list
    const code = encoder.code.list
    if (!backings.used) {
      const bytes = to.bytes.subarray(headBytes, to.at)
      return { bytes, buffers: [], attachments, code, hasArrow, hasBlocks }
    }
    const table = to.at
    const buffers = backings.write(to, name)
    to.bytes[0] = tagBackings
    writeU32(to.bytes, 1, table)
    return { bytes: to.bytes.subarray(0, to.at), buffers, attachments, code, hasArrow, hasBlocks }
  } finally {
    to.release()
  }
}

/**
 * Decodes what `encodeValue` or `encodeSmall` wrote. Binary contents are views of `parts.buffers`.
 */
export function decodeValue(bytes: Uint8Array, parts: ValueParts): unknown {
  try {
    return new ValueDecoder(bytes, parts).decode()
  } catch (cause) {
    if (cause instanceof SerializationError) throw cause
    throw new SerializationError(`The bytes of a value are malformed: ${messageOf(cause)}`, {
      cause,
    })
  }
}
