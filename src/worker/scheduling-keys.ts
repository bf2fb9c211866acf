// The kinds of tasks that this process submits.

import { windowTasksMax } from '../base/limits.js'
import type { LeaseKey } from '../wire/messages/raylet.js'
import type { Resources } from '../wire/messages/terms.js'
import { SchedulingKey } from './scheduling-key.js'
import { WeakTable } from './weak-table.js'

export class SchedulingKeys {
  /** Keys with tasks, requests or leases. Added with the first of these, removed with the last. */
  readonly #used = new Set<SchedulingKey>()
  /**
   * All that somebody still holds, a remote function for example: two of the same lease are one.
   */
  readonly #known = new WeakTable<string, SchedulingKey>()
  /** Units of each resource in the cluster; bounds how many leases can be useful. */
  #total: Resources

  constructor(total: Resources) {
    this.#total = total
  }

  [Symbol.iterator](): IterableIterator<SchedulingKey> {
    return this.#used.values()
  }

  get known(): number {
    return this.#known.size
  }

  /** Nodes have come or gone. */
  set total(total: Resources) {
    this.#total = total
    for (const key of this.#used) key.capacity = this.#capacityOf(key.lease)
  }

  of(lease: LeaseKey): SchedulingKey {
    const id = JSON.stringify(lease)
    let key = this.#known.get(id)
    if (key === undefined) {
      key = new SchedulingKey(lease, this.#capacityOf(lease))
      this.#known.set(id, key)
    }
    return key
  }

  use(key: SchedulingKey): void {
    if (key.isUsed) return
    key.isUsed = true
    key.capacity = this.#capacityOf(key.lease)
    this.#used.add(key)
  }

  dropIfUnused(key: SchedulingKey): void {
    if (key.length > 0 || key.requests.size > 0 || key.lines.length > 0) return
    key.isUsed = false
    this.#used.delete(key)
  }

  #capacityOf(lease: LeaseKey): number {
    let capacity = windowTasksMax
    for (const [name, units] of Object.entries(lease.resources)) {
      if (units > 0) capacity = Math.min(capacity, Math.floor((this.#total[name] ?? 0) / units))
    }
    return Math.max(1, capacity)
  }
}
