// Lease requests of other nodes' processes, which their raylets have passed on. None is passed on
// again: what cannot be had here goes back to where it came from.

import type { ProcessId } from '../base/ids.js'
import type { LeaseEffect, LeaseEvent } from './lease-events.js'
import type { PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'

type EventOf<Kind extends LeaseEvent['kind']> = Extract<LeaseEvent, { kind: Kind }>

export class ForeignRequests {
  readonly #tables: LeaseTables
  readonly #emit: (effect: LeaseEffect) => void

  constructor(tables: LeaseTables, emit: (effect: LeaseEffect) => void) {
    this.#tables = tables
    this.#emit = emit
  }

  /** True: it waits here now. */
  receive(request: PendingRequest, { passed }: EventOf<'requestLease'>): boolean {
    const isPossible = this.#canEver(request)
    const fits = isPossible && (passed?.stays === true || this.#hasRoom(request))
    if (fits) this.#tables.queue.add(request)
    else this.#sendBack(request, isPossible ? 'full' : 'never')
    return fits
  }

  /** Unless it has been granted it goes back. */
  recall({ node, from, request }: EventOf<'recallRequest'>): boolean {
    const recalled = this.#tables.queue.take(
      (each) => each.passedBy === node && each.owner === from && each.request === request,
    )
    for (const each of recalled) this.#sendBack(each, 'recalled')
    return recalled.length > 0
  }

  /** Another node has room for it. */
  sendOn(request: PendingRequest): void {
    this.#tables.queue.remove(request)
    this.#sendBack(request, 'full')
  }

  /** What this node cannot grant any more, after a change of the view or of a placement group. */
  sendBackImpossible(): void {
    const impossible = this.#tables.queue.take(
      (each) => each.passedBy !== 0 && !this.#canEver(each),
    )
    for (const each of impossible) this.#sendBack(each, 'never')
  }

  /** Owners on that node that have something here. */
  ownersOn(isThere: (process: ProcessId) => boolean): Set<ProcessId> {
    const owners = new Set<ProcessId>()
    for (const { owner } of this.#tables.leases.values()) if (isThere(owner)) owners.add(owner)
    for (const { owner } of this.#tables.queue) if (isThere(owner)) owners.add(owner)
    return owners
  }

  #hasRoom(request: PendingRequest): boolean {
    const { queue, pool } = this.#tables
    if (request.target === undefined) return request.need.fitsIn(pool.available.minus(queue.demand))
    if (queue.has(request.shape)) return false
    return this.#tables.poolsOf(request).some((each) => each.canAllocate(request.need))
  }

  #canEver(request: PendingRequest): boolean {
    if (!this.#tables.cluster.isUsable && request.target === undefined) return false
    return this.#tables.poolsOf(request).some((pool) => pool.canEverAllocate(request.need))
  }

  #sendBack(request: PendingRequest, why: 'full' | 'never' | 'recalled'): void {
    const { pool, queue } = this.#tables
    const message = {
      kind: 'requestReturned',
      from: request.owner,
      request: request.request,
      why,
      available: pool.available.toResources(),
      waiting: queue.demand.toResources(),
    } as const
    this.#emit({ kind: 'peer', to: request.passedBy, message })
  }
}
