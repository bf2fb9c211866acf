// Writes one function or class: its source as a unit, what it captures, and what was put on it
// afterwards.

import { BoundedMap } from './bounded-map.js'
import { builtinName } from './builtins.js'
import { sharedVariables } from './shared-variables.js'
import {
  freeVariables,
  metaName,
  type Edit,
  type FreeName,
  type FreeVariables,
} from './free-variables.js'
import type { ClosureGraph } from './graph.js'
import { assignDefinitionId } from './identity.js'
import type { ImportBinding } from './imports.js'
import { viteImport } from './imports.js'
import { viewFunction, type FunctionView, type ScopeView } from './inspector.js'
import { isIntrinsic } from './intrinsics.js'
import type { ClosureNode, FunctionRecord, PropertyRecord, Ref } from './nodes.js'
import { captured, inside, refuse, type Path } from './path.js'
import { holdsPrivates } from './lowered-private.js'
import { propertyRecords } from './object-record.js'
import { builtinOf, rememberImport, rememberedImport, type ImportReference } from './references.js'
import { scriptOf, type Script } from './script.js'
import { identifiersIn, parseFunction, reserved, type ParsedFunction } from './syntax.js'
import { compiledFunctionsMax } from '../base/limits.js'
import { makeUnit } from './make-unit.js'

type Written = Extract<FunctionView, { kind: 'written' }>

export interface Variable {
  readonly ref: Ref
  readonly free: FreeName
  /**
   * The scope it lives in, counted from the outermost; undefined for what has no variable, such as
   * imports.
   */
  readonly depth: number | undefined
  /** The scope is the top of a file, of which there is one. */
  readonly top: boolean
}

/** A function on its way into the table. */
export interface WrittenFunction {
  readonly fn: Function
  readonly index: number
  readonly path: Path
  readonly text: string
  readonly parsed: ParsedFunction
  readonly free: FreeVariables
  readonly view: Written
  readonly script: Script
  readonly offset: number | undefined
  readonly variables: Map<string, Variable>
  /** Captured under names that only generated code uses. */
  readonly extras: [name: string, ref: Ref][]
  readonly edits: Edit[]
  readonly record: Omit<FunctionRecord, 'unit' | 'captures'>
}

interface Analysis {
  readonly parsed: ParsedFunction
  readonly free: FreeVariables
}

const analyses = new BoundedMap<string, Analysis>(compiledFunctionsMax)

function analyse(text: string): Analysis {
  let found = analyses.get(text)
  if (found === undefined) {
    const parsed = parseFunction(text)
    found = { parsed, free: freeVariables(parsed.node) }
    analyses.set(text, found)
  }
  return found
}

export interface FunctionInGraph {
  readonly fn: Function
  readonly index: number
  readonly path: Path
}

/**
 * The node of a function: complete for imports and bound functions, filled in by `finishFunctions`
 * for the rest.
 */
export function functionRecord(graph: ClosureGraph, at: FunctionInGraph): ClosureNode {
  const { fn, path } = at
  const name = fn.name || 'anonymous'
  const view = viewFunction(fn)
  if (view.kind === 'bound') {
    const target = graph.refer(view.target, inside(path, '<bound function>'))
    const self = graph.refer(view.self, inside(path, '<bound this>'))
    const args = view.args.map((arg, i) => graph.refer(arg, inside(path, `<bound argument ${i}>`)))
    return { k: 'bound', target, self, args }
  }
  const text = Function.prototype.toString.call(fn)
  if (view.kind === 'native' || /\{\s*\[native code\]\s*\}\s*$/.test(text)) {
    return refuse(path, `the native function ${name} has no source`)
  }
  const script = scriptOf(fn, view.scriptId)
  if (script === undefined || script.url.startsWith('node:')) {
    return refuse(
      path,
      `the function ${name} belongs to node itself (${script?.url ?? 'unknown script'})`,
    )
  }
  const offset = script.offsetOf(text, view.line, view.column)
  const exported = offset === undefined ? undefined : script.exportName(offset, text.length)
  if (exported !== undefined) {
    const from = { parent: script.url, specifier: script.url, name: exported, ...esm }
    rememberImport(fn, from)
    return { k: 'import', from }
  }
  rememberImports(script, view.scopes.at(-1))
  let analysis: Analysis
  try {
    analysis = analyse(text)
  } catch (cause) {
    return refuse(
      path,
      `its source cannot be parsed (${cause instanceof Error ? cause.message : 'error'})`,
    )
  }
  const written = draft(graph, { ...at, text, view, script, offset, ...analysis })
  graph.functions.push(written)
  return { k: 'data', v: undefined }
}

const esm = { commonjs: false, path: [], interop: undefined } as const

/**
 * Functions that a module imported may be met inside objects too; they are known as imports
 * wherever they turn up.
 */
const scanned = new WeakSet<Script>()

function rememberImports(script: Script, top: ScopeView | undefined): void {
  if (top === undefined || scanned.has(script)) return
  scanned.add(script)
  for (const [name, binding] of script.imports) {
    if (binding.commonjs || binding.name === '*' || !Object.hasOwn(top.variables, name)) continue
    const value = top.variables[name]
    if (typeof value !== 'function' || builtinName(value)) continue
    rememberImport(value, { ...binding, parent: script.url })
  }
}

type Draft = FunctionInGraph &
  Pick<WrittenFunction, 'text' | 'view' | 'script' | 'offset' | 'parsed' | 'free'>

function draft(graph: ClosureGraph, d: Draft): WrittenFunction {
  const { fn, parsed, free, path, script } = d
  refuseObstacles(d)
  const method = parsed.key && { name: fn.name.replace(/^[gs]et /, ''), accessor: parsed.accessor }
  const edits: Edit[] = [...free.metaEdits]
  const extras: [string, Ref][] = []
  if (free.metaEdits.length > 0) extras.push([metaName, graph.add({ k: 'meta', url: script.url })])
  if (parsed.key && method) edits.push(methodKeyEdit(parsed, parsed.key, method.name))
  const heritage = parsed.kind === 'class' ? heritageOf(graph, d) : undefined
  if (heritage?.edit) {
    edits.push(heritage.edit)
    extras.push([heritageName, heritage.ref])
  }
  const variables = captureVariables(graph, d, heritage?.only ?? new Set())
  const parent: unknown = Object.getPrototypeOf(fn)
  const ownParent = parsed.kind !== 'class' && typeof parent === 'function' && !isIntrinsic(parent)
  const record: WrittenFunction['record'] = {
    k: 'function',
    class: parsed.kind === 'class',
    id: assignDefinitionId(fn),
    name: fn.name,
    heritage: heritage?.ref,
    method,
    parent: ownParent ? graph.refer(parent, inside(path, '.__proto__')) : undefined,
    ...(parsed.kind === 'class' ? classExtras(graph, d) : functionExtras(graph, d)),
  }
  return { ...d, variables, extras, edits, record }
}

function refuseObstacles({ fn, parsed, free, path, script, offset, view }: Draft): void {
  const no = (why: string): never => refuse(path, `the function ${fn.name || 'anonymous'} ${why}`)
  const { obstacles } = free
  if (obstacles.private !== undefined) {
    no(
      `uses the private member #${obstacles.private} of a class around it (send the class instead)`,
    )
  }
  if (obstacles.super)
    no('uses super outside its class (send the class or the whole object instead)')
  if (obstacles.eval) no('calls eval directly, so what it captures cannot be known')
  if (parsed.kind === 'arrow' && obstacles.arguments)
    no('uses the arguments of a function around it')
  if (parsed.kind !== 'arrow' || !obstacles.this) return
  const module = script.isModule || view.scopes.at(-1)?.kind === 'Module'
  if (!module || script.hasOwnThis(offset)) {
    no(
      'is an arrow function that uses lexical `this` ' +
        '(use a method, or copy what it needs to a variable)',
    )
  }
}

function methodKeyEdit(
  parsed: ParsedFunction,
  key: { start: number; end: number },
  name: string,
): Edit {
  const { node, accessor } = parsed
  const flags = 'async' in node ? (node.async ? 'async ' : '') + (node.generator ? '*' : '') : ''
  const lines = parsed.code.slice(key.start, key.end).split('\n').length - 1
  const prefix = accessor === undefined ? flags : `${accessor} `
  return { ...key, text: `${prefix}${JSON.stringify(name)}${'\n'.repeat(lines)}` }
}

const heritageName = `${reserved}heritage`

interface Heritage {
  readonly ref: Ref
  readonly edit: Edit | undefined
  /** Names that only the replaced expression uses. */
  readonly only: ReadonlySet<string>
}

/**
 * V8 need not keep the variables of an `extends` clause alive, so the parent is taken from the
 * class itself.
 */
function heritageOf(
  graph: ClosureGraph,
  { fn, parsed, free, view, path }: Draft,
): Heritage | undefined {
  const { node } = parsed
  if (!('superClass' in node) || !node.superClass) return undefined
  const clause = node.superClass
  const prototype = (fn as { prototype?: object }).prototype
  const parent: unknown =
    prototype && Object.getPrototypeOf(prototype) === null ? null : Object.getPrototypeOf(fn)
  if (clause.type === 'Identifier') {
    const { name } = clause
    const scope = view.scopes.find((s) => Object.hasOwn(s.variables, name))
    if (scope && scope.variables[name] === parent) {
      return { ref: graph.refer(parent, captured(path, name)), edit: undefined, only: new Set() }
    }
  }
  const only = new Set<string>()
  for (const name of identifiersIn(clause)) {
    const occurrences = free.names.get(name)?.occurrences
    if (occurrences?.every((o) => o.start >= clause.start && o.end <= clause.end)) only.add(name)
  }
  const lines = parsed.code.slice(clause.start, clause.end).split('\n').length - 1
  const text = heritageName + '\n'.repeat(lines)
  const ref = graph.refer(parent, inside(path, ' extends'))
  return { ref, edit: { start: clause.start, end: clause.end, text }, only }
}

const wrapperNames = new Set(['require', 'module', 'exports', '__filename', '__dirname'])

/**
 * Number of the scope that is the top of the file, from the innermost; beyond the end if there is
 * none.
 */
function topScope({ view: { scopes }, script }: Draft): number {
  if (script.isRebuilt) return scopes.length
  const last = scopes.length - 1
  const names = script.wrappedNames
  const outer = scopes[last]
  const inner = scopes[last - 1]
  if (names === undefined || outer === undefined || inner === undefined) return last
  const wrapped =
    Object.keys(outer.variables).every((name) => wrapperNames.has(name)) &&
    Object.keys(inner.variables).every((name) => names.has(name))
  return wrapped ? last - 1 : last
}

function captureVariables(
  graph: ClosureGraph,
  d: Draft,
  skipped: ReadonlySet<string>,
): Map<string, Variable> {
  const { fn, parsed, free, view, script, path } = d
  const { scopes } = view
  const top = topScope(d)
  const own = 'id' in parsed.node ? parsed.node.id?.name : undefined
  const variables = new Map<string, Variable>()
  for (const [name, use] of free.names) {
    if (skipped.has(name) || (name === 'arguments' && parsed.kind === 'arrow')) continue
    const at = scopes.findIndex((scope) => Object.hasOwn(scope.variables, name))
    const binding = script.imports.get(name)
    const scope = scopes[at]
    if (scope === undefined) {
      if (binding) {
        const ref = referImport(graph, binding, script.url)
        variables.set(name, { ref, free: use, depth: undefined, top: true })
      } else if (isGlobalRequire(name)) {
        const ref = graph.add({ k: 'require', parent: script.url })
        variables.set(name, { ref, free: use, depth: undefined, top: true })
      } else if (!(name in globalThis) && use.atDefinition && parsed.kind === 'class') {
        refuse(path, `${name} is used in a computed class key, and V8 keeps no such variable alive`)
      }
      continue
    }
    const value = scope.variables[name]
    if (value === fn && own === name) continue
    const isTop = at >= top
    if (isTop && binding) {
      variables.set(name, {
        ref: referImport(graph, binding, script.url),
        free: use,
        depth: undefined,
        top: true,
      })
      continue
    }
    const code = parsed.kind === 'class' ? parsed.code : ''
    const ref = holdsPrivates(value, name, { code, occurrences: use.occurrences })
      ? graph.referEmpty(value)
      : referVariable(graph, { name, value, use, script, path: captured(path, name) })
    variables.set(name, { ref, free: use, depth: scopes.length - at, top: isTop })
  }
  return variables
}

/** A program given to `--eval` or on standard input has its `require` among the globals. */
function isGlobalRequire(name: string): boolean {
  return name === 'require' && typeof Reflect.get(globalThis, name) === 'function'
}

interface NamedValue {
  readonly name: string
  readonly value: unknown
  readonly use: FreeName
  readonly script: Script
  readonly path: Path
}

/**
 * Most variables are their values. Those that the module system or vitest put there stand for
 * something else.
 */
function referVariable(graph: ClosureGraph, { name, value, use, script, path }: NamedValue): Ref {
  const heap = (typeof value === 'object' && value !== null) || typeof value === 'function'
  if (!heap) return graph.refer(value, path)
  if (name === 'require' && typeof value === 'function' && 'resolve' in value) {
    return graph.add({ k: 'require', parent: script.url })
  }
  if (name === 'module' && 'exports' in value && 'paths' in value) {
    return refuse(path, 'it is the CommonJS module object')
  }
  if (name === 'exports' && rememberedImport(value) === undefined) {
    return graph.referMembers(value, use.members, path)
  }
  if (viteImport.test(name)) return graph.referMembers(value, use.members, path)
  if (name === '__vite_ssr_import_meta__') return graph.add({ k: 'meta', url: script.url })
  if (name === '__vite_ssr_dynamic_import__')
    return graph.add({ k: 'importer', parent: script.url })
  return graph.refer(value, path)
}

function referImport(graph: ClosureGraph, binding: ImportBinding, parent: string): Ref {
  const builtin = builtinOf(binding)
  if (builtin !== undefined) return graph.add({ k: 'builtin', at: builtin })
  const from: ImportReference = { ...binding, parent }
  return graph.addImport(from)
}

const ownByNature = new Set<string | symbol>(['length', 'name', 'prototype', 'arguments', 'caller'])

type Extras = Pick<
  FunctionRecord,
  'properties' | 'prototypeProperties' | 'prototypeParent' | 'single'
>

function functionExtras(graph: ClosureGraph, { fn, parsed, path }: Draft): Extras {
  const properties = propertyRecords(graph, fn, { path, skip: (key) => ownByNature.has(key) })
  const none = { properties, prototypeProperties: [], prototypeParent: undefined, single: false }
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value
  const generator = 'generator' in parsed.node && parsed.node.generator
  if (typeof prototype !== 'object' || prototype === null || generator) return none
  const below = inside(path, '.prototype')
  const skip = (key: string | symbol): boolean => key === 'constructor'
  const prototypeProperties = propertyRecords(graph, prototype, { path: below, skip })
  const parent = Object.getPrototypeOf(prototype) as object | null
  const derived = parent !== Object.prototype
  return {
    properties,
    prototypeProperties,
    prototypeParent: derived ? graph.refer(parent, inside(below, '.__proto__')) : undefined,
    single: derived || prototypeProperties.length > 0,
  }
}

/**
 * The class body runs again on the other side; what differs from what it makes there is put on
 * afterwards.
 */
function classExtras(graph: ClosureGraph, d: Draft): Extras {
  const { fn, path } = d
  refuseStaticPrivate(d)
  const prototype = (fn as { prototype?: object }).prototype
  const below = inside(path, '.prototype')
  const records = (value: object, isStatic: boolean, at: Path): PropertyRecord[] =>
    propertyRecords(graph, value, { path: at, skip: writtenInBody(d, value, isStatic) })
  return {
    properties: records(fn, true, path),
    prototypeProperties: prototype ? records(prototype, false, below) : [],
    prototypeParent: undefined,
    single: true,
  }
}

function refuseStaticPrivate({ fn, parsed, path }: Draft): void {
  if (parsed.node.type !== 'ClassExpression') return
  for (const member of parsed.node.body.body) {
    if (member.type !== 'PropertyDefinition' || !member.static) continue
    if (member.key.type !== 'PrivateIdentifier') continue
    refuse(
      path,
      `the class ${fn.name} has the static private field #${member.key.name}, ` +
        'whose state cannot be copied (make it public, or keep it in a variable beside the class)',
    )
  }
}

function writtenInBody(
  { parsed, text, view }: Draft,
  holder: object,
  isStatic: boolean,
): (key: string | symbol) => boolean {
  const sources = new Map<string, string>()
  let computed = false
  if (parsed.node.type === 'ClassExpression') {
    for (const member of parsed.node.body.body) {
      if (member.type === 'StaticBlock') continue
      if (member.computed) computed = true
      else if (member.type === 'MethodDefinition' && member.static === isStatic) {
        const accessor = member.kind === 'get' || member.kind === 'set' ? ':accessor' : ''
        const name =
          member.key.type === 'Literal'
            ? String(member.key.value)
            : 'name' in member.key
              ? member.key.name
              : ''
        sources.set(
          name + accessor,
          parsed.code.slice(member.start, member.end).replace(/^static\s+/, ''),
        )
      }
    }
  }
  return (key) => {
    if (isStatic ? ownByNature.has(key) && isOwnByNature(holder, key) : key === 'constructor')
      return true
    const found = Object.getOwnPropertyDescriptor(holder, key) ?? {}
    if (!('value' in found)) return computed || sources.has(`${String(key)}:accessor`)
    const value: unknown = found.value
    if (typeof value !== 'function') return false
    const source = Function.prototype.toString.call(value)
    const written = sources.get(String(key))
    if (written !== undefined) return source === written || source === written.replace(/;$/, '')
    if (!computed || !text.includes(source)) return false
    const other = viewFunction(value)
    return other.kind === 'written' && other.scriptId === view.scriptId
  }
}

/** `static name = ...` is the user's, not the language's. */
function isOwnByNature(holder: object, key: string | symbol): boolean {
  if (key !== 'name' && key !== 'length') return true
  return Object.getOwnPropertyDescriptor(holder, key)?.enumerable !== true
}

/** Turns shared variables into cells and writes the records of all functions. */
export function finishFunctions(graph: ClosureGraph): void {
  const cells = sharedVariables(graph, graph.functions)
  const units = new Map<string, number>()
  for (const written of graph.functions) {
    const { unit, captures } = makeUnit(written, cells.get(written) ?? new Map())
    const key = [unit.url, unit.line, unit.column, unit.names.join(), unit.code].join('\n')
    let number = units.get(key)
    if (number === undefined) {
      number = graph.units.push(unit) - 1
      units.set(key, number)
    }
    graph.nodes[written.index] = { ...written.record, unit: number, captures }
  }
}
