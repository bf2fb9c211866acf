// What tasks do where rows change blocks: cut a block into the parts that other tasks are to have,
// and put such parts together.

import type { AggregateSpec } from '../aggregate/spec.js'
import type { SortKey } from '../relational/sort-key.js'

/** Which part a row belongs to. */
export type PartitionBy =
  | { readonly kind: 'hash'; readonly keys: readonly string[] }
  | { readonly kind: 'random'; readonly seed: number | undefined }
  | {
      readonly kind: 'range'
      readonly keys: readonly SortKey[]
      /** Sort keys as bytes: part `i` has the rows below boundary `i`, and none below `i - 1`. */
      readonly boundaries: readonly Uint8Array[]
      /** The same of the first key alone, as numbers, where that is enough to tell parts apart. */
      readonly firsts?: readonly number[] | undefined
      /** Whether the boundaries are those of wide keys. */
      readonly isWide?: boolean
    }

/** Cuts a block into parts: the last transform of a task, which gives all of them. */
export interface PartitionTransform {
  readonly kind: 'partition'
  readonly by: PartitionBy
  readonly count: number
}

/** Notes the sort keys of some rows in the metadata of the block. */
export interface SampleKeysTransform {
  readonly kind: 'sample-keys'
  readonly keys: readonly SortKey[]
  readonly rows: number
}

export type JoinType =
  | 'inner'
  | 'left_outer'
  | 'right_outer'
  | 'full_outer'
  | 'left_semi'
  | 'right_semi'
  | 'left_anti'
  | 'right_anti'

/** How two sides are put together. */
export interface JoinSpec {
  readonly how: JoinType
  /** Names of the keys on both sides. */
  readonly on: readonly (readonly [left: string, right: string])[]
  readonly leftSuffix: string | undefined
  readonly rightSuffix: string | undefined
}

/** Makes one block of several: the first transform of a task that is given them. */
export type Combination =
  | { readonly kind: 'concat' }
  | { readonly kind: 'shuffle'; readonly seed: number | undefined }
  | {
      readonly kind: 'sort'
      readonly keys: readonly SortKey[]
      /** Whether blocks differ in their types: those of blocks without rows count, too. */
      readonly isMixed?: boolean
    }
  | {
      readonly kind: 'final-aggregate' | 'whole-aggregate'
      readonly keys: readonly string[]
      readonly aggregates: readonly AggregateSpec[]
    }
  | ({ readonly kind: 'join' } & JoinSpec)
  | { readonly kind: 'zip' }

export interface CombineTransform {
  readonly kind: 'combine'
  readonly name: string
  readonly combination: Combination
}

export type ExchangeTransform = PartitionTransform | SampleKeysTransform | CombineTransform

/** Rows `start` to before `end` of a block. */
export type RowRange = readonly [start: number, end: number]

/** What a task that combines blocks is told beside its transforms. */
export interface CombineInputs {
  /** Blocks of the left side; the others are of the right one. */
  readonly left?: number
  /** The rows that are taken of each block; all where it is absent. */
  readonly ranges?: readonly RowRange[]
}

/** The number of parts that a task gives; undefined for one that gives a block. */
export function partsOf(transforms: readonly { readonly kind: string }[]): number | undefined {
  const last = transforms.at(-1)
  return last?.kind === 'partition' ? (last as PartitionTransform).count : undefined
}
