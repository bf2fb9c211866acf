// The public API of the core, for users and for the libraries alike.

export { remote } from './remote.js'
export {
  cancel,
  type CancelOptions,
  free,
  get,
  type GetOptions,
  put,
  type PutOptions,
  wait,
  type WaitOptions,
} from './objects.js'
export { timeline, type TraceEvent } from './timeline.js'
export {
  actorId,
  exitActor,
  getActor,
  kill,
  type KillOptions,
  listNamedActors,
  type NamedActor,
} from './actors.js'
export { method } from './method.js'
export { init, isInitialized, Session, shutdown } from './session.js'
export type { InitOptions } from './init-options.js'
export {
  getCurrentPlacementGroup,
  getPlacementGroup,
  placementGroup,
  type PlacementGroupOptions,
  type PlacementGroupState,
  placementGroupTable,
  removePlacementGroup,
} from './placement-group.js'
export type { LoggingConfig, LoggingOptions } from './logging-options.js'
export { type Bundle, PlacementGroup, type PlacementStrategy } from '../worker/index.js'
export {
  availableResources,
  clusterResources,
  livingWorkers,
  nodes,
  type NodeState,
} from './cluster.js'
export {
  deregisterSerializer,
  inspectSerializability,
  registerSerializer,
  type SerializabilityProblem,
  type SerializabilityReport,
  type Serializer,
} from '../worker/index.js'
export { getGpuIds, getRuntimeContext, type RuntimeContext } from './runtime-context.js'
export type { ActorClass, ActorHandle, RemoteFunction, RemoteMethod } from './signatures.js'
export {
  ObjectRef,
  ObjectRefGenerator,
  type ActorOptions,
  type MethodDefaults,
  type MethodOptions,
  type RuntimeEnv,
  type TaskOptions,
} from '../worker/index.js'
export {
  ActorDiedError,
  ActorPlacementGroupRemovedError,
  ActorUnavailableError,
  ActorUnschedulableError,
  GetTimeoutError,
  LocalRayletDiedError,
  NodeDiedError,
  ObjectFetchTimedOutError,
  ObjectFreedError,
  ObjectLostError,
  ObjectReconstructionFailedError,
  ObjectReconstructionFailedLineageEvictedError,
  ObjectReconstructionFailedMaxAttemptsExceededError,
  ObjectStoreFullError,
  OutOfDiskError,
  OutOfMemoryError,
  OwnerDiedError,
  PendingCallsLimitExceededError,
  RayActorError,
  RayError,
  RaySystemError,
  RayTaskError,
  ReferenceCountingAssertionError,
  RuntimeEnvSetupError,
  SerializationError,
  SessionError,
  TaskCancelledError,
  TaskPlacementGroupRemovedError,
  TaskUnschedulableError,
  WorkerCrashedError,
} from '../base/errors.js'
export { abortWithCaller, meetProgramArrow, useBlockArrow } from '../worker/index.js'
export {
  type CreatedMemory,
  createSharedMemory,
  openSharedMemory,
  type SharedMemory,
} from './shared-memory.js'
