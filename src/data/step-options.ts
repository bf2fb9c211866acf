// Checks the options of Dataset methods once, at the call that gives them.

import { RayError } from '../base/errors.js'
import { didYouMean } from '../base/nearest-name.js'
import { type BatchFormat, batchFormats } from './block/batch.js'
import type { DateFormat } from './block/column.js'
import type { RetriedErrors, UserFunction } from './block/user-function.js'
import type { StepResources } from './logical/function-step.js'
import { reasonNotTaken } from './options-not-taken.js'

/** What the tasks or actors of a step need. */
export interface StepOptions {
  /** CPUs of each task or actor; 1 unless told otherwise. */
  readonly numCpus?: number
  /** GPUs of each task or actor. */
  readonly numGpus?: number
  /** Bytes of memory that each task or actor reserves. */
  readonly memory?: number
  /** Custom resources of each task or actor. */
  readonly resources?: Readonly<Record<string, number>>
  /**
   * Of a function: tasks that run at once at most. Of a class: the actors of its pool, a number or
   * `{ min, max }` between which the pool grows; from 1 to as many as there are CPUs by default.
   */
  readonly concurrency?: number | { readonly min?: number; readonly max: number }
  /** Arguments of the function after the rows; refs among them are resolved, without a copy. */
  readonly fnArgs?: readonly unknown[]
  /** Arguments of the class's constructor; refs among them are resolved. */
  readonly fnConstructorArgs?: readonly unknown[]
  /** Calls the function again when it throws: anything, or one of these classes. */
  readonly retryExceptions?: RetriedErrors
}

/** What `mapBatches` gives its function. */
export interface MapBatchesOptions<Format extends BatchFormat = BatchFormat> extends StepOptions {
  /**
   * 'columns' (typed arrays and arrays by name, the default), 'arrow' (an apache-arrow table) or
   * 'rows' (an array of objects).
   */
  readonly batchFormat?: Format
  /**
   * Rows per batch; a whole block unless told otherwise. Only the last batch of a task has fewer:
   * blocks that are smaller go to one task together.
   */
  readonly batchSize?: number
  /**
   * How 'columns' shows timestamps: as `Date`, the default, or as milliseconds since 1970 in a
   * Float64Array, which is 50 times faster and turns back into a timestamp under the same name.
   */
  readonly dates?: DateFormat
}

export interface MapBatchesConfig {
  readonly batchFormat: BatchFormat
  readonly batchSize: number | undefined
  readonly dates: DateFormat
}

const ofSteps = [
  'numCpus', 'numGpus', 'memory', 'resources', 'concurrency', 'fnArgs', 'fnConstructorArgs',
  'retryExceptions',
] // prettier-ignore
export const ofBatches: readonly string[] = ['batchFormat', 'batchSize', 'dates']
/**
 * Refuses options that do not exist, so that none is silently ignored.
 *
 * @throws TypeError
 */
export function refuseUnknown(operator: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${operator}: options must be an object, not ${show(options)}.`)
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    const reason = reasonNotTaken(operator, key)
    if (reason !== undefined) {
      throw new TypeError(`${operator}: there is no option '${key}': ${reason}.`)
    }
    throw new TypeError(
      `${operator}: '${key}' is not an option.${didYouMean(key, known)}` +
        (known.length === 0 ? ' It takes none.' : ` Options are: ${known.join(', ')}.`),
    )
  }
}

/** The function or class of a step, and what it needs. */
export function compileFunction(
  operator: string,
  fn: unknown,
  options: StepOptions,
  known: readonly string[] = [],
): UserFunction & StepResources {
  refuseUnknown(operator, options, [...ofSteps, ...known])
  const { fnArgs, fnConstructorArgs, numGpus, memory, resources, retryExceptions } = options
  const name = functionName(operator, fn)
  const isClass = /^class\b/.test(Function.prototype.toString.call(fn))
  if (!isClass && fnConstructorArgs !== undefined) {
    throw new RayError(`${operator}: fnConstructorArgs are for a class, and ${name} is a function.`)
  }
  const args = { ...(fnArgs && { args: [...fnArgs] }), constructorArgs: fnConstructorArgs ?? [] }
  return {
    name,
    fn: fn as UserFunction['fn'],
    ...(isClass && { isClass }),
    ...args,
    numCpus: atLeast(operator, 'numCpus', { value: options.numCpus, least: 0 }),
    ...(numGpus !== undefined && { numGpus }),
    ...(memory !== undefined && { memory }),
    ...(resources !== undefined && { resources }),
    ...(retryExceptions !== undefined && { retryExceptions }),
    ...(isClass ? poolOf(operator, options) : tasksOf(operator, options)),
  }
}

function tasksOf(operator: string, { concurrency }: StepOptions) {
  if (typeof concurrency === 'object') {
    throw new RayError(
      `${operator}: only a pool of actors grows; the concurrency of a function is a number.`,
    )
  }
  return { concurrency: whole(operator, 'concurrency', concurrency) }
}

function poolOf(operator: string, { concurrency }: StepOptions) {
  if (typeof concurrency === 'object') {
    if (Array.isArray(concurrency)) {
      const [min, max] = concurrency as readonly unknown[]
      throw new RayError(
        `${operator}: the size of a pool that grows is an object: concurrency: ` +
          `{ min: ${String(min)}, max: ${String(max)} }.`,
      )
    }
    refuseUnknown(`${operator}, concurrency`, concurrency, ['min', 'max'])
  }
  const { min = 1, max } =
    typeof concurrency === 'object' ? concurrency : { min: concurrency, max: concurrency }
  const pool = {
    min: whole(operator, 'concurrency.min', min) ?? 1,
    max: whole(operator, 'concurrency', max) ?? Number.POSITIVE_INFINITY,
  }
  if (pool.max >= pool.min) return { concurrency: undefined, pool }
  throw new RayError(`${operator}: concurrency.max is ${pool.max}, below min, ${pool.min}.`)
}

export function compileMapBatchesOptions(options: MapBatchesOptions): MapBatchesConfig {
  const { batchFormat = 'columns', dates = 'date' } = options
  checkBatchFormat('mapBatches', batchFormat)
  if (dates !== 'date' && dates !== 'number') {
    throw new RayError(`mapBatches: dates must be 'date' or 'number', not ${show(dates)}.`)
  }
  const batchSize = whole('mapBatches', 'batchSize', options.batchSize)
  return { batchFormat, batchSize, dates }
}

export function checkBatchFormat(operator: string, batchFormat: unknown): void {
  if ((batchFormats as readonly unknown[]).includes(batchFormat)) return
  const formats = batchFormats.map((each) => `'${each}'`).join(', ')
  throw new RayError(
    `${operator}: batchFormat must be one of ${formats}, not ${show(batchFormat)}.`,
  )
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

/** The name of a user's function or class in errors and statistics. */
function functionName(operator: string, fn: unknown): string {
  if (typeof fn === 'function' && !('remote' in fn)) return fn.name === '' ? 'anonymous' : fn.name
  throw new RayError(`${operator} takes a function or a class, and was given ${show(fn)}.`)
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
