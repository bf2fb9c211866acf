// What an object is, to the codec: which built-in contents it has, whether a class of the user
// stands behind it, and why it cannot travel if it cannot.
//
// What decides is the object's internal kind (`util.types`), not what it says of itself: a Map is a
// Map whatever its prototype. The prototype then says whether it is a plain one or an instance of a
// class. Prototypes without a class (`Object.create(defaults)`) are dropped, as structured clone
// does.

import { types } from 'node:util'
import { errorTypes } from '../base/errors.js'
import { arrowBrandOf } from './arrow-values.js'
import { errorKinds } from './value-tags.js'

export type BaseKind =
  | 'object'
  | 'array'
  | 'map'
  | 'set'
  | 'date'
  | 'regExp'
  | 'boxed'
  | 'view'
  | 'arrayBuffer'
  | 'error'
  | 'domException'
  | 'url'
  | 'urlSearchParams'
  | 'arrow'

type AnyFunction = CallableFunction

/** What the prototype of an object says about it. */
export interface PrototypeInfo {
  /** The user's class; undefined for built-in classes and for prototypes without a class. */
  readonly userClass: AnyFunction | undefined
  /** All classes of the chain are the user's, so instances have no built-in contents. */
  readonly ordinary: boolean
  /** Why no object with this prototype can travel. */
  readonly problem: string | undefined
  /** Name of the nearest built-in class of the chain. */
  readonly builtinName: string
  /** Code of a `RayError` class of Typeray. */
  readonly rayCode: string | undefined
}

/** What an object is, all told. */
export interface Classified {
  readonly base: BaseKind
  /** Undefined for objects without a prototype. */
  readonly info: PrototypeInfo | undefined
  /** The class, if the object is an instance of a user's class. */
  readonly userClass: CallableFunction | undefined
  /** Why the object cannot travel. */
  readonly problem: string | undefined
}

export function classify(value: object, prototype: object | null): Classified {
  if (prototype !== null && types.isProxy(prototype)) {
    const problem = 'has a Proxy as its prototype.'
    return { base: 'object', info: undefined, userClass: undefined, problem }
  }
  const info = prototype === null ? undefined : prototypeInfo(prototype)
  if (info?.ordinary === true && !Array.isArray(value)) {
    const { userClass } = info
    return { base: 'object', info, userClass, problem: info.problem ?? resourceProblem(value) }
  }
  const base = baseKindOf(value, info)
  const userClass = base === 'arrow' ? undefined : info?.userClass
  const problem = natureProblem(value) ?? classProblem(value, base, info)
  return { base, info, userClass, problem }
}

/** Remembers by prototype; what is here depends on nothing else. */
const known = new WeakMap<object, PrototypeInfo>()

function prototypeInfo(prototype: object): PrototypeInfo {
  let info = known.get(prototype)
  if (info === undefined) {
    info = inspect(prototype)
    known.set(prototype, info)
  }
  return info
}

function inspect(prototype: object): PrototypeInfo {
  const own = classOf(prototype)
  const builtin = nearestBuiltin(prototype)
  const rayCode = own === undefined ? undefined : rayCodeOf(own)
  const platform = platformClass(prototype)
  const supported =
    platform === 'URL' || platform === 'URLSearchParams' || platform === 'DOMException'
  const ofPlatform = own !== undefined && isPlatform(own)
  const builtIn = own === undefined || isNative(own) || ofPlatform || prototype === Buffer.prototype
  const arrow = arrowBrandOf(prototype) !== undefined
  const userClass = builtIn || arrow || rayCode !== undefined ? undefined : own
  return {
    userClass,
    ordinary: builtin === 'Object' && platform === undefined && userClass !== undefined,
    problem:
      platform === undefined || supported
        ? undefined
        : `is a live ${own?.name || platform}, which exists in this process only.`,
    builtinName: builtin,
    rayCode,
  }
}

/** The class whose `prototype` this is. */
function classOf(prototype: object): AnyFunction | undefined {
  const found = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value as unknown
  if (typeof found !== 'function' || types.isProxy(found)) return undefined
  return (found as { prototype?: unknown }).prototype === prototype
    ? (found as AnyFunction)
    : undefined
}

function nearestBuiltin(prototype: object): string {
  for (
    let p: object | null = prototype;
    p !== null && !types.isProxy(p);
    p = Object.getPrototypeOf(p)
  ) {
    const found = classOf(p)
    if (found !== undefined && isNative(found)) return found.name
    if (p === Buffer.prototype) return 'Buffer'
  }
  return 'Object'
}

/** Built-in classes, of this and of other realms, have no source. */
function isNative(f: AnyFunction): boolean {
  return /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(f))
}

function rayCodeOf(type: AnyFunction): string | undefined {
  const code: unknown = Object.hasOwn(type, 'code') ? (type as { code?: unknown }).code : undefined
  if (typeof code !== 'string' || !errorTypes.has(code)) return undefined
  return Symbol.for('typeray.error') in (type.prototype as object) ? code : undefined
}

/**
 * Classes of Node that stand for something in this process, by name, with the module that has them.
 * They are written in JavaScript, so they look like a user's class; a name is only a hint, and the
 * module decides.
 */
const platformModules: Readonly<Record<string, readonly string[]>> = {
  Agent: ['http', 'https'],
  AsyncLocalStorage: ['async_hooks'],
  AsyncResource: ['async_hooks'],
  BlockList: ['net'],
  ChildProcess: ['child_process'],
  Console: ['console'],
  FSWatcher: ['fs'],
  Interface: ['readline'],
  KeyObject: ['crypto'],
  LazyTransform: [],
  Script: ['vm'],
  Server: ['net', 'http', 'https', 'tls'],
  Socket: ['net', 'dgram'],
  Stream: ['stream'],
  TLSSocket: ['tls'],
  Worker: ['worker_threads', 'cluster'],
  X509Certificate: ['crypto'],
}

const platformGlobals: ReadonlySet<string> = new Set([
  ...[
    'AbortController',
    'AbortSignal',
    'Blob',
    'BroadcastChannel',
    'CompressionStream',
    'Crypto',
    'CryptoKey',
  ],
  ...[
    'DecompressionStream',
    'DOMException',
    'Event',
    'EventTarget',
    'File',
    'FormData',
    'Headers',
    'MessageChannel',
  ],
  ...[
    'MessagePort',
    'Performance',
    'PerformanceEntry',
    'PerformanceObserver',
    'ReadableStream',
    'Request',
  ],
  ...[
    'ReadableStreamDefaultReader',
    'Response',
    'SubtleCrypto',
    'TextDecoder',
    'TextDecoderStream',
    'TextEncoder',
  ],
  ...[
    'TextEncoderStream',
    'TransformStream',
    'URL',
    'URLSearchParams',
    'WebSocket',
    'WritableStream',
  ],
  ...['WritableStreamDefaultWriter'],
])

/** Name of the class of Node that is or is above the class of a prototype. */
function platformClass(prototype: object): string | undefined {
  for (
    let p: object | null = prototype;
    p !== null && !types.isProxy(p);
    p = Object.getPrototypeOf(p)
  ) {
    const found = classOf(p)
    if (found !== undefined && isPlatform(found)) return found.name
  }
  return undefined
}

function isPlatform(type: AnyFunction): boolean {
  const name = type.name
  if (platformGlobals.has(name)) return (globalThis as Record<string, unknown>)[name] === type
  const modules = Object.hasOwn(platformModules, name) ? platformModules[name]! : []
  return modules.some(
    (id) => (loadBuiltin(id) as Record<string, unknown> | undefined)?.[name] === type,
  )
}

function loadBuiltin(id: string): unknown {
  return (process as unknown as { getBuiltinModule(id: string): unknown }).getBuiltinModule(id)
}

/** Built-in contents of an object; `info` is about its prototype. */
function baseKindOf(value: object, info: PrototypeInfo | undefined): BaseKind {
  if (Array.isArray(value)) return 'array'
  if (types.isMap(value)) return 'map'
  if (types.isSet(value)) return 'set'
  if (types.isNativeError(value)) return 'error'
  if (ArrayBuffer.isView(value)) return 'view'
  if (types.isArrayBuffer(value)) return 'arrayBuffer'
  if (types.isDate(value)) return 'date'
  if (types.isRegExp(value)) return 'regExp'
  if (types.isBoxedPrimitive(value)) return 'boxed'
  if (arrowBrandOf(value) !== undefined) return 'arrow'
  if (value instanceof DOMException) return 'domException'
  if (value instanceof URL) return 'url'
  if (value instanceof URLSearchParams) return 'urlSearchParams'
  // Errors from before `class`: a function whose prototype inherits from that of Error.
  const isErrorByName = (errorKinds as readonly (string | undefined)[]).includes(info?.builtinName)
  return isErrorByName ? 'error' : 'object'
}

const namespaces: ReadonlyMap<object, string> = new Map<object, string>([
  ...(['Atomics', 'Intl', 'JSON', 'Math', 'Reflect', 'WebAssembly'] as const).map(
    (name) => [(globalThis as Record<string, unknown>)[name] as object, name] as const,
  ),
  [globalThis, 'globalThis'],
])

/**
 * Why an object that is none of the known kinds cannot travel by its nature, whatever its class.
 */
export function natureProblem(value: object): string | undefined {
  if (types.isPromise(value)) return 'is a Promise. Await it, or pass a ref to a task that does.'
  if (types.isWeakMap(value)) return 'is a WeakMap, whose contents cannot be listed.'
  if (types.isWeakSet(value)) return 'is a WeakSet, whose contents cannot be listed.'
  if (types.isSharedArrayBuffer(value)) {
    return 'is a SharedArrayBuffer, which other processes cannot share. Copy its bytes.'
  }
  if (types.isModuleNamespaceObject(value)) {
    return 'is a module namespace. Import the module where it is used.'
  }
  if (types.isGeneratorObject(value))
    return 'is a generator, whose position cannot travel. Collect its items.'
  if (types.isMapIterator(value) || types.isSetIterator(value))
    return 'is an iterator. Collect its items.'
  if (types.isArgumentsObject(value)) return 'is an arguments object. Spread it into an array.'
  if (types.isExternal(value)) return 'is a pointer of native code.'
  const namespace = namespaces.get(value)
  if (namespace !== undefined) return `is the global ${namespace}. Name it where it is used.`
  return undefined
}

/** Why an object cannot travel because of its class, or of those above it. */
function classProblem(
  value: object,
  base: BaseKind,
  info: PrototypeInfo | undefined,
): string | undefined {
  if (info === undefined || info.problem !== undefined) return info?.problem
  if (base !== 'object') return undefined
  const problem = resourceProblem(value)
  if (problem !== undefined) return problem
  const name = info.builtinName
  if (name !== 'Object')
    return `is an instance of the built-in class ${name}, which exists in this process only.`
  const tag: unknown = (value as Record<symbol, unknown>)[Symbol.toStringTag]
  if (typeof tag === 'string' && / Iterator$/.test(tag)) return 'is an iterator. Collect its items.'
  return undefined
}

/** Node's resources whose classes are not exported, recognised by their shape. */
function resourceProblem(value: object): string | undefined {
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name
  if (name === 'Timeout' && '_idleTimeout' in value)
    return 'is a live timer, which exists in this process only.'
  if (name === 'Immediate' && '_onImmediate' in value) {
    return 'is a live timer, which exists in this process only.'
  }
  if (name === 'FileHandle' && 'fd' in value)
    return 'is an open FileHandle, which exists in this process only.'
  return undefined
}
