// How a dataset is computed: operators that submit one task per block.

import type { BatchFormat } from '../block/batch.js'
import type { DateFormat } from '../block/column.js'
import type { RefBundle } from '../block/metadata.js'
import type { PoolSize, UserFunction } from '../block/user-function.js'
import {
  type Exchange,
  type ExchangeOperator,
  type JoinOperator,
  sortedBlocksMax,
  type ZipOperator,
} from './exchange-operators.js'
import type { ExchangeTransform } from './exchange-transforms.js'
import type { RelationalStep } from '../relational/steps.js'
import type { WholeQuery } from '../relational/whole-query.js'
import type { ReadTask } from '../datasource-port.js'
import type { ReadRequest } from '../datasource/file-readers.js'
import type { FileCount } from '../datasource/files.js'
import type { WriteStep } from '../logical/write-step.js'

/** Where a task that has no input block gets its rows. */
export type TaskInput =
  | { readonly kind: 'files'; readonly request: ReadRequest }
  | {
      /** All files of a plan and the steps behind them as one query. */
      readonly kind: 'query'
      readonly name: string
      readonly query: WholeQuery
      /** Threads that the engine may run it with. */
      readonly threads: number
    }
  | {
      readonly kind: 'rows'
      readonly rows: readonly Readonly<Record<string, unknown>>[]
      /** Number of the first of them. */
      readonly start?: number
    }
  | {
      readonly kind: 'range'
      readonly start: number
      readonly rows: number
      readonly shape?: readonly number[] | undefined
    }
  | { readonly kind: 'read-task'; readonly task: ReadTask; readonly name: string }

/** What a task does to a block with a function of the user. */
export type FunctionTransform =
  | (UserFunction & {
      readonly kind: 'batches'
      readonly batchFormat: BatchFormat
      readonly batchSize: number | undefined
      readonly dates: DateFormat
    })
  | (UserFunction & { readonly kind: 'rows' | 'flat-rows' | 'filter' })
  | (UserFunction & {
      readonly kind: 'group-batches'
      readonly keys: readonly string[]
      readonly batchFormat: BatchFormat
      readonly dates: DateFormat
    })
  | (UserFunction & {
      readonly kind: 'add-column'
      readonly column: string
      readonly batchFormat: BatchFormat
    })

/** Computes a column of each group of a block that has all rows of its groups. */
export interface GroupColumnTransform {
  readonly kind: 'group-column'
  readonly keys: readonly string[]
  readonly step: RelationalStep
}

/** What a task does to a block. Travels to the worker, functions and all. */
export type Transform =
  | FunctionTransform
  | ExchangeTransform
  | RelationalStep
  | { readonly kind: 'select'; readonly columns: readonly string[] }
  | { readonly kind: 'drop-columns'; readonly columns: readonly string[] }
  | {
      readonly kind: 'rename-columns'
      readonly names: Readonly<Record<string, string>> | readonly string[]
    }
  | { readonly kind: 'slice'; readonly start: number; readonly end: number }
  | WriteStep
  | GroupColumnTransform
  | { readonly kind: 'discard' }
  | { readonly kind: 'report'; readonly fn: (block: never) => unknown }

export interface TaskResources {
  readonly numCpus: number
  readonly numGpus?: number | undefined
  readonly memory?: number | undefined
  readonly resources?: Readonly<Record<string, number>> | undefined
  /** Tasks of the operator that may run at once. */
  readonly concurrency: number
  /** Where the operator runs in actors: how many. */
  readonly pool?: PoolSize | undefined
}

/** What a task needs unless the user says otherwise. */
export const plainResources: TaskResources = { numCpus: 1, concurrency: Number.POSITIVE_INFINITY }

/** Makes one block per input. */
export interface SourceOperator {
  readonly kind: 'source'
  readonly name: string
  readonly inputs: readonly TaskInput[]
  /** Where it reads files: how many, and of how many. */
  readonly files?: FileCount
  readonly transforms: readonly Transform[]
  readonly resources: TaskResources
}

/** Hands out blocks that are there already. */
export interface BlocksOperator {
  readonly kind: 'blocks'
  readonly name: string
  readonly bundles: readonly RefBundle[]
}

/** Makes one block of each block. */
export interface MapOperator {
  readonly kind: 'map'
  readonly name: string
  /**
   * Rows that a task is given at least, of several blocks if it must: batches are filled of them.
   */
  readonly rowsMin?: number | undefined
  readonly transforms: readonly Transform[]
  readonly resources: TaskResources
}

/** Passes rows on until it has enough, then stops everything before it. */
export interface LimitOperator {
  readonly kind: 'limit'
  readonly name: string
  readonly rows: number
}

/** Hands out the blocks of several plans, one plan after the other. */
export interface UnionOperator {
  readonly kind: 'union'
  readonly name: string
  readonly inputs: readonly PhysicalPlan[]
}

export interface PhysicalPlan {
  readonly source: SourceOperator | BlocksOperator | UnionOperator | JoinOperator | ZipOperator
  readonly operators: readonly (MapOperator | LimitOperator | ExchangeOperator)[]
}

/** The number of blocks that the plan makes, where it can be told beforehand. */
export function plannedBlocks({ source, operators }: PhysicalPlan): number | undefined {
  let blocks = sourceBlocks(source)
  for (const operator of operators) {
    if (operator.kind === 'limit') blocks = undefined
    // How many blocks go to one task is found out while it runs.
    if (operator.kind === 'map' && operator.rowsMin !== undefined && blocks !== 1) {
      blocks = undefined
    }
    if (operator.kind === 'exchange') blocks = exchangedBlocks(operator.exchange, blocks)
  }
  return blocks
}

function sourceBlocks(source: PhysicalPlan['source']): number | undefined {
  switch (source.kind) {
    case 'source':
      return source.inputs.length
    case 'blocks':
      return source.bundles.length
    case 'union':
      return addUp(source.inputs.map(plannedBlocks))
    case 'join':
      return source.small === undefined ? source.count : undefined
    case 'zip':
      return plannedBlocks(source.left)
  }
}

function exchangedBlocks(exchange: Exchange, blocks: number | undefined): number | undefined {
  switch (exchange.kind) {
    case 'parts':
      return exchange.count
    case 'gather':
      return 1
    case 'reblock':
      return exchange.blocks
    case 'aggregate':
      return exchange.keys.length === 0 ? 1 : undefined
    case 'resize':
    case 'coalesce':
      return undefined
    case 'sort':
      return blocks !== undefined && blocks <= sortedBlocksMax ? blocks : undefined
    case 'block-order':
      return blocks
  }
}

/** The sum; undefined if one of the numbers is. */
export function addUp(numbers: readonly (number | undefined)[]): number | undefined {
  let sum = 0
  for (const each of numbers) {
    if (each === undefined) return undefined
    sum += each
  }
  return sum
}

/** The operators of a plan that read files. */
export function readsOf({ source }: PhysicalPlan): readonly FileRead[] {
  switch (source.kind) {
    case 'source':
      return source.files === undefined ? [] : [{ name: source.name, files: source.files }]
    case 'blocks':
      return []
    case 'union':
      return source.inputs.flatMap(readsOf)
    case 'join':
    case 'zip':
      return [...readsOf(source.left), ...readsOf(source.right)]
  }
}

export interface FileRead {
  readonly name: string
  readonly files: FileCount
}
