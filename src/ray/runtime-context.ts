import { workerIdHex } from '../base/ids.js'
import { currentTask, gpuIdsOf } from '../worker/index.js'
import { requireSession } from './session.js'

/** Where the code that asks is running. */
export interface RuntimeContext {
  readonly jobId: string
  readonly nodeId: string
  readonly workerId: string
  readonly sessionName: string
  readonly namespace: string
  readonly pid: number
  /** Undefined in the driver outside of tasks. */
  readonly taskId: string | undefined
  readonly taskName: string | undefined
  /** 0 for the first run of a task, one more for each retry. */
  readonly attempt: number
  readonly actorId: string | undefined
  readonly placementGroupId: string | undefined
  readonly assignedResources: Readonly<Record<string, number>>
  /** GPUs assigned to the task or actor, as CUDA_VISIBLE_DEVICES names them. */
  readonly gpuIds: readonly (number | string)[]
  /** The same by the name of the resource, as text. */
  readonly acceleratorIds: Readonly<Record<'GPU', readonly string[]>>
  /** Aborts when the task is cancelled. In the driver it never does. */
  readonly signal: AbortSignal
}

const never = new AbortController().signal

export function getRuntimeContext(): RuntimeContext {
  const core = requireSession()
  const { jobId, nodeId, sessionName, namespace } = core.welcome
  const task = currentTask()
  const gpuIds = gpuIdsOf(task?.gpus ?? [])
  return {
    jobId,
    nodeId,
    workerId: workerIdHex(core.process),
    sessionName,
    namespace,
    pid: process.pid,
    taskId: task?.taskId,
    taskName: task?.functionName,
    attempt: task?.attempt ?? 0,
    actorId: task?.actorId,
    placementGroupId: task?.placementGroup,
    assignedResources: task?.resources ?? {},
    gpuIds,
    acceleratorIds: { GPU: gpuIds.map(String) },
    signal: task === null ? never : task.controller.signal,
  }
}

/**
 * The GPUs that the task or actor may use, as CUDA_VISIBLE_DEVICES names them: numbers, or names of
 * devices. Tasks that share a GPU see the same one. None in the driver.
 *
 * @example
 * const which = ray.remote({ numGpus: 0.5 }, () => ray.getGpuIds())
 */
export function getGpuIds(): (number | string)[] {
  requireSession()
  return gpuIdsOf(currentTask()?.gpus ?? [])
}
