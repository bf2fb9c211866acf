// Errors of user code on their way home.
//
// The worker sends a report: what was thrown, and where. The caller makes a RayTaskError of it
// whose cause is what the user threw, of its own class. When an error passes through several tasks
// the first report stays: the cause is still what was thrown in the innermost task, and the message
// names the tasks it went through.

import { types } from 'node:util'
import { RayError, RayTaskError, TaskCancelledError } from '../base/errors.js'
import { describeThrown, shortened } from '../base/thrown.js'

export interface TaskReport {
  readonly functionName: string
  readonly taskId: string
  readonly actorId?: string | undefined
  readonly nodeId: string
  readonly pid: number
  /** What was thrown. */
  readonly cause: unknown
  /** Its stack in the worker, source-mapped. */
  readonly stack: string
  /** Why the cause itself could not travel, when it could not. */
  readonly unserializable?: string
  /** The runtime raised it, before any code of the task ran: it reaches the caller as it is. */
  readonly isOurs?: boolean
}

const reportBrand = 'typeray.report'

/** What an error body encodes: a report, or a RayError that the system raised in the worker. */
export function encodeReport(report: TaskReport): unknown {
  return { [reportBrand]: 1, ...report }
}

export function taskErrorOf(decoded: unknown): Error {
  if (decoded instanceof RayError) return decoded
  const report = decoded as TaskReport
  if (report.isOurs === true && codeOf(report.cause) !== undefined) return report.cause as RayError
  const what = describeThrown(report.cause)
  const note = report.unserializable === undefined ? '' : ` (${report.unserializable})`
  const error = new RayTaskError(`${report.functionName} failed: ${what}${note}`, {
    cause: report.cause,
    fields: {
      functionName: report.functionName,
      taskId: report.taskId,
      ...(report.actorId !== undefined && { actorId: report.actorId }),
      nodeId: report.nodeId,
      pid: report.pid,
    },
  })
  const here = (error.stack ?? '').split('\n').slice(1).join('\n')
  const there = report.stack.split('\n').slice(1).join('\n')
  error.stack =
    `RayTaskError: ${error.message}\n${there}\n` +
    `    --- in ${report.functionName} (pid=${report.pid}), called from ---\n${here}`
  return error
}

/**
 * What was thrown first, and the functions that it went through since. Only a whole error of ours
 * can tell: user code can forge one, or break it.
 */
export function originOf(error: unknown): { readonly cause: unknown; readonly through?: string } {
  try {
    if (types.isNativeError(error) && error instanceof RayTaskError) {
      return { cause: error.cause, through: shortened(String(error.fields.functionName)) }
    }
  } catch {
    // It is broken, and travels as it is.
  }
  return { cause: error }
}

/** The code of an error of ours, as far as it has one. */
export function codeOf(error: unknown): string | undefined {
  try {
    return types.isNativeError(error) && error instanceof RayError ? String(error.code) : undefined
  } catch {
    return undefined
  }
}

export function cancelledError(context: {
  taskId: string
  functionName: string
}): TaskCancelledError {
  return new TaskCancelledError(`Task ${context.functionName} (${context.taskId}) was cancelled.`, {
    fields: { taskId: context.taskId, functionName: context.functionName },
  })
}
