// What nodes say on a bulk connection: a head of 32 bytes, and behind that of a piece its bytes.
//
//   u8 kind | u8 mark | u16 0 | u32 request | u48 owner | u48 sequence | u48 offset | u32 length
//
// The head has a fixed size so that the receiver knows, before it reads, where the next byte must
// go: those of a piece are read from the socket straight into the place of the object.

import { readU32, readU48, writeU32, writeU48 } from '../../base/bytes.js'
import type { ObjectKey } from '../../wire/messages/terms.js'

export const bulkHeadBytes = 32
const mark = 0xb7

export const bulkKind = {
  /** Give me these bytes of the object. */
  read: 1,
  /** Here they are, behind this head. */
  piece: 2,
  /** I do not have it. */
  missing: 3,
  /** I am about to have it, and do not know when. */
  unable: 4,
} as const

export interface BulkHead {
  readonly kind: number
  readonly request: number
  readonly object: ObjectKey
  readonly offset: number
  readonly length: number
}

export function writeBulkHead(head: BulkHead): Uint8Array {
  const b = Buffer.alloc(bulkHeadBytes)
  b[0] = head.kind
  b[1] = mark
  writeU32(b, 4, head.request)
  writeU48(b, 8, head.object[0])
  writeU48(b, 14, head.object[1])
  writeU48(b, 20, head.offset)
  writeU32(b, 26, head.length)
  return b
}

/** Undefined when it is none. */
export function readBulkHead(b: Uint8Array): BulkHead | undefined {
  const kind = b[0] ?? 0
  if (b[1] !== mark || kind < bulkKind.read || kind > bulkKind.unable) return undefined
  return {
    kind,
    request: readU32(b, 4),
    object: [readU48(b, 8), readU48(b, 14)],
    offset: readU48(b, 20),
    length: readU32(b, 26),
  }
}
