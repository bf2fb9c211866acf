// The import bindings of a script: which local name stands for which export of which module.
//
// Compilers write imports in several shapes. Besides the statements of ES modules this knows
// `require` with member access and destructuring, the interop helpers of esbuild, tsc and babel
// around it, and what Vite makes of imports under vitest.

import type { ImportAttribute } from 'acorn'
import { namesOf, type AnyNode } from './syntax.js'

export interface ImportBinding {
  readonly specifier: string
  /**
   * Exported name, `*` for the namespace; for CommonJS undefined stands for the whole of
   * `module.exports`.
   */
  readonly name: string | undefined
  readonly commonjs: boolean
  /** Properties read from what `require` returned. */
  readonly path: readonly string[]
  readonly interop: string | undefined
  /** The import attribute `type`, as in `with { type: 'json' }`. */
  readonly type?: string
}

export interface ScriptImports {
  readonly imports: ReadonlyMap<string, ImportBinding>
  readonly wrappedNames: ReadonlySet<string> | undefined
}

type Program = Extract<AnyNode, { type: 'Program' }>

export function importsOf(tree: Program): ScriptImports {
  const imports = new Map<string, ImportBinding>()
  const wrapped = wrappedBody(tree)
  for (const statement of wrapped ?? tree.body) {
    if (statement.type === 'ImportDeclaration') {
      const type = typeOf(statement.attributes)
      for (const s of statement.specifiers) {
        const name =
          s.type === 'ImportDefaultSpecifier'
            ? 'default'
            : s.type === 'ImportNamespaceSpecifier'
              ? '*'
              : nameOf(s.imported)
        const specifier = String(statement.source.value)
        imports.set(s.local.name, {
          specifier,
          name,
          commonjs: false,
          path: [],
          interop: undefined,
          ...(type !== undefined && { type }),
        })
      }
    } else if (statement.type === 'VariableDeclaration') {
      for (const d of statement.declarations) if (d.init) addRequire(d.id, d.init, imports)
    }
  }
  return { imports, wrappedNames: wrapped && topNames(wrapped) }
}

function typeOf(attributes: readonly ImportAttribute[]): string | undefined {
  const type = attributes.find(({ key }) => nameOf(key) === 'type')
  return type && nameOf(type.value)
}

export function nameOf(node: AnyNode): string {
  if (node.type === 'Identifier') return node.name
  return node.type === 'Literal' ? String(node.value) : ''
}

/** tsx puts CommonJS files into one top-level `(() => { ... })()`. */
function wrappedBody(tree: Program): readonly AnyNode[] | undefined {
  let body: readonly AnyNode[] | undefined
  for (const statement of tree.body) {
    if (statement.type !== 'ExpressionStatement') return undefined
    const call = statement.expression
    if (call.type !== 'CallExpression' || call.arguments.length > 0) continue
    if (call.callee.type !== 'ArrowFunctionExpression' || call.callee.async) continue
    if (call.callee.body.type === 'BlockStatement') body ??= call.callee.body.body
  }
  return body
}

function topNames(body: readonly AnyNode[]): Set<string> {
  const names = new Set<string>()
  for (const s of body) {
    if (s.type === 'VariableDeclaration') {
      for (const d of s.declarations) for (const name of namesOf(d.id)) names.add(name)
    } else if ((s.type === 'FunctionDeclaration' || s.type === 'ClassDeclaration') && s.id) {
      names.add(s.id.name)
    }
  }
  return names
}

function addRequire(id: AnyNode, init: AnyNode, imports: Map<string, ImportBinding>): void {
  const path: string[] = []
  let node = init
  while (node.type === 'MemberExpression' && !node.computed) {
    path.unshift(nameOf(node.property))
    node = node.object
  }
  let interop: string | undefined
  if (node.type === 'CallExpression' && required(node) === undefined) {
    const inner = node.arguments[0]
    if (inner === undefined || required(inner) === undefined) return
    interop = helperName(node.callee) + (node.arguments.length > 1 ? ':1' : '')
    node = inner
  }
  const specifier = required(node)
  if (specifier === undefined) return
  const base = { specifier, name: undefined, commonjs: true, interop }
  if (id.type === 'Identifier') imports.set(id.name, { ...base, path })
  if (id.type !== 'ObjectPattern') return
  for (const property of id.properties) {
    if (property.type !== 'Property' || property.computed || property.value.type !== 'Identifier')
      continue
    imports.set(property.value.name, { ...base, path: [...path, nameOf(property.key)] })
  }
}

function required(node: AnyNode): string | undefined {
  if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return undefined
  if (node.callee.name !== 'require' && node.callee.name !== '__require') return undefined
  const argument = node.arguments[0]
  return argument?.type === 'Literal' ? String(argument.value) : undefined
}

function helperName(callee: AnyNode): string {
  if (callee.type === 'Identifier') return callee.name
  if (callee.type === 'MemberExpression') return nameOf(callee.property)
  if (callee.type === 'SequenceExpression') return helperName(callee.expressions.at(-1) ?? callee)
  return ''
}

/**
 * Names that Vite gives to the namespaces of imported modules; the values are proxies that only
 * vitest can make.
 */
export const viteImport = /^__vi(te_ssr)?_import_\d+__$/
