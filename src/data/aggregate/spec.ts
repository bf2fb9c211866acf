// Aggregates as data: what `Sum('x')` makes, and tasks compute.

import type { ExpressionNode } from '../expression/node.js'

export type AggregateKind =
  | 'count'
  | 'sum'
  | 'min'
  | 'max'
  | 'mean'
  | 'std'
  | 'absMax'
  | 'missingValuePercentage'
  | 'zeroPercentage'
  | 'quantile'
  | 'countDistinct'
  | 'unique'
  | 'asList'

/** An aggregate that the engine computes. */
export interface EngineAggregate {
  readonly kind: AggregateKind
  /** Name of the column that it makes. */
  readonly name: string
  /** What is aggregated; undefined only for a count of rows. */
  readonly value: ExpressionNode | undefined
  /** Whether nulls are left out; otherwise one of them makes the result null. */
  readonly ignoreNulls: boolean
  /** Of `quantile` the fraction, of `std` the degrees of freedom that are taken off. */
  readonly parameter: number
}

/** An aggregate of the user's own. */
export interface CustomAggregate {
  readonly kind: 'custom'
  readonly name: string
  readonly init: () => unknown
  readonly accumulate: (state: never, batch: never) => unknown
  readonly finalize: (state: never) => unknown
}

export type AggregateSpec = EngineAggregate | CustomAggregate

/** Aggregates that need all values of a group at once. */
const whole: readonly string[] = ['quantile', 'countDistinct', 'unique', 'asList', 'custom']

/** Whether aggregates of parts can be put together to those of the whole. */
export function isDecomposable(spec: AggregateSpec): spec is EngineAggregate {
  return !whole.includes(spec.kind)
}
