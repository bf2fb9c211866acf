// Counts over all rows.

import { liveTasksMax, taskEventsMax } from '../base/limits.js'
import { listAll, type ListOptions } from './list.js'

/** How a summary asks: the session, and how long to wait. */
export type SummaryOptions = Pick<ListOptions, 'address' | 'timeoutMs'>

/** How many rows are in each state. */
export type StateCounts = Readonly<Record<string, number>>

/** What `summarizeTasks` returns. */
export interface TaskSummary {
  /** By the name of the function or method. */
  readonly summary: Readonly<
    Record<
      string,
      { readonly funcOrClassName: string; readonly type: string; readonly stateCounts: StateCounts }
    >
  >
  /** Tasks of functions. */
  readonly totalTasks: number
  /** Calls of actors. */
  readonly totalActorTasks: number
  /** Creations of actors. */
  readonly totalActorScheduled: number
  /** What is missing, in sentences. */
  readonly warnings: readonly string[]
}

/** What `summarizeActors` returns. */
export interface ActorSummary {
  /** By the name of the class. */
  readonly summary: Readonly<
    Record<string, { readonly className: string; readonly stateCounts: StateCounts }>
  >
  /** How many there are. */
  readonly totalActors: number
}

/** What `summarizeObjects` returns. */
export interface ObjectSummary {
  /** How many there are. */
  readonly totalObjects: number
  /** In 10^6 bytes. */
  readonly totalSizeMb: number
  /** Processes that hold some. */
  readonly totalNumWorkers: number
  /** Those whose value is there, and others. */
  readonly taskStateCounts: StateCounts
  /** Why they are held. */
  readonly refTypeCounts: StateCounts
}

const all = taskEventsMax + 100 * liveTasksMax

/**
 * How many tasks of each function are in each state.
 *
 * Follows `summarize_tasks` of Ray.
 *
 * @example
 * const { summary } = await state.summarizeTasks()
 */
export async function summarizeTasks(options: SummaryOptions = {}): Promise<TaskSummary> {
  const { rows, warnings } = await listAll('tasks', { ...options, limit: all })
  const ofType = (type: string): number => rows.filter((row) => row.type === type).length
  const summary: Record<
    string,
    { funcOrClassName: string; type: string; stateCounts: Record<string, number> }
  > = {}
  for (const { funcOrClassName, type, state } of rows) {
    const entry = (summary[funcOrClassName] ??= { funcOrClassName, type, stateCounts: {} })
    count(entry.stateCounts, state)
  }
  return {
    summary,
    totalTasks: ofType('NORMAL_TASK'),
    totalActorTasks: ofType('ACTOR_TASK'),
    totalActorScheduled: ofType('ACTOR_CREATION_TASK'),
    warnings,
  }
}

/**
 * How many actors of each class are in each state.
 *
 * Follows `summarize_actors` of Ray.
 *
 * @example
 * const { totalActors } = await state.summarizeActors()
 */
export async function summarizeActors(options: SummaryOptions = {}): Promise<ActorSummary> {
  const { rows } = await listAll('actors', { ...options, limit: all })
  const summary: Record<string, { className: string; stateCounts: Record<string, number> }> = {}
  for (const { className, state } of rows) {
    count((summary[className] ??= { className, stateCounts: {} }).stateCounts, state)
  }
  return { summary, totalActors: rows.length }
}

/**
 * How many objects there are, how large, and who holds them. An object counts once, its holders
 * each.
 *
 * Follows `summarize_objects` of Ray.
 *
 * @example
 * const { totalSizeMb } = await state.summarizeObjects()
 */
export async function summarizeObjects(options: SummaryOptions = {}): Promise<ObjectSummary> {
  const { rows } = await listAll('objects', { ...options, limit: all })
  const objects = new Map(rows.map((row) => [row.objectId, row]))
  const taskStateCounts: Record<string, number> = {}
  const refTypeCounts: Record<string, number> = {}
  let bytes = 0
  for (const { objectSize, taskStatus } of objects.values()) {
    bytes += objectSize ?? 0
    count(taskStateCounts, taskStatus)
  }
  for (const { referenceType } of rows) count(refTypeCounts, referenceType)
  return {
    totalObjects: objects.size,
    totalSizeMb: bytes / 1e6,
    totalNumWorkers: new Set(rows.map(({ pid }) => pid)).size,
    taskStateCounts,
    refTypeCounts,
  }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}
