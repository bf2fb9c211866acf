// One command, one connection.

import { observe, type Observer } from '../node/observer.js'
import { sessionToObserve } from '../node/session-address.js'
import type { SessionFile } from '../node/session-file.js'

const timeoutMsDefault = 30_000

export async function ask<T>(
  how: { readonly address?: string; readonly timeout?: number },
  questions: (observer: Observer, session: SessionFile) => Promise<T>,
): Promise<T> {
  const session = sessionToObserve(how.address)
  const timeoutMs = how.timeout === undefined ? timeoutMsDefault : how.timeout * 1000
  const observer = await observe(session, timeoutMs)
  try {
    return await questions(observer, session)
  } finally {
    observer.close()
  }
}
