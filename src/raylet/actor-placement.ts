// Actors on this node: the GCS says where an actor goes, the raylet gives it a worker of its own
// for as long as it lives.
//
// An actor waits in the same queue as lease requests. It needs `spec.placement` free to be placed,
// and holds `spec.resources` from then on (by default 1 CPU and nothing, as in Ray). Its worker is
// never used for anything else.

import { shutdownMs } from '../base/limits.js'
import { devicesOf } from '../scheduling/resource-pool.js'
import type { ObjectKey, ProcessExit, WireError } from '../wire/messages/terms.js'
import type { ToGcs } from '../wire/messages/gcs.js'
import type { Stuck } from './grant-round.js'
import type { LeaseEffect, LeaseEvent } from './lease-events.js'
import type { PendingActor, PendingRequest } from './lease-queue.js'
import { impossibleOf } from './lease-refusal.js'
import { actorRequest } from './lease-request.js'
import type { LeaseTables } from './lease-tables.js'
import { PlaceAttempts } from './place-attempts.js'
import type { ActorHold, WorkerRecord } from './worker-table.js'

type EventOf<Kind extends LeaseEvent['kind']> = Extract<LeaseEvent, { kind: Kind }>

export class ActorPlacement {
  readonly #tables: LeaseTables
  readonly #emit: (effect: LeaseEffect) => void
  readonly #attempts = new PlaceAttempts()

  constructor(tables: LeaseTables, emit: (effect: LeaseEffect) => void) {
    this.#tables = tables
    this.#emit = emit
  }

  /**
   * Queues the actor; true when a round of granting must follow. A request that is repeated is
   * answered as it was before.
   */
  place(event: EventOf<'placeActor'>, kept?: PendingRequest): boolean {
    const { spec, incarnation, attempt } = event
    const actor = { spec, incarnation, attempt }
    const known = this.#attempts.hear(actor)
    if (known.isOld || this.#holds(actor)) {
      if (known.refusal !== undefined) this.#tell(known.refusal)
      return false
    }
    const request = actorRequest(event)
    const impossible = impossibleOf(this.#tables, request)
    if (impossible !== undefined) {
      const mayChange = this.#tables.canGrow && impossible.why !== undefined
      this.refuse(actor, mayChange ? undefined : impossible.error)
      return false
    }
    request.overtaken = kept?.overtaken ?? 0
    this.#tables.queue.add(request, kept?.sequence)
    return true
  }

  /** Gives the actor its worker. */
  handOver(worker: WorkerRecord, { actor, allocation }: ActorHold): void {
    const { spec, incarnation, attempt } = actor
    if (spec.nested.length > 0) {
      this.#emit({ kind: 'lend', to: worker.process, objects: spec.nested })
    }
    const { jobId } = worker.kind
    const gpus = devicesOf(allocation, 'GPU')
    this.#emit({
      kind: 'send',
      to: worker.process,
      message: { kind: 'startActor', spec, incarnation, gpus, jobId },
    })
    this.#tell({
      kind: 'actorPlaced',
      nodeId: this.#tables.nodeId,
      actor: spec.actor,
      incarnation,
      attempt,
      worker: worker.process,
      address: worker.address,
    })
  }

  /** Without an error it may be placed elsewhere, or here again when more is free. */
  refuse({ spec, incarnation, attempt }: PendingActor, error?: WireError): void {
    const { nodeId } = this.#tables
    const why = error === undefined ? {} : { error }
    const run = { actor: spec.actor, incarnation, attempt }
    const refusal = { kind: 'actorNotPlaced', nodeId, ...run, ...why } as const
    this.#attempts.refused(refusal)
    this.#tell(refusal)
  }

  /**
   * Those for which there is no room here, even without any lease, while another node may have
   * some.
   */
  sendAway(stuck: readonly Stuck[]): void {
    const tables = this.#tables
    if (tables.isAlone) return
    for (const { request, pools, lacks } of stuck) {
      if (request.actor === undefined || lacks.length === 0) continue
      if (pools.some((pool) => request.need.fitsIn(tables.reclaimable(pool)))) continue
      tables.queue.remove(request)
      this.refuse(request.actor)
    }
  }

  /** Ends the actor of the key, waiting or running. True when something was given back at once. */
  end({ actor, drain, reason }: EventOf<'endActor'>): boolean {
    const waiting = this.#tables.queue.take(
      (request) => request.actor !== undefined && isSame(request.actor.spec.actor, actor),
    )
    for (const worker of this.#tables.workers.all()) {
      if (worker.actor === undefined || !isSame(worker.actor.actor.spec.actor, actor)) continue
      if (drain) {
        this.#emit({ kind: 'send', to: worker.process, message: { kind: 'exit', reason } })
      } else {
        this.#emit({ kind: 'signalWorker', start: worker.start, signal: 'SIGKILL', reason })
      }
    }
    return waiting.length > 0
  }

  /**
   * The constructor has returned or thrown. A worker whose constructor threw is of no use to
   * anybody.
   */
  started({ from, actor, error }: EventOf<'actorStarted'>, now: number): void {
    const worker = this.#tables.workers.ofProcess(from)
    if (worker?.actor === undefined || !isSame(worker.actor.actor.spec.actor, actor)) return
    const { incarnation, attempt } = worker.actor.actor
    this.#tell({
      kind: 'actorStarted',
      actor,
      incarnation,
      attempt,
      ...(error === undefined ? {} : { error }),
    })
    if (error === undefined) {
      worker.actor.isStarted = true
      return
    }
    worker.killAt = now + shutdownMs
    worker.killReason = 'constructor failed'
    const message = { kind: 'exit', reason: 'constructor failed' } as const
    this.#emit({ kind: 'send', to: worker.process, message })
  }

  /** It runs its exit handlers and is gone; one that does not end is killed. */
  exiting({ from, actor, how }: EventOf<'actorExiting'>, now: number): void {
    const worker = this.#tables.workers.ofProcess(from)
    if (worker?.actor === undefined || !isSame(worker.actor.actor.spec.actor, actor)) return
    worker.selfExit = how
    worker.killAt = now + shutdownMs
    worker.killReason = how
  }

  died({ spec, incarnation, attempt }: PendingActor, exit: ProcessExit): void {
    this.#tell({ kind: 'actorWorkerDied', actor: spec.actor, incarnation, attempt, exit })
  }

  /** It waits or runs here, whatever is remembered of the request. */
  #holds({ spec, attempt }: PendingActor): boolean {
    const isIt = (other: PendingActor | undefined): boolean =>
      other !== undefined && other.attempt >= attempt && isSame(other.spec.actor, spec.actor)
    for (const request of this.#tables.queue) if (isIt(request.actor)) return true
    for (const worker of this.#tables.workers.all()) if (isIt(worker.actor?.actor)) return true
    return false
  }

  #tell(message: ToGcs): void {
    this.#emit({ kind: 'gcs', message })
  }
}

function isSame(a: ObjectKey, b: ObjectKey): boolean {
  return a[0] === b[0] && a[1] === b[1]
}
