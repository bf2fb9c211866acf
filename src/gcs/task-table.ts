// What became of the last tasks.
//
// Workers report tasks in columns of numbers, many at a time, and the columns are kept as they
// came: a row is made of them only when somebody asks. Ten thousand tasks cost what one message
// does. The oldest go first, and it is said how many went.

import { objectIdHex, workerIdHex, type ProcessId } from '../base/ids.js'
import { taskEventsMax } from '../base/limits.js'
import {
  type LiveTask,
  type StateRow,
  taskEventFlag,
  type TaskEvents,
  type TaskFailure,
} from '../wire/messages/state.js'
import type { ObjectKey } from '../wire/messages/terms.js'

export interface TaskReport {
  readonly nodeId: string
  readonly process: ProcessId
  readonly jobId: string
  readonly events: TaskEvents
}

interface Chunk extends TaskReport {
  readonly owners: Float64Array
  readonly sequences: Float64Array
  readonly starts: Float64Array
  readonly durations: Float64Array
  readonly details: Uint32Array
}

export class TaskTable {
  #chunks: Chunk[] = []
  #count = 0
  #dropped = 0
  /** An earlier GCS has died, and with it what it had been told. */
  isRestarted = false

  /** Tasks that ended and are in no row any more, or never were. */
  get dropped(): number {
    return this.#dropped
  }

  add(report: TaskReport): void {
    const { events } = report
    this.#dropped += events.dropped
    this.#chunks.push({
      ...report,
      owners: new Float64Array(aligned(events.owners)),
      sequences: new Float64Array(aligned(events.sequences)),
      starts: new Float64Array(aligned(events.starts)),
      durations: new Float64Array(aligned(events.durations)),
      details: new Uint32Array(aligned(events.details)),
    })
    this.#count += events.count
    while (this.#count > taskEventsMax && this.#chunks.length > 1) {
      const gone = this.#chunks.shift()?.events.count ?? 0
      this.#count -= gone
      this.#dropped += gone
    }
  }

  /** What is under way, then what has ended, the newest first. */
  *rows(
    live: readonly LiveTask[],
    pidOf: (process: ProcessId) => number | undefined,
  ): IterableIterator<StateRow> {
    const ended = this.#endedAmong(live)
    for (const row of liveRows(live, ended, pidOf)) yield row
    // An owner and a worker may both tell of a failure; once is enough.
    const failed = new Set<string>()
    for (const chunk of [...this.#chunks].reverse()) {
      const failures = new Map(chunk.events.failures.map((each) => [keyText(each.task), each]))
      for (let i = chunk.events.count - 1; i >= 0; i--) {
        const task: ObjectKey = [chunk.owners[i] ?? 0, chunk.sequences[i] ?? 0]
        const detail = chunk.details[i] ?? 0
        const isFailed = (detail & taskEventFlag.failed) !== 0
        const name = `${keyText(task)} ${attemptOf(detail)}`
        if (isFailed && failed.has(name)) continue
        if (isFailed) failed.add(name)
        const failure = isFailed ? failures.get(keyText(task)) : undefined
        yield endedRow(chunk, i, { failure, pidOf })
      }
    }
  }

  /** A worker's answer may be on its way to an owner that still believes that the task runs. */
  #endedAmong(live: readonly LiveTask[]): ReadonlySet<string> {
    const wanted = new Set(live.map(({ task, attempt }) => `${keyText(task)} ${attempt}`))
    const found = new Set<string>()
    if (wanted.size === 0) return found
    for (const { owners, sequences, details, events } of this.#chunks) {
      for (let i = 0; i < events.count; i++) {
        const task: ObjectKey = [owners[i] ?? 0, sequences[i] ?? 0]
        const key = `${keyText(task)} ${attemptOf(details[i] ?? 0)}`
        if (wanted.has(key)) found.add(key)
      }
    }
    return found
  }
}

/** Attempt in the lowest byte's place above the flags, then the number of the name. */
const attemptOf = (detail: number): number => (detail >>> 4) & 0xff
const nameOf = (detail: number): number => detail >>> 12

function endedRow(
  chunk: Chunk,
  i: number,
  more: { failure: TaskFailure | undefined; pidOf: (process: ProcessId) => number | undefined },
): StateRow {
  const detail = chunk.details[i] ?? 0
  const { events, process } = chunk
  const startMs = events.originMs + (chunk.starts[i] ?? 0)
  const name = events.names[nameOf(detail)] ?? ''
  return {
    taskId: objectIdHex(chunk.owners[i] ?? 0, chunk.sequences[i] ?? 0),
    attemptNumber: attemptOf(detail),
    name,
    state: (detail & taskEventFlag.failed) === 0 ? 'FINISHED' : 'FAILED',
    jobId: chunk.jobId,
    actorId: idOf(events.actor),
    type: typeOf(detail),
    funcOrClassName: name,
    parentTaskId: null,
    nodeId: chunk.nodeId,
    workerId: workerIdHex(process),
    workerPid: more.pidOf(process) ?? null,
    errorType: more.failure?.errorType ?? null,
    startTimeMs: startMs,
    endTimeMs: startMs + (chunk.durations[i] ?? 0) / 1000,
    errorMessage: more.failure?.message ?? null,
  }
}

function typeOf(detail: number): string {
  if ((detail & taskEventFlag.creation) !== 0) return 'ACTOR_CREATION_TASK'
  return (detail & taskEventFlag.actorTask) === 0 ? 'NORMAL_TASK' : 'ACTOR_TASK'
}

function* liveRows(
  live: readonly LiveTask[],
  ended: ReadonlySet<string>,
  pidOf: (process: ProcessId) => number | undefined,
): IterableIterator<StateRow> {
  const known = new Map<string, LiveTask>()
  for (const each of live) {
    const key = `${keyText(each.task)} ${each.attempt}`
    // Who runs a task knows more than who has sent it.
    const before = known.get(key)
    known.set(key, before?.isRunner === true ? { ...each, ...before } : { ...before, ...each })
  }
  for (const [key, each] of known) {
    if (ended.has(key)) continue
    yield {
      taskId: idOf(each.task),
      attemptNumber: each.attempt,
      name: each.name,
      state: each.state,
      jobId: null,
      actorId: idOf(each.actor),
      type: each.actor === undefined ? 'NORMAL_TASK' : 'ACTOR_TASK',
      funcOrClassName: each.name,
      parentTaskId: idOf(each.parent),
      nodeId: null,
      workerId: each.worker === undefined ? null : workerIdHex(each.worker),
      workerPid: each.worker === undefined ? null : (pidOf(each.worker) ?? null),
      errorType: null,
      startTimeMs: each.startMs ?? null,
      endTimeMs: null,
      errorMessage: null,
    }
  }
}

function idOf(key: ObjectKey | undefined): string | null {
  return key === undefined ? null : objectIdHex(key[0], key[1])
}

function keyText([owner, sequence]: ObjectKey): string {
  return `${owner} ${sequence}`
}

/** Aligned, and no longer a part of the message that it came in. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy.buffer
}
