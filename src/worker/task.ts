// One invocation of a remote function or actor method, from submission to its result, and the
// function it calls.

import type { ProcessId } from '../base/ids.js'
import type { ErrorClass } from './call-options.js'
import type { ObjectRef } from './object-ref.js'
import type { LeaseLine } from './lease-line.js'
import type { SchedulingKey } from './scheduling-key.js'

/** A remote function (or class) as this process submits it. */
export interface FunctionEntry {
  /** Number in define and push frames from this process. */
  readonly number: number
  readonly name: string
  /** Hash of its definition; '' until first submission. */
  hash: string
  /** The define frame, made at first submission. */
  define: Uint8Array | null
  /** Moving average of the running time in microseconds, and how many results it was taken from. */
  averageUs: number
  measured: number
  /** Workers end when they have run it often enough (`maxCalls`). */
  endsWorkers?: boolean
}

export const taskStatus = {
  /** Waits for refs among its arguments. */
  waiting: 0,
  /** In the queue of its scheduling key or actor. */
  queued: 1,
  /** In a lease request at the raylet, which hands it to the worker that it grants. */
  carried: 2,
  /** Sent to a worker. */
  inFlight: 3,
  finished: 4,
} as const

export class Task {
  /** First return; the others are in `returns`. For a stream: the ref that ends with it. */
  readonly ref: ObjectRef
  returns: readonly ObjectRef[] | null = null
  readonly fn: FunctionEntry
  status: number = taskStatus.waiting
  /** The push frame is bytes [start, end) of this slab; a retry sends it again. */
  slab: Uint8Array | null = null
  start = 0
  end = 0
  next: Task | null = null
  key: SchedulingKey | null = null
  line: LeaseLine | null = null
  retriesLeft = 0
  /**
   * Retries are also for errors that the function throws: true, or only these classes, as bytes
   * when they come from another process.
   */
  retryExceptions: boolean | readonly ErrorClass[] | Uint8Array = false
  /** The stored object with its arguments, when they are large. */
  argumentHolder: ObjectRef | null = null
  /** What must live until the task has finished: the refs in its arguments. */
  pins: readonly unknown[] | null = null
  /** Refs nested in the arguments that the executing worker borrows: flat list of refs. */
  nested: readonly ObjectRef[] | null = null
  isCancelled = false
  /** Lease request that carries it. */
  request = 0
  /** The handle of the actor that is called. */
  actor: object | null = null
  stream: TaskStream | null = null
  onSettled: (() => void) | null = null
  depth = 0

  constructor(ref: ObjectRef, fn: FunctionEntry) {
    this.ref = ref
    this.fn = fn
  }
}

/** The attempt that a task is at: 0 for the first. */
export function attemptOf(task: Task): number {
  return task.slab?.[task.start + 6] ?? 0
}

/** The consumer side of a streaming generator. */
export interface TaskStream {
  /** Its number among the streams of this process. */
  readonly number: number
  /** How many items have been heard of, if its end has not. */
  readonly heard: number
  itemArrived(index: number, body: Uint8Array): void
  ended(): void
  failed(): void
  /** The worker that ran it is lost, and with it the items that it had not told of. */
  lost(worker: ProcessId): void
  /** The task runs again from the start: items already delivered are skipped. */
  restarted(): void
}
