// Steps that run a function of the user, or a class of which each actor of a pool has an instance.

import type { BatchFormat } from '../block/batch.js'
import type { DateFormat } from '../block/column.js'
import type { PoolSize, UserFunction } from '../block/user-function.js'

/** What the tasks of a step need; what is undefined is left to the steps it is fused with. */
export interface StepResources {
  readonly numCpus: number | undefined
  readonly numGpus?: number | undefined
  readonly memory?: number | undefined
  readonly resources?: Readonly<Record<string, number>> | undefined
  /** Tasks that run at once at most. */
  readonly concurrency: number | undefined
  /** Present where the step is a class. */
  readonly pool?: PoolSize | undefined
}

export interface MapBatchesStep extends StepResources, UserFunction {
  readonly kind: 'map-batches'
  readonly batchFormat: BatchFormat
  readonly batchSize: number | undefined
  readonly dates: DateFormat
}

/** One row for each row. */
export interface MapStep extends StepResources, UserFunction {
  readonly kind: 'map'
}

/** Any number of rows for each row. */
export interface FlatMapStep extends StepResources, UserFunction {
  readonly kind: 'flat-map'
}

export interface FilterStep extends StepResources, UserFunction {
  readonly kind: 'filter'
}

/** Adds a column, or replaces it: the function gives one value per row of a batch. */
export interface AddColumnStep extends StepResources, UserFunction {
  readonly kind: 'add-column'
  readonly column: string
  readonly batchFormat: BatchFormat
}

export type FunctionStep = MapBatchesStep | MapStep | FlatMapStep | FilterStep | AddColumnStep

/** The name of a step in errors and statistics. */
export function functionStepName(step: FunctionStep): string {
  switch (step.kind) {
    case 'map-batches':
      return `mapBatches(${step.name})`
    case 'flat-map':
      return `flatMap(${step.name})`
    case 'add-column':
      return `addColumn(${step.column})`
    case 'map':
    case 'filter':
      return `${step.kind}(${step.name})`
  }
}

const resourceNames = ['numCpus', 'numGpus', 'memory', 'resources', 'concurrency'] as const

/**
 * The resources of two steps in one task; undefined if they ask for different ones, or either is a
 * class, whose actors are its own.
 */
export function joinResources(a: StepResources, b: StepResources): StepResources | undefined {
  if (a.pool !== undefined || b.pool !== undefined) return undefined
  const joined: Record<string, unknown> = {}
  for (const name of resourceNames) {
    const [x, y] = [a[name], b[name]]
    if (x !== undefined && y !== undefined && x !== y) return undefined
    joined[name] = x ?? y
  }
  return joined as unknown as StepResources
}
