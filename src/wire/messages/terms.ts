// Shapes that several kinds of message share.

import type { Resources } from '../../base/amounts.js'
import type { ProcessId } from '../../base/ids.js'
import type { JobLogging } from '../logging.js'

/** An object (or actor) by owner and count: [owner, sequence]. */
export type ObjectKey = readonly [owner: ProcessId, sequence: number]

export type { Resources }

export interface PlacementGroupTarget {
  readonly group: string
  /** -1: any bundle that fits. */
  readonly bundle: number
  /** What runs there submits into the group too, unless it says otherwise. */
  readonly captureChildTasks?: boolean
}

export interface SchedulingStrategy {
  readonly kind: 'default' | 'spread' | 'nodeAffinity' | 'placementGroup'
  readonly nodeId?: string
  readonly soft?: boolean
  readonly target?: PlacementGroupTarget
  /** Labels that the node must have: alternatives, the most wanted first. */
  readonly labels?: readonly Readonly<Record<string, string>>[]
}

/** Reason of a ProcessExit whose placement group was removed under it. */
export const groupRemovedReason = 'placement group removed'

/** Reason of a ProcessExit of a dead node begins with this; the rest is its id. */
/**
 * What stands for the exit of a worker that lives: the connection to it broke, and it closed the
 * lease before it could be ended. What it has run of the tasks that were on their way nobody knows.
 */
export const lineBrokenReason = 'the connection to it broke'
export const nodeDiedReason = 'node died: '

/** Reason of a ProcessExit of the memory monitor begins with this; the rest says who used what. */
export const memoryReason = 'out of memory: '
/** How the reason begins for which the raylet ends a worker whose setup hook computes too long. */
export const setupReason = 'the setup hook of runtimeEnv has not returned'

/** How an actor ends itself: an end, and not a crash. Also the reason of its ProcessExit. */
export type SelfExit = 'exitActor' | '__ray_terminate__'
/** The same, or its program says that it is over. */
export type OrderlyExit = SelfExit | 'jobFinished'

/** Why a process is gone, as exactly as the raylet knows. */
export interface ProcessExit {
  readonly pid: number
  readonly exitCode: number | null
  readonly signal: string | null
  /** Last lines that it wrote to stderr. */
  readonly stderr: readonly string[]
  /**
   * What the raylet knows beyond that, for example 'ray.kill', 'heap out of memory', 'owner died',
   * 'cancelled'.
   */
  readonly reason: string
  /**
   * Tasks of the current lease that had started, read from the worker's claim slot; -1 when it has
   * none.
   */
  readonly started: number
  /**
   * The lease whose carried task was the last to start, 0 for none yet; absent when nobody knows.
   */
  readonly carried?: number
}

/**
 * Where a stored object is: a file of the raylet process, opened by others as
 * /proc/<pid>/fd/<file>.
 */
export interface Location {
  readonly file: number
  readonly offset: number
  readonly sizeBytes: number
  /** Bytes from the beginning whose pages exist already; see store/object-writer. */
  readonly warmBytes: number
}

/**
 * An error that the raylet or the GCS raises, to be made a RayError by the receiver (base/errors,
 * by code).
 */
export interface WireError {
  readonly code: string
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
}

/** What a worker must be like to run a task: workers of different environments are not mixed. */
export interface WorkerEnvironment {
  /** Node options that a worker inherits from the driver, such as `--import tsx`. */
  readonly execArgv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Working directory. */
  readonly cwd: string
  readonly setup?: SetupHook
  readonly folder?: FolderPackage
  /** Of a job, when it is not the usual. */
  readonly logging?: JobLogging
}

/** The folder that a program was in, for machines that do not have it. */
export interface FolderPackage {
  /** Names its contents. */
  readonly hash: string
  /** Its path on the machine of the program. */
  readonly root: string
}

export interface PackagePiece {
  readonly hash: string
  readonly index: number
  /** Pieces of the package, in all. */
  readonly count: number
  readonly bytes: Uint8Array
}

/** What a worker runs before its first task. */
export interface SetupHook {
  /** Id of the function. */
  readonly hook: string
  readonly timeoutMs: number
}

/** What the environment of a task has beyond that of its job; travels as JSON. */
export type OwnEnvironment = Partial<WorkerEnvironment>

/** A node that lives, as the GCS tells the others. */
export interface ClusterNode {
  readonly nodeId: string
  readonly nodeNumber: number
  readonly alive: boolean
  /** `host:port` at which it listens for other nodes; '' when it is alone. */
  readonly address: string
  readonly total: Resources
  readonly available: Resources
  readonly labels: Readonly<Record<string, string>>
  /** What waits there for its turn. */
  readonly waiting?: Resources
  /** Placement groups of which any bundle is waited for there. */
  readonly wantedGroups?: readonly string[]
  /** It takes nothing new, and will end. */
  readonly isDraining?: boolean
  /** It cannot be reached from other machines and runs nothing. */
  readonly isClient?: boolean
}

/** A job, as every node must know it that runs its tasks. */
export interface JobFacts {
  readonly jobId: string
  readonly driver: ProcessId
  readonly namespace: string
  readonly environment: WorkerEnvironment
}

/** What no node of the cluster could ever run, as it is now; it waits for nodes to join. */
export interface InfeasibleDemand {
  /** `Task f`, `Actor Counter`. */
  readonly name: string
  readonly count: number
  /** What it needs, and what there is. */
  readonly why: string
}
