// Expressions as people write them: for plans and messages.

import type { ExpressionNode, Literal, NamedNode } from './node.js'

const operators: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  eq: '=',
  ne: '!=',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  and: 'and',
  or: 'or',
}

export function textOfNode(node: ExpressionNode): string {
  switch (node.kind) {
    case 'column':
      return node.name
    case 'literal':
      return textOfLiteral(node.value)
    case 'alias':
      return `${textOfNode(node.value)} as ${node.name}`
    case 'cast':
      return `${node.isTry ? 'tryCast' : 'cast'}(${textOfNode(node.value)}, ${node.type})`
    case 'generate':
      return `${node.what}()`
    case 'download':
      return `download(${textOfNode(node.value)})`
    case 'udf':
      return `${node.name}(${node.args.map(textOfNode).join(', ')})`
    case 'call': {
      const args = node.args.map(textOfNode)
      const operator = Object.hasOwn(operators, node.fn) ? operators[node.fn] : undefined
      return operator !== undefined && args.length === 2
        ? `(${args[0] ?? ''} ${operator} ${args[1] ?? ''})`
        : `${node.fn}(${args.join(', ')})`
    }
  }
}

export function textOfNamed({ name, value }: NamedNode): string {
  const isItself = value.kind === 'column' && value.name === name
  return isItself ? name : `${name} = ${textOfNode(value)}`
}

function textOfLiteral(value: Literal): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) {
    return `[${(value as readonly Literal[]).map(textOfLiteral).join(', ')}]`
  }
  return String(value as number | boolean | null)
}
