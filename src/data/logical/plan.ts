// What a dataset is to do: a source and the steps after it. Nothing here runs; rules rewrite plans,
// the planner turns them into physical operators.

import type { RefBundle } from '../block/metadata.js'
import type { Datasource } from '../datasource-port.js'
import type { FilesSource } from '../datasource/files.js'
import {
  type ExchangeStep,
  exchangeStepName,
  isExchange,
  type JoinSource,
  type ZipSource,
} from './exchange-step.js'
import { type RelationalStep, relationalStepName } from '../relational/steps.js'
import type { WriteStep } from './write-step.js'
import { type FunctionStep, functionStepName, type StepResources } from './function-step.js'

export type {
  FilterStep,
  FunctionStep,
  MapBatchesStep,
  MapStep,
  StepResources,
} from './function-step.js'

export interface ItemsSource {
  readonly kind: 'items'
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  /** Blocks that are asked for; as many as make sense if undefined. */
  readonly blocks?: number | undefined
}

export interface RangeSource {
  readonly kind: 'range'
  readonly rows: number
  /** Blocks that are asked for. */
  readonly blocks?: number | undefined
  /** Makes tensors of this shape, each full of its number, and not numbers. */
  readonly shape?: readonly number[]
}

/** What a source that the user wrote gives. */
export interface CustomSource {
  readonly kind: 'datasource'
  readonly datasource: Datasource
  readonly parallelism: number | undefined
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

export type Source =
  | FilesSource
  | ItemsSource
  | RangeSource
  | CustomSource
  | BlocksSource
  | UnionSource
  | JoinSource
  | ZipSource

export interface SelectStep {
  readonly kind: 'select'
  readonly columns: readonly string[]
}

export interface DropColumnsStep {
  readonly kind: 'drop-columns'
  readonly columns: readonly string[]
}

export interface RenameColumnsStep {
  readonly kind: 'rename-columns'
  /** New names by old ones, or new names of all columns in order. */
  readonly names: Readonly<Record<string, string>> | readonly string[]
}

export interface LimitStep {
  readonly kind: 'limit'
  readonly rows: number
}

/** Counts rows: the blocks themselves are dropped where they were made. */
export interface CountStep {
  readonly kind: 'count'
}

/**
 * Asks of each block what a function finds in it: the answers are in the metadata, the blocks are
 * dropped.
 */
export interface ReportStep {
  readonly kind: 'report'
  readonly name: string
  readonly fn: (block: never) => unknown
}

/** A step that looks at one block at a time, and so can share a task with its neighbours. */
export type BlockStep =
  | FunctionStep
  | RelationalStep
  | SelectStep
  | DropColumnsStep
  | RenameColumnsStep
  | WriteStep
  | CountStep
  | ReportStep

/** Several steps in one task. */
export interface FusedStep extends StepResources {
  readonly kind: 'fused'
  readonly steps: readonly BlockStep[]
}

export type Step = BlockStep | LimitStep | FusedStep | ExchangeStep

export interface LogicalPlan {
  readonly source: Source
  readonly steps: readonly Step[]
}

export type Rule = (plan: LogicalPlan) => LogicalPlan

export function resourcesOf(step: BlockStep): StepResources {
  if (!('numCpus' in step)) return { numCpus: undefined, concurrency: undefined }
  const { numCpus, numGpus, memory, resources, concurrency, pool } = step
  return { numCpus, numGpus, memory, resources, concurrency, pool }
}

/** The name of a step in errors and statistics. */
export function stepName(step: Step): string {
  switch (step.kind) {
    case 'map-batches':
    case 'map':
    case 'flat-map':
    case 'filter':
    case 'add-column':
      return functionStepName(step)
    case 'drop-columns':
      return `dropColumns(${step.columns.join(', ')})`
    case 'rename-columns':
      return 'renameColumns'
    case 'select':
      return `selectColumns(${step.columns.join(', ')})`
    case 'limit':
      return `limit(${step.rows})`
    case 'write':
      return step.name
    case 'count':
      return 'count'
    case 'report':
      return step.name
    case 'fused':
      return step.steps.map(stepName).join(' -> ')
    default:
      return isExchange(step) ? exchangeStepName(step) : relationalStepName(step)
  }
}

/** The plans that a source is made of. */
export function inputsOf(source: Source): readonly LogicalPlan[] {
  if (source.kind === 'union') return source.inputs
  return source.kind === 'join' || source.kind === 'zip' ? [source.left, source.right] : []
}

const ofFunctions = [
  'map-batches', 'map', 'flat-map', 'add-column', 'group-map', 'group-column',
] // prettier-ignore

/** Whether functions of the user make columns. */
export function callsFunctions({ source, steps }: LogicalPlan): boolean {
  return (
    steps.some(({ kind }) => ofFunctions.includes(kind)) || inputsOf(source).some(callsFunctions)
  )
}

export function sourceName(source: Source): string {
  switch (source.kind) {
    case 'files':
      return source.operator
    case 'items':
      return 'fromItems'
    case 'datasource':
      return source.datasource.name ?? 'readDatasource'
    case 'range':
      return source.shape === undefined ? 'range' : 'rangeTensor'
    case 'blocks':
      return 'blocks'
    case 'union':
    case 'zip':
      return source.kind
    case 'join':
      return `join(${source.spec.how})`
  }
}
