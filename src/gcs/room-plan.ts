// For whom nodes keep room: actors and placement groups that wait while tasks hold what they need.
//
// The GCS places where there is room, and a node that is never without tasks never has any: an
// owner keeps a lease as long as it has tasks for it. The raylet can ask for leases, but does not
// know who waits here. So the GCS chooses where each of those who wait would fit if no task ran
// there, and asks these nodes to keep room. That is no placement: whichever node has room first
// gets it, and the others need not keep any more.
//
// The oldest choose first, and what is kept for one is not promised to another, so two groups never
// keep from each other what both need. A node whose tasks do not end is given up for another after
// a while, longer each time, or else a large demand would never see its room complete.
//
// Nodes are told all that they keep, whenever that changes. So a message may come twice, and after
// its restart the GCS plans anew.
//
// Invariants, checked by validate(): a room has shares on nodes, and the nodes know their shares.

import { assert } from '../base/assert.js'
import { roomPatienceMs, roomPatienceMsMax, roomsMax } from '../base/limits.js'
import type { NodeView } from '../scheduling/node-view.js'
import { amountsFit, subtractAmounts } from '../scheduling/resource-amounts.js'
import type { Room } from '../wire/messages/gcs.js'
import type { Resources } from '../wire/messages/terms.js'

/** What each node would have to keep. */
export type RoomShares = ReadonlyMap<string, Resources>

/** An actor or group that waits. */
export interface RoomDemand extends Omit<Room, 'need'> {
  /** Demands of one shape fit together or not at all. */
  readonly shape: string
  /** Where it would go if this were all that the nodes have free. */
  readonly place: (nodes: readonly NodeView[]) => RoomShares | undefined
}

interface Kept {
  readonly demand: RoomDemand
  readonly shares: RoomShares
  readonly since: number
  readonly patienceMs: number
  /** Nodes on which it has waited long enough. */
  readonly tried: ReadonlySet<string>
}

/** Of what a node was told that has been away. */
const unknown = '?'

export class RoomPlan {
  /** By key, in the order of those who wait. */
  #kept = new Map<string, Kept>()
  /** Shapes that would fit nowhere, as of the last plan. */
  #full: ReadonlySet<string> = new Set()
  /** What nodes were told, as text; without those that keep nothing. */
  readonly #told = new Map<string, string>()

  /** Nobody keeps anything. */
  get isQuiet(): boolean {
    return this.#told.size === 0
  }

  /** It would fit nowhere even if no task ran. */
  isStarving({ key, shape }: Pick<RoomDemand, 'key' | 'shape'>): boolean {
    return this.#full.has(shape) && !this.#kept.has(key)
  }

  /** A node that has been away may keep what it was told by an earlier GCS. */
  forget(nodeId: string): void {
    this.#told.set(nodeId, unknown)
  }

  /**
   * `nodes` are seen as if no task ran there. Returns what nodes are to be told.
   */
  plan(
    demands: Iterable<RoomDemand>,
    nodes: readonly NodeView[],
    now: number,
  ): ReadonlyMap<string, readonly Room[]> {
    const before = this.#kept
    this.#kept = new Map()
    const free = new FreeRoom(nodes)
    const full = new Set<string>()
    this.#full = full
    for (const demand of demands) {
      if (this.#kept.size >= roomsMax) break
      const { key, shape } = demand
      if (full.has(shape)) continue
      const kept = choose(demand, before.get(key), { free, now })
      if (kept === undefined) full.add(shape)
      else {
        this.#kept.set(key, kept)
        free.take(kept.shares)
      }
    }
    return this.#news()
  }

  validate(): void {
    for (const [key, { demand, shares }] of this.#kept) {
      assert(demand.key === key, 'room is kept under the name of whom it is for')
      assert(shares.size > 0, 'room is kept somewhere')
      for (const nodeId of shares.keys()) {
        const told = this.#told.get(nodeId)
        const isTold = told === unknown || told?.includes(key) === true
        assert(isTold, 'the node knows what it keeps, or is told with the next plan')
      }
    }
  }

  #news(): Map<string, readonly Room[]> {
    const rooms = new Map<string, Room[]>()
    for (const { demand, shares } of this.#kept.values()) {
      const { key, name, jobId, depth } = demand
      for (const [nodeId, need] of shares) {
        const list = rooms.get(nodeId) ?? []
        rooms.set(nodeId, list)
        list.push({ key, name, jobId, depth, need })
      }
    }
    const news = new Map<string, readonly Room[]>()
    for (const nodeId of new Set([...this.#told.keys(), ...rooms.keys()])) {
      const list = rooms.get(nodeId) ?? []
      const text = JSON.stringify(list)
      if (text === this.#told.get(nodeId)) continue
      if (list.length === 0) this.#told.delete(nodeId)
      else this.#told.set(nodeId, text)
      news.set(nodeId, list)
    }
    return news
  }
}

/** What is left on the nodes while rooms are given out. */
class FreeRoom {
  readonly #nodes: NodeView[]
  readonly #at: ReadonlyMap<string, number>

  constructor(nodes: readonly NodeView[]) {
    this.#nodes = [...nodes]
    this.#at = new Map(nodes.map(({ nodeId }, at) => [nodeId, at]))
  }

  get nodes(): readonly NodeView[] {
    return this.#nodes
  }

  /** The only node, if there is just one. */
  get only(): NodeView | undefined {
    return this.#nodes.length === 1 ? this.#nodes[0] : undefined
  }

  fits(shares: RoomShares): boolean {
    return [...shares].every(([nodeId, share]) => {
      const node = this.#nodes[this.#at.get(nodeId) ?? -1]
      return node !== undefined && amountsFit(share, node.available)
    })
  }

  take(shares: RoomShares): void {
    for (const [nodeId, share] of shares) {
      const at = this.#at.get(nodeId)
      const node = at === undefined ? undefined : this.#nodes[at]
      if (at === undefined || node === undefined) continue
      this.#nodes[at] = { ...node, available: subtractAmounts(node.available, share) }
    }
  }
}

function choose(
  demand: RoomDemand,
  old: Kept | undefined,
  { free, now }: { readonly free: FreeRoom; readonly now: number },
): Kept | undefined {
  const isSame = old?.demand.shape === demand.shape
  if (old !== undefined && isSame && now - old.since < old.patienceMs && free.fits(old.shares)) {
    return { ...old, demand }
  }
  const isTired = old !== undefined && isSame && now - old.since >= old.patienceMs
  const tried = new Set(isTired ? [...old.tried, ...old.shares.keys()] : old?.tried)
  const untried = free.nodes.filter(({ nodeId }) => !tried.has(nodeId))
  const usual = { demand, since: now, patienceMs: longer(old?.patienceMs) }
  if (tried.size > 0) {
    const shares = demand.place(untried)
    if (shares !== undefined) return { ...usual, shares, tried }
  }
  const shares = demand.place(free.nodes) ?? onOnly(demand, free)
  return shares && { ...usual, shares, tried: new Set() }
}

/**
 * A lone node is asked although more than its tasks is in the way: there is nowhere else to wait,
 * and it can say who holds what.
 */
function onOnly(demand: RoomDemand, { only }: FreeRoom): RoomShares | undefined {
  return only && demand.place([{ ...only, available: only.total }])
}

function longer(patienceMs: number | undefined): number {
  if (patienceMs === undefined) return roomPatienceMs
  return Math.min(2 * patienceMs, roomPatienceMsMax)
}
