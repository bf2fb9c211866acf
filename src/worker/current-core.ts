// The core worker of this process. A process has one, and it is needed by objects that users hold (refs, handles, remote
// functions), which cannot be given it. The symbol keeps two copies of the package on the same one.

import { SessionError } from '../base/errors.js'
import type { CoreWorker } from './core-worker.js'

const slot = Symbol.for('typeray.core')
const holder = globalThis as unknown as Record<symbol, CoreWorker | null | undefined>

export function installCore(core: CoreWorker | null): void {
  holder[slot] = core
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
