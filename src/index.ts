/**
 * The core: tasks, actors, objects and placement groups. `import * as ray from 'typeray'`.
 *
 * @module typeray
 */

export {
  ActorDiedError,
  ActorPlacementGroupRemovedError,
  ActorUnavailableError,
  ActorUnschedulableError,
  availableResources,
  cancel,
  clusterResources,
  exitActor,
  free,
  get,
  getActor,
  getGpuIds,
  getRuntimeContext,
  GetTimeoutError,
  init,
  isInitialized,
  kill,
  listNamedActors,
  LocalRayletDiedError,
  method,
  NodeDiedError,
  nodes,
  ObjectFetchTimedOutError,
  ObjectFreedError,
  ObjectLostError,
  ObjectReconstructionFailedError,
  ObjectReconstructionFailedLineageEvictedError,
  ObjectReconstructionFailedMaxAttemptsExceededError,
  ObjectRef,
  ObjectRefGenerator,
  ObjectStoreFullError,
  OutOfDiskError,
  OutOfMemoryError,
  OwnerDiedError,
  PendingCallsLimitExceededError,
  PlacementGroup,
  placementGroup,
  put,
  RayActorError,
  RayError,
  RaySystemError,
  RayTaskError,
  ReferenceCountingAssertionError,
  remote,
  removePlacementGroup,
  RuntimeEnvSetupError,
  SerializationError,
  Session,
  SessionError,
  shutdown,
  TaskCancelledError,
  TaskPlacementGroupRemovedError,
  TaskUnschedulableError,
  wait,
  WorkerCrashedError,
} from './ray/index.js'
export type {
  ActorClass,
  ActorHandle,
  ActorOptions,
  Bundle,
  CancelOptions,
  GetOptions,
  InitOptions,
  LoggingConfig,
  LoggingOptions,
  KillOptions,
  MethodDefaults,
  MethodOptions,
  NamedActor,
  NodeState,
  PlacementStrategy,
  RemoteFunction,
  RemoteMethod,
  RuntimeContext,
  RuntimeEnv,
  TaskOptions,
  WaitOptions,
} from './ray/index.js'

import { answerRequire, hasPreloads } from './base/one-copy.js'
import * as core from './ray/index.js'

if (hasPreloads()) {
  answerRequire(import.meta.url, core)
  answerRequire(new URL('./ray/index.js', import.meta.url).href, core)
}
