// What all nodes have together: it bounds how many leases can be of use to one owner.

import { addAmounts, sameAmounts } from '../scheduling/resource-amounts.js'
import type { ClusterNode, Resources } from '../wire/messages/terms.js'

export class ClusterTotal {
  /** Undefined while the GCS has not told of any other node. */
  #total: Resources | undefined

  get total(): Resources | undefined {
    return this.#total
  }

  /** Returns it when it has changed. */
  update(nodes: readonly ClusterNode[]): Resources | undefined {
    const takers = nodes.filter((node) => node.isClient !== true)
    if (this.#total === undefined && takers.length < 2) return undefined
    const total = takers.reduce<Resources>((sum, node) => addAmounts(sum, node.total), {})
    if (this.#total !== undefined && sameAmounts(this.#total, total)) return undefined
    this.#total = total
    return total
  }
}
