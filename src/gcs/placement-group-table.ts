// Placement groups: bundles of resources, reserved all together or not at all.
//
// Resources are held by raylets, so a group is reserved in two phases. An attempt asks every node
// of a plan to hold its share; when all have agreed the group is created, and at the first refusal
// what the others hold is returned and the group waits for a change of the view. Connections keep
// order, so a `returnBundles` always follows the `reserveBundles` it takes back, and the answer to
// an abandoned attempt can be dropped without looking at it.
//
// When a node dies its bundles get new nodes in the same way, while the others stay where they are,
// with what runs there.
//
// A group ends with its job, with the actor in which it was made, or never, when it is detached.
// Handles travel on other sockets than the creation, so another process may subscribe to a group,
// or remove it, before it is known here. That is kept until the creation comes.
//
// Invariants, checked by validate():
//   - a created group has a node for every bundle, and waits for none;
//   - outside an attempt a bundle either has a node that holds it, or no node;
//   - a removed group has nothing.

import { assert } from '../base/assert.js'
import type { ProcessId } from '../base/ids.js'
import { deadActorsMax, deadProcessesMax, placementGroupTombstonesMax } from '../base/limits.js'
import { bundlePolicy } from '../scheduling/bundle-policy.js'
import { addAmounts } from '../scheduling/resource-amounts.js'
import type { StateRow } from '../wire/messages/state.js'
import type { Resources } from '../wire/messages/terms.js'
import type { ToGcs } from '../wire/messages/gcs.js'
import type { PlacementGroupRow } from '../wire/messages/raylet.js'
import { dropNode, keyOf, nameKey } from './actor-record.js'
import { BoundedMap } from './bounded-map.js'
import { ChangedRows } from './changed-rows.js'
import { send } from './effect.js'
import type { Send } from './effect.js'
import { groupOf, type StoredGroup, storedGroup } from './group-storage.js'
import type { InfeasibleWaiter } from './infeasible-watch.js'
import type { NodeTable } from './node-table.js'
import {
  byNode,
  claimOf,
  groupChanged,
  groupLocated,
  groupNameTaken,
  groupRow,
  infeasibleGroup,
  newGroup,
  whyInfeasible,
} from './placement-group-record.js'
import type { Bundle, GroupRecord } from './placement-group-record.js'
import { missingOf } from './group-room.js'
import type { StorageChange } from './storage/gcs-storage.js'

type FromRaylets = ToGcs & {
  readonly kind:
    | 'createPlacementGroup'
    | 'subscribePlacementGroup'
    | 'removePlacementGroup'
    | 'locateGroup'
    | 'bundlesReserved'
    | 'nodeHolds'
}

export type PlacementGroupEvent =
  | FromRaylets
  | { readonly kind: 'viewChanged' }
  | { readonly kind: 'nodeDied'; readonly nodeId: string }
  | { readonly kind: 'processDied'; readonly process: ProcessId }
  | { readonly kind: 'jobFinished'; readonly jobId: string }
  /** The actor is dead for good. */
  | { readonly kind: 'actorEnded'; readonly actor: readonly [ProcessId, number] }

type EventOf<K extends PlacementGroupEvent['kind']> = PlacementGroupEvent & { readonly kind: K }

export type PlacementGroupEffect =
  | Send
  /** Whoever waits for the group, or lives in it, looks again. */
  | { readonly kind: 'groupChanged'; readonly group: string }

/** What came for a group before its creation. */
interface Early {
  readonly subscribers: Map<ProcessId, string>
  readonly watchers: Set<string>
  isRemoved: boolean
}

export class PlacementGroupTable {
  readonly #nodes: NodeTable
  /**
   * In the order of creation, in which they are tried. Removed ones stay as tombstones, bounded.
   */
  readonly #groups = new Map<string, GroupRecord>()
  /** Groups that have a bundle without a node and no attempt under way. */
  readonly #unplaced = new Set<GroupRecord>()
  /** By namespace and name; a removed group has none. */
  readonly #named = new Map<string, GroupRecord>()
  readonly #removed = new Set<string>()
  readonly #early = new BoundedMap<string, Early>(placementGroupTombstonesMax)
  readonly #changed = new ChangedRows('groups')
  /** Groups that were created so far: rows are loaded in this order. */
  #count = 0
  readonly #finishedJobs = new BoundedMap<string, true>(deadProcessesMax)
  readonly #endedActors = new BoundedMap<string, true>(deadActorsMax)

  constructor(nodes: NodeTable) {
    this.#nodes = nodes
  }

  handle(event: PlacementGroupEvent): PlacementGroupEffect[] {
    const effects: PlacementGroupEffect[] = []
    switch (event.kind) {
      case 'createPlacementGroup':
        this.#create(event, effects)
        break
      case 'subscribePlacementGroup':
        this.#subscribe(event, effects)
        break
      case 'removePlacementGroup': {
        const record = this.#groups.get(event.group)
        if (record === undefined) this.#earlyOf(event.group).isRemoved = true
        else this.#remove(record, 'it was removed', effects)
        break
      }
      case 'locateGroup':
        this.#locate(event, effects)
        break
      case 'bundlesReserved':
        this.#reserved(event, effects)
        break
      case 'nodeHolds':
        this.#nodeHolds(event, effects)
        break
      case 'viewChanged':
        for (const record of [...this.#unplaced]) this.#tryPlace(record, effects)
        break
      case 'nodeDied':
        for (const record of [...this.#groups.values()]) {
          this.#nodeDied(record, event.nodeId, effects)
        }
        break
      case 'processDied':
        this.#processDied(event.process, effects)
        break
      case 'jobFinished':
        this.#finishedJobs.set(event.jobId, true)
        this.#endOrphans(effects)
        break
      case 'actorEnded':
        this.#endedActors.set(keyOf(event.actor), true)
        this.#endOrphans(effects)
        break
    }
    return effects
  }

  /** Begins with what an earlier GCS has stored. The nodes are loaded already. */
  load(rows: readonly StoredGroup[], finishedJobs: readonly string[]): void {
    for (const jobId of finishedJobs) this.#finishedJobs.set(jobId, true)
    for (const row of [...rows].sort((a, b) => a.order - b.order)) {
      const record = groupOf(row)
      const { group, state, waitingFor } = record
      this.#count = Math.max(this.#count, record.order)
      this.#groups.set(group, record)
      if (state === 'removed') {
        this.#removed.add(group)
        continue
      }
      if (record.name !== '') this.#named.set(record.nameKey, record)
      const isWhole = record.bundles.every((bundle) => bundle.isHeld)
      if (!isWhole && waitingFor.size === 0) this.#unplaced.add(record)
      for (const [nodeId, bundles] of byNode(record.bundles)) {
        if (waitingFor.has(nodeId)) this.#claim(record, nodeId, bundles)
      }
    }
  }

  /** What is to be stored since the last call. */
  takeChanges(): StorageChange[] {
    return this.#changed.take((group) => storedGroup(this.#groups.get(group)))
  }

  forgetChanges(): void {
    this.#changed.forget()
  }

  /** As `listPlacementGroups` shows them. */
  stateRows(): StateRow[] {
    return [...this.#groups.values()].map((record) => ({
      placementGroupId: record.group,
      name: record.name,
      creatorJobId: record.jobId,
      state: record.state.toUpperCase(),
      bundles: record.bundles.map(({ index, resources, nodeId }) => ({ index, resources, nodeId })),
      isDetached: record.detached,
      strategy: record.strategy,
    }))
  }

  /** Groups that are not whole and for which nobody was asked, the first to come first. */
  get unplaced(): ReadonlySet<GroupRecord> {
    return this.#unplaced
  }

  /** Those that wait for nodes to join. */
  infeasible(): InfeasibleWaiter[] {
    const waiting = [...this.#unplaced].filter(({ state }) => state === 'infeasible')
    return waiting.map((record) => {
      const why = whyInfeasible(record, this.#nodes.view())
      return { jobId: record.jobId, name: `Placement group ${record.group}`, why }
    })
  }

  row(group: string): PlacementGroupRow | undefined {
    const record = this.#groups.get(group)
    return record === undefined ? undefined : groupRow(record)
  }

  byName(namespace: string, name: string): PlacementGroupRow | undefined {
    const record = this.#named.get(nameKey(namespace, name))
    return record === undefined ? undefined : groupRow(record)
  }

  rows(): PlacementGroupRow[] {
    return [...this.#groups.values()].map(groupRow)
  }

  validate(): void {
    for (const record of this.#groups.values()) {
      const inAttempt = record.waitingFor.size > 0
      for (const bundle of record.bundles) {
        const isSettled = bundle.isHeld === (bundle.nodeId !== undefined)
        assert(inAttempt || isSettled, 'outside an attempt a bundle with a node is held')
        const hasAliveNode = bundle.nodeId === undefined || this.#nodes.isAlive(bundle.nodeId)
        assert(hasAliveNode, 'no bundle is on a dead node')
      }
      const isWhole = record.bundles.every((bundle) => bundle.isHeld)
      const isOver = record.state === 'removed'
      assert(!isOver || record.bundles.length === 0, 'a removed group has no bundles')
      assert(!isOver || !inAttempt, 'a removed group waits for no node')
      if (record.state === 'created') assert(isWhole && !inAttempt, 'a created group is whole')
      const isWaiting = !isOver && !isWhole && !inAttempt
      assert(this.#unplaced.has(record) === isWaiting, 'what has no place is on the list')
      const isNamed = this.#named.get(record.nameKey) === record
      assert(isNamed === (!isOver && record.name !== ''), 'a group has its name until removed')
    }
  }

  #create(event: EventOf<'createPlacementGroup'>, effects: PlacementGroupEffect[]): void {
    const known = this.#groups.get(event.group)
    if (known !== undefined) {
      known.subscribers.set(event.from, event.nodeId)
      this.#publish(known, effects)
      return
    }
    const record = newGroup(event, ++this.#count)
    this.#changed.mark(event.group)
    const early = this.#early.get(event.group)
    for (const [process, node] of early?.subscribers ?? []) record.subscribers.set(process, node)
    for (const node of early?.watchers ?? []) record.watchers.add(node)
    this.#early.delete(event.group)
    this.#groups.set(event.group, record)
    this.#unplaced.add(record)
    const holder = record.name === '' ? undefined : this.#named.get(record.nameKey)
    if (holder !== undefined) record.error = groupNameTaken(record, holder.group)
    else if (record.name !== '') this.#named.set(record.nameKey, record)
    const orphaned = this.#orphaned(record)
    if (record.error !== undefined) this.#remove(record, record.error.message, effects)
    else if (orphaned !== undefined) this.#remove(record, orphaned, effects)
    else if (early?.isRemoved === true) this.#remove(record, 'it was removed', effects)
    else this.#tryPlace(record, effects)
  }

  #subscribe(event: EventOf<'subscribePlacementGroup'>, effects: PlacementGroupEffect[]): void {
    const { group, from, nodeId } = event
    const record = this.#groups.get(group)
    if (record === undefined) {
      this.#earlyOf(group).subscribers.set(from, nodeId)
      return
    }
    record.subscribers.set(from, nodeId)
    effects.push(send(nodeId, groupChanged(record, from)))
  }

  #locate({ group, nodeId }: EventOf<'locateGroup'>, effects: PlacementGroupEffect[]): void {
    const record = this.#groups.get(group)
    if (record === undefined) {
      this.#earlyOf(group).watchers.add(nodeId)
      return
    }
    record.watchers.add(nodeId)
    effects.push(send(nodeId, groupLocated(record)))
  }

  #earlyOf(group: string): Early {
    let early = this.#early.get(group)
    if (early === undefined) {
      early = { subscribers: new Map(), watchers: new Set(), isRemoved: false }
      this.#early.set(group, early)
    }
    return early
  }

  /** Why a group may not live on, or undefined while its owner is there. */
  #orphaned({ owner }: GroupRecord): string | undefined {
    if (owner === undefined) return undefined
    if (owner.kind === 'job') {
      return this.#finishedJobs.has(owner.jobId) ? 'its job has finished' : undefined
    }
    return this.#endedActors.has(owner.actor) ? 'the actor that made it died' : undefined
  }

  #endOrphans(effects: PlacementGroupEffect[]): void {
    for (const record of [...this.#groups.values()]) {
      if (record.state === 'removed') continue
      const why = this.#orphaned(record)
      if (why !== undefined) this.#remove(record, why, effects)
    }
  }

  #tryPlace(record: GroupRecord, effects: PlacementGroupEffect[]): void {
    assert(record.waitingFor.size === 0, 'one attempt at a time')
    const missing = record.bundles.filter((bundle) => bundle.nodeId === undefined)
    if (missing.length === 0) {
      this.#created(record, effects)
      return
    }
    const choice = bundlePolicy(this.#nodes.open(), missingOf(record))
    if (choice.kind === 'infeasible') {
      this.#setState(record, 'infeasible', effects, infeasibleGroup(record, this.#nodes.view()))
      return
    }
    this.#setState(record, 'pending', effects)
    if (choice.kind === 'wait') return
    for (const bundle of missing) bundle.nodeId = choice.nodeIds.get(bundle.index)
    this.#unplaced.delete(record)
    this.#changed.mark(record.group)
    record.attempt++
    for (const [nodeId, bundles] of byNode(missing)) {
      record.waitingFor.add(nodeId)
      this.#claim(record, nodeId, bundles)
      this.#sendReserve(record, nodeId, effects)
    }
  }

  #claim(record: GroupRecord, nodeId: string, bundles: readonly Bundle[]): void {
    const share = bundles.reduce<Resources>((sum, each) => addAmounts(sum, each.resources), {})
    this.#nodes.claim(nodeId, claimOf(record), share)
  }

  #sendReserve(record: GroupRecord, nodeId: string, effects: PlacementGroupEffect[]): void {
    const { group, attempt } = record
    const bundles = record.bundles
      .filter((bundle) => bundle.nodeId === nodeId && !bundle.isHeld)
      .map(({ index, resources }) => ({ index, resources }))
    effects.push(send(nodeId, { kind: 'reserveBundles', group, attempt, bundles }))
  }

  #reserved(event: EventOf<'bundlesReserved'>, effects: PlacementGroupEffect[]): void {
    const record = this.#groups.get(event.group)
    // The answer to an attempt that was given up: what it held is being returned already.
    if (record === undefined || event.attempt !== record.attempt) return
    if (!record.waitingFor.has(event.nodeId)) return
    if (!event.ok) {
      // It waits for the next report of some node: trying at once would ask the same node again.
      this.#abandon(record, effects, event.nodeId)
      return
    }
    record.waitingFor.delete(event.nodeId)
    this.#nodes.unclaim(event.nodeId, claimOf(record))
    if (record.waitingFor.size === 0) this.#created(record, effects)
  }

  #created(record: GroupRecord, effects: PlacementGroupEffect[]): void {
    for (const bundle of record.bundles) bundle.isHeld = true
    this.#changed.mark(record.group)
    this.#unplaced.delete(record)
    this.#setState(record, 'created', effects)
  }

  /**
   * Ends the attempt under way. The node that refused holds nothing, so nothing is returned to it.
   */
  #abandon(record: GroupRecord, effects: PlacementGroupEffect[], refusedBy?: string): void {
    if (record.waitingFor.size === 0) return
    this.#changed.mark(record.group)
    record.waitingFor.clear()
    const planned = record.bundles.filter((bundle) => !bundle.isHeld)
    for (const [nodeId, bundles] of byNode(planned)) {
      const indexes = bundles.map((bundle) => bundle.index)
      this.#nodes.unclaim(nodeId, claimOf(record))
      if (nodeId === refusedBy || !this.#nodes.isAlive(nodeId)) continue
      const { group } = record
      effects.push(send(nodeId, { kind: 'returnBundles', group, indexes, removed: false }))
    }
    for (const bundle of planned) bundle.nodeId = undefined
    this.#unplaced.add(record)
  }

  #nodeDied(record: GroupRecord, nodeId: string, effects: PlacementGroupEffect[]): void {
    dropNode(record.subscribers, nodeId)
    record.watchers.delete(nodeId)
    if (record.owner !== undefined && record.driver?.nodeId === nodeId) {
      this.#remove(record, 'the node of its driver died', effects)
    }
    const lost = record.bundles.filter((bundle) => bundle.nodeId === nodeId)
    this.#lose(record, lost, { why: `Node ${nodeId}, which held some of it, died.`, effects })
  }

  #lose(
    record: GroupRecord,
    lost: readonly Bundle[],
    { why, effects }: { why: string; effects: PlacementGroupEffect[] },
  ): void {
    if (lost.length === 0) return
    this.#abandon(record, effects)
    this.#changed.mark(record.group)
    for (const bundle of lost) {
      bundle.nodeId = undefined
      bundle.isHeld = false
    }
    this.#unplaced.add(record)
    this.#setState(record, 'pending', effects, why)
  }

  /** A node that was away says what it has: it and this table may each have missed something. */
  #nodeHolds(event: EventOf<'nodeHolds'>, effects: PlacementGroupEffect[]): void {
    const { nodeId } = event
    const held = new Map(event.bundles.map(({ group, indexes }) => [group, new Set(indexes)]))
    for (const record of [...this.#groups.values()]) {
      const { group } = record
      const there = held.get(group)
      const mine = record.bundles.filter((bundle) => bundle.nodeId === nodeId)
      const indexes = [...(there ?? [])].filter((each) => !mine.some((b) => b.index === each))
      const removed = record.state === 'removed'
      if (indexes.length > 0 || (removed && event.awaited.includes(group))) {
        effects.push(send(nodeId, { kind: 'returnBundles', group, indexes, removed }))
      }
      if (record.waitingFor.has(nodeId)) this.#sendReserve(record, nodeId, effects)
      const lost = mine.filter((bundle) => bundle.isHeld && there?.has(bundle.index) !== true)
      this.#lose(record, lost, { why: `Node ${nodeId} has lost some of it.`, effects })
    }
    for (const [group, indexes] of held) {
      if (this.#groups.has(group)) continue
      const message = {
        kind: 'returnBundles',
        group,
        indexes: [...indexes],
        removed: true,
      } as const
      effects.push(send(nodeId, message))
    }
  }

  #processDied(process: ProcessId, effects: PlacementGroupEffect[]): void {
    for (const record of [...this.#groups.values()]) {
      record.subscribers.delete(process)
      if (record.owner === undefined || record.driver?.process !== process) continue
      this.#remove(record, 'the driver that made it died', effects)
    }
  }

  #remove(record: GroupRecord, why: string, effects: PlacementGroupEffect[]): void {
    if (record.state === 'removed') return
    const { group } = record
    const indexesOf = new Map<string, number[]>()
    for (const [nodeId, bundles] of byNode(record.bundles)) {
      this.#nodes.unclaim(nodeId, claimOf(record))
      const indexes = bundles.map((bundle) => bundle.index)
      indexesOf.set(nodeId, indexes)
    }
    record.bundles = []
    record.waitingFor.clear()
    this.#unplaced.delete(record)
    if (this.#named.get(record.nameKey) === record) this.#named.delete(record.nameKey)
    // Every node hears of it: requests for the group may wait anywhere, also if it never had a
    // bundle there.
    for (const { nodeId } of this.#nodes.alive()) {
      const indexes = indexesOf.get(nodeId) ?? []
      effects.push(send(nodeId, { kind: 'returnBundles', group, indexes, removed: true }))
    }
    const text = record.error?.message ?? `Placement group ${group} is gone: ${why}.`
    this.#setState(record, 'removed', effects, text)
    record.subscribers.clear()
    record.watchers.clear()
    this.#removed.add(group)
    for (const oldest of this.#removed) {
      if (this.#removed.size <= placementGroupTombstonesMax) break
      this.#removed.delete(oldest)
      this.#groups.delete(oldest)
      this.#changed.mark(oldest)
    }
  }

  #setState(
    record: GroupRecord,
    state: GroupRecord['state'],
    effects: PlacementGroupEffect[],
    message?: string,
  ): void {
    if (record.state === state && record.message === message) return
    this.#changed.mark(record.group)
    const isNews = record.state !== state || state === 'infeasible'
    record.state = state
    record.message = message
    if (!isNews) return
    this.#publish(record, effects)
    effects.push({ kind: 'groupChanged', group: record.group })
  }

  #publish(record: GroupRecord, effects: PlacementGroupEffect[]): void {
    for (const [process, nodeId] of record.subscribers) {
      effects.push(send(nodeId, groupChanged(record, process)))
    }
    for (const nodeId of record.watchers) effects.push(send(nodeId, groupLocated(record)))
  }
}
