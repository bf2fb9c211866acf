// Bundles of placement groups that are reserved on this node.
//
// A reserved bundle is a pool of its own, cut out of the node's: what runs in the group takes from
// the bundle, and nobody else can. A bundle that is returned while something still holds a part of
// it goes back to the node when the last part does.

import { assert } from '../base/assert.js'
import type { Allocation } from '../scheduling/resource-pool.js'
import { ResourcePool } from '../scheduling/resource-pool.js'
import { ResourceSet } from '../scheduling/resources.js'
import type { PlacementGroupTarget, Resources } from '../wire/messages/terms.js'

export interface Bundle {
  readonly pool: ResourcePool
  /** What the bundle takes from the node. */
  readonly allocation: Allocation
}

/**
 * Names of removed groups that are remembered, so that late requests are refused and not queued for
 * ever.
 */
const removedGroupsMax = 10_000

export class BundleTable {
  readonly #node: ResourcePool
  /** By group, then by index. Added by reserve, removed by giveBack. */
  readonly #groups = new Map<string, Map<number, Bundle>>()
  /** Returned bundles of which a part is still held. Emptied by `settle`. */
  readonly #returned = new Set<Bundle>()
  /** Those of the groups that are gone that will not come back. */
  readonly #removed = new Set<string>()
  /** Groups that are gone, with what to say about it. */
  readonly #gone = new Map<string, string>()

  constructor(node: ResourcePool) {
    this.#node = node
  }

  /**
   * All or nothing. Bundles that are reserved already count as reserved: the message may come
   * twice.
   */
  reserve(
    group: string,
    bundles: readonly { readonly index: number; readonly resources: Resources }[],
  ): boolean {
    // A group that could not be placed can be, once a node has joined.
    if (this.#removed.has(group)) return false
    this.#gone.delete(group)
    const held = this.#groups.get(group) ?? new Map<number, Bundle>()
    const added = new Map<number, Bundle>()
    for (const { index, resources } of bundles) {
      if (held.has(index)) continue
      const allocation = this.#node.allocate(ResourceSet.from(resources))
      if (allocation === undefined) {
        for (const bundle of added.values()) this.#node.release(bundle.allocation)
        return false
      }
      const pool = new ResourcePool(allocation.resources, allocation.devices)
      added.set(index, { pool, allocation })
    }
    for (const [index, bundle] of added) held.set(index, bundle)
    this.#groups.set(group, held)
    return true
  }

  /**
   * Takes bundles out of use and returns their pools, so that the caller can end what runs in them.
   */
  giveBack(group: string, indexes: readonly number[], removed: boolean): ResourcePool[] {
    if (removed) this.markGone(group, `Placement group ${group} was removed.`, true)
    const held = this.#groups.get(group)
    if (held === undefined) return []
    const pools: ResourcePool[] = []
    for (const index of removed ? [...held.keys()] : indexes) {
      const bundle = held.get(index)
      if (bundle === undefined) continue
      held.delete(index)
      pools.push(bundle.pool)
      this.#returned.add(bundle)
    }
    if (held.size === 0) this.#groups.delete(group)
    this.settle()
    return pools
  }

  /**
   * To be called after something was released: returned bundles that are whole again go back to the
   * node.
   */
  settle(): void {
    for (const bundle of this.#returned) {
      if (!bundle.pool.isWhole) continue
      this.#returned.delete(bundle)
      this.#node.release(bundle.allocation)
    }
  }

  markGone(group: string, message: string, isRemoved: boolean): void {
    this.#gone.set(group, message)
    if (isRemoved) this.#removed.add(group)
    if (this.#gone.size > removedGroupsMax) {
      const oldest = this.#gone.keys().next()
      if (oldest.done === true) return
      this.#gone.delete(oldest.value)
      this.#removed.delete(oldest.value)
    }
  }

  /** What to say to who asks for a group that is gone. */
  goneMessage(group: string): string | undefined {
    return this.#gone.get(group)
  }

  isKnown(group: string): boolean {
    return this.#groups.has(group)
  }

  /** What is reserved, by group. */
  held(): { readonly group: string; readonly indexes: readonly number[] }[] {
    return [...this.#groups].map(([group, held]) => ({ group, indexes: [...held.keys()] }))
  }

  /** The pools that a target may take from: none while the group is pending. */
  pools(target: PlacementGroupTarget): ResourcePool[] {
    const held = this.#groups.get(target.group)
    if (held === undefined) return []
    if (target.bundle < 0) return [...held.values()].map((bundle) => bundle.pool)
    const bundle = held.get(target.bundle)
    return bundle === undefined ? [] : [bundle.pool]
  }

  /** Every bundle that takes from the node, also when it was returned. */
  *all(): IterableIterator<Bundle> {
    for (const held of this.#groups.values()) yield* held.values()
    yield* this.#returned
  }

  validate(): void {
    for (const held of this.#groups.values()) {
      assert(held.size > 0, 'a group that is known has a bundle')
      for (const bundle of held.values()) bundle.pool.validate()
    }
    for (const bundle of this.#returned) {
      assert(!bundle.pool.isWhole, 'a returned bundle that is whole has gone back to the node')
    }
  }
}
