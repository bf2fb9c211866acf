// The extension of a push frame that has one, read and written anew.

import { writeU32, writeU48 } from '../base/bytes.js'
import { packMessage, unpackMessage } from '../wire/control-channel.js'
import { pushHeadBytes } from '../wire/frame.js'
import type { PushExtension } from '../wire/messages/task.js'

export function extensionBytes(extension: PushExtension): Uint8Array {
  return Uint8Array.from(packMessage(extension))
}

export function extensionIn(bytes: Uint8Array): PushExtension {
  return unpackMessage(bytes) as PushExtension
}

/** A copy of a frame with some of its extension replaced, and another sequence if one is given. */
export function frameWith(
  frame: Uint8Array,
  change: Partial<PushExtension>,
  sequence?: number,
): Uint8Array {
  const size = frame[pushHeadBytes]! | (frame[pushHeadBytes + 1]! << 8)
  const rest = frame.subarray(pushHeadBytes + 2 + size)
  const before = extensionIn(frame.subarray(pushHeadBytes + 2, pushHeadBytes + 2 + size))
  const extension = extensionBytes({ ...before, ...change })
  const copy = new Uint8Array(pushHeadBytes + 2 + extension.length + rest.length)
  copy.set(frame.subarray(0, pushHeadBytes))
  writeU32(copy, 0, copy.length - 4)
  copy[pushHeadBytes] = extension.length
  copy[pushHeadBytes + 1] = extension.length >>> 8
  copy.set(extension, pushHeadBytes + 2)
  copy.set(rest, pushHeadBytes + 2 + extension.length)
  if (sequence !== undefined) writeU48(copy, 8, sequence)
  return copy
}
