// Which task wrote a line.
//
// A worker writes to pipes, and bytes in a pipe have no author. A message to the raylet beside them
// would be unordered with them. So the worker writes a mark into the pipe itself, a line of its
// own, before the first line of another task than the last one that printed; the raylet takes it
// out again. Tasks that print nothing cost nothing, and what native code writes is taken for the
// last task's.

import type { LogLevel } from './logging.js'

export interface OutputLabel {
  /** '' outside of tasks: it is the lease that has a name then. */
  readonly taskId: string
  readonly name: string
  /** '' unless the task is a call of an actor. */
  readonly actorId: string
  readonly level: LogLevel
}

/** Starts a mark; a separator that text does not contain, and JSON escapes. */
export const markCode = 0x1e
const markStart = '\u001etyperay:'
const nameCharsMax = 200

export const noLabel: OutputLabel = { taskId: '', name: '', actorId: '', level: 'INFO' }

export function outputMark({ taskId, name, actorId, level }: OutputLabel): string {
  return `${markStart}${JSON.stringify([taskId, name.slice(0, nameCharsMax), actorId, level])}\n`
}

/**
 * The label that a line ends with, and what was written before it without the end of a line;
 * undefined when the line is only a line.
 */
export function readMark(line: string): { label: OutputLabel; before: string } | undefined {
  const at = line.lastIndexOf(markStart)
  if (at < 0) return undefined
  try {
    const fields = JSON.parse(line.slice(at + markStart.length)) as unknown
    if (!Array.isArray(fields) || fields.length !== 4) return undefined
    const [taskId, name, actorId, level] = fields.map(String)
    const label = { taskId, name, actorId, level } as OutputLabel
    return { label, before: line.slice(0, at) }
  } catch {
    // Somebody's own text that happens to look like one.
    return undefined
  }
}
