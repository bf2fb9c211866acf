// Limits on files, lines and functions.
import ts from 'typescript'
import { lineOf, walk } from './sources.js'
import type { Source, Violation } from './sources.js'

const fileLinesMax = 600
const testLinesMax = 1000
const lineColumnsMax = 100
const functionLinesMax = 70
const parametersMax = 4
const nestingMax = 4

// An address, or the head of a class with two long names, stands on one line or nowhere.
const unbreakable = /:\/\/|^export class \w+ extends \w+ \{$/

/** Functions that may be longer, as `path name`, each with its reason. */
const longFunctions: ReadonlyMap<string, string> = new Map()

type FunctionNode = ts.FunctionLikeDeclaration & { readonly body: ts.Node }

function isFunction(node: ts.Node): node is FunctionNode {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined
}

function nameOf(node: FunctionNode): string {
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  if (node.name !== undefined) return node.name.getText()
  const { parent } = node
  const holder = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)
  return holder ? parent.name.getText() : 'function'
}

const isBranch = (node: ts.Node): boolean =>
  ts.isIterationStatement(node, false) ||
  ts.isSwitchStatement(node) ||
  ts.isTryStatement(node) ||
  // An `else if` continues its `if` and is no deeper.
  (ts.isIfStatement(node) && !(ts.isIfStatement(node.parent) && node.parent.elseStatement === node))

/** Deepest nesting of branches and loops, not looking into functions inside. */
function nestingOf(node: ts.Node): number {
  let deepest = 0
  ts.forEachChild(node, (child) => {
    if (isFunction(child)) return
    deepest = Math.max(deepest, nestingOf(child) + (isBranch(child) ? 1 : 0))
  })
  return deepest
}

function checkFunction({ path, tree }: Source, node: FunctionNode): Violation[] {
  const at = `${path}:${lineOf(tree, node)}: ${nameOf(node)}`
  const first = lineOf(tree, node)
  const lines = tree.getLineAndCharacterOfPosition(node.end).line + 2 - first
  const violations: Violation[] = []
  if (lines > functionLinesMax && !longFunctions.has(`${path} ${nameOf(node)}`)) {
    violations.push(`${at} has ${lines} lines, ${functionLinesMax} are allowed`)
  }
  if (node.parameters.length > parametersMax && !ts.isConstructorDeclaration(node)) {
    violations.push(`${at} has ${node.parameters.length} parameters; pass an options object`)
  }
  const nesting = nestingOf(node.body)
  if (nesting > nestingMax) violations.push(`${at} nests ${nesting} deep, ${nestingMax} allowed`)
  return violations
}

export function checkSizes(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => {
    const { path, text, tree, isTest } = source
    const violations: Violation[] = []
    const lines = text.split('\n')
    const linesMax = isTest ? testLinesMax : fileLinesMax
    if (lines.length - 1 > linesMax) {
      violations.push(`${path}:${linesMax}: ${lines.length - 1} lines; look for the second noun`)
    }
    lines.forEach((line, index) => {
      if (line.length > lineColumnsMax && !unbreakable.test(line)) {
        violations.push(`${path}:${index + 1}: ${line.length} columns, ${lineColumnsMax} allowed`)
      }
    })
    if (isTest) return violations
    walk(tree, (node) => {
      if (isFunction(node)) violations.push(...checkFunction(source, node))
    })
    return violations
  })
}
