// Classes of ArrayBuffer views by their number on the wire.

import { viewItemBytes, viewKinds } from './value-tags.js'

/** Names a typed array whatever its prototype is; a DataView has no such name. */
const nameOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)!.get!

export function viewKindOf(value: ArrayBufferView): number {
  if (Object.getPrototypeOf(value) === Buffer.prototype) return viewKinds.indexOf('Buffer')
  const name = nameOf.call(value) as (typeof viewKinds)[number] | undefined
  return viewKinds.indexOf(name ?? 'DataView')
}

export interface ViewMemory {
  readonly memory: ArrayBuffer
  readonly offset: number
  readonly size: number
}

/** Creates a view, or returns undefined if this version of Node has no such class. */
export function createView(
  kind: number,
  { memory, offset, size }: ViewMemory,
): ArrayBufferView | undefined {
  const name = viewKinds[kind]!
  if (name === 'Buffer') return Buffer.from(memory, offset, size)
  if (name === 'DataView') return new DataView(memory, offset, size)
  const type = (globalThis as unknown as Record<string, unknown>)[name]
  if (typeof type !== 'function') return undefined
  return new (type as Uint8ArrayConstructor)(memory, offset, size / viewItemBytes[kind]!)
}
