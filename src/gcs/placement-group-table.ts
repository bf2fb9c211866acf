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
// Invariants, checked by validate():
//   - a created group has a node for every bundle, and waits for none;
//   - outside an attempt a bundle either has a node that holds it, or no node;
//   - a removed group has nothing.

import { assert } from '../base/assert.js'
import type { ProcessId } from '../base/ids.js'
import { placementGroupTombstonesMax } from '../base/limits.js'
import { bundlePolicy } from '../scheduling/bundle-policy.js'
import type { BundleStrategy } from '../scheduling/bundle-policy.js'
import { addAmounts, formatAmounts } from '../scheduling/resource-amounts.js'
import type { StateRow } from '../wire/messages/state.js'
import type { Resources } from '../wire/messages/terms.js'
import type { ToGcs } from '../wire/messages/gcs.js'
import { send } from './effect.js'
import type { Send } from './effect.js'
import type { NodeTable } from './node-table.js'

export type PlacementGroupEvent =
  | (ToGcs & { readonly kind: 'createPlacementGroup' })
  | (ToGcs & { readonly kind: 'removePlacementGroup' })
  | (ToGcs & { readonly kind: 'bundlesReserved' })
  | { readonly kind: 'viewChanged' }
  | { readonly kind: 'nodeDied'; readonly nodeId: string }
  | { readonly kind: 'processDied'; readonly process: ProcessId }
  | { readonly kind: 'jobFinished'; readonly jobId: string }

export type PlacementGroupEffect =
  | Send
  /** Whoever waits for the group, or lives in it, looks again. */
  | { readonly kind: 'groupChanged'; readonly group: string }

export type PlacementGroupState = 'pending' | 'created' | 'removed' | 'infeasible'

interface Bundle {
  readonly index: number
  readonly resources: Resources
  /** Set when an attempt plans it there; cleared when the attempt fails or the node dies. */
  nodeId: string | undefined
  /** The node has agreed, and so have all others of the attempt. */
  isHeld: boolean
}

interface GroupRecord {
  readonly group: string
  readonly name: string
  readonly strategy: BundleStrategy
  readonly detached: boolean
  readonly jobId: string
  state: PlacementGroupState
  message: string | undefined
  bundles: Bundle[]
  attempt: number
  /** Nodes that were asked in this attempt and have not answered. Empty outside an attempt. */
  readonly waitingFor: Set<string>
  /** Who is told of changes; undefined once that process is dead. */
  creator: { readonly nodeId: string; readonly process: ProcessId } | undefined
}

/** What the placement of an actor needs to know about a group. */
export interface PlacementGroupRow {
  readonly group: string
  readonly name: string
  readonly strategy: BundleStrategy
  readonly state: PlacementGroupState
  readonly detached: boolean
  readonly message?: string
  readonly bundles: readonly {
    readonly index: number
    readonly resources: Resources
    readonly nodeId?: string
  }[]
}

export class PlacementGroupTable {
  readonly #nodes: NodeTable
  /**
   * In the order of creation, in which they are tried. Removed ones stay as tombstones, bounded.
   */
  readonly #groups = new Map<string, GroupRecord>()
  /** Groups that have a bundle without a node and no attempt under way. */
  readonly #unplaced = new Set<GroupRecord>()
  readonly #removed = new Set<string>()

  constructor(nodes: NodeTable) {
    this.#nodes = nodes
  }

  handle(event: PlacementGroupEvent): PlacementGroupEffect[] {
    const effects: PlacementGroupEffect[] = []
    switch (event.kind) {
      case 'createPlacementGroup':
        this.#create(event, effects)
        break
      case 'removePlacementGroup': {
        const record = this.#groups.get(event.group)
        if (record !== undefined) this.#remove(record, 'it was removed', effects)
        break
      }
      case 'bundlesReserved':
        this.#reserved(event, effects)
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
        for (const record of [...this.#groups.values()]) {
          const ends = record.jobId === event.jobId && !record.detached
          if (ends) this.#remove(record, 'its job has finished', effects)
        }
        break
    }
    return effects
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

  /** Some group is not whole, and nobody was asked. */
  get isWaiting(): boolean {
    return this.#unplaced.size > 0
  }

  row(group: string): PlacementGroupRow | undefined {
    const record = this.#groups.get(group)
    return record === undefined ? undefined : toRow(record)
  }

  rows(): PlacementGroupRow[] {
    return [...this.#groups.values()].map(toRow)
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
    }
  }

  #create(
    event: PlacementGroupEvent & { kind: 'createPlacementGroup' },
    effects: PlacementGroupEffect[],
  ): void {
    const known = this.#groups.get(event.group)
    if (known !== undefined) {
      this.#publish(known, effects)
      return
    }
    const record: GroupRecord = {
      group: event.group,
      name: event.name,
      strategy: event.strategy,
      detached: event.detached,
      jobId: event.jobId,
      state: 'pending',
      message: undefined,
      bundles: event.bundles.map((resources, index) => ({
        index,
        resources,
        nodeId: undefined,
        isHeld: false,
      })),
      attempt: 0,
      waitingFor: new Set(),
      creator: { nodeId: event.nodeId, process: event.from },
    }
    this.#groups.set(event.group, record)
    this.#unplaced.add(record)
    this.#tryPlace(record, effects)
  }

  #tryPlace(record: GroupRecord, effects: PlacementGroupEffect[]): void {
    assert(record.waitingFor.size === 0, 'one attempt at a time')
    const missing = record.bundles.filter((bundle) => bundle.nodeId === undefined)
    if (missing.length === 0) {
      this.#created(record, effects)
      return
    }
    const heldBy = record.bundles.flatMap(({ nodeId }) => (nodeId === undefined ? [] : [nodeId]))
    const request = { strategy: record.strategy, bundles: missing, heldBy }
    const choice = bundlePolicy(this.#nodes.view(), request)
    if (choice.kind === 'infeasible') {
      this.#setState(record, 'infeasible', effects, this.#infeasibleMessage(record))
      return
    }
    this.#setState(record, 'pending', effects)
    if (choice.kind === 'wait') return
    for (const bundle of missing) bundle.nodeId = choice.nodeIds.get(bundle.index)
    this.#unplaced.delete(record)
    record.attempt++
    for (const [nodeId, bundles] of byNode(missing)) {
      record.waitingFor.add(nodeId)
      const share = bundles.reduce<Resources>((sum, each) => addAmounts(sum, each.resources), {})
      this.#nodes.claim(nodeId, claimOf(record), share)
      const shares = bundles.map(({ index, resources }) => ({ index, resources }))
      const { group, attempt } = record
      effects.push(send(nodeId, { kind: 'reserveBundles', group, attempt, bundles: shares }))
    }
  }

  #reserved(
    event: PlacementGroupEvent & { kind: 'bundlesReserved' },
    effects: PlacementGroupEffect[],
  ): void {
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
    this.#unplaced.delete(record)
    this.#setState(record, 'created', effects)
  }

  /**
   * Ends the attempt under way. The node that refused holds nothing, so nothing is returned to it.
   */
  #abandon(record: GroupRecord, effects: PlacementGroupEffect[], refusedBy?: string): void {
    if (record.waitingFor.size === 0) return
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
    if (record.creator?.nodeId === nodeId) {
      record.creator = undefined
      if (!record.detached) this.#remove(record, 'the node of its creator died', effects)
    }
    if (!record.bundles.some((bundle) => bundle.nodeId === nodeId)) return
    this.#abandon(record, effects)
    for (const bundle of record.bundles) {
      if (bundle.nodeId !== nodeId) continue
      bundle.nodeId = undefined
      bundle.isHeld = false
    }
    this.#unplaced.add(record)
    this.#setState(record, 'pending', effects, `Node ${nodeId}, which held some of it, died.`)
  }

  #processDied(process: ProcessId, effects: PlacementGroupEffect[]): void {
    for (const record of [...this.#groups.values()]) {
      if (record.creator?.process !== process) continue
      record.creator = undefined
      if (!record.detached) this.#remove(record, 'the process that created it died', effects)
    }
  }

  #remove(record: GroupRecord, why: string, effects: PlacementGroupEffect[]): void {
    if (record.state === 'removed') return
    const indexesOf = new Map<string, number[]>()
    for (const [nodeId, bundles] of byNode(record.bundles)) {
      this.#nodes.unclaim(nodeId, claimOf(record))
      indexesOf.set(
        nodeId,
        bundles.map((bundle) => bundle.index),
      )
    }
    record.bundles = []
    record.waitingFor.clear()
    this.#unplaced.delete(record)
    // Every node hears of it: requests for the group may wait anywhere, also if it never had a
    // bundle there.
    const { group } = record
    for (const { nodeId } of this.#nodes.view()) {
      const indexes = indexesOf.get(nodeId) ?? []
      effects.push(send(nodeId, { kind: 'returnBundles', group, indexes, removed: true }))
    }
    this.#setState(record, 'removed', effects, `Placement group ${group} is gone: ${why}.`)
    this.#removed.add(group)
    for (const oldest of this.#removed) {
      if (this.#removed.size <= placementGroupTombstonesMax) break
      this.#removed.delete(oldest)
      this.#groups.delete(oldest)
    }
  }

  #setState(
    record: GroupRecord,
    state: PlacementGroupState,
    effects: PlacementGroupEffect[],
    message?: string,
  ): void {
    if (record.state === state && record.message === message) return
    const isNews = record.state !== state || state === 'infeasible'
    record.state = state
    record.message = message
    if (!isNews) return
    this.#publish(record, effects)
    effects.push({ kind: 'groupChanged', group: record.group })
  }

  #publish(record: GroupRecord, effects: PlacementGroupEffect[]): void {
    if (record.creator === undefined || !this.#nodes.isAlive(record.creator.nodeId)) return
    const { group, state, message } = record
    effects.push(
      send(record.creator.nodeId, {
        kind: 'placementGroupChanged',
        to: record.creator.process,
        group,
        state,
        ...(message === undefined ? {} : { message }),
      }),
    )
  }

  #infeasibleMessage(record: GroupRecord): string {
    const bundles = record.bundles.map((bundle) => `{${formatAmounts(bundle.resources)}}`)
    const nodes = this.#nodes.view()
    const total = nodes.reduce<Resources>((sum, node) => addAmounts(sum, node.total), {})
    return (
      `Placement group ${record.group} can never be placed: it asks for the bundles ` +
      `${bundles.join(', ')} with ${record.strategy}, and the cluster has ` +
      `${formatAmounts(total)} on ${nodes.length} node${nodes.length === 1 ? '' : 's'}. ` +
      `It waits for nodes to join; remove it or ask for less.`
    )
  }
}

const claimOf = ({ group }: GroupRecord): string => `group ${group}`

function byNode(bundles: readonly Bundle[]): Map<string, Bundle[]> {
  const map = new Map<string, Bundle[]>()
  for (const bundle of bundles) {
    if (bundle.nodeId === undefined) continue
    const list = map.get(bundle.nodeId)
    if (list === undefined) map.set(bundle.nodeId, [bundle])
    else list.push(bundle)
  }
  return map
}

function toRow(record: GroupRecord): PlacementGroupRow {
  const { group, name, strategy, state, detached, message } = record
  const bundles = record.bundles.map(({ index, resources, nodeId, isHeld }) => ({
    index,
    resources,
    ...(nodeId === undefined || !isHeld ? {} : { nodeId }),
  }))
  const row = { group, name, strategy, state, detached, bundles }
  return message === undefined ? row : { ...row, message }
}
