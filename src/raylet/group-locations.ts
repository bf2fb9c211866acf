// On which nodes the bundles of placement groups are, as far as somebody here has asked.
//
// The GCS is asked once for each group and says it again whenever it changes, until the group is
// removed.

import { placementGroupTombstonesMax } from '../base/limits.js'
import type { LocatedBundles } from '../wire/messages/gcs.js'

export class GroupLocations {
  /** Undefined while the answer is on its way. */
  readonly #groups = new Map<string, LocatedBundles | undefined>()

  /** True: nobody has asked before. */
  ask(group: string): boolean {
    if (this.#groups.has(group)) return false
    this.#groups.set(group, undefined)
    if (this.#groups.size > placementGroupTombstonesMax) {
      const oldest = this.#groups.keys().next()
      if (oldest.done !== true) this.#groups.delete(oldest.value)
    }
    return true
  }

  located(group: string, bundles: LocatedBundles): void {
    this.#groups.set(group, bundles)
  }

  get(group: string): LocatedBundles | undefined {
    return this.#groups.get(group)
  }

  remove(group: string): void {
    this.#groups.delete(group)
  }
}
