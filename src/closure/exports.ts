// Which functions and classes of a module are its exports, by position: the declaration or
// initialiser itself, so that importing the name elsewhere gives the very function that was written
// there.

import { freeVariables } from './free-variables.js'
import { nameOf } from './imports.js'
import { isClass, isFunction, type AnyNode } from './syntax.js'

export type ExportTable = ReadonlyMap<number, { readonly length: number; readonly name: string }>

export function exportsOf(tree: Extract<AnyNode, { type: 'Program' }>): ExportTable {
  const local = new Map<string, AnyNode>()
  const exported: [name: string, node: AnyNode | string][] = []
  for (const statement of tree.body) {
    const named = statement.type === 'ExportNamedDeclaration'
    if (statement.type === 'ExportDefaultDeclaration') {
      const { declaration } = statement
      exported.push(['default', declaration.type === 'Identifier' ? declaration.name : declaration])
      if ('id' in declaration && declaration.id) local.set(declaration.id.name, declaration)
      continue
    }
    const declared = named ? statement.declaration : statement
    for (const [name, node] of declared ? declarations(declared) : []) {
      local.set(name, node)
      if (named) exported.push([name, node])
    }
    if (named && !statement.source) {
      for (const s of statement.specifiers) exported.push([nameOf(s.exported), nameOf(s.local)])
    }
  }
  const bindings = freeVariables(tree).names
  const table = new Map<number, { length: number; name: string }>()
  for (const [name, target] of exported) {
    const node = typeof target === 'string' ? local.get(target) : target
    if (node === undefined || !(isFunction(node) || isClass(node)) || table.has(node.start)) {
      continue
    }
    // A binding that is assigned may hold another function by now.
    if ([...local].some(([id, at]) => at === node && bindings.get(id)?.assigned === true)) continue
    table.set(node.start, { length: node.end - node.start, name })
  }
  return table
}

function* declarations(node: AnyNode): Iterable<[string, AnyNode]> {
  if (node.type === 'VariableDeclaration') {
    for (const { id, init } of node.declarations) {
      if (id.type === 'Identifier' && init) yield [id.name, withoutNameHelper(init)]
    }
  } else if ((node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') && node.id) {
    yield [node.id.name, node]
  }
}

/** esbuild's keepNames writes `__name(function, "name")`. */
function withoutNameHelper(node: AnyNode): AnyNode {
  if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return node
  return node.callee.name === '__name' ? (node.arguments[0] ?? node) : node
}
