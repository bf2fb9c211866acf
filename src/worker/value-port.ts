// Values at the border of a process: what the codec and the closure serialiser cannot know.
//
// An encoded value has a meta part beside its bytes: the refs nested in it, its other attachments
// (actor handles, remote functions) and the code it needs (functions, classes of instances), by the
// id of their definition. Decoding is synchronous unless code is needed that this process has not
// loaded yet.

import type { ProcessId } from '../base/ids.js'
import { inlineBytesMax } from '../base/limits.js'
import { isStoredAnyway } from '../base/stored-value.js'
import { writePiece } from '../base/pieced-bytes.js'
import { packMessage, unpackMessage } from '../wire/control-channel.js'
import { bodyTag } from '../wire/frame.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { layoutObject, readObject, type ObjectLayout } from '../wire/object-layout.js'
import { decodeSmall, encodeSmall } from '../wire/small-codec.js'
import {
  arrowCode,
  blockCode,
  decodeValue,
  encodeValue,
  type EncodedValue,
  type ValueHooks,
} from '../wire/value-codec.js'
import { slotKind } from './argument-slot.js'
import { attachmentKind, attachmentKindOf, codeOfAttachments } from './attachment.js'
import { refuseEnded } from './current-core.js'
import type { CodeId, FunctionExports } from './function-exports.js'
import { ObjectRef } from './object-ref.js'

export interface EncodedObject {
  readonly layout: ObjectLayout
  /** Refs nested in the value, in order of the meta part. */
  readonly refs: ObjectRef[]
}

/** The parts of an object as they lie in a message or in the store. */
export interface ObjectParts {
  readonly meta: Uint8Array
  readonly bytes: Uint8Array
  readonly buffers: readonly Uint8Array[]
}

interface Meta {
  /** Owner and sequence of every nested ref, as doubles. */
  readonly r?: Uint8Array
  /**
   * Attachments: 0 for the next ref, else [kind, data, number of refs that belong to it]. Absent:
   * they are the refs.
   */
  readonly a?: readonly (0 | readonly [string, unknown, number])[]
  readonly c?: readonly CodeId[]
}

const noBytes = new Uint8Array(0)
const scratch = Buffer.allocUnsafeSlow(8 * 1024)

export class ValuePort {
  readonly #functions: FunctionExports
  readonly #hooks: ValueHooks
  /** Makes a ref that the raylet already counts for this process. */
  readonly #borrow: (owner: ProcessId, sequence: number) => ObjectRef

  constructor(
    functions: FunctionExports,
    hooks: ValueHooks,
    borrow: (owner: ProcessId, sequence: number) => ObjectRef,
  ) {
    this.#functions = functions
    this.#hooks = hooks
    this.#borrow = borrow
  }

  encode(value: unknown, name: string): EncodedObject {
    const encoded = encodeValue(value, name, this.#hooks)
    const { attachments, buffers, hasArrow, hasBlocks } = encoded
    const refs: ObjectRef[] = []
    if (attachments.length === 0 && encoded.code.length === 0 && !hasArrow && !hasBlocks) {
      return { layout: layoutObject(noBytes, encoded.bytes, buffers), refs }
    }
    // Shipping code may encode other values, and the codec uses its memory again.
    const bytes = encoded.bytes.slice()
    const meta = this.#encodeMeta(encoded, refs)
    return { layout: layoutObject(meta, bytes, buffers), refs }
  }

  #encodeMeta(
    { attachments, code, hasArrow, hasBlocks }: EncodedValue,
    refs: ObjectRef[],
  ): Uint8Array {
    const entries = this.encodeAttachments(attachments, refs)
    const c = code.map((fn) => this.#functions.codeId(fn as (...args: never[]) => unknown))
    c.push(...codeOfAttachments(entries))
    if (hasArrow) c.push([arrowCode, ''])
    if (hasBlocks) c.push([blockCode, ''])
    const keys = new Float64Array(refs.length * 2)
    refs.forEach((ref, i) => {
      keys[2 * i] = ref.owner
      keys[2 * i + 1] = ref.sequence
    })
    const meta: Meta = {
      ...(refs.length > 0 && { r: new Uint8Array(keys.buffer) }),
      ...(entries.some((entry) => entry !== 0) && { a: entries }),
      ...(c.length > 0 && { c }),
    }
    return Uint8Array.from(packMessage(meta))
  }

  /** Also used for the captures of closures. */
  encodeAttachments(
    attachments: readonly object[],
    refs: ObjectRef[],
  ): (0 | [string, unknown, number])[] {
    return attachments.map((value) => {
      if (value instanceof ObjectRef) {
        refuseEnded(value.owner, String(value))
        refs.push(value)
        return 0
      }
      const kind = attachmentKindOf(value) ?? ''
      const before = refs.length
      const data = attachmentKind(kind).encode(value, refs)
      for (const ref of refs.slice(before)) refuseEnded(ref.owner, String(ref))
      return [kind, data, refs.length - before]
    })
  }

  decodeAttachments(
    entries: readonly (0 | readonly [string, unknown, number])[],
    refs: readonly ObjectRef[],
    slots: readonly unknown[] = [],
  ): unknown[] {
    let at = 0
    return entries.map((entry) => {
      if (entry === 0) return refs[at++]!
      const [kind, data, count] = entry
      if (kind === slotKind) return slots[data as number]
      at += count
      return attachmentKind(kind).decode(data, refs.slice(at - count, at))
    })
  }

  /** The refs nested in a value, borrowed: the raylet has counted one on each for this process. */
  nestedRefs(meta: Uint8Array): ObjectRef[] | null {
    if (meta.length === 0) return null
    const { r } = unpackMessage(meta) as Meta
    return r === undefined ? null : this.#refsOf(r)
  }

  /** The same for a result body. */
  nestedInBody(body: Uint8Array): ObjectRef[] | null {
    if (body[0] === bodyTag.small) return null
    return this.nestedRefs(readObject(body.subarray(1)).meta)
  }

  /** The keys of what a result body nests, without borrowing anything. */
  keysInBody(body: Uint8Array): ObjectKey[] {
    if (body[0] !== bodyTag.full && body[0] !== bodyTag.error) return []
    const { meta } = readObject(body.subarray(1))
    const { r } = meta.length === 0 ? {} : (unpackMessage(meta) as Meta)
    if (r === undefined) return []
    const keys = new Float64Array(r.slice().buffer)
    return Array.from({ length: keys.length / 2 }, (_, i) => [keys[2 * i]!, keys[2 * i + 1]!])
  }

  /** The code that a body needs before it can be decoded. */
  codeInBody(body: Uint8Array): readonly CodeId[] {
    const { meta } = readObject(body.subarray(1))
    return meta.length === 0 ? [] : ((unpackMessage(meta) as Meta).c ?? [])
  }

  #refsOf(r: Uint8Array): ObjectRef[] {
    const keys = new Float64Array(r.slice().buffer)
    const refs: ObjectRef[] = []
    for (let i = 0; i < keys.length; i += 2) refs.push(this.#borrow(keys[i]!, keys[i + 1]!))
    return refs
  }

  /**
   * The value, or a promise of it when code must be loaded first. `nested`: refs that the value is
   * known to nest; without them they are borrowed anew. `slots`: the values of top-level refs, when
   * the value is a list of arguments.
   */
  decode(
    parts: ObjectParts,
    nested: readonly unknown[] | null,
    slots: readonly unknown[] = [],
  ): unknown {
    const { meta, bytes, buffers } = parts
    if (meta.length === 0) return decodeValue(bytes, { buffers, attachments: [], code: [] })
    const { r, a, c } = unpackMessage(meta) as Meta
    const refs = (nested as readonly ObjectRef[] | null) ?? (r === undefined ? [] : this.#refsOf(r))
    const attached = (entries: Meta['a']): readonly unknown[] =>
      entries === undefined ? refs : this.decodeAttachments(entries, refs, slots)
    if (c === undefined) return decodeValue(bytes, { buffers, attachments: attached(a), code: [] })
    const code = c.map((id) => this.#functions.loaded(id))
    if (code.every((fn) => fn !== undefined))
      return decodeValue(bytes, { buffers, attachments: attached(a), code })
    // The bytes may lie in a buffer that is used again before the code is here.
    const kept = bytes.slice()
    const later = a === undefined ? undefined : (unpackMessage(meta.slice()) as Meta).a
    return Promise.all(
      c.map(async (id) => this.#functions.loaded(id) ?? this.#functions.load(id[0])),
    ).then((loaded) => decodeValue(kept, { buffers, attachments: attached(later), code: loaded }))
  }

  /** Decodes a body that is not `stored`; an error body gives what `encodeError` was given. */
  decodeBody(body: Uint8Array, nested: readonly unknown[] | null): unknown {
    if (body[0] === bodyTag.small) return decodeSmall(body, 1)
    const parts = readObject(body.subarray(1))
    if (parts.buffers.length === 0) return this.decode(parts, nested)
    // Views would share the memory of the body, and every get must give a fresh value.
    return this.decode({ ...parts, buffers: parts.buffers.map((b) => b.slice()) }, nested)
  }

  /**
   * A body for a value that fits in a message, else undefined with the encoded object in `large`.
   */
  bodyOf(value: unknown, name: string): { body: Uint8Array; refs: ObjectRef[] } | EncodedObject {
    const end = encodeSmall(scratch, 1, scratch.length, value)
    if (end >= 0) {
      const body = Buffer.allocUnsafe(end)
      scratch.copy(body, 0, 0, end)
      body[0] = bodyTag.small
      return { body, refs: noRefs }
    }
    const encoded = this.encode(value, name)
    if (encoded.layout.sizeBytes > inlineBytesMax || isStoredAnyway(value)) return encoded
    return { body: bodyFromLayout(bodyTag.full, encoded.layout), refs: encoded.refs }
  }
}

const noRefs: ObjectRef[] = []

export function bodyFromLayout(tag: number, layout: ObjectLayout): Uint8Array {
  const body = Buffer.allocUnsafe(1 + layout.sizeBytes)
  body[0] = tag
  writeLayout(layout, body, 1)
  return body
}

export function writeLayout(layout: ObjectLayout, target: Uint8Array, offset: number): void {
  let filled = offset
  for (const part of layout.parts) {
    const at = offset + part.offset
    if (at > filled) target.fill(0, filled, at)
    filled = at + part.bytes.length
    writePiece(part.bytes, target.subarray(at, filled))
  }
  if (filled < offset + layout.sizeBytes) target.fill(0, filled, offset + layout.sizeBytes)
}
