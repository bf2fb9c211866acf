// Errors of user code on their way home.
//
// The worker sends a report: what was thrown, and where. The caller makes a RayTaskError of it
// whose cause is what the user threw, of its own class. When an error passes through several tasks
// the first report stays: the cause is still what was thrown in the innermost task, and the message
// names the tasks it went through.

import { RayError, RayTaskError, TaskCancelledError } from '../base/errors.js'

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
  if (report.isOurs === true && report.cause instanceof RayError) return report.cause
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

export function describeThrown(thrown: unknown): string {
  if (isA(thrown, Error)) return `${nameOf(thrown)}: ${thrown.message}`
  if (typeof thrown === 'string') return thrown
  try {
    return `${JSON.stringify(thrown) ?? String(thrown)} (not an Error)`
  } catch {
    return 'a value that is not an Error'
  }
}

/** `instanceof` for what anybody may have thrown: the traps of a proxy throw when they like. */
export function isA<T>(thrown: unknown, type: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof type
  } catch {
    return false
  }
}

const stackCharsMax = 10_000

/** The stack of what was thrown, or what else it says of itself. */
export function stackOf(thrown: unknown): string {
  try {
    const stack = isA(thrown, Error) ? thrown.stack : undefined
    return shortened(String(stack ?? thrown))
  } catch {
    return 'a value that does not tell what it is'
  }
}

/** Stands for what was thrown when that cannot travel: its name, message and stack, shortened. */
export function describeInPlace(thrown: unknown): unknown {
  try {
    if (!isA(thrown, Error)) return Object.prototype.toString.call(thrown)
    const copy = new Error(shortened(String(thrown.message)))
    copy.name = shortened(String(thrown.name))
    copy.stack = stackOf(thrown)
    return copy
  } catch {
    return '[object Proxy]'
  }
}

function shortened(text: string): string {
  return text.length <= stackCharsMax ? text : `${text.slice(0, stackCharsMax)}…`
}

/** Most classes of errors do not set `name`, and would all be called Error. */
function nameOf(error: Error): string {
  const className: unknown = error.constructor?.name
  const isPlain = error.name === 'Error' && typeof className === 'string' && className !== ''
  return isPlain ? className : error.name
}

export function cancelledError(context: {
  taskId: string
  functionName: string
}): TaskCancelledError {
  return new TaskCancelledError(`Task ${context.functionName} (${context.taskId}) was cancelled.`, {
    fields: { taskId: context.taskId, functionName: context.functionName },
  })
}
