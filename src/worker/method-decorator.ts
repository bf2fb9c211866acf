// What the decorator `ray.method` says of a method, until its class becomes a remote class.

import type { MethodDefaults, MethodTable } from './method-options.js'

const marks = new WeakMap<object, MethodDefaults>()

export function markMethod(method: object, options: MethodDefaults): void {
  marks.set(method, { ...marks.get(method), ...options })
}

/** The options of decorated methods, under those that the table gives by name. */
export function withMarks(
  prototype: object,
  names: readonly string[],
  table: MethodTable | undefined,
): MethodTable | undefined {
  const found: Record<string, MethodDefaults> = {}
  for (const name of names) {
    const mark = markOf(prototype, name)
    if (mark !== undefined) found[name] = mark
  }
  if (Object.keys(found).length === 0) return table
  for (const [name, options] of Object.entries(table ?? {})) {
    found[name] = { ...found[name], ...options }
  }
  return found
}

function markOf(prototype: object, name: string): MethodDefaults | undefined {
  for (
    let at: object | null = prototype;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const own = Object.getOwnPropertyDescriptor(at, name)
    if (own === undefined) continue
    const method: unknown = own.value
    return typeof method === 'function' ? marks.get(method) : undefined
  }
  return undefined
}
