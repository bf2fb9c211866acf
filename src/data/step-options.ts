// Checks the options of Dataset methods once, at the call that gives them.

import { RayError } from '../base/errors.js'
import { didYouMean } from '../base/nearest-name.js'
import type { BatchFormat } from './block/batch.js'
import type { DateFormat } from './block/column.js'
import type { StepResources } from './logical/plan.js'

/** What tasks of a step need. */
export interface StepOptions {
  /** CPUs of each task; 1 unless told otherwise. */
  readonly numCpus?: number
  /** Tasks that run at once at most. */
  readonly concurrency?: number
}

/** What `mapBatches` gives its function. */
export interface MapBatchesOptions<Format extends BatchFormat = BatchFormat> extends StepOptions {
  /**
   * 'columns' (typed arrays and arrays by name, the default) or 'arrow' (an apache-arrow table).
   */
  readonly batchFormat?: Format
  /** Rows per batch; a whole block unless told otherwise. Batches do not cross blocks. */
  readonly batchSize?: number
  /**
   * How 'columns' shows timestamps: as `Date`, the default, or as milliseconds since 1970 in a
   * Float64Array, which is 50 times faster and turns back into a timestamp under the same name.
   */
  readonly dates?: DateFormat
}

export interface MapBatchesConfig extends StepResources {
  readonly batchFormat: BatchFormat
  readonly batchSize: number | undefined
  readonly dates: DateFormat
}

const ofSteps = ['numCpus', 'concurrency']
const ofBatches = [...ofSteps, 'batchFormat', 'batchSize', 'dates']
/** Options of Ray Data that are not built. */
const later = [
  'numGpus', 'memory', 'fnArgs', 'fnKwargs', 'fnConstructorArgs', 'fnConstructorKwargs',
  'zeroCopyBatch', 'compute', 'rayRemoteArgs', 'partitionCols', 'partitioning', 'includePaths',
  'filter', 'schema', 'shuffle', 'overrideNumBlocks', 'filesystem', 'compression',
  'prefetchBatches',
  'dropLast', 'localShuffleBufferSize', 'localShuffleSeed',
] // prettier-ignore

/**
 * Refuses options that do not exist, or not yet, so that none is silently ignored.
 *
 * @throws TypeError
 */
export function refuseUnknown(operator: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${operator}: options must be an object, not ${show(options)}.`)
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    if (later.includes(key)) {
      throw new TypeError(`${operator}: the option '${key}' is not built yet.`)
    }
    throw new TypeError(
      `${operator}: '${key}' is not an option.${didYouMean(key, known)} ` +
        `Options are: ${known.join(', ')}.`,
    )
  }
}

export function compileStepOptions(
  operator: string,
  options: StepOptions,
  known: readonly string[] = ofSteps,
): StepResources {
  refuseUnknown(operator, options, known)
  return {
    numCpus: atLeast(operator, 'numCpus', { value: options.numCpus, least: 0 }),
    concurrency: whole(operator, 'concurrency', options.concurrency),
  }
}

export function compileMapBatchesOptions(options: MapBatchesOptions): MapBatchesConfig {
  const step = compileStepOptions('mapBatches', options, ofBatches)
  const batchFormat = options.batchFormat ?? 'columns'
  if (batchFormat !== 'columns' && batchFormat !== 'arrow') {
    throw new RayError(
      `mapBatches: batchFormat must be 'columns' or 'arrow', not ${show(batchFormat)}.`,
    )
  }
  const dates = options.dates ?? 'date'
  if (dates !== 'date' && dates !== 'number') {
    throw new RayError(`mapBatches: dates must be 'date' or 'number', not ${show(dates)}.`)
  }
  const batchSize = whole('mapBatches', 'batchSize', options.batchSize)
  return { ...step, batchFormat, batchSize, dates }
}

/** A count of rows, as take, limit and show want it. */
export function rowCount(operator: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value
  throw new RayError(`${operator}: the number of rows must be a whole number, not ${show(value)}.`)
}

export function whole(
  operator: string,
  option: string,
  value: number | undefined,
): number | undefined {
  if (value !== undefined && !Number.isInteger(value)) {
    throw new RayError(`${operator}: ${option} must be a whole number, not ${show(value)}.`)
  }
  return atLeast(operator, option, { value, least: 1 })
}

function atLeast(
  operator: string,
  option: string,
  of: { value: number | undefined; least: number },
) {
  const { value, least } = of
  if (value === undefined || value >= least) return value
  throw new RayError(`${operator}: ${option} must be at least ${least}, not ${show(value)}.`)
}

/**
 * The name of a user's function in errors and statistics. Classes are refused: they would need
 * actors.
 */
export function functionName(operator: string, fn: unknown): string {
  if (typeof fn !== 'function' || 'remote' in fn) {
    throw new RayError(`${operator} takes a function, and was given ${show(fn)}.`)
  }
  if (/^class\b/.test(Function.prototype.toString.call(fn))) {
    throw new RayError(
      `${operator} takes a function. A class, which would run in a pool of actors, ` +
        'is not supported yet: create what is expensive once per process, ' +
        'in a module that the function imports.',
    )
  }
  return fn.name === '' ? 'anonymous' : fn.name
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
