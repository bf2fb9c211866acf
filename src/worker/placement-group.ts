// A placement group as users hold it, in the process that made it or in one that it was sent to.

import { attachmentBrand, registerAttachment } from './attachment.js'
import { requireCore } from './current-core.js'
import type { ObjectRef } from './object-ref.js'

/** Where the bundles of a placement group go; the STRICT ones insist. */
export type PlacementStrategy = 'PACK' | 'SPREAD' | 'STRICT_PACK' | 'STRICT_SPREAD'
/** Amounts of resources by name that are reserved on one node, such as `{ CPU: 1 }`. */
export type Bundle = Readonly<Record<string, number>>

/**
 * Resources that are reserved together: all of the bundles, or none.
 *
 * Follows `ray.util.placement_group.PlacementGroup` of Ray.
 *
 * @example
 * const group = ray.placementGroup([{ CPU: 1 }])
 * if (!(await group.wait(5000))) ray.removePlacementGroup(group)
 */
export class PlacementGroup {
  /** Id of the group, in hexadecimal. */
  readonly id: string
  /** The bundles as they were asked for. */
  readonly bundleSpecs: readonly Bundle[]
  /** How the bundles are placed. */
  readonly strategy: PlacementStrategy
  #ready: ObjectRef<PlacementGroup> | null

  /** @internal */
  constructor(
    id: string,
    bundleSpecs: readonly Bundle[],
    strategy: PlacementStrategy,
    ready: ObjectRef<PlacementGroup> | null,
  ) {
    this.id = id
    this.bundleSpecs = bundleSpecs
    this.strategy = strategy
    this.#ready = ready
  }

  /** A ref that is ready when all bundles are reserved. */
  ready(): ObjectRef<PlacementGroup> {
    if (this.#ready === null) {
      throw new TypeError(`Only the process that made placement group ${this.id} can wait for it.`)
    }
    return this.#ready
  }

  /** Whether the bundles are reserved within this time. */
  async wait(timeoutMs = 30_000): Promise<boolean> {
    const core = requireCore('wait() of a placement group')
    const [done] = await core.objects.wait([this.ready() as ObjectRef], {
      numReturns: 1,
      fetchLocal: true,
      timeoutMs,
    })
    if (done.length === 0) return false
    await core.objects.get(this.ready() as ObjectRef, {})
    return true
  }
}

Object.defineProperty(PlacementGroup.prototype, attachmentBrand, { value: 'group' })

registerAttachment<PlacementGroup>('group', {
  encode: (group) => [group.id, group.bundleSpecs, group.strategy],
  decode: (encoded) => {
    const [id, bundles, strategy] = encoded as [string, Bundle[], PlacementStrategy]
    return new PlacementGroup(id, bundles, strategy, null)
  },
})
