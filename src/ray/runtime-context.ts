import { workerIdHex } from '../base/ids.js'
import { currentTask, hostedActor } from '../worker/index.js'
import { requireSession } from './session.js'
import type { ActorHandle } from './signatures.js'

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
  /** The task was cancelled; see also `signal`. */
  readonly isCanceled: boolean
  /** 0 for the first run of a task, one more for each retry. */
  readonly attempt: number
  readonly actorId: string | undefined
  /** Undefined for an actor without a name. */
  readonly actorName: string | undefined
  /** A handle of the actor whose code asks; it does not keep the actor alive. */
  readonly currentActor: ActorHandle<Record<string, (...args: never[]) => unknown>> | undefined
  /** The actor was started again after a crash. */
  readonly wasCurrentActorReconstructed: boolean
  readonly placementGroupId: string | undefined
  readonly assignedResources: Readonly<Record<string, number>>
  /** GPU numbers assigned to the task or actor. */
  readonly gpuIds: readonly number[]
  /** Aborts when the task is cancelled. In the driver it never does. */
  readonly signal: AbortSignal
}

const never = new AbortController().signal

export function getRuntimeContext(): RuntimeContext {
  const core = requireSession()
  const { jobId, nodeId, sessionName, namespace } = core.welcome
  const task = currentTask()
  const hosted = core.hosted === null ? undefined : hostedActor(core.hosted)
  return {
    jobId,
    nodeId,
    workerId: workerIdHex(core.process),
    sessionName,
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
    gpuIds: task?.gpus ?? [],
    signal: task === null ? never : task.controller.signal,
  }
}
