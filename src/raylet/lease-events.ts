// What happens to the leases of a node, and what the node does about it.

import type { ProcessId } from '../base/ids.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import type { PeerMessage } from '../wire/messages/peer.js'
import type { FromRaylet, ToRaylet } from '../wire/messages/raylet.js'
import type { ObjectKey, ProcessExit } from '../wire/messages/terms.js'

type From<Kind extends ToRaylet['kind']> = Extract<ToRaylet, { kind: Kind }> & {
  /** The process that sent the message. */
  readonly from: ProcessId
}

export type LeaseEvent =
  // From drivers and workers.
  | (From<'requestLease'> & {
      readonly jobId: string
      /** Another raylet has passed it on. */
      readonly passed?: {
        readonly by: number
        readonly stays: boolean
        readonly outlivesJob: boolean
      }
    })
  | From<'cancelLeaseRequest'>
  | From<'returnLease'>
  | From<'leaseClosed'>
  | From<'blocked'>
  | From<'unblocked'>
  | From<'relay'>
  | From<'relayToWorker'>
  | From<'signalWorker'>
  | From<'interrupted'>
  | From<'lineBroken'>
  | From<'actorStarted'>
  | From<'actorExiting'>
  // From other raylets.
  | (Extract<PeerMessage, { kind: 'requestReturned' | 'recallRequest' | 'bundleFree' }> & {
      readonly node: number
    })
  /** A request that was passed on is granted or refused: the answer came by. */
  | { readonly kind: 'requestAnswered'; readonly owner: ProcessId; readonly request: number }
  | { readonly kind: 'nodeDied'; readonly nodeNumber: number; readonly nodeId: string }
  // From the GCS.
  | Extract<FromGcs, { kind: 'groupLocated' }>
  | Extract<
      FromGcs,
      {
        kind:
          | 'placeActor'
          | 'endActor'
          | 'reserveRoom'
          | 'reserveBundles'
          | 'returnBundles'
          | 'clusterView'
      }
    >
  /** The group was removed before it had anything on this node, or cannot ever be placed. */
  | {
      readonly kind: 'groupGone'
      readonly group: string
      readonly message: string
      readonly isRemoved: boolean
    }
  /** The memory monitor ends this worker. */
  | { readonly kind: 'memoryShort'; readonly start: string; readonly report: string }
  // From the worker pool.
  | {
      readonly kind: 'workerJoined'
      readonly start: string
      readonly process: ProcessId
      readonly pid: number
      readonly address: string
      readonly claimSlot: number
    }
  | { readonly kind: 'workerDied'; readonly start: string; readonly exit: ProcessExit }
  /** A driver or worker is gone, with whatever it owned. */
  | { readonly kind: 'processDied'; readonly process: ProcessId }
  /** Workers for this job may be started ahead of need. */
  | { readonly kind: 'jobStarted'; readonly jobId: string }
  | { readonly kind: 'jobFinished'; readonly jobId: string }
  /** Time has come to `deadline()`. */
  | { readonly kind: 'tick' }

export type LeaseEffect =
  | { readonly kind: 'send'; readonly to: ProcessId; readonly message: FromRaylet }
  | { readonly kind: 'gcs'; readonly message: ToGcs }
  /** To the raylet of another node, by its number. */
  | { readonly kind: 'peer'; readonly to: number; readonly message: PeerMessage }
  | {
      readonly kind: 'startWorker'
      readonly start: string
      readonly jobId: string
      readonly environment: string
    }
  | {
      readonly kind: 'signalWorker'
      readonly start: string
      readonly signal: 'SIGINT' | 'SIGKILL'
      /** Becomes the reason of the exit, when the signal ends the process. */
      readonly reason: string
    }
  /** The program of the job should know. */
  | { readonly kind: 'warn'; readonly jobId: string; readonly text: string }
  /** What the worker runs from now on, for its lines on the driver's terminal. */
  | {
      readonly kind: 'nameWorker'
      readonly start: string
      readonly name: string
      readonly jobId: string
    }
  /** The receiver holds one more count on each object. */
  | { readonly kind: 'lend'; readonly to: ProcessId; readonly objects: readonly ObjectKey[] }
