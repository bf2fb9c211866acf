// The part of the worker layer that the public API is made of.

export {
  type ActorBinding,
  ActorCore,
  actorOf,
  type AnyActorHandle,
  bindingOf,
  installActorDispose,
  makeHandle,
} from './actor-handle.js'
export { attachmentBrand, registerAttachment } from './attachment.js'
export {
  type ActorConfig,
  type ActorOptions,
  compileActorOptions,
  compileTaskOptions,
  type SchedulingChoice,
  type TaskOptions,
} from './call-options.js'
export { abortWithCaller } from './caller-watch.js'
export { exitActor } from './exit-actor.js'
export { methodDecorator, withMarks } from './method-decorator.js'
export { type MethodDefaults, type MethodOptions } from './method-options.js'
export { CoreWorker, type MessageSink } from './core-worker.js'
export { currentCore, installCore, requireCore } from './current-core.js'
export { installRefActions, installRelease, ObjectRef, refState, settleRef } from './object-ref.js'
export { type Bundle, PlacementGroup, type PlacementStrategy } from './placement-group.js'
export { hostedActor } from './hosted-actor.js'
export { ObjectRefGenerator } from './ref-generator.js'
export { RemoteClass } from './remote-class.js'
export { RemoteCode, RemoteFunction } from './remote-function.js'
export { currentTask } from './task-context.js'
export { compileRuntimeEnv, type RuntimeEnv, type RuntimeEnvConfig } from './runtime-env.js'
export { deregisterSerializer, registerSerializer, type Serializer } from './serializers.js'
export {
  inspectSerializability,
  type SerializabilityProblem,
  type SerializabilityReport,
} from './serializability.js'
export { packFolder, sendPackage } from './working-dir.js'
export { labelProblem } from '../scheduling/label-policy.js'
export { gpuIdsOf } from './visible-gpus.js'
export { methodNames } from './actor-class.js'
export { createMemory, mapShared } from '../store/index.js'
export { useBlockArrow } from '../wire/value-codec.js'
export { meetProgramArrow } from './program-arrow.js'
export type { ActorSpec, PlacementGroupRow } from '../wire/messages/raylet.js'
export { silencingVariable } from './unseen-error-monitor.js'
export type { WorkerEnvironment } from '../wire/messages/terms.js'
export {
  type JobLogging,
  jsonLine,
  type LineFacts,
  type LogAttribute,
  logAttributes,
  loggingVariable,
  type LogLevel,
  logLevels,
  usualLogging,
} from '../wire/logging.js'
