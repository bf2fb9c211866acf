// What the engine knows about a function that JavaScript does not tell: the variables it captured
// and the script it was written in. Both come from an inspector session to the own thread, which
// answers synchronously.
//
// The Runtime domain needs no enabling. The Debugger domain does, and while it is enabled every
// `await` of the process is about ten times slower, so it is on only while unseen scripts are
// listed and always switched off again.

import type { Session } from 'node:inspector'
import { SerializationError } from '../base/errors.js'
import { compiledFunctionsMax } from '../base/limits.js'
import { BoundedMap } from './bounded-map.js'

export interface ScriptText {
  readonly id: string
  /** As V8 knows it: a file: URL for ES modules, a path for CommonJS, node:… for node itself. */
  readonly url: string
  readonly isModule: boolean
  readonly startLine: number
  readonly startColumn: number
  readonly source: string
}

export interface ScopeView {
  /** V8's description, such as `Closure (factory)`, `Block` or `Module`. */
  readonly kind: string
  /** A copy of the variables, made when it was asked for. */
  readonly variables: Readonly<Record<string, unknown>>
}

export type FunctionView =
  | { readonly kind: 'native' }
  | {
      readonly kind: 'bound'
      readonly target: unknown
      readonly self: unknown
      readonly args: unknown[]
    }
  | {
      readonly kind: 'written'
      /** Innermost first, without the global scope. */
      readonly scopes: readonly ScopeView[]
      readonly scriptId: string
      readonly line: number
      readonly column: number
    }

type Answer = Readonly<Record<string, unknown>>
interface RemoteValue {
  readonly objectId?: string
  readonly value?: unknown
}

/**
 * Values are handed between JavaScript and the session through this object, which only the
 * expressions below read.
 */
export const exchange: { subject: unknown; answer: unknown } = {
  subject: undefined,
  answer: undefined,
}
const exchangeKey = Symbol.for('typeray.closure.exchange')
const exchangeCode = `globalThis[Symbol.for('typeray.closure.exchange')]`
export const subjectCode = `${exchangeCode}.subject`

let open: Session | undefined
const seen = new Map<string, Omit<ScriptText, 'source'>>()
const texts = new BoundedMap<string, ScriptText>(compiledFunctionsMax)

/** The session of this process, opened at first use. It does not keep the process alive. */
export function session(): Session {
  if (open !== undefined) return open
  const made = new (process.getBuiltinModule('node:inspector').Session)()
  try {
    made.connect()
  } catch (cause) {
    throw new SerializationError(
      'Functions cannot be sent by value because the inspector of this process is not available ' +
        '(node was started with --experimental-permission, or built without it). Export the ' +
        'function from a CommonJS module of its own and submit that export, or start node ' +
        'without the flag.',
      { cause },
    )
  }
  made.on('Debugger.scriptParsed', ({ params: p }) => {
    const { url, startLine, startColumn, isModule } = p
    if (!seen.has(p.scriptId)) {
      seen.set(p.scriptId, {
        id: p.scriptId,
        url,
        isModule: isModule === true,
        startLine,
        startColumn,
      })
    }
  })
  Object.defineProperty(globalThis, exchangeKey, { value: exchange, configurable: true })
  open = made
  return made
}

/** One question to the inspector, answered before this returns. */
export function ask(method: string, params: object): Answer {
  let answer: Answer | undefined
  let failure: Error | null = null
  session().post(method, params, (error: Error | null, result: unknown) => {
    failure = error
    answer = (result ?? {}) as Answer
  })
  if (failure !== null) {
    throw new SerializationError(`The inspector refused ${method}.`, { cause: failure })
  }
  if (answer === undefined) {
    throw new SerializationError(
      `The inspector did not answer ${method} (the stack may be too deep).`,
    )
  }
  return answer
}

const group = 'typeray.closure'

export function remoteId(value: unknown): string {
  session()
  exchange.subject = value
  const { result } = ask('Runtime.evaluate', {
    expression: subjectCode,
    objectGroup: group,
    silent: true,
  })
  return (result as { objectId: string }).objectId
}

export function releaseRemote(): void {
  exchange.subject = exchange.answer = undefined
  ask('Runtime.releaseObjectGroup', { objectGroup: group })
}

function callOn(objectId: string, body: string): unknown {
  exchange.answer = undefined
  const functionDeclaration = `function () { ${exchangeCode}.answer = ${body} }`
  ask('Runtime.callFunctionOn', { objectId, functionDeclaration, silent: true })
  return exchange.answer
}

export function viewFunction(fn: Function): FunctionView {
  try {
    const properties = ask('Runtime.getProperties', { objectId: remoteId(fn), ownProperties: true })
    const internal = new Map<string, RemoteValue>()
    for (const { name, value } of properties.internalProperties as {
      name: string
      value?: RemoteValue
    }[]) {
      if (value !== undefined) internal.set(name, value)
    }
    const live = (name: string): unknown => {
      const value = internal.get(name)
      return value?.objectId === undefined ? value?.value : callOn(value.objectId, 'this')
    }
    if (internal.has('[[TargetFunction]]')) {
      const args = [...(live('[[BoundArgs]]') as unknown[])]
      return {
        kind: 'bound',
        target: live('[[TargetFunction]]'),
        self: live('[[BoundThis]]'),
        args,
      }
    }
    const location = internal.get('[[FunctionLocation]]')?.value as
      { scriptId: string; lineNumber: number; columnNumber: number } | undefined
    const chain = internal.get('[[Scopes]]')?.objectId
    if (location === undefined || chain === undefined) return { kind: 'native' }
    const pairs = callOn(chain, 'Array.from(this, (s) => [s.description, s.object])') as [
      string,
      object,
    ][]
    const scopes = pairs
      .filter(([kind]) => kind !== 'Global')
      .map(([kind, variables]) => ({ kind, variables: variables as Record<string, unknown> }))
    return {
      kind: 'written',
      scopes,
      scriptId: location.scriptId,
      line: location.lineNumber,
      column: location.columnNumber ?? 0,
    }
  } finally {
    releaseRemote()
  }
}

/** Runs `body` with the Debugger domain enabled. */
export function withDebugger<T>(body: () => T): T {
  ask('Debugger.enable', { maxScriptsCacheSize: 0 })
  try {
    return body()
  } finally {
    ask('Debugger.disable', {})
  }
}

/** Saves asking the engine for the text of a script that this process compiled itself. */
export function knowScript(text: ScriptText): void {
  if (!texts.has(text.id)) texts.set(text.id, text)
}

/** The text of a script, or undefined if the engine has dropped it. */
export function scriptText(id: string): ScriptText | undefined {
  const known = texts.get(id)
  if (known !== undefined) return known
  return withDebugger(() => {
    const head = seen.get(id)
    if (head === undefined) return undefined
    const { scriptSource } = ask('Debugger.getScriptSource', { scriptId: id })
    const text = { ...head, source: String(scriptSource) }
    texts.set(id, text)
    return text
  })
}
