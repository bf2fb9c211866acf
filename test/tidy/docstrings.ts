// What a user can import says what it is: a docstring on every export of a door and on its members,
// and an example on every function and class.
import ts from 'typescript'
import { lineOf, resolveImport } from './sources.js'
import type { Source, Violation } from './sources.js'

/** Members whose meaning is the language's, not ours. */
const understood = new Set(['toString', 'toJSON'])

interface Found {
  readonly source: Source
  /** All declarations of the name in its file: overloads, or a type beside a value. */
  readonly nodes: readonly ts.Node[]
}

type Sources = ReadonlyMap<string, Source>

/** The source files behind `exports` of package.json. */
export function doorsOf(manifest: { readonly exports: Record<string, unknown> }): string[] {
  return Object.values(manifest.exports).flatMap((entry) => {
    const types = typeof entry === 'object' && entry !== null && 'types' in entry && entry.types
    return typeof types === 'string' ? [types.replace('./dist/', '').replace('.d.ts', '.ts')] : []
  })
}

function declarationsOf({ tree }: Source, name: string): ts.Node[] {
  return tree.statements.flatMap((node): ts.Node[] => {
    if (ts.isVariableStatement(node)) {
      const { declarations } = node.declarationList
      const hasName = declarations.some((each) => each.name.getText(tree) === name)
      return hasName ? [node] : []
    }
    const isNamed =
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node)
    return isNamed && node.name?.text === name ? [node] : []
  })
}

/** The file and the name there that a name of `source` comes from. */
function originOf(source: Source, name: string): { specifier: string; name: string } | undefined {
  for (const node of source.tree.statements) {
    const isFrom = ts.isExportDeclaration(node) || ts.isImportDeclaration(node)
    if (!isFrom || node.moduleSpecifier === undefined) continue
    const clause = ts.isExportDeclaration(node)
      ? node.exportClause
      : node.importClause?.namedBindings
    if (clause === undefined || ts.isNamespaceExport(clause) || ts.isNamespaceImport(clause))
      continue
    for (const each of clause.elements) {
      if (each.name.text !== name) continue
      const { text: specifier } = node.moduleSpecifier as ts.StringLiteral
      return { specifier, name: (each.propertyName ?? each.name).text }
    }
  }
  return undefined
}

function find(sources: Sources, source: Source, name: string): Found | undefined {
  const nodes = declarationsOf(source, name)
  if (nodes.length > 0) return { source, nodes }
  const origin = originOf(source, name)
  if (origin === undefined) return undefined
  const { specifier } = origin
  const file = resolveImport(source, { specifier, line: 0, isType: false, names: undefined })
  const next = sources.get(file ?? '')
  return next === undefined ? undefined : find(sources, next, origin.name)
}

/** Names that a door exports, each once. */
function namesOf({ tree }: Source): string[] {
  const names = tree.statements.flatMap((node) => {
    if (ts.isExportDeclaration(node) && node.exportClause !== undefined) {
      if (!ts.isNamedExports(node.exportClause)) return []
      return node.exportClause.elements.map((each) => each.name.text)
    }
    const isExported =
      ts.canHaveModifiers(node) &&
      ts.getModifiers(node)?.some((each) => each.kind === ts.SyntaxKind.ExportKeyword) === true
    const name = isExported && ts.isDeclarationStatement(node) ? node.name : undefined
    return name !== undefined && ts.isIdentifier(name) ? [name.text] : []
  })
  return [...new Set(names)]
}

const docOf = (nodes: readonly ts.Node[]): ts.JSDoc[] =>
  nodes.flatMap((node) => ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc))

const hasTag = (nodes: readonly ts.Node[], tag: string): boolean =>
  docOf(nodes).some((doc) => doc.tags?.some((each) => each.tagName.text === tag) === true)

const isInternal = (node: ts.Node): boolean => /@internal/.test(docOf([node])[0]?.getText() ?? '')

/** Errors are explained, with examples, on a page of their own. */
const isError = (node: ts.Node): boolean =>
  ts.isClassDeclaration(node) &&
  (node.name?.text.endsWith('Error') === true ||
    node.heritageClauses?.[0]?.types[0]?.expression.getText().endsWith('Error') === true)

function isPublic(member: ts.Node): member is ts.ClassElement | ts.TypeElement {
  const isMember =
    ts.isPropertySignature(member) ||
    ts.isMethodSignature(member) ||
    ts.isPropertyDeclaration(member) ||
    ts.isMethodDeclaration(member) ||
    ts.isGetAccessor(member)
  if (!isMember || !ts.isIdentifier(member.name)) return false
  const modifiers = ts.canHaveModifiers(member) ? ts.getModifiers(member) : undefined
  const hidden = [
    ts.SyntaxKind.PrivateKeyword,
    ts.SyntaxKind.DeclareKeyword,
    ts.SyntaxKind.OverrideKeyword,
  ]
  return (
    !understood.has(member.name.text) && modifiers?.some((m) => hidden.includes(m.kind)) !== true
  )
}

function checkMembers({ source, nodes }: Found): Violation[] {
  return nodes.flatMap((node) => {
    if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) return []
    const members = [...node.members].filter(isPublic)
    const nameOf = (member: ts.Node): string =>
      (member as ts.NamedDeclaration).name?.getText() ?? ''
    return members.flatMap((member) => {
      const name = nameOf(member)
      // Overloads share the docstring of one.
      const alike = members.filter((each) => nameOf(each) === name)
      if (alike.some(isInternal) || docOf(alike).length > 0 || alike[0] !== member) return []
      const at = `${source.path}:${lineOf(source.tree, member)}`
      return [`${at}: ${node.name?.text ?? ''}.${name} is public and has no docstring`]
    })
  })
}

function checkName(door: string, name: string, found: Found | undefined): Violation[] {
  const first = found?.nodes[0]
  if (found === undefined || first === undefined) {
    return [`${door}:1: cannot find where ${name} is declared`]
  }
  const at = `${found.source.path}:${lineOf(found.source.tree, first)}`
  const members = checkMembers(found)
  if (docOf(found.nodes).length === 0) {
    return [`${at}: ${name} is public and has no docstring`, ...members]
  }
  const isCode = found.nodes.some(
    (node) => ts.isFunctionDeclaration(node) || (ts.isClassDeclaration(node) && !isError(node)),
  )
  const lacks = isCode && !hasTag(found.nodes, 'example')
  return [
    ...(lacks ? [`${at}: ${name} is public and has no @example`] : []),
    ...checkMembers(found),
  ]
}

export function checkDocstrings(list: readonly Source[], doors: readonly string[]): Violation[] {
  const sources = new Map(list.map((source) => [source.path, source]))
  const violations = doors.flatMap((door) => {
    const source = sources.get(door)
    if (source === undefined) return [`${door}:1: package.json exports it and it does not exist`]
    return namesOf(source).flatMap((name) => checkName(door, name, find(sources, source, name)))
  })
  return [...new Set(violations)]
}
