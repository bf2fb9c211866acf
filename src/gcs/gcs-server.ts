// The GCS: what the whole cluster must agree on. Nodes, actors, placement groups, and the questions
// about them.
//
// This shell joins the tables to each other and to time. It decides the order in which they hear of
// one event: nodes first, then placement groups, which live on nodes, then actors, which may live
// in groups.

import type { Clock } from '../base/clock.js'
import { nodeNumberOf } from '../base/ids.js'
import { clusterViewMs, placementRetryMs } from '../base/limits.js'
import { addAmounts } from '../scheduling/resource-amounts.js'
import type { ClusterNode, Resources } from '../wire/messages/terms.js'
import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import { FunctionStore } from './function-store.js'
import { type JobNews, JobTable } from './job-table.js'
import { ActorPlacement } from './actor-placement.js'
import { ActorTable } from './actor-table.js'
import type { ActorEvent } from './actor-table.js'
import { NodeTable } from './node-table.js'
import type { NodeEffect, NodeEvent } from './node-table.js'
import { PlacementGroupTable } from './placement-group-table.js'
import type { PlacementGroupEvent } from './placement-group-table.js'
import { ProcessTable } from './process-table.js'
import { answerState } from './state-answers.js'
import { TaskTable } from './task-table.js'

export interface GcsOptions {
  /**
   * A node that has sent nothing for this long is declared dead; its raylet must report several
   * times in it. Undefined: a node is dead when whoever holds the connection to it says so with
   * `nodeLost`.
   */
  readonly nodeDeadlineMs?: number
  /** What the nodes that join are told. */
  readonly sessionName?: string
  /** Checks every table after every message; for tests. */
  readonly validate?: boolean
}

export class GcsServer {
  readonly #clock: Clock
  readonly #send: (nodeId: string, message: FromGcs) => void
  readonly #validates: boolean
  readonly #sessionName: string
  readonly #nodes = new NodeTable()
  readonly #groups = new PlacementGroupTable(this.#nodes)
  readonly #actors = new ActorTable(new ActorPlacement(this.#nodes, this.#groups))
  readonly #processes = new ProcessTable()
  readonly #tasks = new TaskTable()
  readonly #jobs = new JobTable()
  readonly #functions = new FunctionStore()
  readonly #tables = {
    nodes: this.#nodes,
    groups: this.#groups,
    actors: this.#actors,
    processes: this.#processes,
    tasks: this.#tasks,
  }
  #cancelHealthCheck: () => void = () => {}
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
    this.#send = send
    this.#validates = options.validate ?? false
    this.#sessionName = options.sessionName ?? ''
    if (options.nodeDeadlineMs !== undefined) this.#checkHealth(options.nodeDeadlineMs)
  }

  receive(message: ToGcs): void {
    this.#route(message)
    this.#retryLater()
    if (this.#validates) this.validate()
  }

  /** The connection to the node is gone for good, or its process is known to be dead. */
  nodeLost(nodeId: string): void {
    this.#node({ kind: 'lost', nodeId })
    this.#retryLater()
    if (this.#validates) this.validate()
  }

  close(): void {
    this.#cancelHealthCheck()
    this.#cancelView?.()
    this.#cancelView = undefined
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
  }

  validate(): void {
    this.#nodes.validate()
    this.#groups.validate()
    this.#actors.validate()
  }

  #route(message: ToGcs): void {
    switch (message.kind) {
      case 'registerNode':
        this.#register(message)
        break
      case 'nodeReport':
        if (this.#nodes.isDead(message.nodeId)) this.#tellDead(message.nodeId)
        this.#node({ ...message, kind: 'reported' })
        break
      case 'jobStarted':
        this.#tellOthers(this.#jobs.handle(message))
        break
      case 'jobFinished':
        this.#tellOthers(this.#jobs.handle(message))
        this.#group(message)
        this.#actor(message)
        break
      case 'exportFunction':
        for (const nodeId of this.#functions.add(message)) this.#sendFunction(message.hash, nodeId)
        break
      case 'fetchFunction':
        this.#sendFunction(message.hash, message.nodeId)
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

  #register(message: ToGcs & { readonly kind: 'registerNode' }): void {
    const { nodeId } = message
    if (this.#nodes.isDead(nodeId)) return this.#tellDead(nodeId)
    const isKnown = this.#nodes.isAlive(nodeId)
    const earlier = this.#jobs.all()
    this.#node({ ...message, kind: 'registered' })
    const nodeNumber = this.#nodes.numberOf(nodeId)
    if (isKnown || nodeNumber === undefined) return
    this.#send(nodeId, { kind: 'nodeRegistered', nodeNumber, sessionName: this.#sessionName })
    for (const job of earlier) this.#send(nodeId, { kind: 'jobStarted', ...job })
  }

  /** Its actors and objects were given up: it cannot go on as if nothing had happened. */
  #tellDead(nodeId: string): void {
    const reason = `node ${nodeId} was declared dead: it was not heard of for too long`
    this.#send(nodeId, { kind: 'nodeIsDead', reason })
  }

  #tellOthers(news: JobNews | undefined): void {
    if (news === undefined) return
    for (const { nodeId, nodeNumber } of this.#nodes.view()) {
      if (nodeNumber !== nodeNumberOf(news.driver)) this.#send(nodeId, news.message)
    }
  }

  #sendFunction(hash: string, nodeId: string): void {
    const row = this.#functions.fetch(hash, nodeId)
    if (row !== undefined) this.#deliver(nodeId, { ...row, kind: 'functionFound' })
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
        this.#functions.nodeDied(effect.nodeId)
        this.#sendView()
        this.#group(effect)
        this.#actor(effect)
        // What waited for that node alone can never be placed now, which is found out by trying.
        this.#group({ kind: 'viewChanged' })
        this.#actor({ kind: 'viewChanged' })
        break
    }
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
    for (const actor of this.#actors.takeEnded()) this.#group({ kind: 'actorEnded', actor })
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
    const nodes = this.#nodes.view().map((node): ClusterNode => {
      const { nodeId, nodeNumber, alive, address, total, available, labels, isClient } = node
      const more = isClient ? { isClient } : {}
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
    if (this.#cancelView !== undefined || this.#nodes.view().length < 2) return
    this.#cancelView = this.#clock.timer(clusterViewMs, () => {
      this.#cancelView = undefined
      this.#sendView()
    })
  }

  /**
   * A raylet may refuse in a moment in which it is full and be free again before it reports, which
   * is then no change to report. So whoever waits is tried again now and then, without news.
   */
  #retryLater(): void {
    const isWaiting = this.#actors.isWaiting || this.#groups.isWaiting
    if (!isWaiting || this.#cancelRetry !== undefined) return
    this.#cancelRetry = this.#clock.timer(placementRetryMs, () => {
      this.#cancelRetry = undefined
      this.#group({ kind: 'viewChanged' })
      this.#actor({ kind: 'viewChanged' })
      this.#retryLater()
    })
  }

  #checkHealth(deadlineMs: number): void {
    this.#cancelHealthCheck = this.#clock.timer(deadlineMs / 5, () => {
      this.#node({ kind: 'healthCheck', deadlineMs })
      this.#checkHealth(deadlineMs)
    })
  }
}

function sum(amounts: readonly Resources[]): Resources {
  return amounts.reduce<Resources>((all, each) => addAmounts(all, each), {})
}
