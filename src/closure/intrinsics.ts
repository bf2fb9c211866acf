// Values that every process has: what the language and node put on the global object. They travel
// as a path.

type Holder = object | Function

/**
 * A step of a path: a property name, `@@name` for a well-known symbol, `get()` for the getter
 * itself.
 */
export type IntrinsicPath = readonly string[]

const lowercase = new Set(
  `process console globalThis global setTimeout setInterval setImmediate clearTimeout
   clearInterval clearImmediate
   queueMicrotask structuredClone fetch parseInt parseFloat isNaN isFinite encodeURIComponent
   decodeURIComponent encodeURI decodeURI performance atob btoa escape unescape eval crypto`.split(
    /\s+/,
  ),
)

/** Prototypes that no global name leads to, by the function that shows them. */
const hidden: Readonly<Record<string, () => Holder>> = {
  '~async': () => Object.getPrototypeOf(async function () {}) as Holder,
  '~generator': () => Object.getPrototypeOf(function* () {}) as Holder,
  '~asyncGenerator': () => Object.getPrototypeOf(async function* () {}) as Holder,
  '~typedArray': () => Object.getPrototypeOf(Uint8Array) as Holder,
  '~iterator': () =>
    Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()) as object) as Holder,
}

let table: Map<unknown, IntrinsicPath> | undefined

/** The path to an intrinsic value, or undefined for any other value. */
export function intrinsicPath(value: unknown): IntrinsicPath | undefined {
  table ??= build()
  return table.get(value)
}

export function isIntrinsic(value: unknown): boolean {
  return intrinsicPath(value) !== undefined
}

const isHolder = (value: unknown): value is Holder =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

function build(): Map<unknown, IntrinsicPath> {
  const found = new Map<unknown, IntrinsicPath>([[globalThis, ['globalThis']]])
  const add = (value: unknown, path: IntrinsicPath): value is Holder => {
    if (!isHolder(value) || found.has(value)) return false
    found.set(value, path)
    return true
  }
  const descend = (holder: Holder, path: IntrinsicPath, depth: number): void => {
    for (const key of Reflect.ownKeys(holder)) {
      const step = typeof key === 'string' ? key : wellKnown(key)
      const property = Object.getOwnPropertyDescriptor(holder, key)
      if (step === undefined || property === undefined) continue
      const here = [...path, step]
      if (property.get) add(property.get, [...here, 'get()'])
      if (!('value' in property) || !add(property.value, here) || depth === 0) continue
      const value = property.value as Holder
      if (typeof value === 'function' || key === 'prototype') descend(value, here, depth - 1)
    }
  }
  const roots: [string, Holder][] = []
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!/^[A-Z]/.test(name) && !lowercase.has(name)) continue
    const value = globalValue(name)
    if (add(value, [name])) roots.push([name, value])
  }
  for (const [name, value] of roots) {
    if (name === 'process') {
      for (const key of Object.keys(process)) {
        const own = Object.getOwnPropertyDescriptor(process, key)?.value as unknown
        if (typeof own === 'function' || key === 'env') add(own, [name, key])
      }
    } else descend(value, [name], name === 'console' ? 0 : 2)
  }
  add(process.env, ['process', 'env'])
  for (const [name, of] of Object.entries(hidden)) {
    add(of(), [name])
    if (name !== '~iterator')
      add((of() as { constructor?: unknown }).constructor, [name, 'constructor'])
    descend(of(), [name], 1)
  }
  return found
}

/**
 * Node defines some globals with getters; these few are cheap and always there. Others are left
 * alone.
 */
function globalValue(name: string): unknown {
  const property = Object.getOwnPropertyDescriptor(globalThis, name)
  if (property === undefined || 'value' in property) return property?.value as unknown
  const cheap = ['process', 'Buffer', 'performance', 'crypto', 'URL', 'URLSearchParams'].includes(
    name,
  )
  return cheap ? (globalThis as Record<string, unknown>)[name] : undefined
}

function wellKnown(symbol: symbol): string | undefined {
  const { description } = symbol
  if (Symbol.keyFor(symbol) !== undefined || !description?.startsWith('Symbol.')) return undefined
  return `@@${description.slice('Symbol.'.length)}`
}

export function wellKnownSymbol(name: string): symbol | undefined {
  const value = (Symbol as unknown as Record<string, unknown>)[name]
  return typeof value === 'symbol' ? value : undefined
}

export function intrinsicAt(path: IntrinsicPath): unknown {
  const [first = 'globalThis', ...rest] = path
  let value: unknown =
    hidden[first]?.() ?? (first === 'globalThis' ? globalThis : globalValue(first))
  if (value === undefined) value = (globalThis as Record<string, unknown>)[first]
  for (const [i, step] of rest.entries()) {
    if (step === 'get()') break
    const key = step.startsWith('@@') ? wellKnownSymbol(step.slice(2)) : step
    if (key === undefined) return undefined
    value =
      rest[i + 1] === 'get()'
        ? Object.getOwnPropertyDescriptor(value, key)?.get
        : (value as Record<string | symbol, unknown>)[key]
  }
  return value
}
