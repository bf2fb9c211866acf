// Says what the requests read that wait in the queue of this node, so that it comes before they are
// granted.

import { prefetchTasksMax } from '../base/limits.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { isBefore, type PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'

export class ReadsAhead {
  readonly #tables: LeaseTables
  readonly #tell: (objects: readonly ObjectKey[]) => void
  #seen = 0

  constructor(tables: LeaseTables, tell: (objects: readonly ObjectKey[]) => void) {
    this.#tables = tables
    this.#tell = tell
  }

  /** Something may have changed. */
  look(): void {
    const { queue } = this.#tables
    if (queue.readingVersion === this.#seen) return
    this.#seen = queue.readingVersion
    const here = [...queue.reading()].filter((request) => this.#runsHere(request))
    const first = here.sort((a, b) => (isBefore(a, b) ? -1 : 1)).slice(0, prefetchTasksMax)
    this.#tell(first.flatMap(({ reads }) => reads ?? []))
  }

  /** Others wait here only until a node joins that can run them. */
  #runsHere({ target, need }: PendingRequest): boolean {
    const { pool, bundles, cluster } = this.#tables
    if (target !== undefined) return bundles.pools(target).length > 0
    return cluster.isUsable && pool.canEverAllocate(need)
  }
}
