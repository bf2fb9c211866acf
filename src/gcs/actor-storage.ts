// An actor as a row of storage, and back. Who subscribes is not stored: raylets say it again.

import type { ActorSpec } from '../wire/messages/raylet.js'
import type { StateRow } from '../wire/messages/state.js'
import type { Death } from './actor-death.js'
import { type ActorRecord, keyOf, shapeOf } from './actor-record.js'

/** A dead actor. */
export interface Grave {
  readonly key: string
  readonly order: number
  readonly state: Death
  /** As it is listed. */
  readonly row: StateRow | undefined
}

type Kept =
  | 'order'
  | 'jobId'
  | 'ownerNode'
  | 'state'
  | 'phase'
  | 'incarnation'
  | 'attempt'
  | 'nodeId'
  | 'worker'
  | 'ending'
  | 'killReason'
  | 'lastExit'

export type StoredActor =
  | ({ readonly kind: 'live'; readonly spec: ActorSpec } & Readonly<Pick<ActorRecord, Kept>>)
  | ({ readonly kind: 'dead' } & Grave)

export function storedActor(actor: ActorRecord | Grave | undefined): StoredActor | undefined {
  if (actor === undefined) return undefined
  if (!('spec' in actor)) return { kind: 'dead', ...actor }
  const { spec, order, jobId, ownerNode, state, phase, incarnation, attempt } = actor
  const { nodeId, worker, ending, killReason, lastExit } = actor
  const place = { nodeId, worker, ending, killReason, lastExit }
  const run = { state, phase, incarnation, attempt }
  return { kind: 'live', spec, order, jobId, ownerNode, ...run, ...place }
}

export function actorOf(row: StoredActor & { readonly kind: 'live' }): ActorRecord {
  const { kind: _kind, ...kept } = row
  const key = keyOf(row.spec.actor)
  const shape = shapeOf(row.spec)
  const nobody = { lacks: undefined, refusedBy: new Set<string>(), subscribers: new Map() }
  return { ...kept, key, shape, ...nobody }
}

export function graveOf({
  key,
  order,
  state,
  row,
}: StoredActor & { readonly kind: 'dead' }): Grave {
  return { key, order, state, row }
}
