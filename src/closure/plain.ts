// Finds captured data that v8.serialize can copy as a whole: plain objects, arrays, maps, sets,
// dates, typed arrays.
//
// Walking such a graph node by node costs ten times what v8.serialize does, and configuration or
// lookup tables are the commonest thing to capture. A graph that holds a function or an instance
// somewhere is mixed: the containers on the way to it are written one by one, and what hangs off
// them is still copied whole. Copies stay identical where they were, because everything goes
// through one v8.serialize call.

import { types } from 'node:util'

const { getPrototypeOf } = Object
const bufferPrototype = Buffer.prototype
const wholePrototypes = new Set<unknown>([
  Date.prototype,
  RegExp.prototype,
  ArrayBuffer.prototype,
  DataView.prototype,
  Number.prototype,
  String.prototype,
  Boolean.prototype,
  BigInt.prototype,
  bufferPrototype,
])
for (const type of [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
]) {
  wholePrototypes.add(type.prototype)
}
for (const type of [Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array]) {
  wholePrototypes.add(type.prototype)
}

/** Objects that v8.serialize copies and that refer to nothing else. */
export function isWhole(value: object): boolean {
  if (!wholePrototypes.has(getPrototypeOf(value))) return false
  if (ArrayBuffer.isView(value)) return !types.isSharedArrayBuffer(value.buffer)
  if (types.isRegExp(value)) return Object.keys(value).length === 0
  const known = types.isDate(value) || types.isBoxedPrimitive(value) || types.isArrayBuffer(value)
  return known && (types.isStringObject(value) || Object.keys(value).length === 0)
}

/** What a plain container holds, or undefined if the object is no plain container. */
function contentsOf(value: object): readonly unknown[] | undefined {
  const prototype: unknown = getPrototypeOf(value)
  if (!Object.isExtensible(value)) return undefined
  if (Array.isArray(value)) {
    return prototype === Array.prototype && Object.keys(value).length === value.length
      ? value
      : undefined
  }
  if (prototype === Object.prototype) {
    if (types.isProxy(value) || types.isArgumentsObject(value)) return undefined
    const keys = Reflect.ownKeys(value)
    const contents: unknown[] = []
    for (const key of keys) {
      const property = Object.getOwnPropertyDescriptor(value, key)
      const { enumerable, writable, configurable } = property ?? {}
      if (!enumerable || !writable || !configurable || typeof key === 'symbol') return undefined
      if (key === '__proto__') return undefined
      contents.push(property?.value)
    }
    return contents
  }
  const keyless = Reflect.ownKeys(value).length === 0
  if (types.isMap(value) && prototype === Map.prototype && keyless) {
    return [...value.keys(), ...value.values()]
  }
  return types.isSet(value) && prototype === Set.prototype && keyless ? [...value] : undefined
}

export class PlainData {
  private readonly isSpecial: (value: object) => boolean
  private readonly plain = new Set<object>()
  private readonly mixed = new Set<object>()

  /**
   * `isSpecial` names objects that look plain but travel in another way, such as a module's
   * exports.
   */
  constructor(isSpecial: (value: object) => boolean) {
    this.isSpecial = isSpecial
  }

  isPlain(root: object): boolean {
    if (this.plain.has(root)) return true
    if (this.mixed.has(root)) return false
    if (this.walk(root)) return true
    this.divide(root)
    return this.plain.has(root)
  }

  /** Decides the common case: all of it is plain. */
  private walk(root: object): boolean {
    const seen = new Set([root])
    for (const value of seen) {
      if (this.plain.has(value) || (isWhole(value) && !this.isSpecial(value))) continue
      const contents =
        this.mixed.has(value) || this.isSpecial(value) ? undefined : contentsOf(value)
      if (contents === undefined) return false
      for (const item of contents) {
        if (typeof item === 'object' && item !== null) seen.add(item)
        else if (typeof item === 'function' || typeof item === 'symbol') return false
      }
    }
    for (const value of seen) this.plain.add(value)
    return true
  }

  /** Sorts everything below a mixed root into plain and mixed, in time linear in its size. */
  private divide(root: object): void {
    const holders = new Map<object, object[]>([[root, []]])
    const mixed: object[] = []
    for (const value of holders.keys()) {
      if (this.plain.has(value) || (isWhole(value) && !this.isSpecial(value))) continue
      const contents =
        this.mixed.has(value) || this.isSpecial(value) ? undefined : contentsOf(value)
      if (contents === undefined) mixed.push(value)
      for (const item of contents ?? []) {
        if (typeof item === 'function' || typeof item === 'symbol') mixed.push(value)
        if (typeof item !== 'object' || item === null) continue
        const known = holders.get(item)
        if (known) known.push(value)
        else holders.set(item, [value])
      }
    }
    for (let value = mixed.pop(); value !== undefined; value = mixed.pop()) {
      if (this.mixed.has(value)) {
        // Already mixed before this walk, or by another path; its holders of this walk may not know
        // yet.
        for (const holder of holders.get(value) ?? [])
          if (!this.mixed.has(holder)) mixed.push(holder)
        continue
      }
      this.mixed.add(value)
      for (const holder of holders.get(value) ?? []) mixed.push(holder)
    }
    for (const value of holders.keys()) if (!this.mixed.has(value)) this.plain.add(value)
  }
}
