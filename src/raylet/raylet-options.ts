// What a raylet is told when it is made.

import type { ToGcs } from '../wire/messages/gcs.js'
import type { Resources, WorkerEnvironment } from '../wire/messages/terms.js'
import type { TlsFiles } from '../wire/transport.js'
import type { MemoryMonitorOptions } from './memory-monitor.js'

export interface RayletOptions {
  readonly nodeId: string
  readonly nodeNumber: number
  readonly nodeIp: string
  /** `host:port` of its gateway; '' when it is alone. */
  readonly clusterAddress: string
  /** No other machine reaches it, and it runs nothing. */
  readonly isClient?: boolean
  /** Nodes may join: what none can run now may run yet. */
  readonly canGrow?: boolean
  /** Connections to other machines are encrypted. */
  readonly tls?: TlsFiles
  /** `host:port` through which this node reaches all others; undefined: it reaches them itself. */
  readonly tunnel?: string
  /** The GCS knows the node already. */
  readonly isRegistered?: boolean
  readonly sessionName: string
  /** '' when it has none: then nothing is logged. */
  readonly sessionDir: string
  /** Bytes at which a log file is rotated, and how many rotated ones are kept. */
  readonly logRotateBytes: number
  readonly logRotateBackups: number
  readonly token: string
  readonly resources: Resources
  readonly labels: Readonly<Record<string, string>>
  readonly objectStoreBytes: number
  readonly spillFolder: string
  readonly memoryMonitor: MemoryMonitorOptions
  readonly taskOomRetries: number
  /** Bytes of lineage that one process keeps. */
  readonly lineageBytes: number
  readonly workerEntry: string
  /** Of the driver that starts the node; workers are started before it says hello. */
  readonly environment: WorkerEnvironment
  /** Of the first job; other drivers say theirs. */
  readonly namespace?: string
  readonly toGcs: (message: ToGcs) => void
  /** Drivers come and go: none is expected, and their ends are not that of the node. */
  readonly isShared?: boolean
  /** A driver has said hello. */
  readonly joined: () => void
  /** The last driver is gone. */
  readonly abandoned: () => void
  /** The node was asked to leave, and nothing is left to wait for. */
  readonly drained: (reason: string) => void
  /** The cluster has given the node up. */
  readonly declaredDead: (reason: string) => void
  /** Checks every state machine after every event; for tests. */
  readonly validate?: boolean
}
