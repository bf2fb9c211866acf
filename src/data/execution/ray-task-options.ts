// What the core is told of the tasks and actors of datasets, and how their errors come back.

import * as ray from '../../ray/index.js'
import type { TaskResources } from '../physical/operators.js'

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

/** An error that names the operator already does not need the name of the task before it. */
export async function unwrapped<T>(result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    const cause = error instanceof ray.RayTaskError ? error.cause : undefined
    if (cause instanceof ray.RayError && 'operator' in cause.fields) throw cause
    throw error
  }
}
