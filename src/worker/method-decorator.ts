// What the decorator `ray.method` says of a method, until its class becomes a remote class.

import { attachmentBrand, registerAttachment } from './attachment.js'
import { checkMethodDefaults, type MethodDefaults, type MethodTable } from './method-options.js'

/** Beside the functions and not on them, so that nothing of it shows in user code. */
const marks = new WeakMap<object, MethodDefaults>()

type Decorator = (target: unknown) => void

const optionsOf = new WeakMap<object, MethodDefaults>()

export function methodDecorator(options: MethodDefaults): Decorator {
  checkMethodDefaults(options)
  const decorate: Decorator = (target) => {
    if (typeof target !== 'function') {
      throw new TypeError(
        'ray.method decorates methods of a class: @ray.method({ ... }) before the method.',
      )
    }
    marks.set(target, { ...marks.get(target), ...options })
  }
  optionsOf.set(decorate, options)
  return Object.defineProperty(decorate, attachmentBrand, { value: 'method' })
}

// Compilers keep decorators in variables that the class captures, so they travel with it. By then
// its options are known; only a class that is made remote where it arrives asks for them again.
registerAttachment<Decorator>('method', {
  encode(decorate): MethodDefaults {
    const { retryExceptions, ...rest } = optionsOf.get(decorate) ?? {}
    return typeof retryExceptions === 'boolean' ? { ...rest, retryExceptions } : rest
  },
  decode: (data) => methodDecorator(data as MethodDefaults),
})

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
