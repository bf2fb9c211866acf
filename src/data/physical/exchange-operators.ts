// Operators that take all blocks before they give the first: rows change blocks in them.

import type { AggregateSpec } from '../aggregate/spec.js'
import type { SortKey } from '../relational/sort-key.js'
import type { Combination, JoinSpec, PartitionTransform } from './exchange-transforms.js'
import type { PhysicalPlan, TaskResources, Transform } from './operators.js'

/** How rows are exchanged. */
export type Exchange =
  /** Each block was grouped by itself: what blocks have in common is put together. */
  | {
      readonly kind: 'aggregate'
      readonly keys: readonly string[]
      readonly aggregates: readonly AggregateSpec[]
    }
  /** Each block was cut into parts: part `i` of all blocks becomes block `i`. */
  | { readonly kind: 'parts'; readonly count: number; readonly combination: Combination }
  /** Each block has a sample of its sort keys: they say where to cut. */
  | { readonly kind: 'sort'; readonly keys: readonly SortKey[] }
  /** All blocks become one. */
  | { readonly kind: 'gather'; readonly combination: Combination }
  /** The rows in their order, in another number of blocks. */
  | { readonly kind: 'reblock'; readonly blocks: number }
  /** The rows in their order, in blocks of a number of rows. */
  | { readonly kind: 'resize'; readonly rows: number }
  /** The blocks, those of few rows together, so that none has fewer rows but the last. */
  | { readonly kind: 'coalesce'; readonly rows: number }
  /** The blocks in random order. */
  | { readonly kind: 'block-order'; readonly seed: number | undefined }

/**
 * A sorted dataset has as many blocks as it had before, but no more than this if they are small.
 */
export const sortedBlocksMax = 64

export interface ExchangeOperator {
  readonly kind: 'exchange'
  readonly name: string
  readonly exchange: Exchange
  /** What is done to the blocks that come of it, in the same tasks. */
  readonly transforms: readonly Transform[]
  readonly resources: TaskResources
}

/**
 * Two sides whose blocks are cut by their keys into the same number of parts; or one that is small
 * enough to go to the tasks of all blocks of the other.
 */
export interface JoinOperator {
  readonly kind: 'join'
  readonly name: string
  readonly left: PhysicalPlan
  readonly right: PhysicalPlan
  readonly count: number
  /** How each side is cut, if it is. */
  readonly cuts: readonly [left: PartitionTransform, right: PartitionTransform]
  /** The side that may be small enough: it is run first, and then its size decides. */
  readonly small?: 0 | 1 | undefined
  /** Bytes of a side that is small enough. */
  readonly broadcastBytes: number
  /** Bytes of one side that one task joins: of a key that many rows have, several tasks do. */
  readonly chunkBytes: number
  readonly spec: JoinSpec
  readonly transforms: readonly Transform[]
  readonly resources: TaskResources
}

/** Two sides of equal length, row by row. */
export interface ZipOperator {
  readonly kind: 'zip'
  readonly name: string
  readonly left: PhysicalPlan
  readonly right: PhysicalPlan
  readonly transforms: readonly Transform[]
  readonly resources: TaskResources
}
