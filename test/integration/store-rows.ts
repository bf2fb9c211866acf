// What the store of a node says of itself.

import { observe } from '../../src/node/observer.js'
import type { SessionFile } from '../../src/node/session-file.js'
import type { StoreStats } from '../../src/store/index.js'

export async function storeOf(session: SessionFile): Promise<StoreStats> {
  const observer = await observe(session, 20_000)
  try {
    return (await observer.query({ what: 'storeStatistics' })) as StoreStats
  } finally {
    observer.close()
  }
}

/** Objects in the stores of these nodes. */
export async function objectCounts(sessions: readonly SessionFile[]): Promise<number[]> {
  return (await Promise.all(sessions.map(storeOf))).map(({ objects }) => objects)
}
