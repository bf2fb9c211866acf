import { workerIdHex } from '../base/ids.js'
import { currentTask, gpuIdsOf, hostedActor } from '../worker/index.js'
import { requireSession } from './session.js'
import type { ActorHandle } from './signatures.js'

/**
 * Where the code that asks is running.
 *
 * Follows `ray.runtime_context.RuntimeContext` of Ray; ids are in hexadecimal.
 */
export interface RuntimeContext {
  /** The job: all that one driver started. */
  readonly jobId: string
  /** The node that this process runs on. */
  readonly nodeId: string
  /** This process, driver or worker. */
  readonly workerId: string
  /** The session that `ray.init` began. */
  readonly sessionName: string
  /** Folder of the session, with its logs; '' when none could be made. */
  readonly sessionDir: string
  /** Where names of actors are looked up. */
  readonly namespace: string
  /** Process id of this process. */
  readonly pid: number
  /** Undefined in the driver outside of tasks. */
  readonly taskId: string | undefined
  /** Name of the function, or of the class and the method. */
  readonly taskName: string | undefined
  /** The task was cancelled; see also `signal`. */
  readonly isCanceled: boolean
  /** 0 for the first run of a task, one more for each retry. */
  readonly attempt: number
  /** The actor that runs here; undefined in tasks and in the driver. */
  readonly actorId: string | undefined
  /** Undefined for an actor without a name. */
  readonly actorName: string | undefined
  /** A handle of the actor whose code asks; it does not keep the actor alive. */
  readonly currentActor: ActorHandle<Record<string, (...args: never[]) => unknown>> | undefined
  /** The actor was started again after a crash. */
  readonly wasCurrentActorReconstructed: boolean
  /** The placement group that the task or actor runs in, if any. */
  readonly placementGroupId: string | undefined
  /** What the running task or actor holds: amounts by name. */
  readonly assignedResources: Readonly<Record<string, number>>
  /** GPUs assigned to the task or actor, as CUDA_VISIBLE_DEVICES names them. */
  readonly gpuIds: readonly (number | string)[]
  /** The same by the name of the resource, as text. */
  readonly acceleratorIds: Readonly<Record<'GPU', readonly string[]>>
  /** Aborts when the task is cancelled. In the driver it never does. */
  readonly signal: AbortSignal
}

const never = new AbortController().signal

/**
 * Where the code that calls it is running: the driver, a task or an actor. Follows
 * `ray.get_runtime_context` of Ray, with fields in place of getters.
 *
 * @example
 * const where = ray.remote(() => ray.getRuntimeContext().nodeId)
 * console.log(await ray.get(where.remote()))
 */
export function getRuntimeContext(): RuntimeContext {
  const core = requireSession()
  const { jobId, nodeId, sessionName, sessionDir, namespace } = core.welcome
  const task = currentTask()
  const hosted = hostedActor(core)
  const gpuIds = gpuIdsOf(task?.gpus ?? [])
  return {
    jobId,
    nodeId,
    workerId: workerIdHex(core.process),
    sessionName,
    sessionDir,
    namespace,
    pid: process.pid,
    taskId: task?.taskId,
    taskName: task?.functionName,
    isCanceled: task?.isCancelled ?? false,
    attempt: task?.attempt ?? 0,
    actorId: task?.actorId ?? hosted?.id,
    actorName: hosted?.name,
    currentActor: hosted?.handle as RuntimeContext['currentActor'],
    wasCurrentActorReconstructed: hosted?.wasReconstructed ?? false,
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
