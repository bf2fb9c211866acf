// What the core is told of the tasks and actors of datasets, and how their errors come back.

import * as ray from '../../ray/index.js'
import type { BlockRef } from '../block/metadata.js'
import type { BlockTask } from '../physical/block-task.js'
import { operatorError } from '../physical/function-transforms.js'
import type { TaskResources } from '../physical/operators.js'
import { Place } from '../physical/place.js'
import { joinOrigins, originOf } from '../physical/row-origin.js'

/**
 * How often a block is made again because processes or nodes die. More than tasks have, which may
 * do what must not be done twice; not without end, as Ray has it, for a function may be what ends
 * them.
 */
export const retriesMax = 10

/** What tasks and actors share. */
export function taskOptionsOf(
  asked: TaskResources,
): Pick<ray.TaskOptions, 'numCpus' | 'numGpus' | 'memory' | 'resources'> {
  const { numCpus, numGpus, memory, resources } = asked
  return {
    numCpus,
    ...(numGpus !== undefined && { numGpus }),
    ...(memory !== undefined && { memory }),
    ...(resources !== undefined && { resources }),
  }
}

/** A task, for what is said of it where it cannot say anything itself. */
export interface NamedTask {
  /** The operator's. */
  readonly name: string
  readonly tasks: readonly BlockTask[]
  /** What it returns first, by which its errors are known; an actor's errors are all its own. */
  readonly block?: BlockRef | undefined
}

/**
 * An error that names the operator already does not need the name of the task before it. One that
 * does not, because the process of the task is gone, is given it.
 */
export async function unwrapped<T>(result: Promise<T>, task?: NamedTask): Promise<T> {
  try {
    return await result
  } catch (error) {
    const cause = error instanceof ray.RayTaskError ? error.cause : undefined
    // Tasks without a block, such as one that looks at files, say by themselves who asked for them.
    const isNamed = cause instanceof ray.RayError && ('operator' in cause.fields || !task)
    if (isNamed) throw cause
    if (task === undefined || !isLoss(error) || !isOf(error, task)) throw error
    const origins = task.tasks.map(({ origin, input }) => origin ?? (input && originOf(input)))
    throw operatorError(task.name, new Place(joinOrigins(origins)).whole(), error)
  }
}

/** Errors of tasks that made a block are met by all that depend on it. */
function isOf({ fields }: ray.RayError, { block }: NamedTask): boolean {
  return block === undefined || fields.taskId === block.id
}

/** Whether whoever ran the function is gone, which may well be the function's fault. */
function isLoss(error: unknown): error is ray.RayError {
  const lost = [
    ray.WorkerCrashedError,
    ray.OutOfMemoryError,
    ray.ActorDiedError,
    ray.ActorUnavailableError,
  ]
  return lost.some((Class) => error instanceof Class)
}
