// What each message to the raylet means: which state machine hears of it, and who gets the answer.

import { assertNever } from '../base/assert.js'
import { rayletProcess, nodeOfLease, workerIdHex } from '../base/ids.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ExportedFunction, FromGcs } from '../wire/messages/gcs.js'
import type { AboutLease, PeerMessage } from '../wire/messages/peer.js'
import type { NodeQuestion } from '../wire/messages/query.js'
import type { FromRaylet, Query, ToRaylet } from '../wire/messages/raylet.js'
import type { ControlConnection } from './control-connection.js'
import { environmentProblem } from './environment.js'
import { functionDefined } from './function-table.js'
import { answerPending } from './pending-answers.js'
import type { Raylet } from './raylet.js'
import { joinedState } from './node-questions.js'
import { nodeDeath } from './spillback.js'

const droppedReason = 'its copies were dropped, as if their nodes had died'

type MessageOf<Kind extends ToRaylet['kind']> = Extract<ToRaylet, { kind: Kind }>

/** What concerns objects and the store. */
type ObjectMessage = MessageOf<
  | 'escape'
  | 'settle'
  | 'release'
  | 'forget'
  | 'getObjects'
  | 'awaitObjects'
  | 'dropItems'
  | 'revive'
  | 'saidStored'
  | 'releaseLineage'
  | 'loseObjects'
  | 'lend'
  | 'unlend'
  | 'free'
  | 'unpin'
  | 'seal'
  | 'abortAllocation'
>

export class RayletMessages {
  readonly #raylet: Raylet
  /** Actors whose creation the GCS has not answered yet, by creator and request. */
  readonly #creating = new Map<string, ObjectKey>()

  constructor(raylet: Raylet) {
    this.#raylet = raylet
  }

  handle(message: ToRaylet, connection: ControlConnection): void {
    const from = connection.hello?.process ?? 0
    const raylet = this.#raylet
    const { nodeId } = raylet.options
    switch (message.kind) {
      case 'hello':
        return connection.destroy()
      case 'goodbye':
        return void (connection.farewell ??= raylet.goodbye(connection))
      case 'requestLease':
        return this.#requestLease(message, connection)
      case 'cancelLeaseRequest':
      case 'leaseClosed':
      case 'interrupted':
      case 'blocked':
      case 'unblocked':
      case 'relay':
      case 'actorStarted':
      case 'actorExiting':
        return raylet.leaseEvent({ ...message, from })
      case 'returnLease':
      case 'relayToWorker':
      case 'stopLease':
      case 'lineBroken':
      case 'signalWorker':
        return this.#aboutLease(message, from)
      case 'setUp':
        return raylet.setups.end(connection.hello?.start ?? '')
      case 'exportFunction':
        return this.#exportFunction(message, connection.jobId)
      case 'fetchFunction':
        return this.#useFunction(message.hash, from, connection.jobId)
      case 'createActor':
        return this.#createActor(message, connection)
      case 'subscribeActor':
      case 'subscribePlacementGroup':
        return raylet.toGcs({ ...message, nodeId, from })
      case 'killActor':
      case 'removePlacementGroup':
        return raylet.toGcs(message)
      case 'exportPackage':
        return raylet.toGcs({ ...message, jobId: connection.jobId })
      case 'createPlacementGroup': {
        const { jobId, hello } = connection
        const byDriver = hello?.role === 'driver'
        return raylet.toGcs({ ...message, nodeId, from, jobId, byDriver })
      }
      case 'query':
        return this.#query(message, from)
      case 'prefetch':
        return raylet.objects.prefetch(from, message.objects)
      case 'taskEvents':
        return raylet.toGcs({ ...message, nodeId, process: from, jobId: connection.jobId })
      case 'tasksReported':
        return raylet.state.reported(from, message)
      default:
        return this.#objectMessage(message, from)
    }
  }

  #objectMessage(message: ObjectMessage, from: number): void {
    const raylet = this.#raylet
    switch (message.kind) {
      case 'escape':
      case 'settle':
      case 'release':
      case 'forget':
      case 'getObjects':
      case 'awaitObjects':
      case 'dropItems':
      case 'revive':
      case 'releaseLineage':
      case 'saidStored':
        return raylet.objectEvent({ ...message, from })
      case 'loseObjects':
        return raylet.objectEvent({ ...message, kind: 'copiesLost', reason: droppedReason })
      case 'lend':
      case 'unlend':
      case 'free':
        return raylet.objectEvent(message)
      case 'unpin':
        for (const object of message.objects) raylet.store.unpin(from, object)
        return undefined
      case 'seal':
        return this.#seal(message, from)
      case 'abortAllocation':
        return raylet.store.abort(from, message.allocation)
      default:
        return assertNever(message)
    }
  }

  fromGcs(message: FromGcs): void {
    const raylet = this.#raylet
    switch (message.kind) {
      case 'placeActor':
      case 'endActor':
      case 'reserveRoom':
      case 'reserveBundles':
      case 'returnBundles':
      case 'groupLocated':
        return raylet.leaseEvent(message)
      case 'clusterView':
        return this.#viewChanged(message)
      case 'jobStarted':
        return raylet.jobs.add(message)
      case 'jobFinished':
        return this.#jobOver(message.jobId)
      case 'functionFound':
        return this.#defineFunction(message)
      case 'functionsGone':
        for (const hash of message.hashes) this.#functionGone(hash)
        return undefined
      case 'packageFound':
        return raylet.launcher.packages.arrived(message)
      case 'nodeRegistered':
        return undefined
      case 'drain':
        raylet.note(`the node drains: ${message.reason}`)
        return raylet.drain.begin(message.reason, message.deadlineMs)
      case 'nodeIsDead':
        return raylet.options.declaredDead(message.reason)
      case 'placementGroupChanged': {
        const { group, state } = message
        // Where nodes can join it waits for one.
        const isWaiting = state === 'infeasible' && raylet.options.canGrow === true
        const isHopeless = state === 'infeasible' && !isWaiting
        if (state === 'removed' || isHopeless) {
          const text = message.message ?? `Placement group ${group} is ${state}.`
          const isRemoved = state === 'removed'
          raylet.leaseEvent({ kind: 'groupGone', group, message: text, isRemoved })
        }
        return this.#passOn(isWaiting ? { ...message, state: 'pending' } : message)
      }
      case 'actorRegistered':
        return this.#registered(message)
      case 'actorChanged':
      case 'answer':
        return this.#passOn(message)
      case 'warnJob':
        return raylet.output.warn(message.jobId, message.text)
      case 'gcsHandled':
        // For whoever holds the link.
        return undefined
      default:
        return assertNever(message)
    }
  }

  fromPeer(node: number, message: PeerMessage): void {
    const raylet = this.#raylet
    switch (message.kind) {
      case 'deliver':
        return this.#deliver(message)
      case 'passLease': {
        const { from, jobId, stays, outlivesJob, job } = message
        if (job !== undefined) raylet.jobs.add(job)
        const passed = { by: node, stays, outlivesJob }
        const { request, task } = message.message
        raylet.objects.passedHere(from, request, task?.nested ?? [])
        return raylet.leaseEvent({ ...message.message, from, jobId, passed })
      }
      case 'aboutLease':
        return this.#decideAbout(message.message, message.from)
      case 'reportLive':
        return raylet.state.reportLive(node, message.request)
      case 'liveReported':
        return raylet.state.liveReported(node, message)
      case 'askNode':
        return raylet.peers.send(node, {
          kind: 'nodeAnswered',
          request: message.request,
          value: this.#ofThisNode(message.question),
        })
      case 'nodeAnswered':
        return raylet.state.nodes.answered(node, message)
      case 'bundleFree':
      case 'requestReturned':
      case 'recallRequest':
        return raylet.leaseEvent({ ...message, node })
      case 'processGone':
        raylet.objectEvent({ kind: 'processDied', process: message.process })
        return raylet.leaseEvent({ kind: 'processDied', process: message.process })
      default:
        return raylet.objects.fromPeer(node, message)
    }
  }

  actorOutOfScope(actor: ObjectKey): void {
    this.#raylet.toGcs({ kind: 'actorOutOfScope', actor })
  }

  /** Nothing more comes from the node, and nothing reaches it. */
  nodeDied(nodeNumber: number, nodeId: string): void {
    this.#raylet.note(`node ${nodeId} is dead`)
    this.#raylet.tellAll({ kind: 'nodeDied', nodeNumber, exit: nodeDeath(nodeId) })
    this.#raylet.leaseEvent({ kind: 'nodeDied', nodeNumber, nodeId })
    this.#raylet.state.nodes.nodeDied(nodeNumber)
    this.#raylet.objects.nodeDied(nodeNumber)
  }

  /** To the raylet of another node. */
  toPeer(to: number, message: PeerMessage): void {
    const isLease = message.kind === 'passLease'
    if (isLease) this.#raylet.objects.passOn(to, message.message.task?.nested ?? [])
    if (message.kind === 'requestReturned') {
      this.#raylet.objects.passedDecided(message.from, message.request)
    }
    const more = isLease ? this.#raylet.jobs.introduce(message.jobId, to) : {}
    this.#raylet.peers.send(to, { ...message, ...more })
  }

  #viewChanged(view: Extract<FromGcs, { kind: 'clusterView' }>): void {
    const raylet = this.#raylet
    raylet.leaseEvent(view)
    raylet.peers.view(view.nodes, view.newest)
    raylet.objects.viewChanged(view.nodes)
    const total = raylet.clusterTotal.update(view.nodes)
    if (total !== undefined) raylet.tellAll({ kind: 'clusterHas', total })
  }

  #deliver({ to, message }: Extract<PeerMessage, { kind: 'deliver' }>): void {
    if (message.kind === 'leaseGranted' || message.kind === 'leaseRefused') {
      const { request } = message
      this.#raylet.leaseEvent({ kind: 'requestAnswered', owner: to, request })
    }
    this.#raylet.objects.delivered(to, message)
    this.#raylet.send(to, message)
  }

  /** The raylet beside the worker decides. */
  #aboutLease(message: Exclude<AboutLease, { request: number }>, from: number): void {
    const node = nodeOfLease(message.lease)
    if (node === this.#raylet.options.nodeNumber) this.#decideAbout(message, from)
    else this.toPeer(node, { kind: 'aboutLease', from, message })
  }

  #decideAbout(message: AboutLease, from: number): void {
    const raylet = this.#raylet
    if (message.kind === 'cancelLeaseRequest') {
      raylet.objects.passedDecided(from, message.request)
    }
    if (message.kind !== 'stopLease') return raylet.leaseEvent({ ...message, from })
    const lease = raylet.leases.tables.leases.get(message.lease)
    const isTheirs = lease !== undefined && lease.owner === from
    const started = isTheirs ? raylet.claims.stop(lease.worker.claimSlot, lease.lease) : -1
    raylet.send(from, { kind: 'leaseStopped', lease: message.lease, started })
  }

  /** A driver of another node has ended. */
  #jobOver(jobId: string): void {
    this.#raylet.leaseEvent({ kind: 'jobFinished', jobId })
    this.#raylet.jobs.finish(jobId)
  }

  #requestLease(message: MessageOf<'requestLease'>, connection: ControlConnection): void {
    const problem = environmentProblem(message.key.environment)
    const from = connection.hello?.process ?? 0
    if (problem === undefined) {
      this.#raylet.leaseEvent({ ...message, from, jobId: connection.jobId })
      return
    }
    const text = `The environment of task ${message.name} cannot be read: ${problem}`
    const error = { code: 'RAY_RUNTIME_ENV_SETUP', message: text }
    this.#raylet.send(from, { kind: 'leaseRefused', request: message.request, error })
  }

  #createActor(message: MessageOf<'createActor'>, { hello, jobId }: ControlConnection): void {
    const raylet = this.#raylet
    const { actor, nested, detached } = message.spec
    const from = hello?.process ?? 0
    this.#creating.set(`${from} ${message.request}`, actor)
    raylet.objectEvent({ kind: 'createActor', from, actor, nested })
    // A detached actor may be started again long after its last handle is gone.
    if (detached) this.#keep(nested)
    raylet.toGcs({ ...message, nodeId: raylet.options.nodeId, from, jobId })
  }

  #registered(message: Extract<FromGcs, { kind: 'actorRegistered' }>): void {
    const { to, request, existing } = message
    const id = `${to} ${request}`
    const actor = this.#creating.get(id)
    this.#creating.delete(id)
    // The creator gets a handle of the existing actor instead of the one that it made up.
    if (actor !== undefined && existing !== undefined) {
      this.#raylet.objectEvent({ kind: 'release', from: to, objects: actor })
    }
    this.#passOn(message)
  }

  #seal(message: MessageOf<'seal'>, from: number): void {
    this.#raylet.store.seal(from, message.allocation, message.object)
    this.#raylet.objects.sealed({ ...message, from })
  }

  #exportFunction(message: MessageOf<'exportFunction'>, jobId: string): void {
    this.#raylet.functions.use(message.hash, jobId)
    this.#raylet.toGcs({ ...message, jobId })
    this.#defineFunction(message)
  }

  #defineFunction({ hash, bytes, contains }: ExportedFunction): void {
    const row = { bytes, contains }
    const { isNew, waiting } = this.#raylet.functions.define(hash, row)
    if (isNew) this.#keep(contains)
    for (const process of waiting) this.#fetchFunction(hash, process)
  }

  /** The raylet holds the objects itself: for a function, or for a detached actor. */
  #keep(objects: readonly ObjectKey[]): void {
    if (objects.length === 0) return
    this.#raylet.objectEvent({ kind: 'lend', to: this.#self, objects })
  }

  get #self(): number {
    return rayletProcess(this.#raylet.options.nodeNumber)
  }

  /** What another job has defined stays for as long as this one needs it. */
  #useFunction(hash: string, process: number, jobId: string): void {
    const { functions, options } = this.#raylet
    const isNew = functions.use(hash, jobId)
    if (!this.#fetchFunction(hash, process)) {
      this.#raylet.toGcs({ kind: 'fetchFunction', nodeId: options.nodeId, jobId, hash })
    } else if (isNew) this.#raylet.toGcs({ kind: 'useFunction', jobId, hash })
  }

  /** No job needs it any more. */
  #functionGone(hash: string): void {
    const { row, waiting } = this.#raylet.functions.remove(hash)
    const objects = row?.contains.flat() ?? []
    if (objects.length > 0) {
      this.#raylet.objectEvent({ kind: 'release', from: this.#self, objects })
    }
    for (const process of waiting) this.#raylet.send(process, { kind: 'functionDefined', hash })
  }

  /** False: it is not here, and is given to the process when it comes. */
  #fetchFunction(hash: string, process: number): boolean {
    const row = this.#raylet.functions.fetch(hash, process)
    if (row === undefined) return false
    this.#raylet.objectEvent({ kind: 'lend', to: process, objects: row.contains })
    this.#raylet.send(process, functionDefined(hash, row))
    return true
  }

  #query({ request, query }: MessageOf<'query'>, from: number): void {
    const raylet = this.#raylet
    const answer = (value: unknown): void => raylet.send(from, { kind: 'answer', request, value })
    if (query.what === 'storeStatistics' || query.what === 'workers') {
      answer(this.#ofThisNode(query))
    } else if (query.what === 'everyNode') {
      const question = { what: query.question }
      raylet.state.nodes.ask(question, this.#ofThisNode(question), answer)
    } else if (query.what === 'state' && query.resource === 'objects') {
      raylet.state.nodes.ask(query, raylet.state.objects(query), (said) =>
        answer(joinedState(said, query)),
      )
    } else if (query.what === 'pending') {
      const { tables, spillback } = raylet.leases
      answerPending({ tables, spillback, state: raylet.state }, { query, from }, answer)
    } else {
      const { nodeId } = raylet.options
      const ask = (asked: Query): void =>
        raylet.toGcs({ kind: 'query', nodeId, from, request, query: asked })
      if (query.what === 'state' && query.resource === 'tasks') raylet.state.gather(query, ask)
      else ask(query)
    }
  }

  #ofThisNode(question: NodeQuestion): unknown {
    if (question.what === 'storeStatistics') return this.#raylet.store.statistics()
    return question.what === 'workers' ? this.#workerRows() : this.#raylet.state.objects(question)
  }

  #workerRows(): unknown[] {
    return [...this.#raylet.leases.tables.workers.all()].map((worker) => ({
      workerId: workerIdHex(worker.process),
      pid: worker.pid,
      jobId: worker.kind.jobId,
      state: worker.state,
      name: worker.lease?.name ?? worker.actor?.actor.spec.className ?? '',
      isBlocked: worker.isBlocked,
    }))
  }

  #passOn(message: Extract<FromGcs, { to: number }>): void {
    const { to, ...rest } = message
    const given = givenHandle(message)
    if (given !== undefined) {
      this.#raylet.objectEvent({ kind: 'lend', to, objects: [given] })
    }
    this.#raylet.send(to, rest as FromRaylet)
  }
}

/** The actor whose handle comes with the message; its receiver counts as a holder from now on. */
function givenHandle(message: FromGcs): readonly [number, number] | undefined {
  if (message.kind === 'actorRegistered') return message.existing?.actor
  if (message.kind !== 'answer') return undefined
  const { value } = message
  if (typeof value !== 'object' || value === null || !('className' in value)) return undefined
  const actor = 'actor' in value ? value.actor : undefined
  return Array.isArray(actor) && actor.length === 2
    ? [Number(actor[0]), Number(actor[1])]
    : undefined
}
