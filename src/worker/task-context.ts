// Which task runs now, for `getRuntimeContext` and for what a task submits.
//
// A worker runs one task at a time, so a variable tells. Only an actor that runs calls concurrently needs
// AsyncLocalStorage, which makes every await in the process three times as slow once it has been used.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Resources } from '../wire/messages/terms.js'

export interface TaskContext {
  readonly taskId: string
  readonly functionName: string
  readonly attempt: number
  readonly actorId: string | undefined
  /** Number of tasks above this one. */
  readonly depth: number
  readonly resources: Resources
  readonly gpus: readonly number[]
  readonly placementGroup: string | undefined
  /** Aborts when the task is cancelled. Made when first asked for. */
  readonly controller: AbortController
  /** Remembers a task that this one submitted. */
  adopt(task: Child): void
}

/** A submitted task, as far as its parent is concerned. */
export interface Child {
  readonly status: number
}

/** taskStatus.finished; task.ts cannot be imported from here without a cycle. */
const finishedStatus = 4

let current: TaskContext | null = null
let storage: AsyncLocalStorage<TaskContext> | null = null

export function currentTask(): TaskContext | null {
  return storage?.getStore() ?? current
}

export function setCurrentTask(context: TaskContext | null): void {
  current = context
}

/** Runs a call that may interleave with others. */
export function runInterleaved<T>(context: TaskContext, run: () => T): T {
  storage ??= new AsyncLocalStorage()
  return storage.run(context, run)
}

export class LazyTaskContext implements TaskContext {
  readonly taskId: string
  readonly functionName: string
  readonly attempt: number
  readonly actorId: string | undefined
  readonly depth: number
  readonly resources: Resources
  readonly gpus: readonly number[]
  readonly placementGroup: string | undefined
  #controller: AbortController | null = null
  isCancelled = false

  constructor(fields: Omit<TaskContext, 'controller' | 'adopt'>) {
    this.taskId = fields.taskId
    this.functionName = fields.functionName
    this.attempt = fields.attempt
    this.actorId = fields.actorId
    this.depth = fields.depth
    this.resources = fields.resources
    this.gpus = fields.gpus
    this.placementGroup = fields.placementGroup
  }

  /** Tasks that this one submitted and that may be unfinished. */
  children: Child[] = []
  #pruneAt = 1024

  adopt(task: Child): void {
    if (this.children.length >= this.#pruneAt) {
      this.children = this.children.filter((child) => child.status !== finishedStatus)
      this.#pruneAt = Math.max(1024, this.children.length * 2)
    }
    this.children.push(task)
  }

  get controller(): AbortController {
    this.#controller ??= new AbortController()
    return this.#controller
  }

  cancel(reason: Error): void {
    this.isCancelled = true
    this.controller.abort(reason)
  }
}
