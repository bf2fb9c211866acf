// Why a value cannot travel: every part of it, not only the first that an error names.
//
// What is refused is taken apart and its parts are tried one by one, down to those that have no
// parts. Nothing is sent, and no session is needed.

import { SerializationError } from '../base/errors.js'
import { instanceProblem, serializeClosure } from '../closure/index.js'
import { encodeValue } from '../wire/value-codec.js'
import { attachmentKindOf, isRegisteredPrototype, serializerKey } from './attachment.js'

/** A part of a value that cannot travel. */
export interface SerializabilityProblem {
  /** Where it is: `value.a[3].socket`, or `f -> socket` for what a function captures. */
  readonly path: string
  /** Why it cannot travel. */
  readonly why: string
}

/** What `ray.inspectSerializability` found; as text, one line for each problem. */
export interface SerializabilityReport {
  /** Can all of it travel? */
  readonly isSerializable: boolean
  /** What cannot, in the order in which it was met. */
  readonly problems: readonly SerializabilityProblem[]
  toString(): string
}

/** More problems than this say nothing new. */
const problemsMax = 100

/**
 * Says which parts of a value, or of what a function captures, cannot travel to another process,
 * and why. Does not throw, and needs no session. Of a function, only the first variable that cannot
 * travel is named.
 *
 * @example
 * const report = ray.inspectSerializability({ job: { done: Promise.resolve() } })
 * report.isSerializable // false
 * report.problems[0]?.path // 'value.job.done'
 */
export function inspectSerializability(value: unknown, name = 'value'): SerializabilityReport {
  const inspection = new Inspection()
  inspection.check(value, name)
  const { problems } = inspection
  return {
    isSerializable: problems.length === 0,
    problems,
    toString: () =>
      problems.length === 0
        ? `${name} can travel.`
        : problems.map(({ path, why }) => `${path}: ${why}`).join('\n'),
  }
}

class Inspection {
  readonly problems: SerializabilityProblem[] = []
  readonly #seen = new Set<unknown>()

  check(value: unknown, path: string): void {
    if (this.problems.length >= problemsMax) return
    if ((typeof value === 'object' || typeof value === 'function') && value !== null) {
      if (this.#seen.has(value)) return
      this.#seen.add(value)
    }
    try {
      this.#encode(value, path)
    } catch (error) {
      const before = this.problems.length
      for (const [step, part] of partsOf(value)) this.check(part, `${path}${step}`)
      if (this.problems.length === before) this.#add(path, error)
    }
  }

  #encode(value: unknown, path: string): void {
    const { attachments, code } = encodeValue(value, path, { instanceProblem })
    // What it lists is memory of the codec, which is used again.
    const functions = [...code] as CallableFunction[]
    const replaced = attachments.map(standIn).filter((each) => each !== undefined)
    for (const fn of functions) this.#closure(fn, fn === value ? path : fn.name || path)
    for (const each of replaced) this.check(each(), `${path} (what serialize() made of it)`)
  }

  #closure(fn: CallableFunction, path: string): void {
    try {
      serializeClosure(fn, path, {
        isAttachment: (each) =>
          attachmentKindOf(each) !== undefined && !isRegisteredPrototype(each),
      })
    } catch (error) {
      this.#add(path, error)
    }
  }

  #add(path: string, error: unknown): void {
    const fields = error instanceof SerializationError ? error.fields : {}
    const where = typeof fields['path'] === 'string' ? fields['path'] : path
    if (this.problems.some((problem) => problem.path === where)) return
    const message = error instanceof Error ? error.message : String(error)
    const start = `${where} `
    const why = message.startsWith(start) ? message.slice(start.length) : message
    this.problems.push({ path: where, why })
  }
}

/** For an instance with a serializer, how to get what travels in its place. */
function standIn(attachment: object): (() => unknown) | undefined {
  const serializer = (attachment as Record<symbol, unknown>)[serializerKey]
  if (typeof serializer !== 'object' || serializer === null) return undefined
  const { serialize } = serializer as { serialize: (value: object) => unknown }
  return () => serialize(attachment)
}

/** The parts of a container, with the steps that lead to them. */
function partsOf(value: unknown): [step: string, part: unknown][] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.map((part: unknown, i) => [`[${i}]`, part])
  const parts: [string, unknown][] = []
  if (value instanceof Map) {
    let i = 0
    for (const [key, part] of value as Map<unknown, unknown>) {
      parts.push([`.key(${i})`, key], [`.get(${keyText(key)})`, part])
      i++
    }
  } else if (value instanceof Set) {
    for (const part of value as Set<unknown>) parts.push([`.item(${parts.length})`, part])
  }
  // Whatever is refused for what it is, such as a socket, has no parts of interest.
  const prototype = Object.getPrototypeOf(value) as object | null
  const isPlain = prototype === null || prototype === Object.prototype
  if (!isPlain && refusedAsItIs(value)) return []
  for (const key of Object.keys(value)) {
    const step = /^[\w$]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
    parts.push([step, (value as Record<string, unknown>)[key]])
  }
  return parts
}

/** Is an object with the same prototype and nothing in it refused as well? */
function refusedAsItIs(value: object): boolean {
  if (instanceProblem(value) !== undefined) return true
  try {
    encodeValue(Object.create(Object.getPrototypeOf(value) as object), 'value', {
      instanceProblem: () => undefined,
    })
    return false
  } catch {
    return true
  }
}

function keyText(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : String(key)
}
