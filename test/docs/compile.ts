// Type-checks snippets against the package, all in one program of the compiler.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { snippetsOfPage } from './snippets.js'
import type { Snippet } from './snippets.js'

/** A snippet as a module: its own imports, or those that a reader would add. */
export interface Module {
  readonly at: string
  readonly file: string
  readonly text: string
  /** Where each line of `text` stands; undefined for lines that were added. */
  readonly places: readonly (string | undefined)[]
}

/** Names that a snippet may use without importing them, by the module that they come from. */
const understood: Readonly<Record<string, string>> = {
  assert: `import assert from 'node:assert/strict'`,
  path: `import path from 'node:path'`,
  ray: `import * as ray from 'typeray'`,
  state: `import * as state from 'typeray/state'`,
  test: `import { test } from 'node:test'`,
}

const doorPaths = (manifest: { exports: Record<string, { types?: string } | string> }) =>
  Object.fromEntries(
    Object.entries(manifest.exports).flatMap(([door, entry]) => {
      const types = typeof entry === 'object' ? entry.types : undefined
      if (types === undefined) return []
      const source = types.replace('./dist/', './').replace('.d.ts', '.ts')
      return [[path.posix.join('typeray', door), source] as const]
    }),
  )

/** Names that the doors of libraries export, with the door. */
function libraryNames(doors: Record<string, string>, root: string): Map<string, string> {
  const names = new Map<string, string>()
  for (const [door, file] of Object.entries(doors)) {
    if (door === 'typeray') continue
    const text = readFileSync(path.join(root, file), 'utf8')
    const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023)
    for (const node of tree.statements) {
      if (!ts.isExportDeclaration(node) || node.exportClause === undefined) continue
      if (!ts.isNamedExports(node.exportClause)) continue
      for (const each of node.exportClause.elements) names.set(each.name.text, door)
    }
  }
  return names
}

/** What a text declares at its top level, imports included, and every name that it mentions. */
function namesIn(text: string): { declared: Set<string>; used: Set<string> } {
  const tree = ts.createSourceFile('snippet.ts', text, ts.ScriptTarget.ES2023, true)
  const declared = new Set<string>()
  const used = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node
      const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node
      const isName = 'name' in parent && parent.name === node
      if (isName && !isMember) declared.add(node.text)
      else if (!isMember) used.add(node.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return { declared, used }
}

class Preamble {
  readonly #library: Map<string, string>

  constructor(library: Map<string, string>) {
    this.#library = library
  }

  linesFor(text: string): string[] {
    const { declared, used } = namesIn(text)
    const wanted = [...used].filter((name) => !declared.has(name))
    return wanted.flatMap((name) => {
      const door = this.#library.get(name)
      if (door !== undefined) return [`import { ${name} } from '${door}'`]
      const line = understood[name]
      return line === undefined ? [] : [line]
    })
  }
}

function modulesOf(snippets: readonly Snippet[], preamble: Preamble, root: string): Module[] {
  const joined: Snippet[][] = []
  for (const snippet of snippets) {
    if (snippet.isContinued && joined.length > 0) joined.at(-1)?.push(snippet)
    else joined.push([snippet])
  }
  return joined.map((parts, index) => {
    const body = parts.map(({ text }) => text.replace(/\n$/, '')).join('\n')
    const added = [...preamble.linesFor(body), 'export {}']
    const places = parts.flatMap(({ at, text }) => {
      const [file = '', line = '0'] = at.split(':')
      return text
        .replace(/\n$/, '')
        .split('\n')
        .map((_, i) => `${file}:${Number(line) + i}`)
    })
    return {
      at: parts[0]?.at ?? '',
      file: path.join(root, 'dist', '.cache', 'snippets', `${index}.ts`),
      text: [...added, body].join('\n'),
      places: [...added.map(() => undefined), ...places],
    }
  })
}

const options = (root: string, doors: Record<string, string>): ts.CompilerOptions => ({
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  types: ['node'],
  typeRoots: [path.join(root, 'node_modules', '@types')],
  baseUrl: root,
  paths: Object.fromEntries(Object.entries(doors).map(([door, file]) => [door, [file]])),
})

function doorsOf(root: string): Record<string, string> {
  const manifest = readFileSync(path.join(root, 'package.json'), 'utf8')
  return doorPaths(JSON.parse(manifest) as Parameters<typeof doorPaths>[0])
}

/** The blocks of a page as modules with all their imports, for who wants to run them. */
export function modulesOfPage(file: string, markdown: string, root: string): Module[] {
  const preamble = new Preamble(libraryNames(doorsOf(root), root))
  return modulesOf(snippetsOfPage(file, markdown), preamble, root)
}

/** What the compiler says of the snippets, as `docs/x.md:12: message`. */
export function problemsOf(snippets: readonly Snippet[], root: string): string[] {
  const doors = doorsOf(root)
  const modules = modulesOf(snippets, new Preamble(libraryNames(doors, root)), root)
  const byFile = new Map(modules.map((module) => [module.file, module]))
  const compilerOptions = options(root, doors)
  const host = ts.createCompilerHost(compilerOptions)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (file) => byFile.has(file) || fileExists.call(host, file)
  host.readFile = (file) => byFile.get(file)?.text ?? readFile.call(host, file)
  host.getSourceFile = (file, target, ...rest) => {
    const text = byFile.get(file)?.text
    if (text !== undefined) return ts.createSourceFile(file, text, target)
    return getSourceFile.call(host, file, target, ...rest)
  }
  const program = ts.createProgram([...byFile.keys()], compilerOptions, host)
  return modules.flatMap((module) => {
    const source = program.getSourceFile(module.file)
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ]
    return found.map((each) => {
      const line = source?.getLineAndCharacterOfPosition(each.start ?? 0).line ?? 0
      const first = module.places.find((place) => place !== undefined) ?? ''
      const message = ts.flattenDiagnosticMessageText(each.messageText, ' ')
      return `${module.places[line] ?? first}: ${message}`
    })
  })
}
