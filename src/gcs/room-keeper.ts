// Asks nodes to keep room for who waits; `room-plan` decides which, and this says when.

import type { Clock } from '../base/clock.js'
import { roomPlanMs, roomsMax } from '../base/limits.js'
import { type FromGcs, roomKey } from '../wire/messages/gcs.js'
import { addAmounts, largerAmounts } from '../scheduling/resource-amounts.js'
import type { PlacementGroupRow } from '../wire/messages/raylet.js'
import type { Resources } from '../wire/messages/terms.js'
import type { ActorPlacement } from './actor-placement.js'
import type { ActorRecord } from './actor-record.js'
import type { ActorTable } from './actor-table.js'
import { groupDemand } from './group-room.js'
import type { NodeTable } from './node-table.js'
import type { PlacementGroupTable } from './placement-group-table.js'
import { type RoomDemand, RoomPlan } from './room-plan.js'
import { StarvingWatch, type StarvingHolder, type StarvingWaiter } from './starving-watch.js'

export interface RoomPorts {
  readonly clock: Clock
  readonly nodes: NodeTable
  readonly placement: ActorPlacement
  readonly groups: Pick<PlacementGroupTable, 'unplaced' | 'rows'>
  readonly actors: Pick<ActorTable, 'unplaced' | 'living'>
  readonly deliver: (nodeId: string, message: FromGcs) => void
  /** All is said. */
  readonly done: () => void
}

export class RoomKeeper {
  readonly #ports: RoomPorts
  readonly #plan = new RoomPlan()
  readonly #watch = new StarvingWatch()
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

  /** For the programs of those who wait for actors to end. */
  warnings(now: number): { readonly jobId: string; readonly text: string }[] {
    const { nodes, groups, actors } = this.#ports
    return this.#watch.look(
      this.#starving(),
      {
        nodes: nodes.open(),
        actors: () => [...actors.living].flatMap(heldBy),
        isHeldByGroups: (resource) =>
          groups.rows().some(({ bundles }) => bundles.some((each) => takes(each, resource))),
      },
      now,
    )
  }

  jobFinished(jobId: string): void {
    this.#watch.jobFinished(jobId)
  }

  /** Who would fit nowhere even if no task ran. */
  #starving(): StarvingWaiter[] {
    const { groups, actors } = this.#ports
    const starving: StarvingWaiter[] = []
    for (const { spec, jobId, shape, lacks } of actors.unplaced) {
      // In a group only its node knows what is free.
      const isElsewhere = lacks !== undefined || spec.strategy.kind === 'placementGroup'
      const waits = { key: roomKey('actor', spec.actor), shape: `actor ${shape}` }
      if (isElsewhere || !this.#plan.isStarving(waits)) continue
      const need = largerAmounts(spec.placement, spec.resources)
      starving.push({ ...waits, jobId, name: `Actor ${spec.className}`, need })
    }
    for (const record of groups.unplaced) {
      const { key, shape, jobId } = groupDemand(record)
      if (record.state === 'infeasible' || !this.#plan.isStarving({ key, shape })) continue
      const missing = record.bundles.filter(({ nodeId }) => nodeId === undefined)
      const need = missing.reduce<Resources>((sum, each) => addAmounts(sum, each.resources), {})
      starving.push({ key, shape, jobId, name: `Placement group ${record.group}`, need })
    }
    return starving
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

/** What it takes from a node; in a group it takes from what the group holds. */
function heldBy({ phase, spec }: ActorRecord): StarvingHolder[] {
  const isHolding = phase === 'alive' && spec.strategy.kind !== 'placementGroup'
  return isHolding ? [{ name: spec.className, resources: spec.resources }] : []
}

type Bundle = PlacementGroupRow['bundles'][number]

function takes({ nodeId, resources }: Bundle, resource: string): boolean {
  return nodeId !== undefined && (resources[resource] ?? 0) > 0
}
