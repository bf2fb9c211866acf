// Options of ray.init about the memory monitor, and about the memory of lineage.

import type { NodeOptions } from '../node/node-config.js'

/** When workers are ended because memory runs short, and what becomes of their tasks. */
export interface MemoryOptions {
  /**
   * Bytes that all workers together may use, without the object store; beyond that the memory
   * monitor ends one. No limit of its own by default.
   */
  readonly memoryLimit?: number
  /** Share of the memory of the machine or its container at which workers are ended; 0.95. */
  readonly memoryUsageThreshold?: number
  /** Time between two looks at it in milliseconds; 250, and 0 for never. */
  readonly memoryMonitorRefreshMs?: number
  /**
   * How often a task whose worker was ended for memory runs again, whatever its `maxRetries`; -1,
   * without end, by default. A task with `maxRetries: 0` never runs twice.
   */
  readonly taskOomRetries?: number
  /**
   * Bytes that each process may keep to have lost results of its tasks made again; 1 GiB. Beyond
   * that the oldest are forgotten. 0: nothing is made again.
   */
  readonly lineageMemory?: number
}

export const memoryOptionNames = [
  'memoryLimit',
  'memoryUsageThreshold',
  'memoryMonitorRefreshMs',
  'taskOomRetries',
  'lineageMemory',
] as const

/** The same for the node. Throws RangeError for what makes no sense. */
export function memoryOptionsOf(options: MemoryOptions): Pick<NodeOptions, keyof MemoryOptions> {
  const { memoryLimit, memoryUsageThreshold, memoryMonitorRefreshMs, taskOomRetries } = options
  const { lineageMemory } = options
  const isShare = (n: number): boolean => n > 0 && n <= 1
  const isCount = (n: number): boolean => Number.isInteger(n) && n >= -1
  demand('memoryLimit', memoryLimit, (n) => n > 0, 'a number of bytes above zero')
  demand('memoryUsageThreshold', memoryUsageThreshold, isShare, 'above 0 and at most 1')
  demand('memoryMonitorRefreshMs', memoryMonitorRefreshMs, (n) => n >= 0, 'zero or more')
  demand('lineageMemory', lineageMemory, (n) => n >= 0, 'a number of bytes, zero or more')
  demand('taskOomRetries', taskOomRetries, isCount, '-1 or an integer of zero or more')
  return {
    ...(memoryLimit !== undefined && { memoryLimit }),
    ...(memoryUsageThreshold !== undefined && { memoryUsageThreshold }),
    ...(memoryMonitorRefreshMs !== undefined && { memoryMonitorRefreshMs }),
    ...(taskOomRetries !== undefined && { taskOomRetries }),
    ...(lineageMemory !== undefined && { lineageMemory }),
  }
}

function demand(name: string, value: unknown, isGood: (n: number) => boolean, what: string): void {
  if (value === undefined) return
  if (typeof value === 'number' && Number.isFinite(value) && isGood(value)) return
  throw new RangeError(`The option '${name}' of ray.init must be ${what}, not ${String(value)}.`)
}
