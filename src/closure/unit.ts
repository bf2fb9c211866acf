// One unit is the source of one function, ready to be compiled in any process, with the positions
// it had at home.
//
// A unit compiles to a factory: called once per closure it makes a fresh set of captured variables,
// setters for them, and the function itself. The variables are ordinary `let`s, so captured
// constants cost nothing when the function runs.
//
// Positions. Compiled plainly, the unit gets the URL of the user's file and line and column offsets
// that put every statement where it was, so stack frames are right without any help. If the file
// had a source map and this process shows mapped stacks (`--enable-source-maps`, tsx), the unit
// goes through an indirect `eval` inside a function compiled for that file instead: node caches
// source maps of evaluated code, and `import()` still resolves from the file.

import vm from 'node:vm'
import { SerializationError } from '../base/errors.js'
import { compiledFunctionsMax } from '../base/limits.js'
import { BoundedMap } from './bounded-map.js'
import { mapComment, type FunctionMap } from './source-map.js'
import { reserved } from './syntax.js'

export interface Unit {
  /** URL of the file the function was written in. */
  readonly url: string
  /** An expression that evaluates to the function, or to an object or class that holds it. */
  readonly code: string
  /**
   * Where in `code` the function's own text begins, and the place that had in its script, from
   * zero.
   */
  readonly at: number
  readonly line: number
  readonly column: number
  readonly strict: boolean
  /** Written in an ES module: top-level `this` is undefined. */
  readonly module: boolean
  readonly names: readonly string[]
  readonly map: FunctionMap | undefined
}

export interface Instance {
  readonly set: Readonly<Record<string, (value: unknown) => void>>
  /** Evaluates the function's code; for a class, its heritage must have been set. */
  readonly make: () => unknown
}

export interface NotedInstance extends Instance {
  /** To be told the function itself, once it is found in what `make` returned. */
  readonly note: (fn: Function) => void
}

type Factory = () => Instance

/** What the engine was given for a unit, so that it need not be asked for it. */
interface CompiledScript {
  readonly unit: Unit
  readonly url: string
  readonly source: string
  readonly startLine: number
  readonly startColumn: number
}

const marker = `/*${reserved}unit:`
const byKey = new BoundedMap<string, CompiledScript>(compiledFunctionsMax * 4)
const factories = new BoundedMap<string, { readonly key: string; readonly make: Factory }>(
  compiledFunctionsMax,
)
const madeFrom = new WeakMap<Function, string>()
const keys = new WeakMap<object, string>()
let counter = 0

/**
 * The unit a script was compiled from, if it was compiled here; with the offset of the unit's code
 * in the script.
 */
export function unitOfScript(source: string): { unit: Unit; codeAt: number } | undefined {
  if (!source.startsWith(marker)) return undefined
  const unit = byKey.get(source.slice(marker.length, source.indexOf('*/')))?.unit
  if (unit === undefined) {
    throw new SerializationError(
      'A function that arrived from another process cannot be sent on: this process received ' +
        'so many functions since that it no longer knows its origin.',
    )
  }
  return { unit, codeAt: source.indexOf(unit.code) }
}

/** The script of a function that was made here by `instantiate`; undefined for any other. */
export function scriptOfRebuilt(fn: Function): CompiledScript | undefined {
  const key = madeFrom.get(fn)
  return key === undefined ? undefined : byKey.get(key)
}

export function instantiate(unit: Unit): NotedInstance {
  const content = identityOf(unit)
  let factory = factories.get(content)
  if (factory === undefined) {
    const key = String(++counter)
    factory = { key, make: compile(unit, key) }
    factories.set(content, factory)
  }
  const { key, make } = factory
  const { set, make: evaluate } = make()
  const note = (fn: Function): void => void madeFrom.set(fn, key)
  return { set, make: evaluate, note }
}

function identityOf(unit: Unit): string {
  let key = keys.get(unit)
  if (key === undefined) {
    const { url, line, column, strict, module, names, code } = unit
    key = [url, line, column, strict, module, names.join(), code].join('\n')
    keys.set(unit, key)
  }
  return key
}

/** What the factory puts around the unit's code, without line breaks. */
function wrap(unit: Unit): { readonly before: string; readonly after: string } {
  const setters = unit.names
    .map((name) => `${name}(${reserved}v) { ${name} = ${reserved}v }`)
    .join(', ')
  const variables = unit.names.length > 0 ? `let ${unit.names.join(', ')}; ` : ''
  const strict = unit.strict ? '"use strict"; ' : ''
  return {
    before: `${strict}return () => { ${variables}return { set: { ${setters} }, make: () => (`,
    after: `\n) } }`,
  }
}

const loader = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER

/** Compiles a function whose `import()` resolves from `url`. */
export function compileAt(
  url: string,
  code: string,
  options: vm.CompileFunctionOptions = {},
): Function {
  announceLoader()
  return vm.compileFunction(code, ['__ray_a', '__ray_b'], {
    ...options,
    filename: url,
    importModuleDynamically: loader,
  })
}

function compile(unit: Unit, key: string): Factory {
  const { before, after } = wrap(unit)
  const head = `${marker}${key}*/`
  if (unit.map !== undefined && process.sourceMapsEnabled) {
    // The body of a function, because the top level of evaluated code would have the global object
    // for `this`.
    const opening = `${head}(function () { `
    const script = `${opening}${before}${unit.code}${after} })()`
    const at = opening.length + before.length + unit.at
    const url = `${unit.url}?ray=${key}`
    const source = `${script}\n//# sourceURL=${url}\n${mapComment(unit.map, script, at)}`
    byKey.set(key, { unit, url, source, startLine: 0, startColumn: 0 })
    return compileAt(unit.url, 'return (0, eval)(__ray_a)')(source) as Factory
  }
  const source = `${head}${before}${unit.code}${after}`
  const startColumn = unit.column - (head.length + before.length + unit.at)
  byKey.set(key, { unit, url: unit.url, source, startLine: unit.line, startColumn })
  return compileAt(unit.url, source, {
    lineOffset: unit.line,
    columnOffset: startColumn,
  })() as Factory
}

let announced = false

/**
 * Node says once, at the first `import()` of such code, that this loader constant is experimental;
 * users did not choose it, so the message is dropped. To make it come at once would start Node's
 * loader of ES modules, 7 ms of CPU for a worker whose functions import nothing.
 */
function announceLoader(): void {
  if (announced) return
  announced = true
  const { emitWarning } = process
  const quiet = (warning: string | Error, ...rest: unknown[]): void => {
    if (!String(warning).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) {
      Reflect.apply(emitWarning, process, [warning, ...rest])
    } else if (process.emitWarning === quiet) process.emitWarning = emitWarning
  }
  process.emitWarning = quiet as typeof process.emitWarning
}
