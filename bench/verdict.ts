// What a row's figures say: the ratios to the other contestants, and whether the targets are met.
import type { Measure, RowResult, Target } from './row.js'

export type Outcome = 'aim met' | 'met' | 'missed' | 'not measured'

export interface Verdict {
  readonly target: Target
  readonly actual: number | undefined
  readonly outcome: Outcome
}

/** How many times as fast as `other` we are, also where less is better. */
function speedOver(result: RowResult, other: number | undefined): number | undefined {
  const ours = result.typeray?.mean
  if (ours === undefined || other === undefined) return undefined
  return result.row.isLowerBetter === true ? other / ours : ours / other
}

/** Ray as measured in this run, else the figure of reference. */
export function rayMean(result: RowResult): number | undefined {
  return result.ray?.mean ?? result.row.rayReference
}

export function measureOf(result: RowResult, measure: Measure): number | undefined {
  const { limit } = result
  const isEcho = limit?.name.startsWith('raw echo') ?? false
  const overLimit = speedOver(result, limit?.mean)
  switch (measure) {
    case 'value':
      return result.typeray?.mean
    case 'x Ray':
      return speedOver(result, rayMean(result))
    case 'x piscina':
      return speedOver(result, result.piscina?.mean)
    case 'x echo':
      return isEcho ? overLimit : undefined
    case 'trips':
      return isEcho && overLimit !== undefined ? 1 / overLimit : undefined
    case 'share':
      return isEcho ? undefined : overLimit
  }
}

function isLowerBetter(result: RowResult, measure: Measure): boolean {
  return measure === 'trips' || (measure === 'value' && result.row.isLowerBetter === true)
}

function outcomeOf(actual: number | undefined, target: Target, isLess: boolean): Outcome {
  if (actual === undefined) return 'not measured'
  const reaches = (bar: number): boolean => (isLess ? actual <= bar : actual >= bar)
  if (target.aim !== undefined && reaches(target.aim)) return 'aim met'
  return reaches(target.atLeast) ? 'met' : 'missed'
}

export function verdictsOf(result: RowResult): Verdict[] {
  return (result.row.targets ?? []).map((target) => {
    const actual = measureOf(result, target.measure)
    const isLess = isLowerBetter(result, target.measure)
    return { target, actual, outcome: outcomeOf(actual, target, isLess) }
  })
}
