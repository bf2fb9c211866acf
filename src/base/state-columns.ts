// The columns of lists: those that are always shown, and those for who looks closely.

interface Columns {
  readonly usual: readonly string[]
  readonly detail: readonly string[]
}

export const stateColumns = {
  tasks: {
    usual: [
      'taskId',
      'attemptNumber',
      'name',
      'state',
      'jobId',
      'actorId',
      'type',
      'funcOrClassName',
      'parentTaskId',
      'nodeId',
      'workerId',
      'workerPid',
      'errorType',
    ],
    detail: ['startTimeMs', 'endTimeMs', 'errorMessage'],
  },
  actors: {
    usual: ['actorId', 'className', 'state', 'jobId', 'name', 'nodeId', 'pid', 'rayNamespace'],
    detail: ['requiredResources', 'deathCause', 'isDetached', 'placementGroupId', 'numRestarts'],
  },
  objects: {
    usual: [
      'objectId',
      'objectSize',
      'taskStatus',
      'referenceType',
      'type',
      'pid',
      'ownerId',
      'ownerPid',
      'isStored',
    ],
    detail: [],
  },
  workers: {
    usual: ['workerId', 'isAlive', 'workerType', 'exitType', 'nodeId', 'pid', 'jobId'],
    detail: ['exitDetail', 'startTimeMs', 'endTimeMs'],
  },
  nodes: {
    usual: ['nodeId', 'nodeIp', 'isHeadNode', 'state', 'resourcesTotal', 'labels'],
    detail: ['resourcesAvailable'],
  },
  jobs: {
    usual: ['jobId', 'submissionId', 'entrypoint', 'type', 'status', 'message', 'driverPid'],
    detail: ['namespace', 'startTimeMs', 'endTimeMs'],
  },
  placementGroups: {
    usual: ['placementGroupId', 'name', 'creatorJobId', 'state'],
    detail: ['bundles', 'isDetached', 'strategy'],
  },
} as const satisfies Record<string, Columns>
