// What code must not do, and what to use instead. Read from the syntax tree: words in comments and
// strings are free, except those of `checkWords`.
import ts from 'typescript'
import { lineOf, walk } from './sources.js'
import type { Source, Violation } from './sources.js'

/** Decisions: synchronous state machines and pure functions. No clock, no I/O, no waiting. */
const decisionFile = /-(state|table|counter|policy)\.ts$/

/** Shells: the files that do the waiting, so that nothing else has to. */
const shellFile = new RegExp(
  [
    /\/[a-z-]+-(main|process|shell|monitor|transport)\.ts$/,
    /\/(raylet|gcs-server|core-worker|object-files|transport[a-z-]*)\.ts$/,
    // The two halves of the core worker wait for sockets and user code themselves.
    /\/worker\/(call-runner|canceller|garbage|countdown|get-patience)\.ts$/,
    /\/worker\/(idle-timer|line-watch|task-executor|task-recorder|task-submitter)\.ts$/,
  ]
    .map((each) => each.source)
    .join('|'),
)

interface Ban {
  /** Dotted names as they stand in the code: `Date.now`, `setTimeout`. */
  readonly names: readonly string[]
  readonly instead: string
  readonly folders: readonly string[]
  readonly isFreeInShells: boolean
}

const outer = ['base', 'cli', 'node', 'ray', 'testing']
const libraries = ['data', 'tune', 'train', 'serve', 'dag', 'dask', 'rllib', 'util']

const bans: readonly Ban[] = [
  {
    names: ['Date.now', 'process.hrtime'],
    instead: 'the injected clock',
    folders: [...outer, ...libraries],
    isFreeInShells: true,
  },
  {
    // The worker times functions on its hot path, where an injected clock would cost a call each.
    names: ['performance.now'],
    instead: 'the injected clock',
    folders: [...outer, ...libraries, 'worker'],
    isFreeInShells: true,
  },
  {
    names: ['Math.random'],
    instead: 'the injected random generator',
    folders: ['base', 'testing'],
    isFreeInShells: false,
  },
  {
    names: ['setTimeout', 'setInterval'],
    instead: 'a timer of the injected clock',
    folders: [...outer, ...libraries],
    isFreeInShells: true,
  },
  {
    names: ['console'],
    instead: 'the logger',
    folders: ['base', 'node', 'ray', 'testing'],
    isFreeInShells: true,
  },
]

function checkNames(source: Source, node: ts.Node): Violation[] {
  const text =
    ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)
      ? `${node.expression.text}.${node.name.text}`
      : ts.isCallExpression(node) && ts.isIdentifier(node.expression)
        ? node.expression.text
        : undefined
  if (text === undefined) return []
  const folder = source.path.split('/')[1] ?? ''
  const isDecision = decisionFile.test(source.path)
  return bans
    .filter((ban) => ban.names.includes(text) || ban.names.includes(text.split('.')[0] ?? ''))
    .filter((ban) => isDecision || !ban.folders.includes(folder))
    .filter((ban) => isDecision || !(ban.isFreeInShells && shellFile.test(source.path)))
    .map((ban) => `${source.path}:${lineOf(source.tree, node)}: not ${text}, use ${ban.instead}`)
}

function waitingIn(node: ts.Node): string | undefined {
  if (ts.isAwaitExpression(node)) return 'await'
  if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) return 'for await'
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async'
  if (ts.isIdentifier(node) && node.text === 'Promise') return 'Promise'
  return undefined
}

function checkDecision({ path, tree, imports, isTest }: Source): Violation[] {
  if (!decisionFile.test(path) || isTest) return []
  const violations = imports
    .filter(({ specifier }) => specifier.startsWith('node:') && specifier !== 'node:util')
    .map(({ specifier, line }) => `${path}:${line}: a decision must not import ${specifier}`)
  walk(tree, (node) => {
    const word = waitingIn(node)
    if (word === undefined) return
    violations.push(`${path}:${lineOf(tree, node)}: a decision is synchronous, no ${word}`)
  })
  return violations
}

/** CommonJS can require a module only while nothing in its graph awaits at the top level. */
function checkTopLevelAwait({ path, tree, isTest }: Source): Violation[] {
  const violations: Violation[] = []
  const look = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) return
    const word = waitingIn(node)
    if (word === 'await' || word === 'for await') {
      violations.push(`${path}:${lineOf(tree, node)}: no top-level await, require() must work`)
    }
    ts.forEachChild(node, look)
  }
  if (!isTest) look(tree)
  return violations
}

export function checkBans(sources: readonly Source[]): Violation[] {
  return sources
    .filter((source) => source.path.startsWith('src/'))
    .flatMap((source) => {
      const violations = [...checkDecision(source), ...checkTopLevelAwait(source)]
      if (source.isTest) return violations
      walk(source.tree, (node) => violations.push(...checkNames(source, node)))
      return violations
    })
}

/** Focused and unfinished tests. A skip is allowed where it carries its reason. */
export function checkTests(sources: readonly Source[]): Violation[] {
  return sources
    .filter((source) => source.isTest)
    .flatMap(({ path, tree }) => {
      const violations: Violation[] = []
      walk(tree, (node) => {
        const text = ts.isPropertyAccessExpression(node) ? node.getText(tree) : ''
        if (/^(test|it|describe|suite|t)\.(only|todo|skip)$/.test(text) && text !== 't.skip') {
          violations.push(`${path}:${lineOf(tree, node)}: ${text}; skip with { skip: reason }`)
        }
      })
      return violations
    })
}
