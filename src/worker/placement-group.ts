// A placement group as users hold it, in the process that made it or in one that it was sent to.

import { GetTimeoutError } from '../base/errors.js'
import { attachmentBrand, registerAttachment } from './attachment.js'
import { requireCore } from './current-core.js'
import type { ObjectRef } from './object-ref.js'

/** Where the bundles of a placement group go; the STRICT ones insist. */
export type PlacementStrategy = 'PACK' | 'SPREAD' | 'STRICT_PACK' | 'STRICT_SPREAD'
/** Amounts of resources by name that are reserved on one node, such as `{ CPU: 1 }`. */
export type Bundle = Readonly<Record<string, number>>

/**
 * Resources that are reserved together: all of the bundles, or none. A handle works in every
 * process that it is sent to.
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
  /** The amounts of each bundle, in order. */
  readonly bundleSpecs: readonly Bundle[]
  /** How the bundles are placed. */
  readonly strategy: PlacementStrategy

  /** @internal */
  constructor(id: string, bundleSpecs: readonly Bundle[], strategy: PlacementStrategy) {
    this.id = id
    this.bundleSpecs = bundleSpecs
    this.strategy = strategy
  }

  /** Number of bundles. */
  get bundleCount(): number {
    return this.bundleSpecs.length
  }

  /**
   * A ref that is ready, with this group as its value, when all bundles are reserved. It fails when
   * the group is removed, or when no cluster like this one could ever hold it.
   */
  ready(): ObjectRef<PlacementGroup> {
    return requireCore('ready() of a placement group').placementGroups.ready(this)
  }

  /** Whether the bundles are reserved within this time. Rejects as `ready()` fails. */
  async wait(timeoutMs = 30_000): Promise<boolean> {
    const core = requireCore('wait() of a placement group')
    try {
      await core.objects.get(this.ready() as ObjectRef, { timeoutMs })
      return true
    } catch (error) {
      if (error instanceof GetTimeoutError) return false
      throw error
    }
  }

  toString(): string {
    return `PlacementGroup(${this.id})`
  }
}

Object.defineProperty(PlacementGroup.prototype, attachmentBrand, { value: 'group' })

registerAttachment<PlacementGroup>('group', {
  encode: (group) => [group.id, group.bundleSpecs, group.strategy],
  decode: (encoded) => {
    const [id, bundles, strategy] = encoded as [string, Bundle[], PlacementStrategy]
    return new PlacementGroup(id, bundles, strategy)
  },
})
