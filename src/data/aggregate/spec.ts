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
  | 'sketch'

/** What is kept of the values of a group, and what is made of it. */
export type Sketch =
  | {
      /** How often each value is there. */
      readonly kind: 'counts'
      /** Values that a block counts at most. */
      readonly capacity: number
      /** Values in the result; Infinity for all. */
      readonly limit: number
      /** What the value is called beside its count; undefined for a list of each. */
      readonly field: string | undefined
      /** Whether of lists the elements are counted. */
      readonly flattens: boolean
    }
  | {
      readonly kind: 'quantiles'
      readonly quantiles: readonly number[]
      /** Parts that a block is cut into. */
      readonly precision: number
    }

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
  /** Of `sketch` what it keeps. */
  readonly sketch?: Sketch
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
