// One live actor as the GCS knows it, and what others are told of it.

import { assert } from '../base/assert.js'
import type { ProcessId } from '../base/ids.js'
import type { ObjectKey, ProcessExit, WireError } from '../wire/messages/terms.js'
import type { ToGcs } from '../wire/messages/gcs.js'
import type { ActorSpec, ActorState } from '../wire/messages/raylet.js'
import { actorIdHex } from './actor-death.js'
import type { Death } from './actor-death.js'

export interface ActorRecord {
  readonly key: string
  /** Grows from one creation to the next. */
  readonly order: number
  readonly spec: ActorSpec
  /** Equal for actors that ask for the same place. */
  readonly shape: string
  readonly jobId: string
  /** Node of the process that created it; when it dies, so did the owner. */
  readonly ownerNode: string
  state: 'PENDING_CREATION' | 'ALIVE' | 'RESTARTING'
  phase: 'unplaced' | 'placing' | 'starting' | 'alive'
  /** Restarts so far, and the number of the current run. */
  incarnation: number
  /** Requests to place it so far, and the number of the current one. */
  attempt: number
  /** Set from `placing` on. */
  nodeId: string | undefined
  /** Set from `starting` on. */
  worker: { readonly process: ProcessId; readonly address: string } | undefined
  /** Set while it drains: what will be said when its worker is gone. */
  ending: Death | undefined
  /** Reason of a kill that allows a restart. Cleared by the restart. */
  killReason: string | undefined
  /** How the incarnation before this one ended. */
  lastExit: ProcessExit | undefined
  /** What no node has that it needs; undefined while some node could host it. */
  lacks: string | undefined
  /** Nodes that said no to this actor since they last reported. */
  readonly refusedBy: Set<string>
  /**
   * Processes that are told of every change, with their nodes. Removed when the process or its node
   * dies.
   */
  readonly subscribers: Map<ProcessId, string>
}

export interface Audience {
  readonly actor: ObjectKey
  readonly subscribers: ReadonlyMap<ProcessId, string>
}

export const keyOf = (actor: ObjectKey): string => `${actor[0]}/${actor[1]}`

export function objectKeyOf(key: string): ObjectKey {
  const [owner, sequence] = key.split('/')
  return [Number(owner), Number(sequence)]
}

/** A newline cannot be confused: the namespace comes first with its length. */
export function nameKey(namespace: string, name: string): string {
  return `${namespace.length}/${namespace}/${name}`
}

export function nameTaken(spec: ActorSpec): WireError {
  const { name, namespace } = spec
  return {
    code: 'RAY_ACTOR_DIED',
    message:
      `The name ${name} (namespace=${namespace}) is already taken. Choose another name, get the ` +
      `actor that has it with ray.getActor, or pass getIfExists: true.`,
    fields: { cause: 'nameTaken', name, namespace, actorId: actorIdHex(spec.actor) },
  }
}

export function newRecord(
  key: string,
  event: ToGcs & { readonly kind: 'createActor' },
  order: number,
): ActorRecord {
  return {
    key,
    order,
    spec: event.spec,
    shape: shapeOf(event.spec),
    jobId: event.jobId,
    ownerNode: event.nodeId,
    state: 'PENDING_CREATION',
    phase: 'unplaced',
    incarnation: 0,
    attempt: 0,
    nodeId: undefined,
    worker: undefined,
    ending: undefined,
    killReason: undefined,
    lastExit: undefined,
    lacks: undefined,
    refusedBy: new Set(),
    subscribers: new Map(),
  }
}

export function shapeOf({ placement, resources, strategy }: ActorSpec): string {
  return JSON.stringify([placement, resources, strategy])
}

export function publicState(record: ActorRecord): ActorState {
  const { state, incarnation, lastExit, worker, nodeId } = record
  if (state === 'PENDING_CREATION') return { state: 'pending' }
  if (state === 'RESTARTING') {
    const restarting = { state: 'restarting' as const, incarnation }
    return lastExit === undefined ? restarting : { ...restarting, exit: lastExit }
  }
  assert(worker !== undefined, 'a live actor has a worker')
  assert(nodeId !== undefined, 'a live actor has a node')
  return {
    state: 'alive',
    worker: worker.process,
    address: worker.address,
    nodeId,
    incarnation,
  }
}

export function audienceOf(record: ActorRecord): Audience {
  return { actor: record.spec.actor, subscribers: record.subscribers }
}

export function dropNode(subscribers: Map<ProcessId, string>, nodeId: string): void {
  for (const [process, node] of subscribers) if (node === nodeId) subscribers.delete(process)
}
