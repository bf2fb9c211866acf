// Who may wait at all: requests that nobody can ever grant are refused, with what is missing and
// what there is.
//
// Where nodes may join, a request that only lacks a node that is large enough waits for one, as in
// Ray: the next node may be on its way, or a dead one be about to be replaced. What no node can
// change is refused there too: a bundle that is too small, a node by name that is dead.

import type { WireError } from '../wire/messages/terms.js'
import type { PendingRequest } from './lease-queue.js'
import { type Impossible, impossibleOf } from './lease-refusal.js'
import type { LeaseTables } from './lease-tables.js'

export interface AdmissionPorts {
  readonly tables: LeaseTables
  /** Without an error, which is said of actors only, it may be placed elsewhere. */
  readonly refuse: (request: PendingRequest, error?: WireError) => void
}

export class Admission {
  readonly #tables: LeaseTables
  readonly #refuse: AdmissionPorts['refuse']

  constructor({ tables, refuse }: AdmissionPorts) {
    this.#tables = tables
    this.#refuse = refuse
  }

  /** False: it is refused, or waits for a node to join. */
  admits(request: PendingRequest, now: number): boolean {
    const impossible = impossibleOf(this.#tables, request)
    if (impossible !== undefined) this.#turnAway(request, impossible, now)
    return impossible === undefined
  }

  /**
   * Takes out of the queue what a changed view, or a placement group that is now known or gone, has
   * made impossible.
   */
  sift(now: number): void {
    const { queue } = this.#tables
    for (const line of queue.lines()) {
      const impossible = line[0] && impossibleOf(this.#tables, line[0])
      if (impossible === undefined) continue
      for (const request of [...line]) {
        queue.remove(request)
        this.#turnAway(request, impossible, now)
      }
    }
  }

  /** After a new view: takes what can be granted now, by some node. */
  takePossible(): PendingRequest[] {
    return this.#tables.infeasible.takeLines(
      (request) => impossibleOf(this.#tables, request)?.why === undefined,
    )
  }

  #turnAway(request: PendingRequest, { error, why }: Impossible, now: number): void {
    const mayChange = this.#tables.canGrow && why !== undefined
    if (!mayChange) this.#refuse(request, error)
    else if (request.actor === undefined) this.#tables.infeasible.add(request, { why, now })
    else this.#refuse(request)
  }
}
