// Which cluster the tables belong to.

import { SessionError } from '../base/errors.js'
import { packRow, unpackRow } from './stored-row.js'
import type { GcsStorage } from './storage/gcs-storage.js'

export interface Identity {
  readonly clusterId: string
  /** Of the token; the token itself is nowhere in the tables. */
  readonly tokenHash: string
}

/**
 * Writes `own` into empty tables, and compares it with that of others: nodes of the cluster show
 * the token that they have.
 *
 * @throws SessionError when the tables belong to a cluster with another token.
 */
export async function checkIdentity(storage: GcsStorage, own: Identity): Promise<void> {
  const key = 'identity'
  const bytes = await storage.read('cluster', key)
  if (bytes === undefined) {
    await storage.write([{ table: 'cluster', key, bytes: packRow('cluster', own) }])
    return
  }
  const stored = unpackRow('cluster', { key, bytes }) as Identity
  if (stored.tokenHash === own.tokenHash) return
  throw new SessionError(
    `The tables belong to cluster ${stored.clusterId}, which has another token. Give that token ` +
      `(--token-file, or TYPERAY_TOKEN) to go on with that cluster, or another namespace or ` +
      `place in --storage to begin a new one.`,
  )
}
