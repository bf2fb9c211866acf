// Messages between raylets, over their link: ordered, and none is lost while both nodes live.

import type { ProcessId } from '../../base/ids.js'
import type { FromRaylet, ToRaylet } from './raylet.js'
import type { JobFacts, Resources } from './terms.js'

export type PeerMessage =
  /** For a process of the receiver's node. */
  | { readonly kind: 'deliver'; readonly to: ProcessId; readonly message: FromRaylet }
  /** A process of the sender's node asks for a lease, which is to be had on the receiver's. */
  | {
      readonly kind: 'passLease'
      readonly from: ProcessId
      readonly jobId: string
      readonly message: Extract<ToRaylet, { kind: 'requestLease' }>
      /** It waits there if there is no room; otherwise it comes back. */
      readonly stays: boolean
      /** It works for a detached actor. */
      readonly outlivesJob: boolean
      /** The first time: the receiver may not have heard of the job. */
      readonly job?: JobFacts
    }
  /** Send the request back if it still waits. */
  | { readonly kind: 'recallRequest'; readonly from: ProcessId; readonly request: number }
  /** The request cannot be granted here now, or was recalled. */
  | {
      readonly kind: 'requestReturned'
      readonly from: ProcessId
      readonly request: number
      readonly why: 'full' | 'never' | 'recalled'
      readonly available: Resources
      readonly waiting: Resources
    }
  /** What a process of the sender's node says about a lease, or a worker, of the receiver's. */
  | {
      readonly kind: 'aboutLease'
      readonly from: ProcessId
      readonly message: AboutLease
    }
  /** A process of the sender's node is gone, after everything that it had said. */
  | { readonly kind: 'processGone'; readonly process: ProcessId }

/** Messages of owners that are decided by the raylet beside the worker. */
export type AboutLease = Extract<
  ToRaylet,
  {
    kind:
      | 'cancelLeaseRequest'
      | 'returnLease'
      | 'relayToWorker'
      | 'signalWorker'
      | 'stopLease'
      | 'lineBroken'
  }
>
