// A placement group as users hold it, in the process that made it or in one that it was sent to.

import { GetTimeoutError } from '../base/errors.js'
import { attachmentBrand, registerAttachment } from './attachment.js'
import { requireCore } from './current-core.js'
import type { ObjectRef } from './object-ref.js'

export type PlacementStrategy = 'PACK' | 'SPREAD' | 'STRICT_PACK' | 'STRICT_SPREAD'
export type Bundle = Readonly<Record<string, number>>

/**
 * Resources that are reserved together: all of the bundles, or none. A handle works in every
 * process that it is sent to.
 *
 * @example
 * const group = ray.placementGroup([{ CPU: 1 }, { CPU: 1 }])
 * await ray.get(group.ready())
 * const inside = task.options({ schedulingStrategy: { placementGroup: group, bundleIndex: 0 } })
 */
export class PlacementGroup {
  readonly id: string
  /** The amounts of each bundle, in order. */
  readonly bundleSpecs: readonly Bundle[]
  readonly strategy: PlacementStrategy

  /** @internal */
  constructor(id: string, bundleSpecs: readonly Bundle[], strategy: PlacementStrategy) {
    this.id = id
    this.bundleSpecs = bundleSpecs
    this.strategy = strategy
  }

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
