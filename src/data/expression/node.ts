// Expressions as data: what `col('a').gt(5)` builds, rules move, and tasks turn into SQL.
//
// A node is a plain object, so that it travels to workers and can be compared, substituted and
// split without running anything. Only `udf`, `generate` and `download` are more than the engine
// can compute.

import type { FilesystemOptions } from '../datasource/files.js'

/** A value that stands for itself in an expression. */
export type Literal =
  number | bigint | string | boolean | null | Date | Uint8Array | readonly Literal[]

export interface ColumnNode {
  readonly kind: 'column'
  readonly name: string
}

export interface LiteralNode {
  readonly kind: 'literal'
  readonly value: Literal
}

/** A function or operator of the table in `functions.ts`. */
export interface CallNode {
  readonly kind: 'call'
  readonly fn: string
  readonly args: readonly ExpressionNode[]
}

export interface CastNode {
  readonly kind: 'cast'
  readonly value: ExpressionNode
  /** Name of a type in `casts.ts`. */
  readonly type: string
  /** Whether what cannot be cast is null and not an error. */
  readonly isTry: boolean
}

export interface AliasNode {
  readonly kind: 'alias'
  readonly value: ExpressionNode
  readonly name: string
}

/** A function of the user that is given columns and returns one. */
export interface UdfNode {
  readonly kind: 'udf'
  readonly name: string
  readonly fn: (...columns: never[]) => unknown
  readonly args: readonly ExpressionNode[]
}

/** Values that depend on the row's place and not on its contents. */
export interface GenerateNode {
  readonly kind: 'generate'
  readonly what: 'random' | 'uuid' | 'row-id'
  readonly seed: number | undefined
}

/** The bytes of the file that a value names. */
export interface DownloadNode {
  readonly kind: 'download'
  readonly value: ExpressionNode
  readonly filesystem: FilesystemOptions | undefined
}

/** What an expression computes. */
export type ExpressionNode =
  ColumnNode | LiteralNode | CallNode | CastNode | AliasNode | UdfNode | GenerateNode | DownloadNode

/** A named output column. */
export interface NamedNode {
  readonly name: string
  readonly value: ExpressionNode
}

export function childrenOf(node: ExpressionNode): readonly ExpressionNode[] {
  switch (node.kind) {
    case 'call':
    case 'udf':
      return node.args
    case 'cast':
    case 'alias':
    case 'download':
      return [node.value]
    default:
      return []
  }
}

/** The same node with each child replaced. */
export function mapChildren(
  node: ExpressionNode,
  change: (child: ExpressionNode) => ExpressionNode,
): ExpressionNode {
  switch (node.kind) {
    case 'call':
    case 'udf':
      return { ...node, args: node.args.map(change) }
    case 'cast':
    case 'alias':
    case 'download':
      return { ...node, value: change(node.value) }
    default:
      return node
  }
}

/** Whether the node or anything below it passes the test. */
export function someNode(node: ExpressionNode, test: (node: ExpressionNode) => boolean): boolean {
  return test(node) || childrenOf(node).some((child) => someNode(child, test))
}

/** The columns that an expression reads, each once. */
export function columnsOfNode(...nodes: readonly ExpressionNode[]): readonly string[] {
  const names = new Set<string>()
  const visit = (node: ExpressionNode): void => {
    if (node.kind === 'column') names.add(node.name)
    childrenOf(node).forEach(visit)
  }
  nodes.forEach(visit)
  return [...names]
}

/**
 * Replaces columns by what `values` has for them: outputs of an earlier step, or the constants of a
 * partition. Columns that it has nothing for stay.
 */
export function substitute(
  node: ExpressionNode,
  values: ReadonlyMap<string, ExpressionNode>,
): ExpressionNode {
  if (node.kind === 'column') return values.get(node.name) ?? node
  return mapChildren(node, (child) => substitute(child, values))
}

/** The parts of a predicate that must all hold. */
export function conjunctsOf(node: ExpressionNode): readonly ExpressionNode[] {
  if (node.kind === 'alias') return conjunctsOf(node.value)
  if (node.kind === 'call' && node.fn === 'and') return node.args.flatMap(conjunctsOf)
  return [node]
}

/** All of the parts as one predicate; undefined if there are none. */
export function allOf(parts: readonly ExpressionNode[]): ExpressionNode | undefined {
  return parts.reduce<ExpressionNode | undefined>((all, part) => {
    return all === undefined ? part : { kind: 'call', fn: 'and', args: [all, part] }
  }, undefined)
}

/** Whether the engine can compute the expression alone, and always the same from the same row. */
export function isPure(node: ExpressionNode): boolean {
  return !someNode(node, ({ kind }) => ['udf', 'generate', 'download'].includes(kind))
}

/** The name of the column that an expression makes where none is given. */
export function nameOfNode(node: ExpressionNode): string | undefined {
  if (node.kind === 'alias' || node.kind === 'column') return node.name
  return undefined
}

/** The expression without the names given to it. */
export function withoutAlias(node: ExpressionNode): ExpressionNode {
  return node.kind === 'alias' ? withoutAlias(node.value) : node
}
