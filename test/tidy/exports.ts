// Exported values that nobody imports. Types are let be: they belong to the signatures they are in.
import ts from 'typescript'
import { lineOf, resolveImport } from './sources.js'
import type { Source, Violation } from './sources.js'

/** Files that are reached other than by an import: the public faces and the programs. */
const entryFile = /(^src\/([a-z]+\/)?index\.ts|-main\.ts|-preload\.ts)$/

const isExported = (node: ts.Statement): boolean =>
  ts.canHaveModifiers(node) &&
  ts.getModifiers(node)?.some((each) => each.kind === ts.SyntaxKind.ExportKeyword) === true

/** Names of the values that a file exports, with their lines. */
function exportedValues({ tree }: Source): Map<string, number> {
  const found = new Map<string, number>()
  for (const node of tree.statements) {
    if (!isExported(node)) continue
    if ((ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && node.name) {
      found.set(node.name.text, lineOf(tree, node))
    }
    if (!ts.isVariableStatement(node)) continue
    for (const { name } of node.declarationList.declarations) {
      if (ts.isIdentifier(name)) found.set(name.text, lineOf(tree, node))
    }
  }
  return found
}

/** Names used of every file; undefined stands for all of them. */
function usesOf(sources: readonly Source[]): Map<string, Set<string> | undefined> {
  const uses = new Map<string, Set<string> | undefined>()
  for (const source of sources) {
    for (const each of source.imports) {
      const to = resolveImport(source, each)
      if (to === undefined) continue
      const names = uses.has(to) ? uses.get(to) : new Set<string>()
      each.names?.forEach((name) => names?.add(name))
      uses.set(to, each.names === undefined ? undefined : names)
    }
  }
  return uses
}

/** Empty until there is a public face: before that nothing has a user. */
export function checkExports(sources: readonly Source[]): Violation[] {
  if (!sources.some((source) => source.path === 'src/index.ts')) return []
  const uses = usesOf(sources)
  return sources
    .filter(({ path, isTest }) => path.startsWith('src/') && !isTest && !entryFile.test(path))
    .flatMap((source) => {
      if (uses.has(source.path) && uses.get(source.path) === undefined) return []
      const used = uses.get(source.path) ?? new Set<string>()
      return [...exportedValues(source)]
        .filter(([name]) => !used.has(name))
        .map(([name, line]) => `${source.path}:${line}: nobody imports ${name}`)
    })
}
