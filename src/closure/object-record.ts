// Writes one object that is not plain data: its prototype, entries and properties.

import { types } from 'node:util'
import { instanceProblem } from './instance.js'
import { isIntrinsic } from './intrinsics.js'
import type { ClosureGraph } from './graph.js'
import type { ClosureNode, ObjectRecord, PropertyRecord, Ref } from './nodes.js'
import { inside, property, refuse, type Path } from './path.js'

/** Properties of a value as records; `skip` leaves out those that the other side has by itself. */
export function propertyRecords(
  graph: ClosureGraph,
  value: object,
  where: { readonly path: Path; readonly skip?: (key: string | symbol) => boolean },
): PropertyRecord[] {
  const records: PropertyRecord[] = []
  for (const key of Reflect.ownKeys(value)) {
    if (where.skip?.(key) === true) continue
    records.push(propertyRecord(graph, value, { path: where.path, key }))
  }
  return records
}

export function propertyRecord(
  graph: ClosureGraph,
  value: object,
  where: { readonly path: Path; readonly key: string | symbol },
): PropertyRecord {
  const { path, key } = where
  const found = Object.getOwnPropertyDescriptor(value, key) ?? {}
  const here = property(path, key)
  const attributes =
    (found.enumerable ? 1 : 0) | (found.configurable ? 2 : 0) | (found.writable ? 4 : 0)
  const name = typeof key === 'symbol' ? graph.refer(key, here) : key
  if ('value' in found) return { key: name, attributes, value: graph.refer(found.value, here) }
  return {
    key: name,
    attributes,
    ...(found.get && { get: graph.refer(found.get, inside(here, '<get>')) }),
    ...(found.set && { set: graph.refer(found.set, inside(here, '<set>')) }),
  }
}

/**
 * Stateless or nearly so, and common at the top of a file: made again from what they were made
 * from.
 */
export function constructRecord(value: object): ClosureNode | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  const make = (path: readonly string[], ...args: unknown[]): ClosureNode => ({
    k: 'construct',
    path,
    args,
  })
  if (prototype === URL.prototype) return make(['URL'], (value as URL).href)
  if (prototype === URLSearchParams.prototype) return make(['URLSearchParams'], String(value))
  if (prototype === TextEncoder.prototype) return make(['TextEncoder'])
  if (prototype === TextDecoder.prototype) {
    const { encoding, fatal, ignoreBOM } = value as Readonly<Record<string, unknown>>
    return make(['TextDecoder'], encoding, { fatal, ignoreBOM })
  }
  for (const name of ['NumberFormat', 'DateTimeFormat', 'Collator', 'PluralRules'] as const) {
    if (prototype !== Intl[name].prototype) continue
    const options = (value as Intl.NumberFormat).resolvedOptions()
    return make(['Intl', name], options.locale, { ...options })
  }
  return undefined
}

function shapeOf(value: object): ObjectRecord['shape'] {
  if (Array.isArray(value)) return 'array'
  if (types.isMap(value)) return 'map'
  if (types.isSet(value)) return 'set'
  if (types.isNativeError(value)) return 'error'
  const copied = types.isDate(value) || types.isRegExp(value) || types.isBoxedPrimitive(value)
  return copied || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) ? 'whole' : 'object'
}

export function objectRecord(graph: ClosureGraph, value: object, path: Path): ClosureNode {
  const made = constructRecord(value)
  if (made !== undefined) return made
  const problem = instanceProblem(value)
  if (problem !== undefined) refuse(path, `it is ${problem}`)
  const shape = shapeOf(value)
  if (shape === 'whole' && isShared(value)) refuse(path, 'it is memory shared between threads')
  const prototype = Object.getPrototypeOf(value) as object | null
  const usual =
    prototype !== null && shape !== 'error' && shape !== 'whole' && isIntrinsic(prototype)
  const indexed = shape === 'whole' && ArrayBuffer.isView(value)
  const skip = (key: string | symbol): boolean =>
    (shape === 'array' && key === 'length') ||
    (indexed && typeof key === 'string' && /^\d+$/.test(key)) ||
    (types.isRegExp(value) && key === 'lastIndex') ||
    (types.isStringObject(value) && typeof key === 'string' && /^(\d+|length)$/.test(key))
  return {
    k: 'object',
    shape,
    length: Array.isArray(value) ? value.length : 0,
    whole: shape === 'whole' ? copyWhole(value) : undefined,
    prototype: usual ? undefined : graph.refer(prototype, inside(path, '.__proto__')),
    entries: entriesOf(graph, value, path),
    properties: propertyRecords(graph, value, { path, skip }),
    integrity: Object.isExtensible(value)
      ? undefined
      : Object.isFrozen(value)
        ? 'frozen'
        : Object.isSealed(value)
          ? 'sealed'
          : 'fixed',
  }
}

/** v8.serialize gives instances of subclasses their native prototype by itself. */
function copyWhole(value: object): unknown {
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return value
  const { buffer, byteOffset, byteLength } = value
  return value instanceof Uint8Array ? new Uint8Array(buffer, byteOffset, byteLength) : value
}

function isShared(value: object): boolean {
  return types.isSharedArrayBuffer(ArrayBuffer.isView(value) ? value.buffer : value)
}

function entriesOf(graph: ClosureGraph, value: object, path: Path): [Ref, Ref][] {
  const entries: [Ref, Ref][] = []
  if (types.isMap(value)) {
    for (const [key, item] of Map.prototype.entries.call(value) as Iterable<[unknown, unknown]>) {
      const label =
        typeof key === 'symbol' || typeof key !== 'object' ? String(key) : entries.length
      const here = inside(path, `.get(${label})`)
      entries.push([
        graph.refer(key, inside(path, `<key ${entries.length}>`)),
        graph.refer(item, here),
      ])
    }
  } else if (types.isSet(value)) {
    for (const item of Set.prototype.values.call(value) as Iterable<unknown>) {
      const ref = graph.refer(item, inside(path, `<item ${entries.length}>`))
      entries.push([ref, ref])
    }
  }
  return entries
}
