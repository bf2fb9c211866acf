// Messages between raylets, over their link: ordered, and none is lost while both nodes live.

import type { ProcessId } from '../../base/ids.js'
import type { NodeQuestion } from './query.js'
import type { LiveTask } from './state.js'
import type { FromRaylet, ToRaylet } from './raylet.js'
import type { JobFacts, ObjectKey, Resources } from './terms.js'

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
  /** Requests for any bundle of the group wait at the receiver's; this is free in some here. */
  | {
      readonly kind: 'bundleFree'
      readonly group: string
      readonly available: readonly Resources[]
    }
  /** What a process of the sender's node says about a lease, or a worker, of the receiver's. */
  | {
      readonly kind: 'aboutLease'
      readonly from: ProcessId
      readonly message: AboutLease
    }
  /** Which tasks are under way on your node? */
  | { readonly kind: 'reportLive'; readonly request: number }
  | {
      readonly kind: 'liveReported'
      readonly request: number
      readonly tasks: readonly LiveTask[]
      readonly more: boolean
      /** Processes that have not answered. */
      readonly silent: number
    }
  /** What only the raylet of a node knows. */
  | { readonly kind: 'askNode'; readonly request: number; readonly question: NodeQuestion }
  | { readonly kind: 'nodeAnswered'; readonly request: number; readonly value: unknown }
  /** A process of the sender's node is gone, after everything that it had said. */
  | { readonly kind: 'processGone'; readonly process: ProcessId }
  /** To the home of objects. */
  | { readonly kind: 'object'; readonly event: ObjectMessage }
  | LendMessage
  /** From the home: what a process of the receiver's node, or its raylet, asked for is stored. */
  | ({ readonly kind: 'located' } & StoredObject)
  /** From the home: nobody needs the copy any more. */
  | { readonly kind: 'dropCopy'; readonly object: ObjectKey }
  /** From the home: the copy is the primary one now. */
  | { readonly kind: 'makePrimary'; readonly object: ObjectKey }
  /** From the home: the only copy is on a node that leaves, so take one. */
  | { readonly kind: 'fetchCopy'; readonly object: ObjectKey }
  /** The sender has to read from the receiver and cannot reach it: connect to it. */
  | { readonly kind: 'dialBulk' }

/** Those of them that are about objects. */
export type ObjectPeerMessage = Extract<
  PeerMessage,
  { kind: 'object' | 'located' | 'dropCopy' | 'makePrimary' | 'fetchCopy' | 'dialBulk' }
>

/** About counts that raylets lend each other. */
export type LendMessage =
  /** To the home: the sender has these refs, on each of which node `by` lent it a count. */
  | { readonly kind: 'claimLent'; readonly by: number; readonly objects: readonly ObjectKey[] }
  /** From the home: say when nothing more can come from this node, which is dead. */
  | { readonly kind: 'askClaims'; readonly of: number }
  /** Nothing more comes from it, and what has come was claimed. */
  | { readonly kind: 'claimsSaid'; readonly of: number }

/** An answer to `getObjects`: where the object is. */
export interface StoredObject {
  readonly to: ProcessId
  readonly object: ObjectKey
  /** On these one count each was given to the receiver. */
  readonly contains: readonly ObjectKey[]
  /** Whether its value contains refs at all. */
  readonly isNesting: boolean
  readonly sizeBytes: number
  /** Nodes to take it from, the best first; none when the receiver's node has it. */
  readonly sources: readonly number[]
  /** Which making of its value this is. */
  readonly version: number
  readonly urgency: number
}

type Said<Kind extends ToRaylet['kind']> = Extract<ToRaylet, { readonly kind: Kind }>
type From = { readonly from: ProcessId }

/** What a process, or its raylet, says of objects to their home, which may be another node. */
export type ObjectMessage =
  | (Said<'settle'> & From)
  | (Said<'release'> & From)
  | {
      readonly kind: 'getObjects' | 'awaitObjects'
      readonly from: ProcessId
      readonly objects: readonly ObjectKey[]
      readonly isBare?: boolean
      readonly urgency?: number
    }
  | Said<'lend'>
  | Said<'unlend'>
  | Said<'free'>
  /** The store of the node holds the object now. */
  | {
      readonly kind: 'seal'
      readonly object: ObjectKey
      readonly contains?: readonly ObjectKey[]
      /** The home's own, unless said otherwise. */
      readonly node?: number
      readonly sizeBytes?: number
      /** Who made the value, and in which attempt at the task. */
      readonly from?: ProcessId
      readonly attempt?: number
    }
  /** A reader's node has all of it. */
  | { readonly kind: 'copyAdded'; readonly object: ObjectKey; readonly node: number }
  /**
   * A node has it no more, or never will. With `isMissing` another node says so, which did not find
   * it there.
   */
  | {
      readonly kind: 'copyRemoved'
      readonly object: ObjectKey
      readonly node: number
      readonly isMissing?: boolean
    }

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
