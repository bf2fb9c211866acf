// The life of every actor, from its creation to its last words.
//
//   PENDING_CREATION --> ALIVE --> DEAD
//        |    |           | ^        ^
//        |    +-----------|-|--------+
//        +------------> RESTARTING --+
//
// Within a state that is not ALIVE an actor has no node yet (`unplaced`), has been sent to one
// (`placing`), or its constructor runs there (`starting`). Every run of the constructor has a
// number, the incarnation. An attempt to place it that a node refuses begins no new incarnation; a
// worker or node that dies under it does. Attempts have numbers of their own: a node that was away
// is asked again with the same number, and gives the same answer. What is heard about another
// attempt than the current one is old news and is dropped.
//
// An owner's death, the end of the job and `ray.kill` end an actor at once. An actor that went out
// of scope is drained: it finishes the calls it has and is only then said to be dead, but its name
// is free from the beginning.
//
// Handles travel on other sockets than the creation, so another process may subscribe to, or kill,
// an actor that is not known here yet. That is kept until the creation comes, or the death of the
// owner says that it never will.
//
// Invariants, checked by validate(): see there.

import { assert } from '../base/assert.js'
import { deadActorsMax, deadProcessesMax } from '../base/limits.js'
import type { ProcessId } from '../base/ids.js'
import { type ObjectKey, setupReason, type WireError } from '../wire/messages/terms.js'
import type { ActorSpec, ActorState } from '../wire/messages/raylet.js'
import type { StateRow } from '../wire/messages/state.js'
import * as death from './actor-death.js'
import type { Death } from './actor-death.js'
import type { ActorPlacement } from './actor-placement.js'
import {
  audienceOf,
  dropNode,
  keyOf,
  nameKey,
  nameTaken,
  newRecord,
  publicState,
} from './actor-record.js'
import type { ActorRecord, Audience } from './actor-record.js'
import { actorRow } from './actor-rows.js'
import type { ActorEvent, EventOf } from './actor-event.js'
import { actorOf, type Grave, graveOf, type StoredActor, storedActor } from './actor-storage.js'
import { validateActors } from './actor-validation.js'
import { BoundedMap } from './bounded-map.js'
import { ChangedRows } from './changed-rows.js'
import { EarlyActors } from './early-actors.js'
import { send } from './effect.js'
import type { Send } from './effect.js'
import type { StorageChange } from './storage/gcs-storage.js'

export type { ActorEvent } from './actor-event.js'

export class ActorTable {
  readonly #placement: ActorPlacement
  readonly #live = new Map<string, ActorRecord>()
  readonly #dead = new BoundedMap<string, Grave>(deadActorsMax)
  readonly #changed = new ChangedRows('actors')
  /** Actors that came and went so far: rows are loaded in this order. */
  #count = 0
  /** Actors in `unplaced`, in the order in which they came to it. */
  readonly #unplaced = new Set<ActorRecord>()
  /** By namespace and name. A dead or draining actor has none. */
  readonly #named = new Map<string, ActorRecord>()
  readonly #early = new EarlyActors()
  readonly #deadProcesses = new BoundedMap<ProcessId, true>(deadProcessesMax)
  readonly #finishedJobs = new BoundedMap<string, true>(deadProcessesMax)
  /** Actors that died since `takeEnded` was called. */
  #ended: ObjectKey[] = []

  constructor(placement: ActorPlacement) {
    this.#placement = placement
  }

  handle(event: ActorEvent): Send[] {
    const effects: Send[] = []
    switch (event.kind) {
      case 'createActor':
        this.#create(event, effects)
        break
      case 'subscribeActor':
        this.#subscribe(event, effects)
        break
      case 'killActor':
        this.#kill(event, effects)
        break
      case 'actorOutOfScope':
        this.#outOfScope(event.actor, effects)
        break
      case 'actorPlaced':
        this.#placed(event, effects)
        break
      case 'actorNotPlaced':
        this.#notPlaced(event, effects)
        break
      case 'actorStarted':
        this.#started(event, effects)
        break
      case 'actorWorkerDied':
        this.#workerDied(event, effects)
        break
      case 'nodeHolds':
        this.#nodeHolds(event, effects)
        break
      case 'viewChanged':
        this.#viewChanged(event.nodeId, effects)
        break
      case 'groupChanged':
        this.#groupChanged(event, effects)
        break
      case 'nodeDied':
        this.#nodeDied(event.nodeId, effects)
        break
      case 'processDied':
        this.#processDied(event.process, effects)
        break
      case 'jobFinished':
        this.#jobFinished(event.jobId, effects)
        break
    }
    return effects
  }

  byName(namespace: string, name: string): ActorSpec | undefined {
    return this.#named.get(nameKey(namespace, name))?.spec
  }

  /** Names of living actors, of one namespace or of all. */
  names(namespace?: string): { readonly name: string; readonly namespace: string }[] {
    return [...this.#named.values()]
      .map(({ spec }) => ({ name: spec.name, namespace: spec.namespace }))
      .filter((each) => namespace === undefined || each.namespace === namespace)
  }

  /** The state that a subscriber would be told; undefined for an actor that is not known. */
  stateOf(actor: ObjectKey): ActorState | undefined {
    const key = keyOf(actor)
    const record = this.#live.get(key)
    return record === undefined ? this.#dead.get(key)?.state : publicState(record)
  }

  /** The living, then the dead. */
  stateRows(): StateRow[] {
    const living = [...this.#live.values()].map((record) => actorRow(record))
    const dead = [...this.#dead.values()].flatMap(({ row }) => (row === undefined ? [] : [row]))
    return [...living, ...dead]
  }

  /** Begins with what an earlier GCS has stored. The nodes and groups are loaded already. */
  load(rows: readonly StoredActor[], finishedJobs: readonly string[]): void {
    for (const jobId of finishedJobs) this.#finishedJobs.set(jobId, true)
    for (const row of [...rows].sort((a, b) => a.order - b.order)) {
      this.#count = Math.max(this.#count, row.order)
      if (row.kind === 'dead') {
        this.#dead.set(row.key, graveOf(row))
        continue
      }
      const record = actorOf(row)
      const { spec, nodeId } = record
      this.#live.set(record.key, record)
      if (record.phase === 'unplaced') this.#unplaced.add(record)
      if (record.phase === 'placing' && nodeId !== undefined) this.#placement.asked(spec, nodeId)
      const isNamed = spec.name !== '' && record.ending === undefined
      if (isNamed) this.#named.set(nameKey(spec.namespace, spec.name), record)
    }
  }

  /** What is to be stored since the last call. */
  takeChanges(): StorageChange[] {
    return this.#changed.take((key) => storedActor(this.#live.get(key) ?? this.#dead.get(key)))
  }

  forgetChanges(): void {
    this.#changed.forget()
  }

  /** The actors that have died since the last call: what belongs to them ends too. */
  takeEnded(): readonly ObjectKey[] {
    const ended = this.#ended
    if (ended.length > 0) this.#ended = []
    return ended
  }

  /** Those that are not dead. */
  get living(): Iterable<ActorRecord> {
    return this.#live.values()
  }

  /** Those that have no node, the first to come first. */
  get unplaced(): ReadonlySet<ActorRecord> {
    return this.#unplaced
  }

  validate(): void {
    validateActors({
      live: this.#live,
      dead: this.#dead,
      early: this.#early,
      named: this.#named,
      unplaced: this.#unplaced,
    })
  }

  #create(event: EventOf<'createActor'>, effects: Send[]): void {
    const { spec, nodeId, from, request, jobId } = event
    const key = keyOf(spec.actor)
    const answer = (more: { existing?: ActorSpec; error?: WireError }): void => {
      effects.push(send(nodeId, { kind: 'actorRegistered', to: from, request, ...more }))
    }
    const holder = spec.name === '' ? undefined : this.byName(spec.namespace, spec.name)
    const refusal =
      holder !== undefined && spec.getIfExists ? { existing: holder } : { error: nameTaken(spec) }
    const grave = this.#dead.get(key)
    if (this.#live.has(key) || grave !== undefined) {
      // The answer to the first creation may have been lost with an earlier GCS.
      answer(grave?.state.cause === 'nameTaken' ? refusal : {})
      return
    }
    if (holder !== undefined) {
      answer(refusal)
      // Whoever got a handle before the answer came must not wait for ever.
      const state = death.nameTaken(spec, holder.actor)
      this.#bury(key, state)
      const { subscribers } = this.#early.of(key)
      this.#early.take(key)
      this.#tell({ actor: spec.actor, subscribers }, state, effects)
      return
    }
    answer({})
    const record = newRecord(key, event, ++this.#count)
    this.#changed.mark(key)
    const early = this.#early.take(key)
    for (const [process, node] of early?.subscribers ?? []) record.subscribers.set(process, node)
    this.#live.set(key, record)
    this.#unplaced.add(record)
    if (spec.name !== '') this.#named.set(nameKey(spec.namespace, spec.name), record)
    this.#publish(record, effects)
    if (this.#finishedJobs.has(jobId) && !spec.detached) {
      this.#end(record, death.jobFinished(spec, jobId), effects)
    } else if (this.#deadProcesses.has(spec.actor[0]) && !spec.detached) {
      this.#end(record, death.ownerDied(spec), effects)
    } else if (early?.kill?.noRestart === true) {
      this.#end(record, death.killed(spec, early.kill.reason), effects)
    } else {
      this.#tryPlace(record, effects)
    }
  }

  #subscribe(event: EventOf<'subscribeActor'>, effects: Send[]): void {
    const { actor, from, nodeId } = event
    const key = keyOf(actor)
    const record = this.#live.get(key)
    const state = this.stateOf(actor)
    if (state !== undefined) {
      record?.subscribers.set(from, nodeId)
      effects.push(send(nodeId, { kind: 'actorChanged', to: from, actor, state }))
    } else if (this.#deadProcesses.has(actor[0])) {
      const gone = death.ownerDied({ actor, className: 'of an unknown class' })
      effects.push(send(nodeId, { kind: 'actorChanged', to: from, actor, state: gone }))
    } else {
      this.#early.of(key).subscribers.set(from, nodeId)
    }
  }

  /** Returns false when the actor has to wait. */
  #tryPlace(record: ActorRecord, effects: Send[]): boolean {
    assert(record.phase === 'unplaced', 'only an actor without a node is placed')
    const placement = this.#placement.place(record.spec, record.refusedBy)
    switch (placement.kind) {
      case 'wait':
        record.lacks = placement.why
        return false
      case 'unschedulable':
        this.#end(record, death.unschedulable(record.spec, placement.why), effects)
        return true
      case 'groupRemoved':
        this.#end(record, death.groupRemoved(record.spec, placement.group), effects)
        return true
      case 'node': {
        record.phase = 'placing'
        record.lacks = undefined
        record.attempt++
        record.nodeId = placement.nodeId
        this.#changed.mark(record.key)
        record.refusedBy.clear()
        this.#unplaced.delete(record)
        this.#sendPlace(record, placement.nodeId, effects)
        return true
      }
    }
  }

  #sendPlace(record: ActorRecord, nodeId: string, effects: Send[]): void {
    const { spec, incarnation, attempt, jobId } = record
    effects.push(send(nodeId, { kind: 'placeActor', spec, incarnation, attempt, jobId }))
  }

  #placed(event: EventOf<'actorPlaced'>, effects: Send[]): void {
    const record = this.#asking(event)
    if (record === undefined) {
      this.#endStray(event, effects)
      return
    }
    this.#placement.answered(record.spec, event.nodeId)
    record.phase = 'starting'
    record.worker = { process: event.worker, address: event.address }
    this.#changed.mark(record.key)
    // Ends that were asked for while there was no worker to end.
    this.#sendEnds(record, effects)
  }

  /** It was given up while its node was away: it is elsewhere by now, or over. */
  #endStray({ actor, nodeId }: EventOf<'actorPlaced'>, effects: Send[]): void {
    if (this.#live.get(keyOf(actor))?.nodeId === nodeId) return
    effects.push(send(nodeId, { kind: 'endActor', actor, drain: false, reason: 'is elsewhere' }))
  }

  #notPlaced(event: EventOf<'actorNotPlaced'>, effects: Send[]): void {
    const record = this.#asking(event)
    if (record === undefined) return
    this.#placement.answered(record.spec, event.nodeId)
    if (record.ending !== undefined) {
      record.nodeId = undefined
      this.#end(record, record.ending, effects)
      return
    }
    if (event.error !== undefined) {
      // Not full, but impossible: its workers cannot start, or its group is gone.
      record.nodeId = undefined
      this.#end(record, death.refused(record.spec, event.error), effects)
      return
    }
    record.refusedBy.add(event.nodeId)
    this.#unplace(record)
    this.#tryPlace(record, effects)
  }

  #unplace(record: ActorRecord): void {
    this.#changed.mark(record.key)
    record.phase = 'unplaced'
    record.nodeId = undefined
    record.worker = undefined
    record.killReason = undefined
    this.#unplaced.add(record)
  }

  #started(event: EventOf<'actorStarted'>, effects: Send[]): void {
    const record = this.#current(event)
    if (record?.phase !== 'starting') return
    if (event.error !== undefined) {
      // The constructor would throw again, so a restart is no help.
      const { ending } = record
      // Its raylet ends the worker in an orderly way, so that what it wrote is not lost.
      record.nodeId = undefined
      this.#end(record, ending ?? death.creationFailed(record.spec, event.error), effects)
      return
    }
    this.#changed.mark(record.key)
    record.phase = 'alive'
    record.state = 'ALIVE'
    if (record.ending === undefined) this.#publish(record, effects)
  }

  /** The actor that is being placed, if this answers the request under way. */
  #asking(event: EventOf<'actorPlaced' | 'actorNotPlaced'>): ActorRecord | undefined {
    const record = this.#current(event)
    return record?.phase === 'placing' && record.nodeId === event.nodeId ? record : undefined
  }

  /** The actor that is spoken of, unless it has been placed anew since. */
  #current(event: {
    readonly actor: ObjectKey
    readonly attempt: number
  }): ActorRecord | undefined {
    const record = this.#live.get(keyOf(event.actor))
    return record?.attempt === event.attempt ? record : undefined
  }

  #viewChanged(nodeId: string | undefined, effects: Send[]): void {
    // Actors of one shape stand or fall together: after the first that has to wait, the others are
    // not tried.
    const full = new Set<string>()
    for (const record of [...this.#unplaced]) {
      if (nodeId === undefined) record.refusedBy.clear()
      else record.refusedBy.delete(nodeId)
      const shape = record.refusedBy.size > 0 ? record.key : record.shape
      if (full.has(shape)) continue
      if (!this.#tryPlace(record, effects)) full.add(shape)
    }
  }

  #groupChanged(event: EventOf<'groupChanged'>, effects: Send[]): void {
    for (const record of [...this.#live.values()]) {
      const { target } = record.spec.strategy
      if (target?.group !== event.group) continue
      if (event.removed) {
        this.#end(record, death.groupRemoved(record.spec, event.group), effects)
      } else if (record.phase === 'unplaced') {
        record.refusedBy.clear()
        this.#tryPlace(record, effects)
      }
    }
  }

  #kill(event: EventOf<'killActor'>, effects: Send[]): void {
    const key = keyOf(event.actor)
    const record = this.#live.get(key)
    if (record === undefined) {
      const isKnown = this.#dead.has(key) || this.#deadProcesses.has(event.actor[0])
      if (!isKnown) this.#early.of(key).kill = { noRestart: event.noRestart, reason: event.reason }
    } else if (event.noRestart) {
      this.#end(record, death.killed(record.spec, event.reason), effects)
    } else if (record.phase !== 'unplaced' && record.killReason === undefined) {
      record.killReason = event.reason
      this.#changed.mark(key)
      if (record.phase !== 'placing') this.#sendEnd(record, false, event.reason, effects)
    }
  }

  #outOfScope(actor: ObjectKey, effects: Send[]): void {
    const record = this.#live.get(keyOf(actor))
    if (record === undefined || record.spec.detached || record.ending !== undefined) return
    const ending = death.outOfScope(record.spec)
    if (record.phase === 'unplaced') {
      this.#end(record, ending, effects)
      return
    }
    record.ending = ending
    this.#changed.mark(record.key)
    this.#releaseName(record)
    if (record.phase !== 'placing') this.#sendEnd(record, true, 'out of scope', effects)
  }

  #workerDied(event: EventOf<'actorWorkerDied'>, effects: Send[]): void {
    const record = this.#current(event)
    if (record === undefined || record.phase === 'unplaced') return
    const { exit } = event
    const { spec } = record
    if (record.nodeId !== undefined) this.#placement.answered(spec, record.nodeId)
    // There is nothing left to end on that node.
    record.nodeId = undefined
    record.lastExit = exit
    if (record.ending !== undefined) this.#end(record, record.ending, effects)
    else if (exit.reason === 'jobFinished') {
      this.#end(record, death.jobFinished(spec, record.jobId), effects)
    } else if (death.isSelfExit(exit)) {
      this.#end(record, death.exited(spec, exit), effects)
    } else if (exit.reason.startsWith(setupReason)) {
      // The hook would do the same in another worker.
      this.#end(record, death.crashed(spec, exit, 0), effects)
    } else if (record.killReason !== undefined) {
      this.#restart(record, { ...death.killed(spec, record.killReason), exit }, effects)
    } else {
      this.#restart(record, death.crashed(spec, exit, spec.maxRestarts), effects)
    }
  }

  /** A node that was away says what it has: it and this table may each have missed an end. */
  #nodeHolds({ nodeId, actors }: EventOf<'nodeHolds'>, effects: Send[]): void {
    const held = new Map(actors.map((each) => [keyOf(each.actor), each]))
    for (const record of [...this.#live.values()]) {
      if (record.nodeId !== nodeId) continue
      const { key, incarnation, attempt } = record
      const { actor } = record.spec
      const run = { actor, incarnation, attempt }
      const there = held.get(key)
      if (there?.attempt === attempt) {
        held.delete(key)
        const { worker, address, isStarted } = there
        // What ended it may have been lost on the way to its node.
        if (record.worker !== undefined) this.#sendEnds(record, effects)
        else if (worker === undefined) this.#sendPlace(record, nodeId, effects)
        else this.#placed({ ...there, kind: 'actorPlaced', nodeId, worker, address }, effects)
        if (isStarted) this.#started({ kind: 'actorStarted', ...run }, effects)
      } else if (record.phase === 'placing') this.#sendPlace(record, nodeId, effects)
      else {
        const exit = death.unreportedExit
        this.#workerDied({ kind: 'actorWorkerDied', ...run, exit }, effects)
      }
    }
    for (const { actor } of held.values()) {
      effects.push(send(nodeId, { kind: 'endActor', actor, drain: false, reason: 'is over' }))
    }
  }

  #sendEnds(record: ActorRecord, effects: Send[]): void {
    if (record.ending !== undefined) this.#sendEnd(record, true, 'out of scope', effects)
    else if (record.killReason !== undefined) {
      this.#sendEnd(record, false, record.killReason, effects)
    }
  }

  #nodeDied(nodeId: string, effects: Send[]): void {
    this.#early.nodeDied(nodeId)
    for (const record of this.#live.values()) dropNode(record.subscribers, nodeId)
    for (const record of [...this.#live.values()]) {
      const { spec } = record
      const ranThere = record.nodeId === nodeId
      if (ranThere) record.nodeId = undefined
      if (record.ownerNode === nodeId && !spec.detached) {
        this.#end(record, death.ownerDied(spec), effects)
      } else if (ranThere && record.ending !== undefined) {
        this.#end(record, record.ending, effects)
      } else if (ranThere && record.phase === 'placing') {
        // No constructor has run as far as is known, so this is no restart.
        this.#unplace(record)
        this.#tryPlace(record, effects)
      } else if (ranThere) {
        record.lastExit = undefined
        this.#restart(record, death.nodeDied(spec, nodeId, spec.maxRestarts), effects)
      }
    }
  }

  #processDied(process: ProcessId, effects: Send[]): void {
    this.#deadProcesses.set(process, true)
    for (const record of [...this.#live.values()]) {
      record.subscribers.delete(process)
      const { spec } = record
      const isOwned = spec.actor[0] === process && !spec.detached
      if (isOwned) this.#end(record, death.ownerDied(spec), effects)
    }
    for (const audience of this.#early.processDied(process)) {
      // Its creation will never come.
      const name = { actor: audience.actor, className: 'of an unknown class' }
      this.#tell(audience, death.ownerDied(name), effects)
    }
  }

  #jobFinished(jobId: string, effects: Send[]): void {
    this.#finishedJobs.set(jobId, true)
    for (const record of [...this.#live.values()]) {
      if (record.jobId !== jobId || record.spec.detached) continue
      this.#end(record, death.jobFinished(record.spec, jobId), effects)
    }
  }

  #restart(record: ActorRecord, otherwise: Death, effects: Send[]): void {
    const { maxRestarts } = record.spec
    if (maxRestarts !== -1 && record.incarnation >= maxRestarts) {
      this.#end(record, otherwise, effects)
      return
    }
    record.incarnation++
    record.state = 'RESTARTING'
    this.#unplace(record)
    this.#publish(record, effects)
    this.#tryPlace(record, effects)
  }

  /** The only way from life to death. */
  #end(record: ActorRecord, state: Death, effects: Send[]): void {
    this.#releaseName(record)
    this.#live.delete(record.key)
    this.#unplaced.delete(record)
    this.#bury(record.key, state, actorRow(record, state))
    this.#ended.push(record.spec.actor)
    if (record.nodeId !== undefined) {
      this.#placement.answered(record.spec, record.nodeId)
      this.#sendEnd(record, false, state.cause, effects)
    }
    this.#tell(audienceOf(record), state, effects)
  }

  /** A name that was refused has no row: nobody has lived. */
  #bury(key: string, state: Death, row?: StateRow): void {
    const grave = { key, order: ++this.#count, state, row }
    const forgotten = this.#dead.set(key, grave)
    this.#changed.mark(key)
    if (forgotten !== undefined) this.#changed.mark(forgotten)
  }

  #releaseName(record: ActorRecord): void {
    const { namespace, name } = record.spec
    const key = nameKey(namespace, name)
    if (this.#named.get(key) === record) this.#named.delete(key)
  }

  #sendEnd(record: ActorRecord, drain: boolean, reason: string, effects: Send[]): void {
    assert(record.nodeId !== undefined, 'only a placed actor is ended at its node')
    const { actor } = record.spec
    effects.push(send(record.nodeId, { kind: 'endActor', actor, drain, reason }))
  }

  #publish(record: ActorRecord, effects: Send[]): void {
    this.#tell(audienceOf(record), publicState(record), effects)
  }

  #tell({ actor, subscribers }: Audience, state: ActorState, effects: Send[]): void {
    for (const [to, nodeId] of subscribers) {
      effects.push(send(nodeId, { kind: 'actorChanged', to, actor, state }))
    }
  }
}
