// What must hold in the table of actors.

import { assert } from '../base/assert.js'
import type { Grave } from './actor-storage.js'
import { type ActorRecord, nameKey } from './actor-record.js'
import type { BoundedMap } from './bounded-map.js'
import type { EarlyActors } from './early-actors.js'

export interface ActorTables {
  readonly live: ReadonlyMap<string, ActorRecord>
  readonly dead: BoundedMap<string, Grave>
  readonly early: EarlyActors
  readonly named: ReadonlyMap<string, ActorRecord>
  readonly unplaced: ReadonlySet<ActorRecord>
}

export function validateActors(tables: ActorTables): void {
  const { live, named, unplaced } = tables
  for (const [key, record] of live) {
    assert(record.key === key, 'an actor is found under its own key')
    validateActor(tables, record)
  }
  for (const record of named.values()) {
    assert(live.get(record.key) === record, 'a name belongs to a live actor')
  }
  assert(unplaced.size <= live.size, 'only live actors wait for a node')
}

function validateActor({ dead, early, named, unplaced }: ActorTables, record: ActorRecord): void {
  const { key, phase, state } = record
  assert(!dead.has(key), 'an actor is not both alive and dead')
  assert(!early.has(key), 'what came early has been handed to the actor')
  assert((state === 'ALIVE') === (phase === 'alive'), 'ALIVE means that the constructor is done')
  assert((record.nodeId === undefined) === (phase === 'unplaced'), 'a placed actor has a node')
  assert(phase === 'unplaced' || record.attempt > 0, 'a placed actor was asked for')
  const hasWorker = phase === 'starting' || phase === 'alive'
  assert((record.worker !== undefined) === hasWorker, 'a running actor has a worker')
  assert(unplaced.has(record) === (phase === 'unplaced'), 'unplaced actors are listed')
  assert(state !== 'RESTARTING' || record.incarnation > 0, 'a restart has a number')
  const { maxRestarts, name, namespace } = record.spec
  assert(maxRestarts === -1 || record.incarnation <= maxRestarts, 'restarts are counted')
  const isNamed = named.get(nameKey(namespace, name)) === record
  assert(isNamed === (name !== '' && record.ending === undefined), 'a live actor has its name')
  assert(record.ending === undefined || phase !== 'unplaced', 'a drained actor has a node')
}
