// The tasks of this process that are not over, for those who ask: it looks at what is there anyway.

import { liveTasksMax } from '../base/limits.js'
import type { ProcessId } from '../base/ids.js'
import type { LiveTask } from '../wire/messages/state.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { Incoming } from './owner-connection.js'
import type { SchedulingKey } from './scheduling-key.js'
import { type Task, taskStatus } from './task.js'
import type { LazyTaskContext } from './task-context.js'

/** Collects up to a bound; `isFull` says that there was more. */
export class LiveTaskList {
  readonly tasks: LiveTask[] = []
  isFull = false
  /** Numbers of the tasks that are asked for; null for all. */
  readonly #only: ReadonlySet<number> | null = null
  /** Which running task has submitted a task of this process. */
  readonly #parents = new Map<Task, ObjectKey>()

  /** With `only`, other tasks are left out. */
  constructor(only?: readonly ObjectKey[]) {
    if (only !== undefined) this.#only = new Set(only.map(([, sequence]) => sequence))
  }

  add(task: LiveTask): void {
    if (this.#only?.has(task.task[1]) === false) return
    if (this.tasks.length < liveTasksMax) this.tasks.push(task)
    else this.isFull = true
  }

  /** A task that runs here. */
  addRunning(
    task: Incoming,
    how: {
      readonly context: LazyTaskContext
      readonly worker: ProcessId
      readonly isWaiting: boolean
      readonly start?: number
      readonly actor?: ObjectKey
    },
  ): void {
    const { context, worker, isWaiting, start, actor } = how
    const key: ObjectKey = [task.from.owner, task.sequence]
    for (const child of context.children) this.#parents.set(child, key)
    this.add({
      task: key,
      attempt: task.attempt,
      name: context.functionName,
      state: isWaiting ? 'RUNNING_IN_RAY_GET' : 'RUNNING',
      isRunner: true,
      worker,
      ...(start !== undefined && { startMs: performance.timeOrigin + start }),
      ...(actor !== undefined && { actor }),
    })
  }

  /** What a scheduling key has queued, asked the raylet for, and sent. */
  addKey(key: SchedulingKey): void {
    for (const carried of key.requests.values()) {
      if (carried !== null) this.#addOwn(carried, 'PENDING_NODE_ASSIGNMENT')
    }
    for (let task = key.head; task !== null && !this.isFull; task = task.next) {
      this.#addOwn(task, 'PENDING_NODE_ASSIGNMENT')
    }
    for (const line of key.lines) {
      if (line.carried !== null) this.#addOwn(line.carried, 'RUNNING', line.worker)
      // A worker runs its tasks in order: the first that is unanswered runs, or is about to.
      let state = line.carried === null ? 'RUNNING' : 'SUBMITTED_TO_WORKER'
      for (let task = line.head; task !== null && !this.isFull; task = task.next) {
        this.#addOwn(task, state, line.worker)
        state = 'SUBMITTED_TO_WORKER'
      }
    }
  }

  addCall(
    call: Task,
    line: { readonly key: ObjectKey; readonly className: string; readonly isSent: boolean },
  ): void {
    if (call.status === taskStatus.finished) return
    const { owner, sequence } = call.ref
    const parent = this.#parents.get(call)
    this.add({
      task: [owner, sequence],
      attempt: call.slab?.[call.start + 6] ?? 0,
      name: `${line.className}.${call.fn.name}`,
      state: line.isSent ? 'SUBMITTED_TO_WORKER' : 'PENDING_NODE_ASSIGNMENT',
      actor: line.key,
      ...(parent !== undefined && { parent }),
    })
  }

  #addOwn(task: Task, state: string, worker?: number): void {
    if (task.status === taskStatus.finished) return
    const parent = this.#parents.get(task)
    this.add({
      task: [task.ref.owner, task.ref.sequence],
      attempt: task.slab?.[task.start + 6] ?? 0,
      name: task.fn.name,
      state,
      ...(worker !== undefined && { worker }),
      ...(parent !== undefined && { parent }),
    })
  }
}
