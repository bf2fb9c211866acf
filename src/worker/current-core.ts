// The core worker of this process. A process has one, and it is needed by objects that users hold
// (refs, handles, remote functions), which cannot be given it. The symbol keeps two copies of the
// package on the same one.

import { SessionError } from '../base/errors.js'
import type { ProcessId } from '../base/ids.js'
import type { CoreWorker } from './core-worker.js'

const slot = Symbol.for('typeray.core')
const holder = globalThis as unknown as Record<symbol, CoreWorker | null | undefined>

/** Process ids of sessions that this process has ended. */
const ended = new Set<ProcessId>()

export function installCore(core: CoreWorker | null): void {
  const before = holder[slot]
  if (before !== null && before !== undefined && before !== core) ended.add(before.process)
  holder[slot] = core
}

/** Throws for what was made in a session that is over: its values are gone. */
export function refuseEnded(owner: ProcessId, what: string): void {
  if (!ended.has(owner)) return
  throw new SessionError(`${what} belongs to a session that was shut down; its value is gone.`)
}

export function currentCore(): CoreWorker | null {
  const core = holder[slot] ?? null
  return core === null || core.isClosed ? null : core
}

export function requireCore(what: string): CoreWorker {
  const core = currentCore()
  if (core === null) {
    throw new SessionError(`${what} needs a session: call await ray.init() first.`)
  }
  if (core.lost !== null) throw core.lost
  return core
}
