import { workerIdHex } from '../base/ids.js'
import { currentTask } from '../worker/index.js'
import { requireSession } from './session.js'

/** Where the code that asks is running. */
export interface RuntimeContext {
  readonly jobId: string
  readonly nodeId: string
  readonly workerId: string
  readonly sessionName: string
  /** Folder of the session, with its logs; '' when none could be made. */
  readonly sessionDir: string
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
  /** GPU numbers assigned to the task or actor. */
  readonly gpuIds: readonly number[]
  /** Aborts when the task is cancelled. In the driver it never does. */
  readonly signal: AbortSignal
}

const never = new AbortController().signal

export function getRuntimeContext(): RuntimeContext {
  const core = requireSession()
  const { jobId, nodeId, sessionName, sessionDir, namespace } = core.welcome
  const task = currentTask()
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
    attempt: task?.attempt ?? 0,
    actorId: task?.actorId,
    placementGroupId: task?.placementGroup,
    assignedResources: task?.resources ?? {},
    gpuIds: task?.gpus ?? [],
    signal: task === null ? never : task.controller.signal,
  }
}
