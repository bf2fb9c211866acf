// After which silence a node is dead.

import { SessionError } from '../base/errors.js'
import { nodeDeadlineMs, nodeHeartbeatMs } from '../base/limits.js'

const variable = 'TYPERAY_NODE_DEADLINE_MS'
/** One late heartbeat is no death. */
const shortestMs = 2 * nodeHeartbeatMs

/** What the environment of the head asks for, else `nodeDeadlineMs`. */
export function healthLimitMs(environment: Readonly<Record<string, string | undefined>>): number {
  const text = environment[variable]
  if (text === undefined || text === '') return nodeDeadlineMs
  const ms = Number(text)
  if (Number.isSafeInteger(ms) && ms >= shortestMs) return ms
  throw new SessionError(
    `${variable} must be a number of milliseconds from ${shortestMs} on, not '${text}'.`,
  )
}
