// Gives steps that draw random numbers a seed, where the user gave none: a task that is run again,
// because its worker died or its result was lost, must draw the same numbers. Each execution has
// seeds of its own.

import { randomInt } from 'node:crypto'
import { type ExpressionNode, isPure, mapChildren } from '../expression/node.js'
import type { RelationalStep } from '../relational/steps.js'

const seedsMax = 2 ** 31

/** The seed, or a new one. */
export function fixedSeed(seed: number | undefined): number {
  return seed ?? randomInt(seedsMax)
}

export function fixSeeds(step: RelationalStep): RelationalStep {
  switch (step.kind) {
    case 'sample':
      return { ...step, seed: fixedSeed(step.seed) }
    case 'where':
      return { ...step, predicate: fixNode(step.predicate) }
    case 'project': {
      const outputs = step.outputs.map(({ name, value }) => ({ name, value: fixNode(value) }))
      return { ...step, outputs }
    }
    default:
      return step
  }
}

function fixNode(node: ExpressionNode): ExpressionNode {
  if (isPure(node)) return node
  if (node.kind === 'generate') return { ...node, seed: fixedSeed(node.seed) }
  return mapChildren(node, fixNode)
}
