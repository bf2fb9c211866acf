// Messages between the GCS and the raylets. On one machine both live in one process and the
// messages are handed over in memory; the next step puts a socket between them, and nothing else
// changes.

import type { ProcessId } from '../../base/ids.js'
import type { ProcessNews, TaskEvents } from './state.js'
import type {
  ClusterNode,
  InfeasibleDemand,
  JobFacts,
  ObjectKey,
  PackagePiece,
  ProcessExit,
  Resources,
  WireError,
} from './terms.js'
import type { ActorSpec, ActorState, Query } from './raylet.js'

/** From a raylet to the GCS. */
export type ToGcs =
  | {
      readonly kind: 'registerNode'
      readonly nodeId: string
      readonly address: string
      readonly resources: Resources
      readonly labels: Readonly<Record<string, string>>
      readonly isHead: boolean
      readonly isClient?: boolean
      /** The node was here before this GCS, or before it was cut off. */
      readonly isBack?: boolean
    }
  /** Sent when it changes, joined per turn; also the heartbeat. */
  | {
      readonly kind: 'nodeReport'
      readonly nodeId: string
      readonly available: Resources
      readonly total: Resources
      /** What waits in the queue of the node. */
      readonly waiting?: Resources
      /** Placement groups of which requests there wait for any bundle. */
      readonly wantedGroups?: readonly string[]
      readonly infeasible?: readonly InfeasibleDemand[]
      /** What would be free if tasks gave back what they hold; absent when that is no more. */
      readonly reclaimable?: Resources
    }
  /**
   * Follows `registerNode` of a node that was known before, when everything is repeated that the
   * GCS may not have heard: what the node has, for the GCS to compare.
   */
  | ({ readonly kind: 'nodeHolds'; readonly nodeId: string } & NodeHoldings)
  /** It was asked to end, and does. */
  | { readonly kind: 'nodeDrained'; readonly nodeId: string }
  | ({ readonly kind: 'jobStarted' } & JobFacts)
  | { readonly kind: 'jobFinished'; readonly jobId: string }
  | {
      readonly kind: 'createActor'
      readonly nodeId: string
      readonly from: ProcessId
      readonly request: number
      readonly spec: ActorSpec
      readonly jobId: string
    }
  | {
      readonly kind: 'subscribeActor'
      readonly nodeId: string
      readonly from: ProcessId
      readonly actor: ObjectKey
    }
  | {
      readonly kind: 'killActor'
      readonly actor: ObjectKey
      readonly noRestart: boolean
      readonly reason: string
    }
  /** No handle of the actor is left anywhere. */
  | { readonly kind: 'actorOutOfScope'; readonly actor: ObjectKey }
  /** Answer to placeActor: the worker runs the constructor. */
  | {
      readonly kind: 'actorPlaced'
      readonly nodeId: string
      readonly actor: ObjectKey
      readonly incarnation: number
      readonly attempt: number
      readonly worker: ProcessId
      readonly address: string
    }
  /**
   * Answer to placeActor: this node cannot (full, or told so by a changed view); place it again.
   */
  | {
      readonly kind: 'actorNotPlaced'
      readonly nodeId: string
      readonly actor: ObjectKey
      readonly incarnation: number
      readonly attempt: number
      readonly error?: WireError
    }
  /** The constructor has returned, or thrown this error body. */
  | {
      readonly kind: 'actorStarted'
      readonly actor: ObjectKey
      readonly incarnation: number
      readonly attempt: number
      readonly error?: Uint8Array
    }
  | {
      readonly kind: 'actorWorkerDied'
      readonly actor: ObjectKey
      readonly incarnation: number
      readonly attempt: number
      readonly exit: ProcessExit
    }
  /**
   * A process is gone: what it owned goes with it, but for detached actors and placement groups.
   */
  | { readonly kind: 'processDied'; readonly process: ProcessId; readonly jobId: string }
  | {
      readonly kind: 'createPlacementGroup'
      readonly nodeId: string
      readonly from: ProcessId
      readonly group: string
      readonly bundles: readonly Resources[]
      readonly strategy: 'PACK' | 'SPREAD' | 'STRICT_PACK' | 'STRICT_SPREAD'
      readonly name: string
      readonly namespace: string
      readonly detached: boolean
      readonly jobId: string
      /** Set when it was made inside an actor: the group ends with it. */
      readonly creatorActor?: ObjectKey
      /** The sender is a driver, whose death is the end of its job. */
      readonly byDriver: boolean
    }
  /** The process is told what becomes of the group. */
  | {
      readonly kind: 'subscribePlacementGroup'
      readonly nodeId: string
      readonly from: ProcessId
      readonly group: string
    }
  | { readonly kind: 'removePlacementGroup'; readonly group: string }
  /** The node wants to know where the bundles are, now and whenever that changes. */
  | { readonly kind: 'locateGroup'; readonly nodeId: string; readonly group: string }
  /** Answer to reserveBundles: all of them are held, or none. */
  | {
      readonly kind: 'bundlesReserved'
      readonly nodeId: string
      readonly group: string
      readonly attempt: number
      readonly ok: boolean
    }
  | ProcessNews
  /** Tasks that have ended in a process of the node. */
  | {
      readonly kind: 'taskEvents'
      readonly nodeId: string
      readonly process: ProcessId
      readonly jobId: string
      readonly events: TaskEvents
    }
  | {
      readonly kind: 'query'
      readonly nodeId: string
      readonly from: ProcessId
      readonly request: number
      readonly query: Query
    }
  /** Bytes of a function or class of the job. A second time changes nothing. */
  | ({ readonly kind: 'exportFunction'; readonly jobId: string } & ExportedFunction)
  /** A worker of another job than that which has defined it runs the function. */
  | { readonly kind: 'useFunction'; readonly jobId: string; readonly hash: string }
  /** A second time changes nothing. */
  | ({ readonly kind: 'exportPackage'; readonly jobId: string } & PackagePiece)
  /** `packageFound` comes for each piece when all are there. */
  | { readonly kind: 'fetchPackage'; readonly nodeId: string; readonly hash: string }
  /** `functionFound` comes when it is known, for a worker of the job. */
  | {
      readonly kind: 'fetchFunction'
      readonly nodeId: string
      readonly jobId: string
      readonly hash: string
    }

/** What a node keeps free for an actor, or for bundles of a placement group. */
export interface Room {
  /** Names the actor or group; see `roomKey`. */
  readonly key: string
  readonly name: string
  readonly jobId: string
  readonly depth: number
  readonly need: Resources
}

export function roomKey(what: 'actor' | 'group', id: ObjectKey | string): string {
  return `${what} ${typeof id === 'string' ? id : id.join('/')}`
}

/** Bundles of a placement group; without a node while it is not whole. */
export type LocatedBundles = readonly {
  readonly index: number
  readonly resources: Resources
  readonly nodeId?: string
}[]

export interface ExportedFunction {
  readonly hash: string
  readonly bytes: Uint8Array
  /** Refs and handles among what it captured. */
  readonly contains: readonly ObjectKey[]
}

/** An actor that a raylet was asked to place and that has not ended. */
export interface HeldActor {
  readonly actor: ObjectKey
  readonly incarnation: number
  readonly attempt: number
  /** Undefined while it waits for a worker. */
  readonly worker?: ProcessId
  readonly address: string
  /** Its constructor has returned. */
  readonly isStarted: boolean
}

export interface NodeHoldings {
  readonly available: Resources
  readonly total: Resources
  readonly actors: readonly HeldActor[]
  readonly bundles: readonly { readonly group: string; readonly indexes: readonly number[] }[]
  /** Placement groups that requests on the node wait for. */
  readonly awaited: readonly string[]
}

/** From the GCS to a raylet. */
export type FromGcs =
  | {
      readonly kind: 'placeActor'
      readonly spec: ActorSpec
      readonly incarnation: number
      /** Grows with every request to place the actor; one that is repeated has the same number. */
      readonly attempt: number
      readonly jobId: string
    }
  /**
   * End the actor's worker: kill at once, or let queued calls finish first (`drain`, when it went
   * out of scope).
   */
  | {
      readonly kind: 'endActor'
      readonly actor: ObjectKey
      readonly drain: boolean
      readonly reason: string
    }
  /**
   * All for which the node keeps room from now on: for those that are new it asks tasks to give
   * back what is in the way, and what comes free is for them, in turn with what waits there.
   */
  | { readonly kind: 'reserveRoom'; readonly rooms: readonly Room[] }
  | {
      readonly kind: 'reserveBundles'
      readonly group: string
      readonly attempt: number
      readonly bundles: readonly { readonly index: number; readonly resources: Resources }[]
    }
  /**
   * Gives bundles back; tasks and actors in them end with TaskPlacementGroupRemovedError /
   * ActorPlacementGroupRemovedError.
   */
  | {
      readonly kind: 'returnBundles'
      readonly group: string
      readonly indexes: readonly number[]
      readonly removed: boolean
    }
  /** Answer to locateGroup, once and then at every change. */
  | { readonly kind: 'groupLocated'; readonly group: string; readonly bundles: LocatedBundles }
  /**
   * So many messages of the link were handled, and what they have changed is stored: they need not
   * be repeated to a GCS that starts anew.
   */
  | { readonly kind: 'gcsHandled'; readonly count: number }
  /** To be passed on to a process of that node. */
  | {
      readonly kind: 'actorRegistered'
      readonly to: ProcessId
      readonly request: number
      readonly existing?: ActorSpec
      readonly error?: WireError
    }
  | {
      readonly kind: 'actorChanged'
      readonly to: ProcessId
      readonly actor: ObjectKey
      readonly state: ActorState
    }
  | {
      readonly kind: 'placementGroupChanged'
      readonly to: ProcessId
      readonly group: string
      readonly state: 'pending' | 'created' | 'removed' | 'infeasible'
      readonly message?: string
      /** Why the group was refused; it counts as removed. */
      readonly error?: WireError
    }
  | {
      readonly kind: 'answer'
      readonly to: ProcessId
      readonly request: number
      readonly value?: unknown
      readonly error?: WireError
    }
  /** What the whole cluster has and could have: raylets refuse what no node can ever run. */
  | {
      readonly kind: 'clusterView'
      readonly nodes: readonly ClusterNode[]
      /** Highest node number that was ever given out. */
      readonly newest: number
    }
  /** Answer to registerNode. */
  | { readonly kind: 'nodeRegistered'; readonly nodeNumber: number; readonly sessionName: string }
  /** The program of the job, whose driver is on the node, should know. */
  | { readonly kind: 'warnJob'; readonly jobId: string; readonly text: string }
  /** The node takes nothing new and ends when it has nothing left, or after so long. */
  | { readonly kind: 'drain'; readonly reason: string; readonly deadlineMs: number }
  /** The node was declared dead and speaks all the same: it has to end. */
  | { readonly kind: 'nodeIsDead'; readonly reason: string }
  /** A job of another node. */
  | ({ readonly kind: 'jobStarted' } & JobFacts)
  | { readonly kind: 'jobFinished'; readonly jobId: string }
  | ({ readonly kind: 'functionFound' } & ExportedFunction)
  /** Jobs that have used them are over, and with them what they had detached. */
  | { readonly kind: 'functionsGone'; readonly hashes: readonly string[] }
  | ({ readonly kind: 'packageFound' } & PackagePiece)
