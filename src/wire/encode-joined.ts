import { pieceBytes } from '../base/pieced-bytes.js'
import { type EncodedValue, encodeValue, type ValueParts } from './value-codec.js'
import type { ValueHooks } from './value-hooks.js'

/** What a reader has of a value: all bytes of a buffer in one place, as they are in an object. */
export function encodeJoined(
  value: unknown,
  name: string,
  hooks: ValueHooks,
): EncodedValue & ValueParts {
  const encoded = encodeValue(value, name, hooks)
  return { ...encoded, buffers: encoded.buffers.map(pieceBytes) }
}
