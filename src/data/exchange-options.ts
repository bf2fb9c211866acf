// Checks the options of methods in which rows change blocks, once, at the call that gives them.

import { RayError } from '../base/errors.js'
import { didYouMean } from '../base/nearest-name.js'
import { col, Expression } from './expression/expression.js'
import { withoutAlias } from './expression/node.js'
import type { RepartitionStep, ShuffleStep } from './logical/exchange-step.js'
import type { JoinSpec, JoinType } from './physical/exchange-transforms.js'
import type { SortKey } from './relational/sort-key.js'
import { refuseUnknown, whole } from './step-options.js'

/** How `sort` orders rows. */
export interface SortOptions {
  /** Whether the greatest come first: for all keys, or one by one. */
  readonly descending?: boolean | readonly boolean[]
  /** Where nulls go; last unless told otherwise. */
  readonly nulls?: 'first' | 'last'
}

/** How rows are shuffled. */
export interface ShuffleOptions {
  /** The same seed gives the same order. */
  readonly seed?: number
  /** Blocks of the result; as many as before unless told otherwise. */
  readonly numBlocks?: number
}

/** What other blocks `repartition` makes. */
export interface RepartitionOptions {
  /** The number of blocks. */
  readonly numBlocks?: number
  /** Rows of each block. */
  readonly targetNumRowsPerBlock?: number
  /** Rows that agree in these columns come to one block. */
  readonly keys?: readonly string[]
  /** Whether rows change their order, so that each block has some of everywhere. */
  readonly shuffle?: boolean
  /** Of a shuffle: the same seed gives the same order. */
  readonly seed?: number
}

/** Kinds of joins, in short and as Ray calls them. */
export type How =
  | 'inner'
  | 'left'
  | 'right'
  | 'full'
  | 'semi'
  | 'anti'
  | 'leftSemi'
  | 'rightSemi'
  | 'leftAnti'
  | 'rightAnti'
  | JoinType

/** How two datasets are joined. */
export interface JoinOptions {
  /** Columns that must be equal, under the same names on both sides. */
  readonly on: string | readonly string[]
  /** What they are called on the right, where that differs. */
  readonly rightOn?: string | readonly string[]
  /** Which rows are kept that have no partner; 'inner', none, unless told otherwise. */
  readonly how?: How
  /** Put behind names of the left side that the right side has as well. */
  readonly leftSuffix?: string
  /** Put behind names of the right side that the left side has as well. */
  readonly rightSuffix?: string
  /** Parts that both sides are cut into; as many as there are blocks unless told otherwise. */
  readonly numPartitions?: number
}

/** A column to sort by: its name, or an expression. */
export type SortOn = string | Expression

export function compileSort(
  by: SortOn | readonly SortOn[],
  options: SortOptions,
): readonly SortKey[] {
  refuseUnknown('sort', options, ['descending', 'nulls'])
  const keys = (Array.isArray(by) ? by : [by]) as readonly SortOn[]
  const { descending = false, nulls = 'last' } = options
  if (keys.length === 0) throw new RayError('sort was given no columns.')
  if (nulls !== 'first' && nulls !== 'last') {
    throw new RayError(`sort: nulls must be 'first' or 'last', not ${String(nulls)}.`)
  }
  if (typeof descending !== 'boolean' && descending.length !== keys.length) {
    throw new RayError(
      `sort: descending must be a boolean, or have one for each of the ${keys.length} columns.`,
    )
  }
  return keys.map((key, i) => {
    const value = withoutAlias((key instanceof Expression ? key : col(key)).node)
    const isDescending = typeof descending === 'boolean' ? descending : descending[i] === true
    return { value, isDescending, nulls }
  })
}

export function compileShuffle(options: ShuffleOptions): ShuffleStep {
  refuseUnknown('randomShuffle', options, ['seed', 'numBlocks'])
  const blocks = whole('randomShuffle', 'numBlocks', options.numBlocks)
  return { kind: 'shuffle', operator: 'randomShuffle', seed: options.seed, blocks }
}

const ofRepartition = ['numBlocks', 'targetNumRowsPerBlock', 'keys', 'shuffle', 'seed']

export function compileRepartition(options: RepartitionOptions): RepartitionStep | ShuffleStep {
  refuseUnknown('repartition', options, ofRepartition)
  const { keys, shuffle = false, seed } = options
  const blocks = whole('repartition', 'numBlocks', options.numBlocks)
  const rows = whole('repartition', 'targetNumRowsPerBlock', options.targetNumRowsPerBlock)
  if (rows !== undefined && (blocks !== undefined || keys !== undefined || shuffle)) {
    throw new RayError(
      'repartition: targetNumRowsPerBlock says all of the blocks; leave the other options out.',
    )
  }
  if (rows !== undefined) return { kind: 'repartition', by: 'rows', rows }
  if (keys !== undefined && shuffle) {
    throw new RayError('repartition: keys decide where rows go; leave shuffle out.')
  }
  if (keys !== undefined) {
    if (keys.length === 0) throw new RayError('repartition: `keys` names no column.')
    return { kind: 'repartition', by: 'keys', keys, blocks }
  }
  if (blocks === undefined) {
    throw new RayError('repartition takes numBlocks, targetNumRowsPerBlock or keys.')
  }
  if (shuffle) return { kind: 'shuffle', operator: 'repartition', seed, blocks }
  return { kind: 'repartition', by: 'blocks', blocks }
}

const joins: Readonly<Record<How, JoinType>> = {
  inner: 'inner',
  left: 'left_outer',
  right: 'right_outer',
  full: 'full_outer',
  semi: 'left_semi',
  anti: 'left_anti',
  leftSemi: 'left_semi',
  rightSemi: 'right_semi',
  leftAnti: 'left_anti',
  rightAnti: 'right_anti',
  left_outer: 'left_outer',
  right_outer: 'right_outer',
  full_outer: 'full_outer',
  left_semi: 'left_semi',
  right_semi: 'right_semi',
  left_anti: 'left_anti',
  right_anti: 'right_anti',
}

const ofJoin = ['on', 'rightOn', 'how', 'leftSuffix', 'rightSuffix', 'numPartitions']

export function compileJoin(options: JoinOptions): {
  readonly spec: JoinSpec
  readonly blocks: number | undefined
} {
  refuseUnknown('join', options, ofJoin)
  const { on, rightOn = on, how = 'inner', leftSuffix, rightSuffix } = options
  const left = list(on)
  const right = list(rightOn)
  if (left.length === 0) throw new RayError('join: `on` names no column.')
  if (left.length !== right.length) {
    throw new RayError('join: `on` and `rightOn` must name as many columns as each other.')
  }
  if (!Object.hasOwn(joins, how)) {
    const names = Object.keys(joins)
    const meant = didYouMean(how, names)
    throw new RayError(`join: '${how}' is no kind of join.${meant} Kinds are: ${names.join(', ')}.`)
  }
  const pairs = left.map((name, i) => [name, right[i] ?? name] as const)
  const blocks = whole('join', 'numPartitions', options.numPartitions)
  return { spec: { how: joins[how], on: pairs, leftSuffix, rightSuffix }, blocks }
}

function list(names: string | readonly string[] | undefined): readonly string[] {
  if (names === undefined) throw new RayError('join takes the columns to join on: { on }.')
  return typeof names === 'string' ? [names] : names
}
