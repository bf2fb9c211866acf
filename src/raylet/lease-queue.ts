// Lease requests and actors that wait for resources or for a worker.
//
// Deepest first, so that the children of a waiting task run before its siblings; then first come,
// first served. Requests that want the same (shape) wait in one line, of which only the head need
// be looked at: when it cannot be granted, the ones behind it cannot either. That keeps a flood of
// 100 000 requests as cheap as one.

import { assert } from '../base/assert.js'
import type { ProcessId } from '../base/ids.js'
import type { LabelSelector } from '../scheduling/label-policy.js'
import { ResourceSet } from '../scheduling/resources.js'
import type { ObjectKey, PlacementGroupTarget } from '../wire/messages/terms.js'
import type { ActorSpec, CarriedTask } from '../wire/messages/raylet.js'
import type { LeaseEvent } from './lease-events.js'
import type { WorkerKind } from './worker-kind.js'

export interface PendingActor {
  readonly spec: ActorSpec
  readonly incarnation: number
  /** The request to place it that it follows from. */
  readonly attempt: number
}

export interface PendingRequest {
  readonly name: string
  readonly jobId: string
  readonly depth: number
  /** What must be free to grant it. */
  readonly need: ResourceSet
  /** What it holds once granted; less than `need` for an actor. */
  readonly hold: ResourceSet
  readonly target: PlacementGroupTarget | undefined
  /** Labels that its node must have: alternatives, the most wanted first. */
  readonly labels: readonly LabelSelector[]
  readonly workerKind: WorkerKind
  /** Requests of equal shape wait in one line. */
  readonly shape: string
  /** Owner and request number; the owner of an actor is the GCS, 0. */
  readonly owner: ProcessId
  readonly request: number
  readonly task: CarriedTask | undefined
  /** Stored objects that the task reads, which may have stayed with its owner. */
  readonly reads: readonly ObjectKey[] | undefined
  /** The task may not run twice: it is spared when memory is short. */
  readonly isOnce: boolean
  readonly actor: PendingActor | undefined
  /**
   * Names what the GCS was asked to place and will place here as soon as there is room: room is
   * kept for it.
   */
  readonly reservation: string | undefined
  /** It may run on any node, in turn. */
  readonly isSpread: boolean
  /** The node that it has to run on, or would like to. */
  readonly affinity: { readonly nodeId: string; readonly soft: boolean } | undefined
  /** What a process has asked for, to be passed on if need be. */
  readonly asked: Extract<LeaseEvent, { kind: 'requestLease' }> | undefined
  /** The node whose raylet has passed it on; 0 for this one. */
  readonly passedBy: number
  /** Nodes that have sent it back since the last view. */
  readonly refusedBy: Map<number, 'full' | 'never'>
  /** Position in order of arrival; set by the queue. */
  sequence: number
  /** How often a request behind it was granted while it could not be. */
  overtaken: number
}

/** Does `a` come before `b`? */
export function isBefore(a: PendingRequest, b: PendingRequest): boolean {
  return a.depth !== b.depth ? a.depth > b.depth : a.sequence < b.sequence
}

export class LeaseQueue {
  /** Lines by shape, each in order. A line is removed when it is empty. */
  readonly #lines = new Map<string, PendingRequest[]>()
  #sequence = 0
  #size = 0
  /** Reservations among them, by name. */
  readonly #reservations = new Map<string, PendingRequest>()
  /** What they need together. */
  #reserved = ResourceSet.empty
  /** Those whose tasks read stored objects. */
  readonly #reading = new Set<PendingRequest>()
  #readingVersion = 0
  #demand = ResourceSet.empty

  get size(): number {
    return this.#size
  }

  /** What those need together that take from the node, and not from a bundle. */
  get demand(): ResourceSet {
    return this.#demand
  }

  /** Another one when others wait that read stored objects. */
  get readingVersion(): number {
    return this.#readingVersion
  }

  /** Those, as they came. */
  reading(): Iterable<PendingRequest> {
    return this.#reading
  }

  /** Does anything of this shape wait? */
  has(shape: string): boolean {
    return this.#lines.has(shape)
  }

  /**
   * Whether a round of granting can do nothing: all who wait are reservations, which only keep
   * room, and there is room for all of them.
   */
  isQuiet(available: ResourceSet): boolean {
    if (this.#size > this.#reservations.size) return false
    return this.#reserved.fitsIn(available) && this.#reserved.get('GPU') === 0
  }

  /** `sequence` gives it the place of a reservation that it replaces. */
  add(request: PendingRequest, sequence: number = this.#sequence++): void {
    request.sequence = sequence
    this.#size++
    if (request.target === undefined) this.#demand = this.#demand.plus(request.need)
    if (request.reservation !== undefined) this.#reserve(request.reservation, request)
    if (request.reads !== undefined) {
      this.#reading.add(request)
      this.#readingVersion++
    }
    const line = this.#lines.get(request.shape)
    if (line === undefined) {
      this.#lines.set(request.shape, [request])
      return
    }
    let at = line.length
    while (at > 0 && isBefore(request, line[at - 1]!)) at--
    line.splice(at, 0, request)
  }

  /**
   * The lines, for the round that grants what can be granted. Call `remove` for what was granted.
   */
  lines(): readonly (readonly PendingRequest[])[] {
    return [...this.#lines.values()]
  }

  remove(request: PendingRequest): void {
    const line = this.#lines.get(request.shape)
    const at = line?.indexOf(request) ?? -1
    if (line === undefined || at < 0) return
    line.splice(at, 1)
    this.#size--
    this.#left(request)
    if (line.length === 0) this.#lines.delete(request.shape)
  }

  /** Placement groups of which any bundle is waited for. */
  groups(): string[] {
    const targets = [...this.#lines.values()].map((line) => line[0]?.target)
    return targets.flatMap((target) => (target && target.bundle < 0 ? [target.group] : []))
  }

  /** All that keep room, in no order. */
  reservations(): PendingRequest[] {
    return [...this.#reservations.values()]
  }

  reserved(name: string): PendingRequest | undefined {
    return this.#reservations.get(name)
  }

  /** Removes and returns all that match. */
  take(matches: (request: PendingRequest) => boolean): PendingRequest[] {
    const taken: PendingRequest[] = []
    for (const [shape, line] of this.#lines) {
      const rest = line.filter((request) => !matches(request))
      if (rest.length === line.length) continue
      for (const request of line) if (matches(request)) taken.push(request)
      if (rest.length === 0) this.#lines.delete(shape)
      else this.#lines.set(shape, rest)
    }
    this.#size -= taken.length
    for (const request of taken) this.#left(request)
    return taken.sort((a, b) => a.sequence - b.sequence)
  }

  #reserve(name: string, request: PendingRequest): void {
    assert(!this.#reservations.has(name), 'a reservation is made once')
    this.#reservations.set(name, request)
    this.#reserved = this.#reserved.plus(request.need)
  }

  #left(request: PendingRequest): void {
    if (this.#reading.delete(request)) this.#readingVersion++
    this.#unreserve(request)
  }

  #unreserve({ reservation, need, target }: PendingRequest): void {
    if (target === undefined) this.#demand = this.#demand.minus(need)
    if (reservation === undefined || !this.#reservations.delete(reservation)) return
    this.#reserved = this.#reserved.minus(need)
  }

  *[Symbol.iterator](): IterableIterator<PendingRequest> {
    for (const line of this.#lines.values()) yield* line
  }
}
