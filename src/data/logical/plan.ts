// What a dataset is to do: a source and the steps after it. Nothing here runs; rules rewrite plans,
// the planner turns them into physical operators.

import type { BatchFormat } from '../block/batch.js'
import type { DateFormat } from '../block/column.js'
import type { RefBundle } from '../block/metadata.js'
import type { FilesSource } from '../datasource/files.js'

export interface ItemsSource {
  readonly kind: 'items'
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

export interface RangeSource {
  readonly kind: 'range'
  readonly rows: number
}

/** Blocks that are there already. */
export interface BlocksSource {
  readonly kind: 'blocks'
  readonly bundles: readonly RefBundle[]
}

/** The rows of several plans, one after the other. */
export interface UnionSource {
  readonly kind: 'union'
  readonly inputs: readonly LogicalPlan[]
}

export type Source = FilesSource | ItemsSource | RangeSource | BlocksSource | UnionSource

/**
 * What the tasks of a step need; undefined leaves it to the neighbours that the step is fused with.
 */
export interface StepResources {
  readonly numCpus: number | undefined
  readonly concurrency: number | undefined
}

export interface MapBatchesStep extends StepResources {
  readonly kind: 'map-batches'
  readonly name: string
  readonly fn: (batch: never) => unknown
  readonly batchFormat: BatchFormat
  readonly batchSize: number | undefined
  readonly dates: DateFormat
}

export interface MapStep extends StepResources {
  readonly kind: 'map'
  readonly name: string
  readonly fn: (row: never) => unknown
}

export interface FilterStep extends StepResources {
  readonly kind: 'filter'
  readonly name: string
  readonly fn: (row: never) => unknown
}

export interface SelectStep {
  readonly kind: 'select'
  readonly columns: readonly string[]
}

export interface LimitStep {
  readonly kind: 'limit'
  readonly rows: number
}

export interface WriteParquetStep {
  readonly kind: 'write-parquet'
  readonly folder: string
}

/** Counts rows: the blocks themselves are dropped where they were made. */
export interface CountStep {
  readonly kind: 'count'
}

/** A step that looks at one block at a time, and so can share a task with its neighbours. */
export type BlockStep =
  MapBatchesStep | MapStep | FilterStep | SelectStep | WriteParquetStep | CountStep

/** Several steps in one task. */
export interface FusedStep extends StepResources {
  readonly kind: 'fused'
  readonly steps: readonly BlockStep[]
}

export type Step = BlockStep | LimitStep | FusedStep

export interface LogicalPlan {
  readonly source: Source
  readonly steps: readonly Step[]
}

export type Rule = (plan: LogicalPlan) => LogicalPlan

export function resourcesOf(step: BlockStep): StepResources {
  if ('numCpus' in step) return { numCpus: step.numCpus, concurrency: step.concurrency }
  return { numCpus: undefined, concurrency: undefined }
}

/** The name of a step in errors and statistics. */
export function stepName(step: Step): string {
  switch (step.kind) {
    case 'map-batches':
      return `mapBatches(${step.name})`
    case 'map':
    case 'filter':
      return `${step.kind}(${step.name})`
    case 'select':
      return `selectColumns(${step.columns.join(', ')})`
    case 'limit':
      return `limit(${step.rows})`
    case 'write-parquet':
      return 'writeParquet'
    case 'count':
      return 'count'
    case 'fused':
      return step.steps.map(stepName).join(' -> ')
  }
}

export function sourceName(source: Source): string {
  switch (source.kind) {
    case 'files':
      return source.operator
    case 'items':
      return 'fromItems'
    case 'range':
      return 'range'
    case 'blocks':
      return 'blocks'
    case 'union':
      return 'union'
  }
}
