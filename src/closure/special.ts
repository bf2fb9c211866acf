// Objects that stand for a place rather than for data: a file's `require`, its `import()`, its
// `import.meta`. The receiver makes its own, and remembers what they stand for so that they can be
// sent on.

import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClosureNode } from './nodes.js'
import { importFrom, requireFrom } from './references.js'

export type SpecialNode = Extract<ClosureNode, { k: 'require' | 'importer' | 'meta' }>

const made = new WeakMap<object, SpecialNode>()

export function specialNode(value: object): SpecialNode | undefined {
  return made.get(value)
}

export function makeSpecial(node: SpecialNode): object {
  const value = build(node)
  made.set(value, node)
  return value
}

function build(node: SpecialNode): object {
  if (node.k === 'require') return requireFrom(node.parent)
  if (node.k === 'importer') {
    const load = importFrom(node.parent)
    return (specifier: string) => load(specifier)
  }
  const { url } = node
  const file = url.startsWith('file:') ? fileURLToPath(url) : undefined
  const resolve = (specifier: string): string =>
    /^\.{0,2}\//.test(specifier) ? new URL(specifier, url).href : resolveBare(specifier, url)
  return { url, filename: file, dirname: file && path.dirname(file), resolve }
}

/**
 * `import.meta.resolve` of another file cannot be had in Node 20; the CommonJS resolver knows where
 * packages are.
 */
function resolveBare(specifier: string, from: string): string {
  const found = createRequire(from).resolve(specifier)
  return path.isAbsolute(found)
    ? new URL(`file://${found}`).href
    : `node:${found.replace(/^node:/, '')}`
}
