// Questions about what there is in a cluster, and what processes report so that they can be
// answered.

import type { ProcessId } from '../../base/ids.js'
import type { ObjectKey, ProcessExit } from './terms.js'

export type StateResource =
  'tasks' | 'actors' | 'objects' | 'workers' | 'nodes' | 'jobs' | 'placementGroups'

export interface StateFilter {
  readonly key: string
  readonly predicate: '=' | '!='
  readonly value: string
}

export interface StateQuery {
  readonly what: 'state'
  readonly resource: StateResource
  readonly filters: readonly StateFilter[]
  /** Rows in the answer, at most. */
  readonly limit: number
  /** Columns too that are only asked for by those who look closely. */
  readonly detail: boolean
  /** Added by the raylet, for tasks: what its processes say is under way. */
  readonly live?: readonly LiveTask[]
  readonly warnings?: readonly string[]
}

export type StateRow = Readonly<Record<string, unknown>>

export interface StateAnswer {
  /** All that there are, and those that the filters leave. */
  readonly total: number
  readonly numFiltered: number
  /** As many of these as the limit allows. */
  readonly rows: readonly StateRow[]
  /** What is missing, in sentences. */
  readonly warnings: readonly string[]
}

/** A task that is not over, as its owner or its worker knows it. */
export interface LiveTask {
  readonly task: ObjectKey
  readonly attempt: number
  readonly name: string
  readonly state: string
  readonly actor?: ObjectKey
  /** Who runs it, if anybody. */
  readonly worker?: ProcessId
  /** Said by who runs it, who knows best. */
  readonly isRunner?: boolean
  readonly startMs?: number
  readonly parent?: ObjectKey
}

/**
 * Tasks that have ended, as columns: one of the numbers of each per task. Those that failed are
 * listed again with the reason.
 */
export interface TaskEvents {
  /** What the times are counted from, in ms since 1970. */
  readonly originMs: number
  readonly names: readonly string[]
  readonly count: number
  /** Tasks that ended and are not in here, because there were too many. */
  readonly dropped: number
  /** Of 64-bit floats: owner and sequence of the task, start in ms, duration in microseconds. */
  readonly owners: Uint8Array
  readonly sequences: Uint8Array
  readonly starts: Uint8Array
  readonly durations: Uint8Array
  /** Of 32-bit integers: attempt, flags (see `taskEventFlag`) and number of the name. */
  readonly details: Uint8Array
  readonly failures: readonly TaskFailure[]
  /** The actor that ran them, if one did. */
  readonly actor?: ObjectKey
}

export interface TaskFailure {
  readonly task: ObjectKey
  readonly errorType: string
  readonly message: string
}

export const taskEventFlag = { failed: 1, actorTask: 2, creation: 4 } as const

/** A process has joined, or is gone: for the tables of workers and jobs. */
export type ProcessNews =
  | {
      readonly kind: 'processStarted'
      readonly nodeId: string
      readonly process: ProcessId
      readonly pid: number
      readonly role: 'driver' | 'worker'
      readonly jobId: string
      readonly namespace: string
      /** The command line of a driver. */
      readonly entrypoint: string
      readonly atMs: number
    }
  | {
      readonly kind: 'processEnded'
      readonly process: ProcessId
      readonly exit?: ProcessExit
      /** A driver that said goodbye. */
      readonly isOrderly: boolean
      readonly atMs: number
    }
