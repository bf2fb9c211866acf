// Room that the GCS wants kept on this node, for actors and placement groups that wait there.
//
// It waits in the queue with the requests of tasks, so that it has its turn like them: leases that
// are in the way are recalled, and what comes free stays free, for the GCS to see and to place
// somebody on. When the GCS does, or wants the room no more, it leaves the queue.

import { ResourceSet } from '../scheduling/resources.js'
import type { Room } from '../wire/messages/gcs.js'
import type { PendingRequest } from './lease-queue.js'
import { reservationRequest } from './lease-request.js'
import type { LeaseTables } from './lease-tables.js'

export class ReservedRooms {
  readonly #tables: LeaseTables

  constructor(tables: LeaseTables) {
    this.#tables = tables
  }

  /** These, and no others; true when a round of granting must follow. */
  reserve(rooms: readonly Room[]): boolean {
    const { queue, pool } = this.#tables
    const wanted = new Map(rooms.map((room) => [room.key, room]))
    let isChanged = false
    for (const kept of queue.reservations()) {
      const room = wanted.get(kept.reservation ?? '')
      if (room !== undefined && kept.need.equals(ResourceSet.from(room.need))) {
        wanted.delete(room.key)
        continue
      }
      queue.remove(kept)
      isChanged = true
    }
    for (const room of wanted.values()) {
      if (!pool.canEverAllocate(ResourceSet.from(room.need))) continue
      queue.add(reservationRequest(room))
      isChanged = true
    }
    return isChanged
  }

  /** Whoever it was for is here; undefined when no room was kept. */
  end(key: string): PendingRequest | undefined {
    const kept = this.#tables.queue.reserved(key)
    if (kept !== undefined) this.#tables.queue.remove(kept)
    return kept
  }
}
