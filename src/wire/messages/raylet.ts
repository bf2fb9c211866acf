// Messages between a process (driver or worker) and the raylet of its node, over one ordered
// socket.
//
// Names say who acts: `x` asks, `xed` tells. Every message is idempotent or says why it need not
// be: the socket is ordered and lossless, and when it breaks one of the two processes is dead and
// everything it held is released.

import type { ProcessId } from '../../base/ids.js'
import type { TlsFiles } from '../transport.js'
import type { LineFacts, LogLevel } from '../logging.js'
import type { Query } from './query.js'
import type { LiveTask, TaskEvents } from './state.js'
import type {
  Location,
  ObjectKey,
  OrderlyExit,
  PackagePiece,
  PlacementGroupTarget,
  ProcessExit,
  Resources,
  SchedulingStrategy,
  WireError,
  WorkerEnvironment,
} from './terms.js'

export type { PlacementGroupRow, Query } from './query.js'

/**
 * A task that travels with the request for its worker, so that it starts although its owner is busy
 * computing.
 */
export interface CarriedTask {
  /** Define and push frames, exactly as they would be sent to the worker. */
  readonly frames: Uint8Array
  readonly sequence: number
  /** Objects nested in its arguments: the raylet lends them to the worker it picks. */
  readonly nested: readonly ObjectKey[]
  /** Stored objects that it reads: it had better run where they are. */
  readonly reads?: readonly ObjectKey[]
}

export interface LeaseKey {
  readonly resources: Resources
  readonly strategy: SchedulingStrategy
  /** Hash of the WorkerEnvironment beyond the job's own; '' for the job's. */
  readonly environment: string
}

/** From a driver or worker to its raylet. */
export type ToRaylet =
  | {
      readonly kind: 'hello'
      readonly token: string
      /** An observer asks questions; it has no job, and runs and owns nothing. */
      readonly role: 'driver' | 'worker' | 'observer'
      readonly process: ProcessId
      readonly pid: number
      /** Abstract socket on which a worker accepts owners; '' for a driver. */
      readonly address: string
      /** A driver's job environment, used for every worker that says no other. */
      readonly environment?: WorkerEnvironment
      readonly namespace?: string
      /** Names the starting of this worker by the raylet. */
      readonly start?: string
    }
  | { readonly kind: 'goodbye' }
  | {
      readonly kind: 'requestLease'
      readonly request: number
      readonly key: LeaseKey
      readonly name: string
      /** Number of tasks above this one; deeper requests are granted first. */
      readonly depth: number
      readonly task?: CarriedTask
      /** The task may not run twice. */
      readonly isOnce?: true
      /** What the task reads that stays behind when its request is passed on. */
      readonly reads?: readonly ObjectKey[]
    }
  /**
   * The request is not needed any more. If it carried a task, that task is dropped unless it was
   * already handed over.
   */
  | { readonly kind: 'cancelLeaseRequest'; readonly request: number }
  | { readonly kind: 'returnLease'; readonly lease: number }
  /**
   * Owner, of a worker on another node, whose claim word it cannot reach: stop this epoch of the
   * lease. `leaseStopped` answers.
   */
  | { readonly kind: 'stopLease'; readonly lease: number }
  /**
   * Owner: the connection to the worker of another node is broken. If the worker lives it is ended,
   * because nobody would know what it has run.
   */
  | { readonly kind: 'lineBroken'; readonly lease: number }
  /** Worker: the recalled lease is closed; nothing of it runs or will run. */
  | {
      readonly kind: 'leaseClosed'
      readonly lease: number
      /** The worker takes no other lease: it ends as soon as nobody needs it any more. */
      readonly isLast?: boolean
    }
  /** Worker: SIGINT has stopped the task that it was for, and is used up. */
  | { readonly kind: 'interrupted' }
  /** Worker: its running task waits in get or wait; its CPUs are free until `unblocked`. */
  | { readonly kind: 'blocked' }
  | { readonly kind: 'unblocked' }
  /** Worker: frames (results, items) of a carried task for its owner; `done` with the last. */
  | {
      readonly kind: 'relay'
      readonly lease: number
      readonly owner: ProcessId
      readonly frames: Uint8Array
      readonly done: boolean
    }
  /**
   * Owner: frames for a worker that it reached only through the raylet (cancel, generator credit of
   * a carried task).
   */
  | { readonly kind: 'relayToWorker'; readonly lease: number; readonly frames: Uint8Array }
  /**
   * Owner: interrupt (SIGINT) the worker of the lease, which runs synchronous code; or end it
   * (SIGKILL).
   */
  | {
      readonly kind: 'signalWorker'
      readonly lease: number
      readonly signal: 'SIGINT' | 'SIGKILL'
      readonly reason: string
    }
  /**
   * Owner: these objects of mine are known outside now. The sender holds one count on each. `body`
   * undefined: pending. `stored`: the body is in the object store. An object already known keeps
   * its counts (a borrower may come first).
   */
  | {
      readonly kind: 'escape'
      readonly objects: readonly {
        readonly sequence: number
        readonly body?: Uint8Array
        readonly contains?: readonly ObjectKey[]
      }[]
    }
  /**
   * Owner or executing worker: a pending escaped object has its value. The first settle wins; later
   * ones are ignored.
   */
  | {
      readonly kind: 'settle'
      readonly object: ObjectKey
      readonly body: Uint8Array
      readonly contains?: readonly ObjectKey[]
    }
  /**
   * The sender gives one count on each object to another process (arguments that nest refs, results
   * that do).
   */
  | {
      readonly kind: 'lend'
      readonly to: ProcessId
      readonly objects: readonly ObjectKey[]
    }
  /**
   * A stream of the sender's is over. Items from this sequence on, which the worker has stored or
   * may still store, it will not hear of.
   */
  | {
      readonly kind: 'dropItems'
      readonly worker: ProcessId
      readonly first: number
      readonly count: number
    }
  /** Takes back what was lent for a task that never started. */
  | { readonly kind: 'unlend'; readonly from: ProcessId; readonly objects: readonly ObjectKey[] }
  /** The sender gives up one count on each: flat [owner, sequence, owner, sequence, ...]. */
  | { readonly kind: 'release'; readonly objects: readonly number[] }
  /**
   * The sender has the results of these tasks, which came through the raylet, and their refs never
   * left it.
   */
  | { readonly kind: 'forget'; readonly objects: readonly number[] }
  /** Frees the objects now, whatever the counts: later gets fail with ObjectFreedError. */
  | { readonly kind: 'free'; readonly objects: readonly ObjectKey[] }
  /** Drops all copies of the objects as if the nodes that have them had died; for tests. */
  | { readonly kind: 'loseObjects'; readonly objects: readonly ObjectKey[] }
  /**
   * Owner: a worker of another node says that it has stored the value there, in this attempt. If
   * that node dies before it has said so itself, the value is lost.
   */
  | {
      readonly kind: 'saidStored'
      readonly sequence: number
      readonly node: number
      readonly attempt: number
    }
  /**
   * Owner: needs its object again, which was freed, or which the raylet does not know any more: its
   * value is lost then. `attempt`: the last at its task. The sender holds one more count, unless it
   * says that it holds it already.
   */
  | {
      readonly kind: 'revive'
      readonly sequence: number
      readonly attempt: number
      readonly isHeld?: boolean
    }
  /** Owner: has released these. `lineageNeeded` says which of them others still hold. */
  | {
      readonly kind: 'releaseLineage'
      readonly request: number
      readonly sequences: readonly number[]
    }
  /**
   * Asks for values; `ready` comes for each as soon as there is one. Stored objects are pinned for
   * the sender.
   */
  | {
      readonly kind: 'getObjects'
      readonly objects: readonly ObjectKey[]
      /** The sender holds already what the values nest: nothing is lent to it. */
      readonly isBare?: boolean
      /** Who stands still until they come from another node: 0 a get, 1 a wait, 2 a task. */
      readonly urgency?: number
    }
  /**
   * Like getObjects, but only tells that they are ready (wait with fetchLocal: false,
   * dependencies): nothing is pinned.
   */
  | { readonly kind: 'awaitObjects'; readonly objects: readonly ObjectKey[] }
  /**
   * Tasks that wait in the sender for their turn read these, and no others: they may come from
   * other nodes meanwhile.
   */
  | { readonly kind: 'prefetch'; readonly objects: readonly ObjectKey[] }
  /** The sender unmapped a stored object as often as it is named. */
  | { readonly kind: 'unpin'; readonly objects: readonly ObjectKey[] }
  /**
   * The allocation (from the store channel) now holds the object. The owner holds one count on it
   * from here on, also when the sender is the worker that made it for the owner.
   */
  | {
      readonly kind: 'seal'
      readonly allocation: number
      readonly object: ObjectKey
      readonly sizeBytes: number
      readonly contains?: readonly ObjectKey[]
      /** The attempt at the task that made it; absent for the first. */
      readonly attempt?: number
    }
  | { readonly kind: 'abortAllocation'; readonly allocation: number }
  | {
      readonly kind: 'exportFunction'
      readonly hash: string
      readonly bytes: Uint8Array
      readonly contains: readonly ObjectKey[]
    }
  | { readonly kind: 'fetchFunction'; readonly hash: string }
  /** A piece of a packed working folder, for machines that do not have it. */
  | ({ readonly kind: 'exportPackage' } & PackagePiece)
  | { readonly kind: 'createActor'; readonly request: number; readonly spec: ActorSpec }
  | { readonly kind: 'subscribeActor'; readonly actor: ObjectKey }
  | {
      readonly kind: 'killActor'
      readonly actor: ObjectKey
      readonly noRestart: boolean
      readonly reason: string
    }
  /** Worker of an actor: its constructor has returned, or failed with this error body. */
  | { readonly kind: 'actorStarted'; readonly actor: ObjectKey; readonly error?: Uint8Array }
  /** The setup hook of the worker has returned or failed. */
  | { readonly kind: 'setUp' }
  /** Worker of an actor: it ends itself now; `how` becomes the reason of its exit. */
  | { readonly kind: 'actorExiting'; readonly actor: ObjectKey; readonly how: OrderlyExit }
  | {
      readonly kind: 'createPlacementGroup'
      readonly group: string
      readonly bundles: readonly Resources[]
      readonly strategy: 'PACK' | 'SPREAD' | 'STRICT_PACK' | 'STRICT_SPREAD'
      readonly name: string
      readonly namespace: string
      readonly detached: boolean
      /** The actor that the sender is. */
      readonly creatorActor?: ObjectKey
    }
  | { readonly kind: 'subscribePlacementGroup'; readonly group: string }
  | { readonly kind: 'removePlacementGroup'; readonly group: string }
  | { readonly kind: 'query'; readonly request: number; readonly query: Query }
  /** Tasks that have ended, from who ran them; or from their owner, if nobody did to the end. */
  | { readonly kind: 'taskEvents'; readonly events: TaskEvents }
  /** Answer to reportTasks; its ended tasks came before. `more`: there are too many to list. */
  | {
      readonly kind: 'tasksReported'
      readonly request: number
      readonly tasks: readonly LiveTask[]
      readonly more: boolean
    }

/** Options of one method that its class gives; a call may say otherwise. */
export interface MethodSpec {
  readonly returns?: number
  /** Concurrency group. */
  readonly group?: string
  readonly maxTaskRetries?: number
  /** True: for any error. Bytes: an encoded list of classes. */
  readonly retryExceptions?: boolean | Uint8Array
  readonly backpressure?: number
  /** False: its calls are not listed once they have ended. */
  readonly events?: boolean
}

/** Everything needed to start an actor, again and again. */
export interface ActorSpec {
  readonly actor: ObjectKey
  readonly className: string
  readonly classHash: string
  /** Argument bytes as in a push frame, with its flags. */
  readonly flags: number
  readonly args: Uint8Array
  readonly nested: readonly ObjectKey[]
  /**
   * Resources to place the actor, and those it holds while it runs (Ray: 1 CPU to place, 0 to run,
   * by default).
   */
  readonly placement: Resources
  readonly resources: Resources
  readonly strategy: SchedulingStrategy
  readonly environment: string
  readonly name: string
  readonly namespace: string
  readonly detached: boolean
  readonly getIfExists: boolean
  readonly maxRestarts: number
  readonly maxTaskRetries: number
  readonly maxConcurrency: number
  readonly maxPendingCalls: number
  readonly depth: number
  /** Method names in the order of their numbers; what a handle needs. */
  readonly methods: readonly string[]
  /** By name; absent for methods without options. */
  readonly methodSpecs?: Readonly<Record<string, MethodSpec>>
  /** Limits by name; the calls of no group share `maxConcurrency`. */
  readonly concurrencyGroups?: Readonly<Record<string, number>>
  /** Its callers let calls overtake others whose arguments are not ready. */
  readonly isUnordered?: boolean
}

export type ActorState =
  | { readonly state: 'pending' }
  | {
      readonly state: 'alive'
      readonly worker: ProcessId
      readonly address: string
      readonly nodeId: string
      /** 0, then one more for every restart. */
      readonly incarnation: number
    }
  | { readonly state: 'restarting'; readonly incarnation: number; readonly exit?: ProcessExit }
  | {
      readonly state: 'dead'
      /**
       * 'outOfScope' | 'kill' | 'crash' | 'ownerDied' | 'creationFailed' | 'exited' |
       * 'unschedulable' | 'nodeDied'
       */
      readonly cause: string
      readonly message: string
      readonly exit?: ProcessExit
      /** Error body of a constructor that threw. */
      readonly error?: Uint8Array
    }

export interface Welcome {
  readonly kind: 'welcome'
  readonly nodeId: string
  readonly nodeIp: string
  readonly jobId: string
  readonly sessionName: string
  /** Folder of the session on its node; '' when it has none. */
  readonly sessionDir: string
  readonly namespace: string
  readonly rayletPid: number
  /** How often a task that the memory monitor ended runs again; -1: without end. */
  readonly taskOomRetries: number
  /** Bytes of lineage that the process may keep. */
  readonly lineageBytes: number
  /** The raylet's fd of the arena memfd. */
  readonly arenaFile: number
  readonly arenaBytes: number
  /**
   * The raylet's fd of the claim slots, and this worker's slot in it (64 bytes each); -1 for a
   * driver.
   */
  readonly claimFile: number
  readonly claimBytes: number
  readonly claimSlot: number
  /** Abstract socket of the store channel (blocking calls: allocate). */
  readonly storeAddress: string
  readonly resources: Resources
  readonly environment: WorkerEnvironment
  /** How other machines are reached; see wire/transport. */
  readonly tls?: TlsFiles
  readonly tunnel?: string
  /** The cluster may have nodes on other machines. */
  readonly isCluster?: boolean
}

/** From the raylet to a driver or worker. */
export type FromRaylet =
  | Welcome
  | { readonly kind: 'refused'; readonly error: WireError }
  | {
      readonly kind: 'leaseGranted'
      readonly request: number
      readonly lease: number
      readonly worker: ProcessId
      readonly pid: number
      readonly address: string
      readonly claimSlot: number
      /** The carried task went to the worker with the grant. */
      readonly carried: boolean
    }
  | { readonly kind: 'leaseRefused'; readonly request: number; readonly error: WireError }
  /** The node to which the request was passed on is dead: its task may have run. */
  | { readonly kind: 'requestLost'; readonly request: number; readonly exit: ProcessExit }
  /**
   * So many tasks of the epoch were started when the raylet stopped it; -1: somebody else had
   * stopped it, or the lease is over.
   */
  | { readonly kind: 'leaseStopped'; readonly lease: number; readonly started: number }
  /** Whatever was on that node is gone. */
  | { readonly kind: 'nodeDied'; readonly nodeNumber: number; readonly exit: ProcessExit }
  /** What all nodes have together. */
  | { readonly kind: 'clusterHas'; readonly total: Resources }
  /** The lease is over: recalled by the raylet (the worker agreed), or its worker died. */
  | { readonly kind: 'leaseEnded'; readonly lease: number; readonly exit?: ProcessExit }
  | {
      readonly kind: 'relayed'
      readonly lease: number
      readonly frames: Uint8Array
      readonly done: boolean
    }
  | {
      readonly kind: 'leaseOpened'
      readonly lease: number
      readonly owner: ProcessId
      readonly resources: Resources
      /** GPU (and other unit instance) numbers assigned. */
      readonly gpus: readonly number[]
      readonly placementGroup?: PlacementGroupTarget
      readonly jobId: string
      /** Define and push frames of a carried task. */
      readonly frames?: Uint8Array
    }
  /**
   * Others wait for this worker. Close the lease now if nothing of it is running or queued;
   * otherwise as soon as that is so, and after `leaseFairMs` at the latest when the running task
   * ends, giving unstarted tasks back. With `now`, also when the owner is dead: drop everything
   * (the raylet kills the worker if it does not answer).
   */
  | {
      readonly kind: 'recallLease'
      readonly lease: number
      readonly ownerDied: boolean
      /**
       * Only requests of the same owner and key wait: close it once it is idle, but give no task
       * back.
       */
      readonly idleOnly?: boolean
    }
  | { readonly kind: 'relayedToWorker'; readonly lease: number; readonly frames: Uint8Array }
  /**
   * End in an orderly way: run exit handlers, flush output. The raylet kills after `shutdownMs`.
   */
  | { readonly kind: 'exit'; readonly reason: string }
  /** Answer to getObjects: exactly one of body, location, error. To awaitObjects: none of them. */
  | {
      readonly kind: 'ready'
      readonly object: ObjectKey
      readonly body?: Uint8Array
      readonly location?: Location
      readonly error?: WireError
      /**
       * Objects nested in the value: one count on each was given to the receiver with this message.
       */
      readonly contains?: readonly ObjectKey[]
      /** True when this answers awaitObjects. */
      readonly signal?: boolean
      /** With `signal`: there is no value, but an error. */
      readonly failed?: boolean
    }
  /**
   * To the owner: the values of these objects (sequence, and attempt at the task that had made it)
   * are lost. It has them made again, or settles them with an error.
   */
  | {
      readonly kind: 'objectLost'
      readonly objects: readonly (readonly [number, number])[]
      /** How they were lost, in words. */
      readonly reason: string
    }
  /** Answer to releaseLineage: others hold these. `lineageDone` comes for each of them. */
  | {
      readonly kind: 'lineageNeeded'
      readonly request: number
      readonly sequences: readonly number[]
    }
  | { readonly kind: 'lineageDone'; readonly sequence: number }
  /** Answer to revive. */
  | { readonly kind: 'revived'; readonly sequence: number }
  /**
   * Memory or leases are short: collect garbage, so that refs and views that are only waiting for
   * it go.
   */
  | { readonly kind: 'collectGarbage' }
  | {
      readonly kind: 'functionDefined'
      readonly hash: string
      readonly bytes?: Uint8Array
      readonly contains?: readonly ObjectKey[]
    }
  /**
   * Answer to createActor. With `existing` (getIfExists) the handle to use is that of the spec
   * returned.
   */
  | {
      readonly kind: 'actorRegistered'
      readonly request: number
      readonly existing?: ActorSpec
      readonly error?: WireError
    }
  | { readonly kind: 'actorChanged'; readonly actor: ObjectKey; readonly state: ActorState }
  /** To the worker that becomes the actor. */
  | {
      readonly kind: 'startActor'
      readonly spec: ActorSpec
      readonly incarnation: number
      readonly gpus: readonly number[]
      readonly jobId: string
    }
  | {
      readonly kind: 'placementGroupChanged'
      readonly group: string
      readonly state: 'pending' | 'created' | 'removed' | 'infeasible'
      readonly message?: string
      readonly error?: WireError
    }
  | {
      readonly kind: 'answer'
      readonly request: number
      readonly value?: unknown
      readonly error?: WireError
    }
  /** Say which tasks (`only` these) are under way, and which have ended since you last said so. */
  | {
      readonly kind: 'reportTasks'
      readonly request: number
      readonly only?: readonly ObjectKey[]
    }
  | {
      readonly kind: 'output'
      readonly stream: 'stdout' | 'stderr'
      readonly name: string
      readonly pid: number
      readonly lines: readonly string[]
      /** Set when the job's lines are JSON. */
      readonly json?: { readonly level: LogLevel; readonly facts: LineFacts }
    }

/** Requests on the store channel; the raylet answers each in order. Blocking for the sender. */
export type StoreRequest = {
  readonly kind: 'allocate'
  readonly process: ProcessId
  readonly token: string
  readonly sizeBytes: number
}
export type StoreResponse =
  { readonly allocation: number; readonly location: Location } | { readonly error: WireError }
