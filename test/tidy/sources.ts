// The files that tidy looks at, parsed once.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'

export interface Import {
  readonly specifier: string
  readonly line: number
  /** Erased by the compiler; such an import cannot make a cycle, but can break a layer. */
  readonly isType: boolean
  /** Names taken; undefined for a namespace, a bare or a dynamic import, which take everything. */
  readonly names: readonly string[] | undefined
}

export interface Source {
  /** Relative to the root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
  readonly imports: readonly Import[]
  readonly isTest: boolean
}

/** A violation as `path:line: message`, so that an editor can jump to it. */
export type Violation = string

export function lineOf(tree: ts.SourceFile, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
}

/** Calls `visit` for every node below `node`, parents first. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  ts.forEachChild(node, (child) => {
    visit(child)
    walk(child, visit)
  })
}

function namesOfImport(clause: ts.ImportClause | undefined): readonly string[] | undefined {
  const bindings = clause?.namedBindings
  if (clause === undefined || (bindings !== undefined && ts.isNamespaceImport(bindings))) {
    return undefined
  }
  const own = clause.name === undefined ? [] : ['default']
  const named = bindings?.elements.map((each) => (each.propertyName ?? each.name).text) ?? []
  return [...own, ...named]
}

function namesOfExport(clause: ts.NamedExportBindings | undefined): readonly string[] | undefined {
  if (clause === undefined || !ts.isNamedExports(clause)) return undefined
  return clause.elements.map((each) => (each.propertyName ?? each.name).text)
}

function importOf(tree: ts.SourceFile, node: ts.Node): Import | undefined {
  const line = lineOf(tree, node)
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const isType = node.importClause?.isTypeOnly === true
    const names = namesOfImport(node.importClause)
    return { specifier: node.moduleSpecifier.text, line, isType, names }
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    if (!ts.isStringLiteral(node.moduleSpecifier)) return undefined
    const names = namesOfExport(node.exportClause)
    return { specifier: node.moduleSpecifier.text, line, isType: node.isTypeOnly, names }
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    const { literal } = node.argument
    if (!ts.isStringLiteral(literal)) return undefined
    return { specifier: literal.text, line, isType: true, names: undefined }
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments
    if (argument === undefined || !ts.isStringLiteral(argument)) return undefined
    return { specifier: argument.text, line, isType: false, names: undefined }
  }
  return undefined
}

export function parseSource(file: string, text: string): Source {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS)
  const imports: Import[] = []
  walk(tree, (node) => {
    const found = importOf(tree, node)
    if (found !== undefined) imports.push(found)
  })
  return { path: file, text, tree, imports, isTest: file.endsWith('.test.ts') }
}

const foldersSkipped = new Set(['node_modules', 'dist', '.git', 'fixtures', 'coverage'])

/** Paths of all files below `root` that belong to the repository. */
export function listFiles(root: string, below = ''): string[] {
  return readdirSync(path.join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(below, entry.name)
    if (entry.isSymbolicLink()) return []
    if (entry.isDirectory()) return foldersSkipped.has(entry.name) ? [] : listFiles(root, file)
    return entry.isFile() && entry.name !== '.git' ? [file] : []
  })
}

export function readSources(root: string): Source[] {
  return listFiles(root)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && file.includes('/'))
    .map((file) => parseSource(file, readFileSync(path.join(root, file), 'utf8')))
}

/** Path of the source that a relative import names; undefined for a package. */
export function resolveImport(from: Source, { specifier }: Import): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return path.posix.join(path.posix.dirname(from.path), specifier).replace(/\.js$/, '.ts')
}
