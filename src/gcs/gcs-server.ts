// The GCS: what the whole cluster must agree on. Nodes, actors, placement groups, and the questions
// about them.
//
// This shell joins the tables to each other and to time. It decides the order in which they hear of
// one event: nodes first, then placement groups, which live on nodes, then actors, which may live
// in groups.
//
// With storage, messages leave when what they follow from is stored (`outbox`), and a GCS can begin
// with the tables of an earlier one. Nodes then come back and say what they hold, the tables and
// the nodes are compared, and a node that does not come in time is dead.

import type { Clock } from '../base/clock.js'
import { nodeNumberOf } from '../base/ids.js'
import { clusterViewMs, gcsReconcileMs, placementRetryMs } from '../base/limits.js'
import { addAmounts } from '../scheduling/resource-amounts.js'
import type { ClusterNode, Resources } from '../wire/messages/terms.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import type { Query } from '../wire/messages/raylet.js'
import type { PlacementGroupRow } from '../wire/messages/raylet.js'
import { type CodeMessage, JobCode } from './job-code.js'
import { type JobNews, JobTable } from './job-table.js'
import { infeasibleRows, InfeasibleWatch, type InfeasibleWaiter } from './infeasible-watch.js'
import { pieceKey } from './package-store.js'
import { infeasibleActors } from './actor-rows.js'
import { ActorPlacement } from './actor-placement.js'
import { ActorTable } from './actor-table.js'
import type { ActorEvent } from './actor-table.js'
import { NodeTable } from './node-table.js'
import { Outbox, type Persist } from './outbox.js'
import type { NodeEffect, NodeEvent, NodeRecordView } from './node-table.js'
import { PlacementGroupTable } from './placement-group-table.js'
import type { PlacementGroupEvent } from './placement-group-table.js'
import { ProcessTable } from './process-table.js'
import { RoomKeeper } from './room-keeper.js'
import { answerState } from './state-answers.js'
import type { StoredTables } from './stored-tables.js'
import { TaskTable } from './task-table.js'

export interface BytesRow {
  readonly table: 'functionBytes' | 'packageBytes'
  readonly key: string
}

export interface GcsOptions {
  /**
   * A node that has sent nothing for this long is declared dead; its raylet must report several
   * times in it. Undefined: a node is dead when whoever holds the connection to it says so with
   * `nodeLost`.
   */
  readonly nodeDeadlineMs?: number
  /** What the nodes that join are told. */
  readonly sessionName?: string
  /** Stores changes; undefined: nothing is kept, and nothing waits for it. */
  readonly persist?: Persist
  /** What an earlier GCS has left. */
  readonly stored?: StoredTables
  /** Reads what is not loaded at the start. */
  readonly readBytes?: (row: BytesRow, then: (bytes: Uint8Array) => void) => void
  /** Nodes may join: who lacks only a node that is large enough waits for one. */
  readonly canGrow?: boolean
  /** Checks every table after every message; for tests. */
  readonly validate?: boolean
}

export class GcsServer {
  readonly #clock: Clock
  readonly #sendNow: (nodeId: string, message: FromGcs) => void
  readonly #options: GcsOptions
  readonly #outbox: Outbox | undefined
  readonly #nodes = new NodeTable()
  readonly #groups = new PlacementGroupTable(this.#nodes)
  readonly #placement = new ActorPlacement(this.#nodes, this.#groups)
  readonly #actors = new ActorTable(this.#placement)
  readonly #infeasible = new InfeasibleWatch()
  readonly #rooms: RoomKeeper
  readonly #processes = new ProcessTable()
  readonly #tasks = new TaskTable()
  readonly #jobs = new JobTable()
  readonly #code = new JobCode()
  readonly #tables = {
    nodes: this.#nodes,
    groups: this.#groups,
    actors: this.#actors,
    processes: this.#processes,
    tasks: this.#tasks,
  }
  readonly #durable = [
    this.#nodes,
    this.#jobs,
    this.#processes,
    this.#groups,
    this.#actors,
    this.#code.functions,
    this.#code.packages,
  ]
  #cancelHealthCheck: () => void = () => {}
  /** Runs while nodes of an earlier GCS may come back. */
  #cancelReconcile: () => void = () => {}
  /** Set while a change of what is free waits to be told. */
  #cancelView: (() => void) | undefined

  /** Set while somebody waits for a place. */
  #cancelRetry: (() => void) | undefined

  constructor(
    clock: Clock,
    send: (nodeId: string, message: FromGcs) => void,
    options: GcsOptions = {},
  ) {
    this.#clock = clock
    this.#sendNow = send
    this.#options = options
    const { persist, stored, nodeDeadlineMs, canGrow = false } = options
    this.#placement.canGrow = canGrow
    this.#outbox = persist && new Outbox(persist)
    this.#rooms = new RoomKeeper({
      clock,
      nodes: this.#nodes,
      placement: this.#placement,
      groups: this.#groups,
      actors: this.#actors,
      deliver: (nodeId, message) => this.#deliver(nodeId, message),
      done: () => this.#commit(),
    })
    if (stored !== undefined) this.#load(stored)
    if (nodeDeadlineMs !== undefined) this.#checkHealth(nodeDeadlineMs)
  }

  /** `handled` is called when what the message has changed is stored. */
  receive(message: ToGcs, handled?: () => void): void {
    // What a dead node asks for would belong to nobody: its owners were given up with it.
    if ('nodeId' in message && this.#nodes.isDead(message.nodeId)) this.#tellDead(message.nodeId)
    else this.#route(message)
    if (handled !== undefined) this.#say(handled)
    this.#retryLater()
    this.#commit()
  }

  /** The connection to the node is gone for good, or its process is known to be dead. */
  nodeLost(nodeId: string): void {
    this.#node({ kind: 'lost', nodeId })
    this.#retryLater()
    this.#commit()
  }

  /** Undefined: it is dead, or not known. */
  aliveNode(nodeId: string): NodeRecordView | undefined {
    return this.#nodes.alive().find((node) => node.nodeId === nodeId)
  }

  close(): void {
    this.#cancelHealthCheck()
    this.#cancelReconcile()
    this.#rooms.close()
    this.#cancelView?.()
    this.#cancelView = undefined
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
  }

  /** As they are decided, stored or not; for the checks of the simulator. */
  placementGroups(): PlacementGroupRow[] {
    return this.#groups.rows()
  }

  validate(): void {
    this.#nodes.validate()
    this.#groups.validate()
    this.#actors.validate()
    this.#rooms.validate()
  }

  #load(stored: StoredTables): void {
    this.#tasks.isRestarted = stored.nodes.length > 0
    const mayReturn = this.#nodes.load(stored.nodes, this.#clock.now())
    const finishedJobs = this.#jobs.load(stored.jobs)
    this.#processes.load(stored.drivers)
    this.#code.functions.load(stored.functions)
    this.#code.packages.load(stored.packages)
    this.#groups.load(stored.groups, finishedJobs)
    this.#actors.load(stored.actors, finishedJobs)
    for (const jobId of finishedJobs) this.#code.finished(jobId)
    this.#settleCode()
    if (this.#options.validate === true) this.validate()
    if (!mayReturn) return
    this.#cancelReconcile = this.#clock.timer(gcsReconcileMs, () => {
      this.#node({ kind: 'reconciled' })
      this.#retryLater()
      this.#commit()
    })
  }

  /** The event is handled: what it has changed is stored, and then what it said goes out. */
  #commit(): void {
    if (this.#outbox === undefined) for (const table of this.#durable) table.forgetChanges()
    else this.#outbox.commit(this.#durable.flatMap((table) => table.takeChanges()))
    if (this.#options.validate === true) this.validate()
  }

  #say(run: () => void): void {
    if (this.#outbox === undefined) run()
    else this.#outbox.say(run)
  }

  #send(nodeId: string, message: FromGcs): void {
    this.#say(() => this.#sendNow(nodeId, message))
  }

  #route(message: ToGcs): void {
    switch (message.kind) {
      case 'registerNode':
        this.#register(message)
        break
      case 'nodeReport':
        this.#node({ ...message, kind: 'reported' })
        break
      case 'nodeHolds':
        this.#group(message)
        this.#actor(message)
        this.#node({ ...message, kind: 'returned' })
        this.#rooms.nodeReturned(message.nodeId)
        break
      case 'nodeDrained':
        this.#node({ ...message, kind: 'lost' })
        break
      case 'jobStarted':
        this.#tellOthers(this.#jobs.handle(message))
        break
      case 'jobFinished':
        this.#tellOthers(this.#jobs.handle(message))
        this.#group(message)
        this.#actor(message)
        this.#code.finished(message.jobId)
        this.#rooms.jobFinished(message.jobId)
        this.#settleCode()
        break
      case 'exportFunction':
      case 'useFunction':
      case 'fetchFunction':
      case 'exportPackage':
      case 'fetchPackage':
        this.#aboutCode(message)
        break
      case 'processDied':
        this.#group(message)
        this.#actor(message)
        break
      case 'createActor':
      case 'subscribeActor':
      case 'killActor':
      case 'actorOutOfScope':
      case 'actorPlaced':
      case 'actorNotPlaced':
      case 'actorStarted':
      case 'actorWorkerDied':
        this.#actor(message)
        break
      case 'createPlacementGroup':
      case 'subscribePlacementGroup':
      case 'removePlacementGroup':
      case 'locateGroup':
      case 'bundlesReserved':
        this.#group(message)
        break
      case 'processStarted':
      case 'processEnded':
        this.#processes.handle(message)
        break
      case 'taskEvents':
        this.#tasks.add(message)
        break
      case 'query':
        this.#answer(message)
        break
    }
  }

  #aboutCode(message: CodeMessage): void {
    const { functions, packages } = this.#code
    const { kind, hash } = message
    switch (kind) {
      case 'exportFunction':
        for (const nodeId of functions.add(message)) this.#sendFunction(hash, nodeId)
        break
      case 'useFunction':
        functions.use(hash, message.jobId)
        break
      case 'fetchFunction':
        functions.use(hash, message.jobId)
        this.#sendFunction(hash, message.nodeId)
        break
      case 'exportPackage':
        for (const nodeId of packages.add(message)) this.#sendPackage(hash, nodeId)
        break
      case 'fetchPackage':
        this.#sendPackage(hash, message.nodeId)
        break
    }
  }

  #register(message: ToGcs & { readonly kind: 'registerNode' }): void {
    const { nodeId } = message
    const isKnown = this.#nodes.isAlive(nodeId)
    const isForgotten = message.isBack === true && !isKnown
    if (this.#nodes.isDead(nodeId) || isForgotten) return this.#tellDead(nodeId)
    const earlier = this.#jobs.all()
    this.#node({ ...message, kind: 'registered' })
    const nodeNumber = this.#nodes.numberOf(nodeId)
    if (nodeNumber === undefined) return
    const { sessionName = '' } = this.#options
    // The answer of an earlier GCS may have been lost with it.
    const isAsked = !isKnown || message.isBack !== true
    if (isAsked) this.#send(nodeId, { kind: 'nodeRegistered', nodeNumber, sessionName })
    for (const job of earlier) this.#send(nodeId, { kind: 'jobStarted', ...job })
    if (!isKnown) return
    for (const jobId of this.#jobs.finished()) this.#send(nodeId, { kind: 'jobFinished', jobId })
  }

  /** Its actors and objects were given up: it cannot go on as if nothing had happened. */
  #tellDead(nodeId: string): void {
    const reason = `node ${nodeId} was declared dead: it was not heard of for too long`
    this.#send(nodeId, { kind: 'nodeIsDead', reason })
  }

  #tellOthers(news: JobNews | undefined): void {
    if (news === undefined) return
    for (const { nodeId, nodeNumber } of this.#nodes.alive()) {
      if (nodeNumber !== nodeNumberOf(news.driver)) this.#send(nodeId, news.message)
    }
  }

  #sendFunction(hash: string, nodeId: string): void {
    const row = this.#code.functions.fetch(hash, nodeId)
    if (row === 'unknown') return
    if (row === 'gone') return this.#deliver(nodeId, { kind: 'functionsGone', hashes: [hash] })
    if (row !== 'stored') return this.#deliver(nodeId, { ...row, kind: 'functionFound' })
    this.#options.readBytes?.({ table: 'functionBytes', key: hash }, (bytes) => {
      for (const each of this.#code.functions.read(hash, bytes)) this.#sendFunction(hash, each)
      this.#commit()
    })
  }

  #sendPackage(hash: string, nodeId: string): void {
    const pieces = this.#code.packages.fetch({ hash, nodeId }, (index, found) => {
      const key = pieceKey(hash, index)
      this.#options.readBytes?.({ table: 'packageBytes', key }, (bytes) => {
        this.#deliver(nodeId, found(bytes))
        this.#commit()
      })
    })
    for (const piece of pieces) this.#deliver(nodeId, piece)
  }

  #node(event: NodeEvent): void {
    for (const effect of this.#nodes.handle(event, this.#clock.now())) this.#nodeEffect(effect)
  }

  #nodeEffect(effect: NodeEffect): void {
    switch (effect.kind) {
      case 'clusterChanged':
        this.#sendView()
        this.#group({ kind: 'viewChanged' })
        this.#actor({ kind: 'viewChanged' })
        break
      case 'availableChanged':
        this.#sendViewSoon()
        this.#group({ kind: 'viewChanged' })
        this.#actor({ kind: 'viewChanged', nodeId: effect.nodeId })
        break
      case 'nodeDied':
        this.#code.functions.nodeDied(effect.nodeId)
        this.#code.packages.nodeDied(effect.nodeId)
        this.#sendView()
        this.#group(effect)
        this.#actor(effect)
        this.#endJobsOf(effect.nodeId)
        // What waited for that node alone can never be placed now, which is found out by trying.
        this.#group({ kind: 'viewChanged' })
        this.#actor({ kind: 'viewChanged' })
        break
    }
  }

  /** Their drivers have died with the node. */
  #endJobsOf(nodeId: string): void {
    const nodeNumber = this.#nodes.numberOf(nodeId)
    if (nodeNumber === undefined) return
    for (const jobId of this.#jobs.ofNode(nodeNumber)) this.#route({ kind: 'jobFinished', jobId })
  }

  #group(event: PlacementGroupEvent): void {
    for (const effect of this.#groups.handle(event)) {
      if (effect.kind === 'send') this.#deliver(effect.nodeId, effect.message)
      else {
        const { group } = effect
        const removed = this.#groups.row(group)?.state === 'removed'
        this.#actor({ kind: 'groupChanged', group, removed })
      }
    }
  }

  #actor(event: ActorEvent): void {
    for (const { nodeId, message } of this.#actors.handle(event)) this.#deliver(nodeId, message)
    const ended = this.#actors.takeEnded()
    for (const actor of ended) this.#group({ kind: 'actorEnded', actor })
    if (ended.length > 0) this.#settleCode()
  }

  /** Code of jobs that are over goes when nothing that they have detached is left. */
  #settleCode(): void {
    const hashes = this.#code.settle((job) =>
      [...this.#actors.living].some(({ jobId, spec }) => jobId === job && spec.detached),
    )
    if (hashes.length === 0) return
    for (const { nodeId } of this.#nodes.alive()) {
      this.#send(nodeId, { kind: 'functionsGone', hashes })
    }
  }

  /** Returns why not, if it cannot. */
  #drain({ nodeId, reason, deadlineMs }: Query & { readonly what: 'drainNode' }): string {
    const node = this.#nodes.alive().find((each) => each.nodeId === nodeId)
    if (node === undefined) return `There is no node ${nodeId} that is alive.`
    if (node.isHead) return `Node ${nodeId} is the head: it ends with the cluster.`
    this.#node({ kind: 'draining', nodeId })
    this.#send(nodeId, { kind: 'drain', reason, deadlineMs })
    return ''
  }

  #deliver(nodeId: string, message: FromGcs): void {
    if (this.#nodes.isAlive(nodeId)) this.#send(nodeId, message)
  }

  #answer(message: ToGcs & { readonly kind: 'query' }): void {
    const { nodeId, from, request, query } = message
    const answer = (value: unknown): void => {
      const more = value === undefined ? {} : { value }
      this.#deliver(nodeId, { kind: 'answer', to: from, request, ...more })
    }
    switch (query.what) {
      case 'nodes':
        answer(this.#nodes.rows())
        break
      case 'clusterResources':
        answer(sum(this.#nodes.view().map((node) => node.total)))
        break
      case 'availableResources':
        answer(sum(this.#nodes.view().map((node) => node.available)))
        break
      case 'infeasible':
        answer([...this.#nodes.infeasible(), ...infeasibleRows(this.#waitForNodes())])
        break
      case 'drainNode':
        answer(this.#drain(query))
        break
      case 'actorByName':
        answer(this.#actors.byName(query.namespace, query.name))
        break
      case 'namedActors':
        answer(this.#actors.names(query.namespace))
        break
      case 'placementGroups':
        answer(this.#groups.rows())
        break
      case 'state':
        answer(answerState(query, this.#tables))
        break
      case 'placementGroup':
        answer(this.#groups.row(query.group))
        break
      case 'placementGroupByName':
        answer(this.#groups.byName(query.namespace, query.name))
        break
      case 'storeStatistics':
      case 'pending':
      case 'everyNode':
      case 'workers': {
        const text = `The question ${query.what} is for the raylet of a node, not for the GCS.`
        const error = { code: 'RAY_RPC', message: text }
        this.#deliver(nodeId, { kind: 'answer', to: from, request, error })
        break
      }
    }
  }

  /** At once: a raylet that does not know of a node refuses what only that node can run. */
  #sendView(): void {
    this.#cancelView?.()
    this.#cancelView = undefined
    const nodes = this.#nodes.alive().map((node): ClusterNode => {
      const { nodeId, nodeNumber, alive, address, total, available, labels, isClient } = node
      const { waiting, isDraining, wantedGroups } = node
      const flags = { ...(isClient && { isClient }), ...(isDraining && { isDraining }) }
      const more = { waiting, ...flags, ...(wantedGroups.length > 0 && { wantedGroups }) }
      return { nodeId, nodeNumber, alive, address, total, available, labels, ...more }
    })
    const view: FromGcs = { kind: 'clusterView', nodes, newest: this.#nodes.newest }
    for (const { nodeId } of nodes) this.#send(nodeId, view)
  }

  /**
   * A node needs nobody to tell it what it has itself, and others can live with a view that is a
   * little old.
   */
  #sendViewSoon(): void {
    if (this.#cancelView !== undefined || this.#nodes.alive().length < 2) return
    this.#cancelView = this.#clock.timer(clusterViewMs, () => {
      this.#cancelView = undefined
      this.#sendView()
      this.#commit()
    })
  }

  /**
   * A raylet may refuse in a moment in which it is full and be free again before it reports, which
   * is then no change to report. So whoever waits is tried again now and then, without news.
   */
  #retryLater(): void {
    this.#rooms.look()
    if (!this.#rooms.isAnyoneWaiting || this.#cancelRetry !== undefined) return
    this.#cancelRetry = this.#clock.timer(placementRetryMs, () => {
      this.#cancelRetry = undefined
      this.#group({ kind: 'viewChanged' })
      this.#actor({ kind: 'viewChanged' })
      this.#warn()
      this.#retryLater()
      this.#commit()
    })
  }

  #waitForNodes(): InfeasibleWaiter[] {
    return [...infeasibleActors(this.#actors.unplaced), ...this.#groups.infeasible()]
  }

  /** Tells programs of what waits for nodes to join, or for actors to end. */
  #warn(): void {
    const now = this.#clock.now()
    const waiting = this.#options.canGrow === true ? this.#waitForNodes() : []
    const warnings = [...this.#infeasible.look(waiting, now), ...this.#rooms.warnings(now)]
    for (const warning of warnings) {
      const driver = this.#jobs.driverOf(warning.jobId)
      if (driver === undefined) continue
      const number = nodeNumberOf(driver)
      const node = this.#nodes.alive().find(({ nodeNumber }) => nodeNumber === number)
      if (node !== undefined) this.#send(node.nodeId, { kind: 'warnJob', ...warning })
    }
  }

  #checkHealth(deadlineMs: number): void {
    this.#cancelHealthCheck = this.#clock.timer(deadlineMs / 5, () => {
      this.#node({ kind: 'healthCheck', deadlineMs })
      this.#commit()
      this.#checkHealth(deadlineMs)
    })
  }
}

function sum(amounts: readonly Resources[]): Resources {
  return amounts.reduce<Resources>((all, each) => addAmounts(all, each), {})
}
