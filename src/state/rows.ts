// What a row of each list holds. Columns of the second half are there with `detail: true` only.

/** States of a task, in the order in which it takes them; the last two are ends. */
export type TaskStateName =
  | 'PENDING_NODE_ASSIGNMENT'
  | 'SUBMITTED_TO_WORKER'
  | 'RUNNING'
  | 'RUNNING_IN_RAY_GET'
  | 'FINISHED'
  | 'FAILED'

/** A row of `listTasks`. */
export interface TaskState {
  readonly taskId: string
  /** 0, then one more for every retry. */
  readonly attemptNumber: number
  readonly name: string
  readonly state: TaskStateName
  /** Null while the task is under way. */
  readonly jobId: string | null
  readonly actorId: string | null
  readonly type: 'NORMAL_TASK' | 'ACTOR_TASK' | 'ACTOR_CREATION_TASK'
  readonly funcOrClassName: string
  /** Known while the task is under way. */
  readonly parentTaskId: string | null
  readonly nodeId: string | null
  readonly workerId: string | null
  readonly workerPid: number | null
  /** Code of the error, as in `error.code`. */
  readonly errorType: string | null
  readonly startTimeMs?: number | null
  readonly endTimeMs?: number | null
  readonly errorMessage?: string | null
}

/** A row of `listActors`. */
export interface ActorState {
  readonly actorId: string
  readonly className: string
  readonly state: 'PENDING_CREATION' | 'ALIVE' | 'RESTARTING' | 'DEAD'
  readonly jobId: string
  readonly name: string
  readonly nodeId: string | null
  readonly pid: number | null
  readonly rayNamespace: string
  readonly requiredResources?: Readonly<Record<string, number>>
  readonly deathCause?: { readonly type: string; readonly message: string } | null
  readonly isDetached?: boolean
  readonly placementGroupId?: string | null
  readonly numRestarts?: number
}

/** A row of `listObjects`: an object, and one process that holds it. */
export interface ObjectState {
  readonly objectId: string
  /** Bytes; null while nobody knows. */
  readonly objectSize: number | null
  readonly taskStatus: 'FINISHED' | 'PENDING'
  readonly referenceType:
    | 'ACTOR_HANDLE'
    | 'PINNED_IN_MEMORY'
    | 'LOCAL_REFERENCE'
    | 'USED_BY_PENDING_TASK'
    | 'CAPTURED_IN_OBJECT'
  readonly type: 'DRIVER' | 'WORKER' | 'RAYLET'
  readonly pid: number | null
  readonly ownerId: string
  readonly ownerPid: number | null
  /** In the object store, and not in a message or the memory of its owner. */
  readonly isStored: boolean
}

/** A row of `listWorkers`; drivers are among them. */
export interface WorkerState {
  readonly workerId: string
  readonly isAlive: boolean
  readonly workerType: 'WORKER' | 'DRIVER'
  readonly exitType:
    | 'SYSTEM_ERROR'
    | 'INTENDED_SYSTEM_EXIT'
    | 'USER_ERROR'
    | 'INTENDED_USER_EXIT'
    | 'NODE_OUT_OF_MEMORY'
    | null
  readonly nodeId: string
  readonly pid: number
  readonly jobId: string
  readonly exitDetail?: string | null
  readonly startTimeMs?: number
  readonly endTimeMs?: number | null
}

/** A row of `listNodes`. */
export interface NodeRow {
  readonly nodeId: string
  readonly nodeIp: string
  readonly isHeadNode: boolean
  readonly state: 'ALIVE' | 'DEAD'
  readonly resourcesTotal: Readonly<Record<string, number>>
  readonly labels: Readonly<Record<string, string>>
  readonly resourcesAvailable?: Readonly<Record<string, number>>
}

/** A row of `listJobs`: a program that has joined. */
export interface JobState {
  readonly jobId: string
  readonly submissionId: string | null
  /** Its command line. */
  readonly entrypoint: string
  readonly type: 'DRIVER'
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED'
  readonly message: string
  readonly driverPid: number
  readonly namespace?: string
  readonly startTimeMs?: number
  readonly endTimeMs?: number | null
}

/** A row of `listPlacementGroups`. */
export interface PlacementGroupState {
  readonly placementGroupId: string
  readonly name: string
  readonly creatorJobId: string
  readonly state: string
  readonly bundles?: readonly {
    readonly index: number
    readonly resources: Readonly<Record<string, number>>
    readonly nodeId?: string
  }[]
  readonly isDetached?: boolean
  readonly strategy?: string
}

/** The row type of each list. */
export interface StateRows {
  readonly tasks: TaskState
  readonly actors: ActorState
  readonly objects: ObjectState
  readonly workers: WorkerState
  readonly nodes: NodeRow
  readonly jobs: JobState
  readonly placementGroups: PlacementGroupState
}
