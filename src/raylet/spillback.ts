// Sends lease requests of this node's processes to other nodes, and knows where they are.
//
// A request is decided here once: by what this node has and what the others had when they last said
// so. It is granted there, and the grant comes back on the same way. If the other node has filled
// up meanwhile it sends the request back, once; from then on the request waits wherever there is
// least to do, in a queue that is fair. So nothing is sent back and forth.
//
// What waits moves all the same. When a view shows room elsewhere, requests that wait here go
// there. Requests that wait at another node are called back when there is room here, or at a third
// node; they come back only if they have not been granted in the meantime.
//
// A request that carries a task that may not run twice goes without it: its owner sends the task
// when it has the lease. So when the node dies it is known that the task has not started.

import type { ProcessId } from '../base/ids.js'
import { callBackMax, claimMs } from '../base/limits.js'
import { type Place, placePolicy } from '../scheduling/place-policy.js'
import type { NodeView } from '../scheduling/node-view.js'
import { amountsFit, subtractAmounts } from '../scheduling/resource-amounts.js'
import {
  type ClusterNode,
  nodeDiedReason,
  type ObjectKey,
  type ProcessExit,
} from '../wire/messages/terms.js'
import type { LeaseEffect, LeaseEvent } from './lease-events.js'
import type { PendingRequest } from './lease-queue.js'
import type { LeaseTables } from './lease-tables.js'
import { outlivesJob } from './outlives-job.js'

type EventOf<Kind extends LeaseEvent['kind']> = Extract<LeaseEvent, { kind: Kind }>

interface PassedRequest {
  readonly request: PendingRequest
  readonly node: number
  /** It waits there when there is no room. */
  readonly stays: boolean
  /** Its task went with it, and may run there before we hear of it. */
  readonly hasTask: boolean
  readonly at: number
  isRecalled: boolean
  isCancelled: boolean
}

export interface SpillbackPorts {
  readonly tables: LeaseTables
  readonly emit: (effect: LeaseEffect) => void
  /** How many bytes of the objects each node has, by its id. */
  readonly bytesOn: (objects: readonly ObjectKey[]) => ReadonlyMap<string, number> | undefined
}

export class Spillback {
  readonly #tables: LeaseTables
  readonly #emit: (effect: LeaseEffect) => void
  readonly #bytesOn: SpillbackPorts['bytesOn']
  /** Requests at other nodes, in order. Removed when they are answered, returned, or lost. */
  readonly #passed = new Map<string, PassedRequest>()
  #turn = 0
  /** Other nodes have more or less room than before. */
  #isViewNew = false

  constructor({ tables, emit, bytesOn }: SpillbackPorts) {
    this.#tables = tables
    this.#emit = emit
    this.#bytesOn = bytesOn
  }

  /** The node number of where the request waits, if it was passed on. */
  nodeOf(owner: ProcessId, request: number): number | undefined {
    return this.#passed.get(keyOf(owner, request))?.node
  }

  /** Passes the request on if it belongs elsewhere. True: its place is here. */
  stays(request: PendingRequest, now: number): boolean {
    const tables = this.#tables
    if (tables.isAlone || request.asked === undefined || request.passedBy !== 0) return true
    if (request.target !== undefined) return this.#staysInGroup(request, now)
    const place = this.#choose(request, this.#nodes(request))
    if (request.isSpread) this.#turn++
    if (place.kind === 'infeasible' || place.nodeId === tables.nodeId) return true
    this.#pass(request, place, now)
    return false
  }

  /** The other node has granted or refused it. */
  answered(owner: ProcessId, request: number): void {
    this.#passed.delete(keyOf(owner, request))
  }

  /** It comes back; undefined when nobody wants it any more. */
  returned(event: EventOf<'requestReturned'>): PassedRequest | undefined {
    const { from, request, node, why, available, waiting } = event
    const passed = this.#passed.get(keyOf(from, request))
    if (passed?.node !== node) return undefined
    this.#passed.delete(keyOf(from, request))
    this.#tables.cluster.correct(node, { available, waiting })
    if (why !== 'recalled') passed.request.refusedBy.set(node, why)
    return passed
  }

  /** True: it was at another node, which is told. */
  cancel(event: EventOf<'cancelLeaseRequest'>): boolean {
    const passed = this.#passed.get(keyOf(event.from, event.request))
    if (passed === undefined) return false
    passed.isCancelled = true
    const message = { kind: 'cancelLeaseRequest', request: event.request } as const
    this.#tell(passed.node, { kind: 'aboutLease', from: event.from, message })
    return true
  }

  ownerDied(owner: ProcessId): void {
    for (const [key, { request }] of this.#passed) {
      if (request.owner === owner) this.#passed.delete(key)
    }
  }

  /** Returns what has certainly not run, to be placed again. */
  nodeDied(node: number, exit: ProcessExit): PendingRequest[] {
    const unstarted: PendingRequest[] = []
    for (const [key, { request, hasTask, node: on }] of this.#passed) {
      if (on !== node) continue
      this.#passed.delete(key)
      if (!hasTask) unstarted.push(request)
      else {
        const message = { kind: 'requestLost', request: request.request, exit } as const
        this.#emit({ kind: 'send', to: request.owner, message })
      }
    }
    return unstarted
  }

  viewChanged(nodes: readonly ClusterNode[], now: number): void {
    this.#tables.cluster.update(nodes, now)
    this.#isViewNew = true
  }

  /** Moves what waits to where there is room. */
  balance(now: number): void {
    if (this.#tables.isAlone) return
    if (this.#isViewNew) {
      this.#moveOut(now)
      this.#moveOn(now)
    }
    this.#isViewNew = false
    this.#callBack()
  }

  /** After a new view: what waits here goes where there is room now. */
  #moveOut(now: number): void {
    const { queue, pool } = this.#tables
    let room = pool.available
    for (const line of queue.lines()) {
      for (const request of [...line]) {
        request.refusedBy.clear()
        const isOurs = request.asked !== undefined && request.passedBy === 0
        if (isOurs && request.target !== undefined) {
          this.#replace(request, now)
          continue
        }
        const isHere = this.#isUsable && request.need.fitsIn(room)
        if (!isOurs || isHere) {
          room = room.minus(request.need)
          continue
        }
        if (!this.#move(request, now)) break
      }
    }
  }

  /** The bundles of a group are known now, or have moved. */
  groupLocated({ group, bundles }: EventOf<'groupLocated'>, now: number): void {
    this.#tables.groups.located(group, bundles)
    for (const line of this.#tables.queue.lines()) {
      if (line[0]?.target?.group !== group) continue
      for (const request of [...line]) {
        request.refusedBy.clear()
        if (request.asked !== undefined && request.passedBy === 0) this.#replace(request, now)
      }
    }
  }

  /** A request of the queue goes to a node that has said that it has room. */
  moveTo(request: PendingRequest, node: number, now: number): void {
    if (request.asked === undefined) return
    this.#tables.queue.remove(request)
    this.#passTo(request, { node, stays: false, now })
  }

  /** Asks for requests that wait elsewhere, as far as there is room for them here. */
  #callBack(): void {
    if (this.#passed.size === 0) return
    const { queue, pool, bundles } = this.#tables
    let room = pool.available.minus(queue.demand)
    for (const { request, isRecalled } of this.#passed.values()) {
      if (isRecalled && request.target === undefined) room = room.minus(request.need)
    }
    let looked = 0
    for (const passed of this.#passed.values()) {
      if (++looked > callBackMax) return
      const { request, stays, isRecalled } = passed
      if (!stays || isRecalled || request.affinity?.soft === false) continue
      const { target, need, labels } = request
      if (target !== undefined) {
        const isFree = bundles.pools(target).some((each) => each.canAllocate(need))
        if (isFree && !queue.has(request.shape)) this.#recall(passed)
      } else if (this.#isUsable && need.fitsIn(room) && pool.canEverAllocate(need)) {
        if (!this.#tables.hasLabels(labels, need)) continue
        room = room.minus(need)
        this.#recall(passed)
      }
    }
  }

  /** After a new view: what waits at a full node is called back while a third one has room. */
  #moveOn(now: number): void {
    let others = [...this.#tables.cluster.others()]
    let looked = 0
    for (const passed of this.#passed.values()) {
      if (++looked > callBackMax) return
      const { request, stays, isRecalled, at, node } = passed
      const isFree = stays && !isRecalled && request.target === undefined
      if (!isFree || request.affinity !== undefined || now - at < claimMs) continue
      const from = this.#tables.cluster.byNumber(node)?.nodeId
      const demand = request.need.toResources()
      const place = this.#choose(request, others)
      if (place.kind !== 'node' || !place.hasRoom || place.nodeId === from) continue
      if (others.some((each) => each.nodeId === from && amountsFit(demand, each.available)))
        continue
      others = others.map((each) =>
        each.nodeId === place.nodeId
          ? { ...each, available: subtractAmounts(each.available, demand) }
          : each,
      )
      this.#recall(passed)
    }
  }

  get #isUsable(): boolean {
    return this.#tables.cluster.isUsable
  }

  /** Passes on a request of the queue for which another node has room. */
  #move(request: PendingRequest, now: number): boolean {
    const { queue, nodeId, pool } = this.#tables
    const place = this.#choose(request, this.#nodes(request))
    const canStay = this.#isUsable && pool.canEverAllocate(request.need)
    const isElsewhere = place.kind === 'node' && place.nodeId !== nodeId
    if (!isElsewhere || (!place.hasRoom && canStay)) return false
    queue.remove(request)
    this.#pass(request, place, now)
    return true
  }

  /** Decides anew about a request of the queue. */
  #replace(request: PendingRequest, now: number): void {
    const { sequence } = request
    this.#tables.queue.remove(request)
    if (this.stays(request, now)) this.#tables.queue.add(request, sequence)
  }

  /** This node and the others; without those that cannot have it. */
  #nodes({ refusedBy }: PendingRequest): readonly NodeView[] {
    const { cluster, nodeId, labels, pool, queue } = this.#tables
    const nodes = cluster.others().flatMap((node) => {
      const why = refusedBy.get(cluster.numberOf(node.nodeId) ?? 0)
      if (why === undefined) return [node]
      return why === 'never' ? [] : [{ ...node, available: withoutRoom(node) }]
    })
    if (!cluster.isUsable) return nodes
    const total = pool.total.toResources()
    const available = pool.available.minus(queue.demand).toResources()
    return [{ nodeId, labels, alive: true, total, available }, ...nodes]
  }

  #choose(request: PendingRequest, nodes: readonly NodeView[]): Place {
    const { need, labels, affinity, isSpread, reads } = request
    const bytes = reads === undefined ? undefined : this.#bytesOn(reads)
    return placePolicy(nodes, {
      demand: need.toResources(),
      isSpread,
      turn: this.#turn,
      labels,
      preferred: this.#tables.nodeId,
      ...(affinity !== undefined && { affinity }),
      ...(bytes !== undefined && { bytes }),
    })
  }

  #staysInGroup(request: PendingRequest, now: number): boolean {
    const { bundles, groups, nodeId, cluster, queue } = this.#tables
    const { target, need, refusedBy, shape } = request
    if (target === undefined) return true
    const isFree = bundles.pools(target).some((pool) => pool.canAllocate(need))
    if (isFree && !queue.has(shape)) return true
    if (groups.ask(target.group)) {
      this.#emit({ kind: 'gcs', message: { kind: 'locateGroup', nodeId, group: target.group } })
    }
    const demand = need.toResources()
    const nodes = (groups.get(target.group) ?? []).flatMap((bundle) => {
      const isIt = target.bundle < 0 || target.bundle === bundle.index
      if (!isIt || bundle.nodeId === undefined || !amountsFit(demand, bundle.resources)) return []
      if (bundle.nodeId === nodeId) return [0]
      const number = cluster.numberOf(bundle.nodeId)
      return number === undefined || refusedBy.get(number) === 'never' ? [] : [number]
    })
    if (nodes.length === 0) return true
    const turn = this.#turn++
    const untried = nodes.filter((node) => node !== 0 && !refusedBy.has(node))
    const from = untried.length > 0 ? untried : nodes
    const node = from[turn % from.length] ?? 0
    if (node === 0) return true
    this.#passTo(request, { node, stays: nodes.length === 1 || untried.length === 0, now })
    return false
  }

  #pass(request: PendingRequest, place: Place & { kind: 'node' }, now: number): void {
    const node = this.#tables.cluster.numberOf(place.nodeId) ?? 0
    this.#tables.cluster.claim(node, request.need.toResources(), now)
    const stays = !place.hasRoom || request.affinity !== undefined
    this.#passTo(request, { node, stays, now })
  }

  #passTo(request: PendingRequest, how: { node: number; stays: boolean; now: number }): void {
    const { asked } = request
    if (asked === undefined) return
    const { node, stays, now } = how
    const { from, jobId, task, ...message } = asked
    const hasTask = task !== undefined && asked.isOnce !== true
    const left = task?.reads === undefined ? message : { ...message, reads: task.reads }
    const key = keyOf(from, request.request)
    this.#passed.set(key, {
      request,
      node,
      stays,
      hasTask,
      at: now,
      isRecalled: false,
      isCancelled: false,
    })
    this.#tell(node, {
      kind: 'passLease',
      from,
      jobId,
      message: hasTask ? { ...message, task } : left,
      stays,
      outlivesJob: outlivesJob(this.#tables, this.#tables.workers.ofProcess(from)),
    })
  }

  #recall(passed: PassedRequest): void {
    passed.isRecalled = true
    const { owner: from, request } = passed.request
    this.#tell(passed.node, { kind: 'recallRequest', from, request })
  }

  #tell(to: number, message: Extract<LeaseEffect, { kind: 'peer' }>['message']): void {
    this.#emit({ kind: 'peer', to, message })
  }
}

/** How a worker ended whose node is dead. */
export function nodeDeath(nodeId: string): ProcessExit {
  const reason = nodeDiedReason + nodeId
  return { pid: 0, exitCode: null, signal: null, stderr: [], reason, started: -1 }
}

const keyOf = (owner: ProcessId, request: number): string => `${owner} ${request}`

/** It has said that it is full, whatever the view says. */
function withoutRoom({ available }: NodeView): NodeView['available'] {
  return Object.fromEntries(Object.entries(available).map(([name, n]) => [name, Math.min(n, 0)]))
}
