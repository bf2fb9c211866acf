// Attachments: the objects inside a value that belong to the runtime and not to the user's data.
//
// The value codec and the closure serialiser replace each by its index and hand them over; this
// table says, per kind, how one is written into the meta part of an object and made again on the
// other side. A new kind (a placement group, a dataset) registers itself here and can from then on
// travel inside any value.

import type { CodeId } from './function-exports.js'
import type { ObjectRef } from './object-ref.js'

export const attachmentBrand = Symbol.for('typeray.attachment')

export interface AttachmentKind<T extends object = object> {
  /**
   * Plain data for MessagePack. Counted objects inside it are pushed onto `refs` and become
   * borrowed by the receiver.
   */
  encode(value: T, refs: CountedRef[]): unknown
  /** `refs` are those that encode pushed, borrowed by this process. */
  decode(data: unknown, refs: readonly CountedRef[]): object
  /** Code that must be loaded before `data` is decoded. */
  codeOf?(data: unknown): readonly CodeId[]
}

/** What the raylet counts: an object or an actor. */
export type CountedRef = ObjectRef

const kinds = new Map<string, AttachmentKind>()

export function registerAttachment<T extends object>(kind: string, how: AttachmentKind<T>): void {
  kinds.set(kind, how as unknown as AttachmentKind)
}

/** Where a class keeps how its instances travel; see serializers. */
export const serializerKey = Symbol.for('typeray.serializer')

/** Does the object carry a registration itself, so that it is the prototype and no instance? */
export function isRegisteredPrototype(value: object): boolean {
  return Object.hasOwn(value, serializerKey)
}

/** Attachments as they travel: 0 for a ref, else the kind, its data, and how many refs are its. */
export type AttachmentEntry = 0 | readonly [string, unknown, number]

/** Code that must be loaded before these are decoded. */
export function codeOfAttachments(entries: readonly AttachmentEntry[]): CodeId[] {
  return entries.flatMap((entry) =>
    entry === 0 ? [] : [...(kinds.get(entry[0])?.codeOf?.(entry[1]) ?? [])],
  )
}

export function attachmentKindOf(value: object): string | undefined {
  return (value as Record<symbol, unknown>)[attachmentBrand] as string | undefined
}

export function attachmentKind(kind: string): AttachmentKind {
  const found = kinds.get(kind)
  if (found === undefined) throw new Error(`typeray: unknown attachment kind '${kind}'`)
  return found
}
