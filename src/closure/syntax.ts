// Parsing, and the few questions about syntax trees that several files ask.
//
// `fn.toString()` is not an expression for methods and accessors, so the text of a function is
// parsed inside the smallest frame in which it is legal, and that frame becomes part of the code
// that the other side compiles.

import { createRequire } from 'node:module'
import type * as Acorn from 'acorn'

type AnyNode = Acorn.AnyNode

// Loaded with the first function that is shipped: 10 ms that most workers never need.
let parser: typeof Acorn | null = null

const parse: typeof Acorn.parse = (code, options) => {
  parser ??= createRequire(import.meta.url)('acorn') as typeof Acorn
  return parser.parse(code, options)
}

export type { AnyNode }

type FunctionTypes = 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression'
export type FunctionNode = Extract<AnyNode, { type: FunctionTypes }>
export type Class = Extract<AnyNode, { type: 'ClassDeclaration' | 'ClassExpression' }>

/**
 * Names that generated code declares begin with this; captured names are user names and never do.
 */
export const reserved = '__ray_'

const lenient = {
  ecmaVersion: 'latest',
  allowReturnOutsideFunction: true,
  allowSuperOutsideMethod: true,
  allowImportExportEverywhere: true,
  allowHashBang: true,
  checkPrivateFields: false,
} as const

/** Parses a whole script or module, whichever it is. */
export function parseAny(code: string): Extract<AnyNode, { type: 'Program' }> {
  try {
    return parse(code, { ...lenient, sourceType: 'module', allowAwaitOutsideFunction: true })
  } catch (asModule) {
    try {
      return parse(code, { ...lenient, sourceType: 'script', allowAwaitOutsideFunction: false })
    } catch {
      throw asModule
    }
  }
}

export type FunctionKind = 'class' | 'arrow' | 'function' | 'method'

export interface ParsedFunction {
  readonly kind: FunctionKind
  readonly node: FunctionNode | Class
  /** The whole frame; offsets of `node` count from its start. */
  readonly code: string
  /** Length of what the frame puts before the function's own text. */
  readonly before: number
  /** For methods: the range of the key with its modifiers, which the serialiser replaces. */
  readonly key: { readonly start: number; readonly end: number } | undefined
  readonly accessor: 'get' | 'set' | undefined
}

const frames = [
  ['(', '\n)'],
  ['({', '\n})'],
  ['(class { static ', '\n})'],
] as const

export function parseFunction(text: string): ParsedFunction {
  let failure: unknown
  for (const [before, after] of frames) {
    try {
      const code = before + text + after
      const statement = parseAny(code).body[0]
      if (statement?.type !== 'ExpressionStatement') continue
      const parsed = fromFrame(statement.expression, code, before.length)
      if (parsed !== undefined) return parsed
    } catch (error) {
      failure ??= error
    }
  }
  throw failure instanceof Error ? failure : new SyntaxError(`not a function: ${text.slice(0, 60)}`)
}

function fromFrame(node: AnyNode, code: string, before: number): ParsedFunction | undefined {
  const plain = { code, before, key: undefined, accessor: undefined }
  if (node.type === 'ArrowFunctionExpression') return { kind: 'arrow', node, ...plain }
  if (node.type === 'FunctionExpression') return { kind: 'function', node, ...plain }
  if (node.type === 'ClassExpression' && before === 1) return { kind: 'class', node, ...plain }
  const member =
    node.type === 'ObjectExpression'
      ? node.properties[0]
      : node.type === 'ClassExpression'
        ? node.body.body[0]
        : undefined
  if (member?.type !== 'Property' && member?.type !== 'MethodDefinition') return undefined
  if (member.value.type !== 'FunctionExpression') return undefined
  if (member.type === 'Property' && !member.method && member.kind === 'init') return undefined
  const closing = member.computed ? code.indexOf(']', member.key.end) + 1 : member.key.end
  return {
    kind: 'method',
    node: member.value,
    code,
    before,
    key: { start: before, end: closing },
    accessor: member.kind === 'get' || member.kind === 'set' ? member.kind : undefined,
  }
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** The direct children of a node in the order of its fields. */
export function childrenOf(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = []
  for (const value of Object.values(node) as unknown[]) {
    if (Array.isArray(value)) for (const item of value) isNode(item) && found.push(item)
    else if (isNode(value)) found.push(value)
  }
  return found
}

export function isFunction(node: AnyNode): node is FunctionNode {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  )
}

export function isClass(node: AnyNode): node is Class {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression'
}

/** Names that a pattern binds or assigns. */
export function namesOf(pattern: AnyNode | null | undefined, into: string[] = []): string[] {
  switch (pattern?.type) {
    case 'Identifier':
      into.push(pattern.name)
      break
    case 'ObjectPattern':
      for (const p of pattern.properties)
        namesOf(p.type === 'Property' ? p.value : p.argument, into)
      break
    case 'ArrayPattern':
      for (const element of pattern.elements) namesOf(element, into)
      break
    case 'AssignmentPattern':
      namesOf(pattern.left, into)
      break
    case 'RestElement':
      namesOf(pattern.argument, into)
      break
    default:
      // Members of objects, in assignments.
      break
  }
  return into
}

/** Every identifier below a node, bound or not. */
export function identifiersIn(root: AnyNode): Set<string> {
  const names = new Set<string>()
  const todo = [root]
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (node.type === 'Identifier') names.add(node.name)
    for (const child of childrenOf(node)) todo.push(child)
  }
  return names
}

export function hasUseStrict(body: readonly AnyNode[]): boolean {
  for (const statement of body) {
    if (statement.type !== 'ExpressionStatement' || !('directive' in statement)) return false
    if (statement.directive === 'use strict') return true
  }
  return false
}
