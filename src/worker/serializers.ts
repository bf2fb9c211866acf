// How instances of a class travel that the codec cannot write, or should write otherwise:
// `ray.registerSerializer`.
//
// An instance is an attachment: the codec writes a number in its place, and here it becomes what
// `serialize` makes of it, with the ids of both functions. Who reads it needs to have registered
// nothing: the functions are shipped like any other, and registered for the class that comes out,
// so that the way back works too. The registration is a property of the prototype, so it travels
// with the class, and subclasses have it unless they register their own.

import { SerializationError } from '../base/errors.js'
import { bodyTag } from '../wire/frame.js'
import { attachmentBrand, registerAttachment, serializerKey } from './attachment.js'
import { requireCore } from './current-core.js'
import type { Code, CodeId } from './function-exports.js'
import { bodyFromLayout } from './value-port.js'

/** How instances of a class travel. Both functions are shipped with what they capture. */
export interface Serializer<T, D = unknown> {
  /** What stands for the instance on its way: anything that travels. */
  readonly serialize: (value: T) => D
  /** Makes the instance again. */
  readonly deserialize: (data: D) => T
}

type AnyClass = abstract new (...args: never[]) => object
type AnySerializer = Serializer<object>

const kind = 'custom'

/**
 * Says how instances of a class travel. Subclasses go the same way unless they register their own;
 * `deserialize` must then know which class to make. Registering again replaces what was there.
 *
 * @example
 * class Connection {
 *   constructor(readonly url: string) {}
 * }
 * ray.registerSerializer(Connection, {
 *   serialize: (connection) => connection.url,
 *   deserialize: (url) => new Connection(url),
 * })
 */
export function registerSerializer<T extends object, D>(
  type: abstract new (...args: never[]) => T,
  serializer: Serializer<T, D>,
): void {
  const prototype = prototypeOf('ray.registerSerializer', type)
  const { serialize, deserialize } = serializer ?? {}
  if (typeof serialize !== 'function' || typeof deserialize !== 'function') {
    throw new TypeError(
      'ray.registerSerializer takes a class and { serialize, deserialize }, both functions.',
    )
  }
  install(prototype, { serialize, deserialize } as unknown as AnySerializer)
}

/**
 * Forgets how instances of a class travel: they go as they would without it.
 *
 * @example
 * class Point { constructor(readonly x: number) {} }
 * ray.registerSerializer(Point, { serialize: (p) => p.x, deserialize: (x) => new Point(x) })
 * ray.deregisterSerializer(Point)
 */
export function deregisterSerializer(type: AnyClass): void {
  const prototype = prototypeOf('ray.deregisterSerializer', type)
  if (!Object.hasOwn(prototype, serializerKey)) return
  Reflect.deleteProperty(prototype, serializerKey)
  Reflect.deleteProperty(prototype, attachmentBrand)
}

function prototypeOf(what: string, type: unknown): object {
  const isClass = typeof type === 'function' && typeof type.prototype === 'object'
  if (!isClass || type === Object || type === Array || type === Function) {
    throw new TypeError(`${what} takes a class, and not Object, Array or Function.`)
  }
  return type.prototype as object
}

function install(prototype: object, serializer: AnySerializer): void {
  const hidden = { configurable: true, enumerable: false, writable: true }
  Object.defineProperty(prototype, attachmentBrand, { ...hidden, value: kind })
  Object.defineProperty(prototype, serializerKey, { ...hidden, value: serializer })
}

interface Wire {
  readonly serialize: CodeId
  readonly deserialize: CodeId
  readonly body: Uint8Array
  /** Code that must be loaded before it can be decoded. */
  readonly code: readonly CodeId[]
}

function nameOf(value: object): string {
  return value.constructor?.name || 'an instance'
}

registerAttachment<object>(kind, {
  encode(value, refs): Wire {
    const { functions, values } = requireCore('an instance with a serializer')
    const { serialize, deserialize } = (value as Record<symbol, AnySerializer>)[serializerKey]!
    const data = serialize(value)
    const name = `what serialize() made of ${nameOf(value)}`
    if (data === value) {
      throw new SerializationError(`${name} is the instance itself. Return something that travels.`)
    }
    const made = values.encode(data, name)
    refs.push(...made.refs)
    const body = bodyFromLayout(bodyTag.full, made.layout)
    const ids = [serialize, deserialize].map((fn) => functions.codeId(fn as unknown as Code))
    return {
      serialize: ids[0]!,
      deserialize: ids[1]!,
      body,
      code: [...ids, ...values.codeInBody(body)],
    }
  },
  decode(data, refs) {
    const { functions, values } = requireCore('an instance with a serializer')
    const { serialize, deserialize, body } = data as Wire
    const [to, from] = [serialize, deserialize].map((id) => functions.loaded(id))
    const make = from as unknown as AnySerializer['deserialize']
    const value = make(values.decodeBody(Uint8Array.from(body), refs))
    const prototype =
      typeof value === 'object' && value !== null
        ? (Object.getPrototypeOf(value) as object | null)
        : null
    const isForeign = prototype === null || prototype === Object.prototype || Array.isArray(value)
    if (!isForeign && !(serializerKey in prototype)) {
      install(prototype, { serialize: to, deserialize: from } as unknown as AnySerializer)
    }
    return value
  },
  codeOf: (data) => (data as Wire).code,
})
