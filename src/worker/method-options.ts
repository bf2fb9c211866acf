// Options of methods of actors: those of the class (`methods`, or the decorator `ray.method`) are
// the defaults of every handle, in every process; those of a call come on top.

import type { MethodSpec } from '../wire/messages/raylet.js'
import {
  type ErrorClass,
  listedOf,
  nameOf,
  positive,
  refuseUnknown,
  retryCount,
  retryExceptionsOf,
  returnsOf,
  signalOf,
} from './call-options.js'
import { checkGroup, type ConcurrencyGroups } from './concurrency-groups.js'
import type { CoreWorker } from './core-worker.js'
import { encodeRetryClasses } from './retry-classes.js'

/** What a class says of one of its methods. */
export interface MethodDefaults {
  /** Number of values that the method returns as an array, or 'streaming' for a generator. */
  readonly numReturns?: number | 'streaming'
  /** Group of the class's `concurrencyGroups` whose limit and queue the calls share. */
  readonly concurrencyGroup?: string
  /** How often a call in flight is sent again after a restart; -1: without end. */
  readonly maxTaskRetries?: number
  /** Also call it again when it throws: anything, or one of these classes. */
  readonly retryExceptions?: boolean | readonly ErrorClass[]
  /** Items that a streaming generator may be ahead of its consumer. */
  readonly generatorBackpressureNumObjects?: number
  /** False: state lists and the timeline leave the calls out once they have ended. */
  readonly enableTaskEvents?: boolean
}

/** Options of one call: `actor.method.options({ ... }).remote()`. Follows `ray.method`. */
export interface MethodOptions extends MethodDefaults {
  /** The name of the call in errors. */
  readonly name?: string
  /** Cancels the call when it aborts. */
  readonly signal?: AbortSignal
}

const ofClasses = new Set([
  'numReturns',
  'concurrencyGroup',
  'maxTaskRetries',
  'retryExceptions',
  'generatorBackpressureNumObjects',
  'enableTaskEvents',
])
const ofCalls = new Set([...ofClasses, 'name', 'signal'])

export interface MethodConfig {
  readonly returns: number
  readonly name: string | undefined
  readonly backpressure: number | undefined
  readonly signal: AbortSignal | undefined
  /** Undefined: as many as the actor's option says. */
  readonly maxTaskRetries: number | undefined
  /** Bytes: classes that came from another process; see retry-classes. */
  readonly retryExceptions: boolean | readonly ErrorClass[] | Uint8Array
  /** Set when the call names another group than its method does. */
  readonly concurrencyGroup: string | undefined
  readonly isListed: boolean
}

/** The options of a call over what the class says of its method. */
export function compileMethodOptions(
  options: MethodOptions,
  method: { readonly name: string; readonly spec: MethodSpec; readonly groups: ConcurrencyGroups },
): MethodConfig {
  refuseUnknown(options, ofCalls, 'an actor method')
  const { spec, groups } = method
  const group = nameOf('concurrencyGroup', options.concurrencyGroup)
  checkGroup(group, groups, `The call of ${method.name}`)
  const { numReturns, retryExceptions, generatorBackpressureNumObjects } = options
  return {
    returns: numReturns === undefined ? (spec.returns ?? 1) : returnsOf(numReturns),
    name: nameOf('name', options.name),
    backpressure:
      positive('generatorBackpressureNumObjects', generatorBackpressureNumObjects) ??
      spec.backpressure,
    signal: signalOf(options.signal),
    maxTaskRetries: retriesOf(options) ?? spec.maxTaskRetries,
    retryExceptions:
      retryExceptions === undefined
        ? (spec.retryExceptions ?? false)
        : retryExceptionsOf(retryExceptions),
    concurrencyGroup: group,
    isListed: listedOf(options.enableTaskEvents ?? spec.events),
  }
}

const retriesOf = ({ maxTaskRetries }: MethodDefaults): number | undefined =>
  maxTaskRetries === undefined ? undefined : retryCount('maxTaskRetries', maxTaskRetries, 0)

/** Options of the methods of a class, checked, by name. */
export type MethodTable = Readonly<Record<string, MethodDefaults>>

export function checkMethodTable(
  methods: unknown,
  type: {
    readonly name: string
    readonly methods: readonly string[]
    readonly groups: ConcurrencyGroups
  },
): MethodTable {
  if (methods === undefined) return {}
  if (typeof methods !== 'object' || methods === null) {
    throw new TypeError(`The option 'methods' must be an object of options by name of a method.`)
  }
  for (const [name, options] of Object.entries(methods as MethodTable)) {
    if (!type.methods.includes(name)) {
      throw new TypeError(
        `The option 'methods' names '${name}', which is not a method of class ${type.name}. ` +
          `Its methods are: ${publicMethods(type.methods)}.`,
      )
    }
    checkMethodDefaults(options)
    const group = options.concurrencyGroup
    checkGroup(group, type.groups, `Method ${name} of class ${type.name}`)
  }
  return methods as MethodTable
}

export function checkMethodDefaults(options: MethodDefaults): void {
  refuseUnknown(options, ofClasses, 'a method of a class')
  nameOf('concurrencyGroup', options.concurrencyGroup)
  returnsOf(options.numReturns)
  retriesOf(options)
  retryExceptionsOf(options.retryExceptions)
  listedOf(options.enableTaskEvents)
  positive('generatorBackpressureNumObjects', options.generatorBackpressureNumObjects)
}

/** What handles need of the table, as plain data. */
export function methodSpecs(core: CoreWorker, table: MethodTable): Record<string, MethodSpec> {
  const specs: Record<string, MethodSpec> = {}
  for (const [name, options] of Object.entries(table)) {
    const { numReturns, maxTaskRetries, concurrencyGroup, retryExceptions } = options
    const { enableTaskEvents: events } = options
    const backpressure = options.generatorBackpressureNumObjects
    specs[name] = {
      ...(numReturns !== undefined && { returns: returnsOf(numReturns) }),
      ...(concurrencyGroup !== undefined && { group: concurrencyGroup }),
      ...(maxTaskRetries !== undefined && { maxTaskRetries }),
      ...(retryExceptions !== undefined && {
        retryExceptions:
          typeof retryExceptions === 'boolean'
            ? retryExceptions
            : encodeRetryClasses(core, retryExceptions),
      }),
      ...(backpressure !== undefined && { backpressure }),
      ...(events !== undefined && { events }),
    }
  }
  return specs
}

/** The same of a class whose calls are not to be listed, but for methods that say otherwise. */
export function unlisted(
  methods: readonly string[],
  specs: Readonly<Record<string, MethodSpec>>,
): Record<string, MethodSpec> {
  return Object.fromEntries(methods.map((name) => [name, { events: false, ...specs[name] }]))
}

/** Methods that every actor has beside its own; they begin with two underscores, as in Ray. */
export const builtInMethods = ['__ray_ready__', '__ray_terminate__'] as const

export function publicMethods(methods: readonly string[]): string {
  const own = methods.filter((name) => !(builtInMethods as readonly string[]).includes(name))
  return own.length === 0 ? '(none)' : own.join(', ')
}
