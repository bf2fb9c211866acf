// Which objects can travel as prototype and own fields, and which only look as if they could.
//
// An object is more than its properties when it has private fields, or internal slots that only its
// constructor can fill: sockets, promises, generators, proxies. Copying its properties would give a
// broken object, so it is refused by name. The verdict on a class is kept per prototype; asking for
// one more instance costs a few type checks.

import { types } from 'node:util'
import { builtinName } from './builtins.js'
import { viewFunction } from './inspector.js'
import { isIntrinsic, intrinsicPath } from './intrinsics.js'
import { loweredPrivates } from './lowered-private.js'
import { isWhole } from './plain.js'
import { parseFunction } from './syntax.js'
import { scriptText } from './inspector.js'

const verdicts = new WeakMap<object, string | null>()

/** Prototypes of the language whose objects can be made anew and then filled. */
const fillable = new Set<unknown>([Object.prototype, Array.prototype, Map.prototype, Set.prototype])
for (const type of [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
]) {
  fillable.add(type.prototype)
}
fillable.add(AggregateError.prototype)

/** Why an object cannot travel by its class and own fields; undefined if it can. */
export function instanceProblem(value: object): string | undefined {
  if (types.isProxy(value)) return 'a Proxy'
  if (types.isPromise(value)) return 'a Promise'
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    return `a ${Object.prototype.toString.call(value).slice(8, -1)}`
  }
  if (types.isGeneratorObject(value)) return 'a running generator'
  if (types.isExternal(value)) return 'a native handle'
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null || prototype === Object.prototype) return undefined
  let verdict = verdicts.get(prototype)
  if (verdict === undefined) {
    verdict = judge(prototype, value) ?? null
    verdicts.set(prototype, verdict)
  }
  return verdict ?? undefined
}

function judge(prototype: object, sample: object): string | undefined {
  for (
    let p: object | null = prototype;
    p !== null;
    p = Object.getPrototypeOf(p) as object | null
  ) {
    if (fillable.has(p)) return undefined
    const type: unknown = Object.getOwnPropertyDescriptor(p, 'constructor')?.value
    if (isIntrinsic(p)) {
      if (isWhole(Object.create(p) as object) || wholeInstance(sample)) return undefined
      const name = intrinsicPath(p)?.[0] ?? 'a native class'
      const shown = name.startsWith('~') ? 'a native iterator' : name
      return `an instance of ${shown}, which only its own process can use`
    }
    const why = typeof type === 'function' ? classProblem(type) : undefined
    if (why !== undefined) return why
  }
  return undefined
}

/**
 * Instances of subclasses of Date, RegExp, typed arrays: v8.serialize copies what is inside them.
 */
function wholeInstance(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isAnyArrayBuffer(value) ||
    ArrayBuffer.isView(value)
  )
}

function classProblem(type: Function): string | undefined {
  const builtin = builtinName(type)
  if (builtin !== undefined) {
    const name = builtin.name ?? type.name
    return `an instance of node:${builtin.module} ${name} (a live resource of this process)`
  }
  if (isIntrinsic(type)) return undefined
  const text = Function.prototype.toString.call(type)
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text))
    return `an instance of the native class ${type.name}`
  const secrets = privateMembers(text)
  const named = secrets.length > 0 ? `has private fields (${secrets.join(', ')})` : ''
  if (isInternal(type)) return `an instance of ${type.name}, a class inside node`
  if (named === '') return undefined
  return `an instance of class ${type.name}, which ${named}; construct it inside the function`
}

function isInternal(type: Function): boolean {
  const view = viewFunction(type)
  if (view.kind !== 'written') return view.kind === 'native'
  return scriptText(view.scriptId)?.url.startsWith('node:') === true
}

/** Names of the private members that instances of a class carry. */
function privateMembers(text: string): string[] {
  if (!text.startsWith('class')) return []
  if (!/#[\p{L}_$]/u.test(text)) return loweredPrivates(text)
  const { node } = parseFunction(text)
  if (node.type !== 'ClassExpression') return []
  const names: string[] = []
  for (const member of node.body.body) {
    if (member.type === 'StaticBlock' || member.static) continue
    if (member.key.type === 'PrivateIdentifier') names.push(`#${member.key.name}`)
  }
  return names
}
