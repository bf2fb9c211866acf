// Asks nodes to keep room for who waits; `room-plan` decides which, and this says when.

import type { Clock } from '../base/clock.js'
import { roomPlanMs, roomsMax } from '../base/limits.js'
import { type FromGcs, roomKey } from '../wire/messages/gcs.js'
import type { ActorPlacement } from './actor-placement.js'
import type { ActorRecord } from './actor-record.js'
import { groupDemand } from './group-room.js'
import type { NodeTable } from './node-table.js'
import type { GroupRecord } from './placement-group-record.js'
import { type RoomDemand, RoomPlan } from './room-plan.js'

export interface RoomPorts {
  readonly clock: Clock
  readonly nodes: NodeTable
  readonly placement: ActorPlacement
  readonly groups: { readonly unplaced: ReadonlySet<GroupRecord> }
  readonly actors: { readonly unplaced: ReadonlySet<ActorRecord> }
  readonly deliver: (nodeId: string, message: FromGcs) => void
  /** All is said. */
  readonly done: () => void
}

export class RoomKeeper {
  readonly #ports: RoomPorts
  readonly #plan = new RoomPlan()
  #cancel: (() => void) | undefined

  constructor(ports: RoomPorts) {
    this.#ports = ports
  }

  get isAnyoneWaiting(): boolean {
    const { groups, actors } = this.#ports
    return groups.unplaced.size > 0 || actors.unplaced.size > 0
  }

  /** Something has changed. */
  look(): void {
    if (this.#cancel !== undefined || (this.#plan.isQuiet && !this.isAnyoneWaiting)) return
    this.#cancel = this.#ports.clock.timer(roomPlanMs, () => this.#make())
  }

  /** The node has been away, and may keep what an earlier GCS has asked for. */
  nodeReturned(nodeId: string): void {
    this.#plan.forget(nodeId)
  }

  close(): void {
    this.#cancel?.()
  }

  validate(): void {
    this.#plan.validate()
  }

  #make(): void {
    this.#cancel = undefined
    const { nodes, clock, deliver, done } = this.#ports
    const news = this.#plan.plan(this.#demands(), nodes.withoutTasks(), clock.now())
    for (const [nodeId, rooms] of news) deliver(nodeId, { kind: 'reserveRoom', rooms })
    done()
  }

  *#demands(): Iterable<RoomDemand> {
    const { groups, actors, placement } = this.#ports
    for (const record of groups.unplaced) yield groupDemand(record)
    // Ten thousand actors may wait for ever, and they are looked at again and again.
    const counts = new Map<string, number>()
    for (const { spec, jobId, shape } of actors.unplaced) {
      const count = counts.get(shape) ?? 0
      if (count >= roomsMax) continue
      counts.set(shape, count + 1)
      yield {
        key: roomKey('actor', spec.actor),
        name: spec.className,
        jobId,
        depth: spec.depth,
        shape: `actor ${shape}`,
        place: (views) => placement.roomFor(spec, views),
      }
    }
  }
}
