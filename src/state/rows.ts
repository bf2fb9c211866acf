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
  /** Id of the task; that of its first ref. */
  readonly taskId: string
  /** 0, then one more for every retry. */
  readonly attemptNumber: number
  /** What it is called. */
  readonly name: string
  /** Where it is in its life. */
  readonly state: TaskStateName
  /** Null while the task is under way. */
  readonly jobId: string | null
  /** The actor, if it belongs to one. */
  readonly actorId: string | null
  /** What kind it is. */
  readonly type: 'NORMAL_TASK' | 'ACTOR_TASK' | 'ACTOR_CREATION_TASK'
  /** Function or method. */
  readonly funcOrClassName: string
  /** Known while the task is under way. */
  readonly parentTaskId: string | null
  /** Id of the node. */
  readonly nodeId: string | null
  /** Id of the worker. */
  readonly workerId: string | null
  /** Process id of the worker. */
  readonly workerPid: number | null
  /** Code of the error, as in `error.code`. */
  readonly errorType: string | null
  /** When it began, in ms since 1970. */
  readonly startTimeMs?: number | null
  /** When it ended, in ms since 1970. */
  readonly endTimeMs?: number | null
  /** The error in words. */
  readonly errorMessage?: string | null
}

/** A row of `listActors`. */
export interface ActorState {
  /** The actor, if it belongs to one. */
  readonly actorId: string
  /** Name of the class. */
  readonly className: string
  /** Where it is in its life. */
  readonly state: 'PENDING_CREATION' | 'ALIVE' | 'RESTARTING' | 'DEAD'
  /** The job of its driver. */
  readonly jobId: string
  /** What it is called. */
  readonly name: string
  /** Id of the node. */
  readonly nodeId: string | null
  /** Process id. */
  readonly pid: number | null
  /** Where its name counts. */
  readonly rayNamespace: string
  /** What it holds while it runs. */
  readonly requiredResources?: Readonly<Record<string, number>>
  /** Why it is dead. */
  readonly deathCause?: { readonly type: string; readonly message: string } | null
  /** It outlives its creator. */
  readonly isDetached?: boolean
  /** Id of the placement group. */
  readonly placementGroupId?: string | null
  /** How often it was started again. */
  readonly numRestarts?: number
}

/** A row of `listObjects`: an object, and one process that holds it. */
export interface ObjectState {
  /** Id of the object. */
  readonly objectId: string
  /** Bytes; null while nobody knows. */
  readonly objectSize: number | null
  /** Whether its value is there. */
  readonly taskStatus: 'FINISHED' | 'PENDING'
  /** Why it is held. */
  readonly referenceType:
    | 'ACTOR_HANDLE'
    | 'PINNED_IN_MEMORY'
    | 'LOCAL_REFERENCE'
    | 'USED_BY_PENDING_TASK'
    | 'CAPTURED_IN_OBJECT'
  /** What kind it is. */
  readonly type: 'DRIVER' | 'WORKER' | 'RAYLET'
  /** Process id. */
  readonly pid: number | null
  /** The process that made it. */
  readonly ownerId: string
  /** Process id of the owner; null when it is gone. */
  readonly ownerPid: number | null
  /** In the object store, and not in a message or the memory of its owner. */
  readonly isStored: boolean
}

/** A row of `listWorkers`; drivers are among them. */
export interface WorkerState {
  /** Id of the worker. */
  readonly workerId: string
  /** Its process is there. */
  readonly isAlive: boolean
  /** Worker or driver. */
  readonly workerType: 'WORKER' | 'DRIVER'
  /** How it ended. */
  readonly exitType:
    | 'SYSTEM_ERROR'
    | 'INTENDED_SYSTEM_EXIT'
    | 'USER_ERROR'
    | 'INTENDED_USER_EXIT'
    | 'NODE_OUT_OF_MEMORY'
    | null
  /** Id of the node. */
  readonly nodeId: string
  /** Process id. */
  readonly pid: number
  /** The job of its driver. */
  readonly jobId: string
  /** How it ended, in words. */
  readonly exitDetail?: string | null
  /** When it began, in ms since 1970. */
  readonly startTimeMs?: number
  /** When it ended, in ms since 1970. */
  readonly endTimeMs?: number | null
}

/** A row of `listNodes`. */
export interface NodeRow {
  /** Id of the node. */
  readonly nodeId: string
  /** Address of the machine. */
  readonly nodeIp: string
  /** It has the GCS. */
  readonly isHeadNode: boolean
  /** Where it is in its life. */
  readonly state: 'ALIVE' | 'DEAD'
  /** All that it has, by name. */
  readonly resourcesTotal: Readonly<Record<string, number>>
  /** What tasks may choose it by. */
  readonly labels: Readonly<Record<string, string>>
  /** What is free, by name. */
  readonly resourcesAvailable?: Readonly<Record<string, number>>
}

/** A row of `listJobs`: a program that has joined. */
export interface JobState {
  /** The job of its driver. */
  readonly jobId: string
  /** Of a job that was submitted; null for a program that has joined by itself. */
  readonly submissionId: string | null
  /** Its command line. */
  readonly entrypoint: string
  /** What kind it is. */
  readonly type: 'DRIVER'
  /** Whether it runs, or how it ended. */
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED'
  /** More about that. */
  readonly message: string
  /** Process id of the program. */
  readonly driverPid: number
  /** Where its named actors live. */
  readonly namespace?: string
  /** When it began, in ms since 1970. */
  readonly startTimeMs?: number
  /** When it ended, in ms since 1970. */
  readonly endTimeMs?: number | null
}

/** A row of `listPlacementGroups`. */
export interface PlacementGroupState {
  /** Id of the placement group. */
  readonly placementGroupId: string
  /** What it is called. */
  readonly name: string
  /** The job that made it. */
  readonly creatorJobId: string
  /** Where it is in its life. */
  readonly state: string
  /** What it has reserved, and where. */
  readonly bundles?: readonly {
    readonly index: number
    readonly resources: Readonly<Record<string, number>>
    readonly nodeId?: string
  }[]
  /** It outlives its creator. */
  readonly isDetached?: boolean
  /** How its bundles are spread. */
  readonly strategy?: string
}

/** The row type of each list. */
export interface StateRows {
  /** Of `listTasks`. */
  readonly tasks: TaskState
  /** Of `listActors`. */
  readonly actors: ActorState
  /** Of `listObjects`. */
  readonly objects: ObjectState
  /** Of `listWorkers`. */
  readonly workers: WorkerState
  /** Of `listNodes`. */
  readonly nodes: NodeRow
  /** Of `listJobs`. */
  readonly jobs: JobState
  /** Of `listPlacementGroups`. */
  readonly placementGroups: PlacementGroupState
}
