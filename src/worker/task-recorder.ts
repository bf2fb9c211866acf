// Which tasks have ended in this process, for those who ask later.
//
// A worker ends hundreds of thousands of tasks a second, so a task costs a few stores into typed
// arrays: no object, no message, no clock of its own. The arrays go to the raylet a second after
// the first task, or when somebody asks; when they are full the oldest are overwritten, and how
// many is said.

import { taskEventsKeptMax, taskEventsMs, taskFailuresKeptMax } from '../base/limits.js'
import { describeThrown } from '../base/thrown.js'
import { taskEventFlag, type TaskEvents, type TaskFailure } from '../wire/messages/state.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { codeOf } from './task-error.js'

/** Names of one report; a program that makes more at run time shares one. */
const namesMax = 1 << 16
const messageCharsMax = 500

export interface EndedTask {
  readonly from: { readonly owner: number }
  readonly sequence: number
  readonly attempt: number
}

interface Columns {
  readonly owners: Float64Array
  readonly sequences: Float64Array
  readonly starts: Float64Array
  readonly durations: Float64Array
  readonly details: Uint32Array
}

export class TaskRecorder {
  readonly #send: (events: TaskEvents) => void
  /** Made at the first task: most drivers never run one. */
  #columns: Columns | null = null
  /** Tasks since the last report. */
  #count = 0
  #timer: NodeJS.Timeout | null = null
  #reportedAt = -Infinity
  #failures: TaskFailure[] = []
  readonly #numbers = new Map<string, number>()
  #names: string[] = []
  /** Which report the numbers of names belong to: each has the names of its own tasks only. */
  generation = 0
  /** Set when this process becomes an actor. */
  actor: ObjectKey | undefined = undefined

  constructor(send: (events: TaskEvents) => void) {
    this.#send = send
  }

  /** The number that stands for a name in the next report. */
  nameNumber(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    if (this.#names.length >= namesMax) return namesMax - 1
    const number = this.#names.push(name) - 1
    this.#numbers.set(name, number)
    return number
  }

  /** Returns where to put its times. */
  add(task: EndedTask, how: number): number {
    const columns = (this.#columns ??= makeColumns())
    const at = this.#count++ % taskEventsKeptMax
    columns.owners[at] = task.from.owner
    columns.sequences[at] = task.sequence
    columns.details[at] = how | (task.attempt << 4)
    if (this.#timer === null) this.#reportLater()
    return at
  }

  /** `start` as of performance.now. */
  timed(at: number, start: number, durationUs: number): void {
    if (this.#columns === null) return
    this.#columns.starts[at] = start
    this.#columns.durations[at] = durationUs
  }

  failed(task: EndedTask, failure: { name: string; error: unknown; durationUs: number }): void {
    const { error, durationUs } = failure
    if (this.#failures.length < taskFailuresKeptMax) {
      this.#failures.push({
        task: [task.from.owner, task.sequence],
        errorType: codeOf(error) ?? 'RAY_TASK_ERROR',
        message: describeThrown(error).slice(0, messageCharsMax),
      })
    }
    const flags = taskEventFlag.failed | (this.actor === undefined ? 0 : taskEventFlag.actorTask)
    const start = performance.now() - durationUs / 1000
    this.timed(this.add(task, howOf(this.nameNumber(failure.name), flags)), start, durationUs)
    // The program may end as soon as it hears of the failure, and this process with it.
    if (performance.now() - this.#reportedAt > taskEventsMs) this.report()
  }

  #reportLater(): void {
    this.#timer = setTimeout(() => this.report(), taskEventsMs)
    this.#timer.unref()
  }

  /** Sends what there is. */
  report(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const columns = this.#columns
    if (this.#count === 0 || columns === null) return
    const count = Math.min(this.#count, taskEventsKeptMax)
    const first = this.#count > count ? this.#count % taskEventsKeptMax : 0
    const { actor } = this
    this.#reportedAt = performance.now()
    this.#send({
      originMs: performance.timeOrigin,
      names: this.#names,
      count,
      dropped: this.#count - count,
      owners: inOrder(columns.owners, first, count),
      sequences: inOrder(columns.sequences, first, count),
      starts: inOrder(columns.starts, first, count),
      durations: inOrder(columns.durations, first, count),
      details: inOrder(columns.details, first, count),
      failures: this.#failures,
      ...(actor !== undefined && { actor }),
    })
    this.#failures = []
    this.#count = 0
    this.#names = []
    this.#numbers.clear()
    this.generation++
  }
}

/** Flags and name of a task in one number. */
export function howOf(nameNumber: number, flags: number): number {
  return ((nameNumber << 12) | flags) >>> 0
}

function makeColumns(): Columns {
  return {
    owners: new Float64Array(taskEventsKeptMax),
    sequences: new Float64Array(taskEventsKeptMax),
    starts: new Float64Array(taskEventsKeptMax),
    durations: new Float64Array(taskEventsKeptMax),
    details: new Uint32Array(taskEventsKeptMax),
  }
}

/** A copy of the ring from its oldest entry on. */
function inOrder(ring: Float64Array | Uint32Array, first: number, count: number): Uint8Array {
  const size = ring.BYTES_PER_ELEMENT
  const bytes = new Uint8Array(ring.buffer, 0, count * size)
  const copy = new Uint8Array(count * size)
  copy.set(bytes.subarray(first * size))
  copy.set(bytes.subarray(0, first * size), (count - first) * size)
  return copy
}
