// All errors that a user of Typeray can meet, in one table.
//
// Names are Ray's (python/ray/exceptions.py) with an `Error` suffix where Ray lacks one. An
// operating error is a `RayError`: it has a stable `code`, `fields` with ids, a message that says
// what happened, to which id and what to do, and the original as its `cause`. What the user's
// function threw is always the `cause` of a `RayTaskError`.
//
// `instanceof` must survive two copies of the module (a bundle beside node_modules) and the trip
// through a socket, so classes are recognised by a brand in the global symbol registry and not by
// identity.

const brand = Symbol.for('typeray.error')

export type ErrorFields = Readonly<Record<string, unknown>>

export interface RayErrorOptions {
  readonly fields?: ErrorFields
  readonly cause?: unknown
}

/** Root of every error that Typeray raises about the system; catch it to catch them all. */
export class RayError extends Error {
  static readonly code: string = 'RAY_ERROR'
  /** Stable name of the kind of error, such as RAY_GET_TIMEOUT. */
  readonly code: string
  /** Ids and facts by name: which task, actor or object it was. */
  readonly fields: ErrorFields

  constructor(message: string, options: RayErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    const type = new.target as typeof RayError
    this.code = type.code
    this.fields = options.fields ?? {}
    Object.defineProperty(this, 'name', {
      value: errorName(type),
      configurable: true,
      writable: true,
    })
  }

  get [brand](): readonly string[] {
    return codesOf(this.constructor as typeof RayError)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false
    try {
      const codes = (value as Record<symbol, unknown>)[brand]
      return Array.isArray(codes) && codes.includes(this.code)
    } catch {
      // A proxy, or a getter, that throws: whatever it is, it is none of ours.
      return false
    }
  }
}

const names = new WeakMap<object, string>()
const chains = new WeakMap<object, readonly string[]>()

function errorName(type: typeof RayError): string {
  return names.get(type) ?? type.name
}

function codesOf(type: typeof RayError): readonly string[] {
  let codes = chains.get(type)
  if (codes === undefined) {
    const found: string[] = []
    for (
      let t: unknown = type;
      typeof t === 'function' && 'code' in t;
      t = Object.getPrototypeOf(t)
    ) {
      if (Object.hasOwn(t, 'code')) found.push(String(t.code))
    }
    codes = found
    chains.set(type, codes)
  }
  return codes
}

/**
 * User code threw. `cause` is what it threw; the message contains its name and message, the stack
 * both sides.
 */
export class RayTaskError extends RayError {
  static override readonly code: string = 'RAY_TASK_ERROR'
}
/** The task was cancelled, by `ray.cancel` or by an aborted `signal`. */
export class TaskCancelledError extends RayError {
  static override readonly code: string = 'RAY_TASK_CANCELLED'
}
/** No node of the cluster can ever run the task. */
export class TaskUnschedulableError extends RayError {
  static override readonly code: string = 'RAY_TASK_UNSCHEDULABLE'
}
/** No node of the cluster can ever host the actor. */
export class ActorUnschedulableError extends RayError {
  static override readonly code: string = 'RAY_ACTOR_UNSCHEDULABLE'
}
/** The worker process that ran the task died. Fields: exitCode, signal, stderr. */
export class WorkerCrashedError extends RayError {
  static override readonly code: string = 'RAY_WORKER_CRASHED'
}
/** The raylet of this process's node died; the session is over. */
export class LocalRayletDiedError extends RayError {
  static override readonly code: string = 'RAY_LOCAL_RAYLET_DIED'
}
/** The node that ran the task died. */
export class NodeDiedError extends RayError {
  static override readonly code: string = 'RAY_NODE_DIED'
}
/** A worker ran out of memory: its heap was exhausted, or the memory monitor ended it. */
export class OutOfMemoryError extends RayError {
  static override readonly code: string = 'RAY_OUT_OF_MEMORY'
}
/** The disk under the spill folder is full. */
export class OutOfDiskError extends RayError {
  static override readonly code: string = 'RAY_OUT_OF_DISK'
}
/** The object does not fit in the object store, nor on disk. */
export class ObjectStoreFullError extends RayError {
  static override readonly code: string = 'RAY_OBJECT_STORE_FULL'
}
/** An actor could not answer. */
export class RayActorError extends RayError {
  static override readonly code: string = 'RAY_ACTOR_ERROR'
}
/** The actor is dead for good; `cause` is the creation error if its constructor threw. */
export class ActorDiedError extends RayActorError {
  static override readonly code: string = 'RAY_ACTOR_DIED'
}
/** The actor is restarting; the call may or may not have run. */
export class ActorUnavailableError extends RayActorError {
  static override readonly code: string = 'RAY_ACTOR_UNAVAILABLE'
}
/** The actor has `maxPendingCalls` calls waiting. */
export class PendingCallsLimitExceededError extends RayError {
  static override readonly code: string = 'RAY_PENDING_CALLS_LIMIT'
}
/** Every copy of the object is lost. */
export class ObjectLostError extends RayError {
  static override readonly code: string = 'RAY_OBJECT_LOST'
}
/** The object could not be fetched in time. */
export class ObjectFetchTimedOutError extends ObjectLostError {
  static override readonly code: string = 'RAY_OBJECT_FETCH_TIMED_OUT'
}
/** The process that owned the object died before the object was ready. */
export class OwnerDiedError extends ObjectLostError {
  static override readonly code: string = 'RAY_OWNER_DIED'
}
/** The object was freed by `ray.free` or `ref.free()`. */
export class ObjectFreedError extends ObjectLostError {
  static override readonly code: string = 'RAY_OBJECT_FREED'
}
/** The object was released while a ref to it was still held somewhere. */
export class ReferenceCountingAssertionError extends ObjectLostError {
  static override readonly code: string = 'RAY_REFERENCE_COUNTING'
}
/** The lost object could not be computed again. */
export class ObjectReconstructionFailedError extends ObjectLostError {
  static override readonly code: string = 'RAY_RECONSTRUCTION_FAILED'
}
const ReconstructionFailed = ObjectReconstructionFailedError

/** The lost object was computed again as often as `maxRetries` allows. */
export class ObjectReconstructionFailedMaxAttemptsExceededError extends ReconstructionFailed {
  static override readonly code: string = 'RAY_RECONSTRUCTION_MAX_ATTEMPTS'
}
/** The lineage of the lost object is gone. */
export class ObjectReconstructionFailedLineageEvictedError extends ObjectReconstructionFailedError {
  static override readonly code: string = 'RAY_RECONSTRUCTION_LINEAGE_EVICTED'
}
/** `get` or `wait` did not finish within `timeoutMs`. */
export class GetTimeoutError extends RayError {
  static override readonly code: string = 'RAY_GET_TIMEOUT'
}
/** The environment of a worker could not be prepared. */
export class RuntimeEnvSetupError extends RayError {
  static override readonly code: string = 'RAY_RUNTIME_ENV_SETUP'
}
/** The placement group of the task was removed. */
export class TaskPlacementGroupRemovedError extends RayError {
  static override readonly code: string = 'RAY_TASK_PLACEMENT_GROUP_REMOVED'
}
/** The placement group of the actor was removed, and the actor ended with it. */
export class ActorPlacementGroupRemovedError extends ActorDiedError {
  static override readonly code: string = 'RAY_ACTOR_PLACEMENT_GROUP_REMOVED'
}
/** A value or function cannot travel; the message names its path. */
export class SerializationError extends RayError {
  static override readonly code: string = 'RAY_SERIALIZATION'
}
/** A session is needed and there is none, or there is one and must not be. */
export class SessionError extends RayError {
  static override readonly code: string = 'RAY_SESSION'
}
/** A message between processes of Typeray failed. Users see one of the others. */
export class RpcError extends RayError {
  static override readonly code: string = 'RAY_RPC'
}
/** Something happened that should be impossible. Please report it. */
export class RaySystemError extends RayError {
  static override readonly code: string = 'RAY_SYSTEM'
}

/** Every class above by its code: the wire codec, the docs and the tests read this table. */
export const errorTypes: ReadonlyMap<string, typeof RayError> = new Map(
  Object.entries({
    RayError,
    RayTaskError,
    TaskCancelledError,
    TaskUnschedulableError,
    ActorUnschedulableError,
    WorkerCrashedError,
    LocalRayletDiedError,
    NodeDiedError,
    OutOfMemoryError,
    OutOfDiskError,
    ObjectStoreFullError,
    RayActorError,
    ActorDiedError,
    ActorUnavailableError,
    PendingCallsLimitExceededError,
    ObjectLostError,
    ObjectFetchTimedOutError,
    OwnerDiedError,
    ObjectFreedError,
    ReferenceCountingAssertionError,
    ObjectReconstructionFailedError,
    ObjectReconstructionFailedMaxAttemptsExceededError,
    ObjectReconstructionFailedLineageEvictedError,
    GetTimeoutError,
    RuntimeEnvSetupError,
    TaskPlacementGroupRemovedError,
    ActorPlacementGroupRemovedError,
    SerializationError,
    SessionError,
    RpcError,
    RaySystemError,
  }).map(([name, type]) => {
    names.set(type, name)
    return [type.code, type]
  }),
)
