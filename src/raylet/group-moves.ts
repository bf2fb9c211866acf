// Moves what waits for any bundle of a placement group to the node on which one has become free.
//
// A request that may run in any bundle waits at one node that has some of them. What is free in the
// bundles of other nodes no view says: there are many bundles, and few of these requests. So nodes
// report for which groups such requests wait, and a node that has room in a bundle, and nobody of
// its own for it, says so to those. They move as many as fit: their own go there, and those of
// other nodes go back to where they came from, which sends them on.

import type { Resources } from '../wire/messages/terms.js'
import { amountsFit, subtractAmounts } from '../scheduling/resource-amounts.js'
import type { LeaseEffect, LeaseEvent } from './lease-events.js'
import type { ForeignRequests } from './foreign-requests.js'
import type { LeaseTables } from './lease-tables.js'
import type { Spillback } from './spillback.js'

export interface GroupMovePorts {
  readonly tables: LeaseTables
  readonly foreign: ForeignRequests
  readonly spillback: Spillback
  readonly emit: (effect: LeaseEffect) => void
}

export class GroupMoves {
  readonly #ports: GroupMovePorts
  /** Nodes that were told since the last view, by group. */
  readonly #told = new Map<string, Set<number>>()

  constructor(ports: GroupMovePorts) {
    this.#ports = ports
  }

  viewChanged(): void {
    this.#told.clear()
  }

  /** After a round of granting: whoever still waits here has had what it can. */
  look(): void {
    const { tables, emit } = this.#ports
    const wanted = tables.cluster.wantedGroups
    if (wanted.size === 0) return
    const own = new Set(tables.queue.groups())
    for (const [group, nodes] of wanted) {
      if (own.has(group)) continue
      const available = tables.bundles
        .pools({ group, bundle: -1 })
        .map((pool) => pool.available)
        .filter((free) => !free.isEmpty)
        .map((free) => free.toResources())
      if (available.length === 0) continue
      const told = this.#told.get(group) ?? new Set()
      this.#told.set(group, told)
      const to = nodes.find((node) => !told.has(node))
      if (to === undefined) continue
      told.add(to)
      emit({ kind: 'peer', to, message: { kind: 'bundleFree', group, available } })
    }
  }

  /** True: a round of granting must follow. */
  received(event: Extract<LeaseEvent, { kind: 'bundleFree' }>, now: number): boolean {
    const { tables, foreign, spillback } = this.#ports
    const { group, node } = event
    let free: readonly Resources[] = event.available
    let isMoved = false
    for (const request of [...tables.queue]) {
      const { target, need, passedBy } = request
      if (target?.group !== group || target.bundle >= 0) continue
      // It has room here, and waits for a worker.
      if (tables.poolsOf(request).some((pool) => pool.canAllocate(need))) continue
      const demand = need.toResources()
      const at = free.findIndex((each) => amountsFit(demand, each))
      if (at < 0) continue
      free = free.map((each, n) => (n === at ? subtractAmounts(each, demand) : each))
      if (passedBy === 0) spillback.moveTo(request, node, now)
      else foreign.sendOn(request)
      isMoved = true
    }
    return isMoved
  }
}
