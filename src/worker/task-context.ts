// Which task runs now, for `getRuntimeContext` and for what a task submits.
//
// A worker runs one task at a time, so a variable tells. Only an actor that runs calls concurrently
// needs AsyncLocalStorage, which makes every await in the process three times as slow once it has
// been used.

import { AsyncLocalStorage } from 'node:async_hooks'
import { objectIdHex, type ProcessId } from '../base/ids.js'
import type { PlacementGroupTarget, Resources } from '../wire/messages/terms.js'
import { type Task, taskStatus } from './task.js'

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
  /** The same when tasks and actors that it submits go there too, unless they say otherwise. */
  readonly capturedGroup: string | undefined
  readonly isCancelled: boolean
  /** Aborts when the task is cancelled. Made when first asked for. */
  readonly controller: AbortController
  /** Remembers a task that this one submitted. */
  adopt(task: Task): void
}

/** Finished children are forgotten when there are more than this. */
const childrenPruneMin = 1024

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

/** What is the same for all tasks of a lease, or calls of an actor. */
export interface TaskPlace {
  readonly actorId: string | undefined
  readonly resources: Resources
  readonly gpus: readonly number[]
  readonly placementGroup: string | undefined
  readonly capturedGroup: string | undefined
}

/** The groups of a place, from the strategy of its task or actor. */
export function groupsOf(
  target: PlacementGroupTarget | undefined,
): Pick<TaskPlace, 'placementGroup' | 'capturedGroup'> {
  const group = target?.group
  return {
    placementGroup: group,
    capturedGroup: target?.captureChildTasks === true ? group : undefined,
  }
}

/** One is made per task, so whatever most tasks never ask for is made when it is. */
export class LazyTaskContext implements TaskContext {
  readonly functionName: string
  readonly attempt: number
  readonly depth: number
  readonly #owner: ProcessId
  readonly #sequence: number
  readonly #place: TaskPlace
  #controller: AbortController | null = null
  #children: Task[] | null = null
  #pruneAt = childrenPruneMin
  isCancelled = false

  constructor(
    task: { owner: ProcessId; sequence: number; attempt: number },
    named: { name: string; depth: number },
    place: TaskPlace,
  ) {
    this.#owner = task.owner
    this.#sequence = task.sequence
    this.attempt = task.attempt
    this.functionName = named.name
    this.depth = named.depth
    this.#place = place
  }

  get taskId(): string {
    return objectIdHex(this.#owner, this.#sequence)
  }

  get actorId(): string | undefined {
    return this.#place.actorId
  }

  get resources(): Resources {
    return this.#place.resources
  }

  get gpus(): readonly number[] {
    return this.#place.gpus
  }

  get placementGroup(): string | undefined {
    return this.#place.placementGroup
  }

  get capturedGroup(): string | undefined {
    return this.#place.capturedGroup
  }

  adopt(task: Task): void {
    const children = (this.#children ??= [])
    if (children.length >= this.#pruneAt) {
      this.#children = children.filter((child) => child.status !== taskStatus.finished)
      this.#pruneAt = Math.max(childrenPruneMin, this.#children.length * 2)
    }
    this.#children!.push(task)
  }

  /** Tasks that this one submitted and that may be unfinished. */
  get children(): readonly Task[] {
    return this.#children ?? []
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
