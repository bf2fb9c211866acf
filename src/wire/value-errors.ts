// Errors come back as the class they were, without their constructor having run: the built-in
// classes by name, those of Typeray by code, and those of the user by class. All are real errors to
// `util.types.isNativeError`.

import { errorTypes } from '../base/errors.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import type { PrototypeInfo } from './value-class.js'
import { errorKindDom, errorKindRay, errorKinds, tagError } from './value-tags.js'

/** Writes what comes before the properties of an error; without `info`, of a DOMException. */
export function writeErrorKind(
  to: ByteWriter,
  value: Error,
  info: Pick<PrototypeInfo, 'builtinName' | 'rayCode'> | undefined,
): void {
  to.byte(tagError)
  if (info === undefined) {
    to.byte(errorKindDom)
    to.string(value.message)
    to.string(value.name)
  } else if (info.rayCode !== undefined) {
    to.byte(errorKindRay)
    to.string(info.rayCode)
  } else {
    to.byte(Math.max(0, (errorKinds as readonly string[]).indexOf(info.builtinName)))
  }
}

/** Reads what comes before the properties of an error and creates it, without message and stack. */
export function createError(from: ByteReader, prototype: object | undefined): Error {
  const kind = from.byte()
  if (kind === errorKindDom) {
    const message = from.string()
    const error = new DOMException(message, from.string())
    if (prototype !== undefined) Object.setPrototypeOf(error, prototype)
    return error
  }
  const own =
    kind === errorKindRay ? errorTypes.get(from.string())?.prototype : builtinPrototype(kind)
  if (own === undefined) throw from.malformed('unknown class of error')
  const error = bareError()
  const wanted = prototype ?? own
  if (wanted !== Error.prototype) Object.setPrototypeOf(error, wanted)
  return error
}

function builtinPrototype(kind: number): object | undefined {
  const name = errorKinds[kind]
  return name === undefined ? undefined : globalThis[name].prototype
}

/**
 * An error with no stack: taking one costs microseconds, and it would be ours, not that of the
 * error that travelled.
 */
function bareError(): Error {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  const error = new Error()
  Error.stackTraceLimit = limit
  delete (error as { stack?: unknown }).stack
  return error
}

export function defineHidden(value: object, key: string, item: unknown): void {
  Object.defineProperty(value, key, {
    value: item,
    writable: true,
    enumerable: false,
    configurable: true,
  })
}
