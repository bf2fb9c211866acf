// How a node is part of its cluster, which may be the node alone.

import type { Raylet } from '../raylet/raylet.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'

export interface Membership {
  readonly token: string
  readonly nodeId: string
  readonly nodeNumber: number
  /** The address by which other machines know this one. */
  readonly nodeIp: string
  /** `host:port` of the gateway; '' when there is none. */
  readonly clusterAddress: string
  /** The GCS knows the node already. */
  readonly isRegistered: boolean
  toGcs(message: ToGcs): void
  /** Set by the raylet of a node that is alone. */
  receive: ((message: FromGcs) => void) | undefined
  /** The raylet listens: others may be let in. */
  attach(raylet: Raylet): void
  close(): Promise<void> | undefined
}
