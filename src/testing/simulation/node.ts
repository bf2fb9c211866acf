// A simulated node: the raylet's own state machines, in a shell that starts no processes and opens
// no sockets.

import { nodeNumberOf, nodeOfLease, type ProcessId, workerProcess } from '../../base/ids.js'
import type { FromGcs, NodeHoldings, ToGcs } from '../../wire/messages/gcs.js'
import type { ProcessExit, Resources } from '../../wire/messages/terms.js'
import type { AboutLease, PeerMessage } from '../../wire/messages/peer.js'
import type { FromRaylet, ToRaylet } from '../../wire/messages/raylet.js'
import { LeaseState } from '../../raylet/lease-state.js'
import type { LeaseEffect, LeaseEvent } from '../../raylet/lease-events.js'
import type { ObjectEvent } from '../../raylet/object-events.js'
import { nodeHoldings } from '../../raylet/node-holdings.js'
import { reportOf, reportText } from '../../raylet/node-report.js'
import { nodeDeath } from '../../raylet/spillback.js'
import { actorName } from './checker.js'
import { SimulatedPeers } from './peers.js'
import { SimulatedProcess } from './process.js'
import { SimulatedObjects } from './simulated-objects.js'
import { processName } from './world.js'
import type { World } from './world.js'

const heartbeatMs = 3000
/**
 * A node that was full for a moment says no and reports nothing. That is rare, and made common
 * here.
 */
const refusalChance = 0.1

export interface NodeOptions {
  readonly nodeId: string
  readonly nodeNumber: number
  readonly resources: Resources
  /** Otherwise it says only what has changed. */
  readonly hasHeartbeat: boolean
  /** Hands a message to the network, towards the GCS. */
  readonly toGcs: (message: ToGcs) => void
}

export class SimulatedNode {
  readonly world: World
  readonly nodeId: string
  readonly nodeNumber: number
  readonly resources: Resources
  readonly lease: LeaseState
  readonly objects: SimulatedObjects
  readonly #peers: SimulatedPeers
  /** Live processes. */
  readonly processes = new Map<number, SimulatedProcess>()
  readonly finishedJobs = new Set<string>()
  readonly bundles = new Map<string, Set<number>>()
  /** Requests to place actors and bundles, and whether they were refused here. */
  readonly #refused = new Map<string, boolean>()
  readonly #toGcs: (message: ToGcs) => void
  /** Workers by the name of their start, from when they begin to start. */
  readonly #starts = new Map<string, SimulatedProcess | 'starting' | 'killed'>()
  #cancelTick: () => void = () => {}
  #cancelHeartbeat: () => void = () => {}
  #processCount = 0
  #reportIsDue = false
  #lastReport = ''
  isAlive = true

  constructor(world: World, options: NodeOptions) {
    this.world = world
    this.nodeId = options.nodeId
    this.nodeNumber = options.nodeNumber
    this.resources = options.resources
    this.#toGcs = options.toGcs
    const { nodeId, nodeNumber, resources } = options
    this.lease = new LeaseState({ nodeId, nodeNumber, resources, bytesOn: () => this.#bytesOn() })
    this.#peers = new SimulatedPeers({
      world,
      nodeId,
      nodeNumber,
      message: (from, message) => this.#heard(from, message),
      nodeDied: (number, dead) => this.#nodeDied(number, dead),
    })
    this.objects = new SimulatedObjects({
      world,
      nodeNumber,
      peers: this.#peers,
      send: (to, message) => this.#send(to, message),
      actorOutOfScope: (actor) => {
        world.trace.note(`${actorName(actor)} is out of scope`)
        this.#toGcs({ kind: 'actorOutOfScope', actor })
      },
    })
    world.checker.nodeHas(this.nodeId, this.resources)
    if (options.hasHeartbeat) this.#heartbeat()
  }

  newProcessId(): ProcessId {
    return workerProcess(this.nodeNumber, this.#processCount++)
  }

  startDriver(jobId: string): SimulatedProcess {
    const driver = new SimulatedProcess(this, { jobId })
    this.processes.set(driver.id, driver)
    this.world.trace.note(`${this.nodeId} has driver ${driver.name}`)
    const environment = { execArgv: [], env: {}, cwd: '/' }
    const facts = { jobId, driver: driver.id, namespace: jobId, environment }
    this.#toGcs({ kind: 'jobStarted', ...facts })
    this.#leases({ kind: 'jobStarted', jobId })
    return driver
  }

  fromProcess(process: SimulatedProcess, message: ToRaylet): void {
    const { nodeId } = this
    const { id: from, jobId } = process
    switch (message.kind) {
      case 'requestLease':
        return this.#leases({ ...message, from, jobId })
      case 'returnLease':
      case 'relayToWorker':
      case 'signalWorker':
        return this.#aboutLease(message, from)
      case 'leaseClosed':
        this.world.checker.giveBack(nodeId, `lease ${nodeId} ${message.lease}`)
        return this.#leases({ ...message, from })
      case 'blocked': {
        const lease = this.lease.tables.workers.ofProcess(from)?.lease
        if (lease !== undefined)
          this.world.checker.giveBack(nodeId, `lease ${nodeId} ${lease.lease}`)
        return this.#leases({ ...message, from })
      }
      case 'cancelLeaseRequest':
      case 'unblocked':
      case 'relay':
      case 'actorStarted':
        return this.#leases({ ...message, from })
      case 'escape':
      case 'settle':
      case 'release':
      case 'getObjects':
      case 'awaitObjects':
        return this.#objectEvent({ ...message, from })
      case 'lend':
      case 'unlend':
      case 'free':
        return this.#objectEvent(message)
      case 'createActor': {
        const { spec } = message
        this.#objectEvent({ kind: 'createActor', from, actor: spec.actor, nested: spec.nested })
        return this.#toGcs({ ...message, nodeId, from, jobId })
      }
      case 'subscribeActor':
      case 'subscribePlacementGroup':
        return this.#toGcs({ ...message, nodeId, from })
      case 'killActor':
      case 'removePlacementGroup':
        return this.#toGcs(message)
      case 'createPlacementGroup':
        return this.#toGcs({ ...message, nodeId, from, jobId, byDriver: true })
      default:
        return
    }
  }

  processEnded(process: SimulatedProcess, exit: ProcessExit): void {
    const { id, start, jobId } = process
    this.processes.delete(id)
    const worker = this.lease.tables.workers.ofProcess(id)
    const lease = worker?.lease
    if (lease !== undefined)
      this.world.checker.giveBack(this.nodeId, `lease ${this.nodeId} ${lease.lease}`)
    this.world.checker.giveBack(this.nodeId, `actor in ${process.name}`)
    this.#objectEvent({ kind: 'processDied', process: id })
    this.#peers.broadcast({ kind: 'processGone', process: id })
    if (start === undefined) this.#leases({ kind: 'processDied', process: id })
    else {
      this.#starts.delete(start)
      this.#leases({ kind: 'workerDied', start, exit })
    }
    this.#toGcs({ kind: 'processDied', process: id, jobId })
    if (start !== undefined) return
    this.finishedJobs.add(jobId)
    this.#leases({ kind: 'jobFinished', jobId })
    this.#toGcs({ kind: 'jobFinished', jobId })
  }

  /** Power is gone: nobody says good-bye, but cut connections are noticed. */
  die(): void {
    this.isAlive = false
    this.#cancelTick()
    this.#cancelHeartbeat()
    this.world.trace.note(`${this.nodeId} dies`)
    for (const process of this.processes.values()) process.end('node died', 'SIGKILL')
    this.processes.clear()
  }

  fromGcs(message: FromGcs): void {
    switch (message.kind) {
      // Numbers, jobs and functions are the shell's, of which there is none here.
      case 'nodeRegistered':
      case 'jobStarted':
      case 'functionFound':
      case 'functionsGone':
      case 'drain':
      case 'packageFound':
      case 'gcsHandled':
      case 'warnJob':
        return undefined
      case 'nodeIsDead':
        // Whoever was given up leaves.
        return this.isAlive ? this.die() : undefined
      case 'jobFinished':
        this.finishedJobs.add(message.jobId)
        return this.#leases(message)
      case 'endActor':
      case 'reserveRoom':
      case 'groupLocated':
        return this.#leases(message)
      case 'clusterView':
        this.#leases(message)
        return this.#peers.view(message.nodes, message.newest)
      case 'placeActor': {
        const { spec, incarnation, attempt } = message
        if (!this.#refuses(`${actorName(spec.actor)} ${attempt}`)) return this.#leases(message)
        const refusal = { nodeId: this.nodeId, actor: spec.actor, incarnation, attempt }
        return this.#toGcs({ kind: 'actorNotPlaced', ...refusal })
      }
      case 'reserveBundles': {
        const { group, attempt } = message
        if (!this.#refuses(`${group} ${attempt}`)) return this.#leases(message)
        const { nodeId } = this
        return this.#toGcs({ kind: 'bundlesReserved', nodeId, group, attempt, ok: false })
      }
      case 'returnBundles': {
        const { group, indexes, removed } = message
        const held = this.bundles.get(group)
        for (const index of removed ? [...(held ?? [])] : indexes) {
          held?.delete(index)
          this.world.checker.giveBack(this.nodeId, `bundle ${group} ${index}`)
        }
        return this.#leases(message)
      }
      case 'actorRegistered':
      case 'answer':
        return
      case 'actorChanged':
      case 'placementGroupChanged': {
        const { to, ...rest } = message
        return this.#toProcess(to, (process) => process.receive(rest))
      }
    }
  }

  fromPeer(from: number, message: PeerMessage): void {
    if (this.isAlive) this.#peers.hear(from, message)
  }

  #heard(from: number, message: PeerMessage): void {
    switch (message.kind) {
      case 'deliver':
        return this.#deliver(message.to, message.message)
      case 'passLease': {
        const { from: owner, jobId, stays, outlivesJob } = message
        const { request, task } = message.message
        this.objects.passedHere(owner, request, task?.nested ?? [])
        const passed = { by: from, stays, outlivesJob }
        return this.#leases({ ...message.message, from: owner, jobId, passed })
      }
      case 'aboutLease':
        return this.#decideAbout(message.message, message.from)
      case 'bundleFree':
      case 'requestReturned':
      case 'recallRequest':
        return this.#leases({ ...message, node: from })
      case 'processGone':
        this.#objectEvent({ kind: 'processDied', process: message.process })
        return this.#leases({ kind: 'processDied', process: message.process })
      case 'object':
      case 'claimLent':
      case 'askClaims':
      case 'claimsSaid':
        return this.objects.fromPeer(from, message)
      default:
        return this.world.checker.fail(`${this.nodeId} hears ${message.kind}`, [this.nodeId])
    }
  }

  holdings(): NodeHoldings {
    return nodeHoldings(this.lease.tables)
  }

  validate(): void {
    this.lease.validate()
    this.objects.table.validate()
  }

  /** A request that is repeated is answered as it was before, as raylets do. */
  #refuses(request: string): boolean {
    const refuses = this.#refused.get(request) ?? this.world.prng.chance(refusalChance)
    this.#refused.set(request, refuses)
    return refuses
  }

  #leases(event: LeaseEvent): void {
    this.world.trace.note(`${this.nodeId} ${event.kind}`)
    const effects = this.lease.handle(event, this.world.clock.now())
    this.lease.validate()
    if (event.kind === 'reserveBundles') this.#noteReserved(event, effects)
    for (const effect of effects) this.#leaseEffect(effect)
    this.#cancelTick()
    const deadline = this.lease.deadline()
    if (deadline !== Infinity) {
      const ms = Math.max(0, deadline - this.world.clock.now())
      this.#cancelTick = this.world.clock.timer(ms, () => this.#leases({ kind: 'tick' }))
    }
    this.#report()
  }

  #noteReserved(
    event: LeaseEvent & { readonly kind: 'reserveBundles' },
    effects: readonly LeaseEffect[],
  ): void {
    const isOk = effects.some(
      ({ kind, ...rest }) =>
        kind === 'gcs' &&
        'message' in rest &&
        rest.message.kind === 'bundlesReserved' &&
        rest.message.ok,
    )
    if (!isOk) return
    const held = this.bundles.get(event.group) ?? new Set()
    this.bundles.set(event.group, held)
    for (const { index, resources } of event.bundles) {
      held.add(index)
      this.world.checker.take(this.nodeId, `bundle ${event.group} ${index}`, resources)
    }
  }

  #leaseEffect(effect: LeaseEffect): void {
    switch (effect.kind) {
      case 'send': {
        const { to, message } = effect
        if (message.kind === 'leaseOpened') {
          this.world.trace.note(`${this.nodeId} grants ${processName(to)} lease ${message.lease}`)
          const { leases, pool } = this.lease.tables
          const held = leases.get(message.lease)?.pool === pool ? message.resources : {}
          this.world.checker.take(this.nodeId, `lease ${this.nodeId} ${message.lease}`, held)
        } else if (message.kind === 'startActor') {
          const { strategy, resources, actor } = message.spec
          this.world.trace.note(`${this.nodeId} starts ${actorName(actor)} in ${processName(to)}`)
          // In a group it takes from a bundle, which is counted as a whole.
          const held = strategy.kind === 'placementGroup' ? {} : resources
          this.world.checker.take(this.nodeId, `actor in ${processName(to)}`, held)
        }
        return this.#send(to, message)
      }
      case 'gcs':
        return this.#toGcs(effect.message)
      case 'peer':
        return this.#toPeer(effect.to, effect.message)
      case 'startWorker':
        return this.#startWorker(effect.start, effect.jobId)
      case 'signalWorker': {
        const worker = this.#starts.get(effect.start)
        if (effect.signal !== 'SIGKILL') return
        if (worker instanceof SimulatedProcess) worker.end(effect.reason, 'SIGKILL')
        else if (worker === 'starting') this.#starts.set(effect.start, 'killed')
        return
      }
      case 'lend':
        return this.#objectEvent({ ...effect, kind: 'lend' })
      case 'nameWorker':
        return
      case 'warn':
        return this.world.trace.note(`${this.nodeId} warns: ${effect.text}`)
    }
  }

  /** Now and then some node has most of what a task reads. */
  #bytesOn(): ReadonlyMap<string, number> | undefined {
    const { prng } = this.world
    const nodeIds = this.#peers.nodeIds()
    if (nodeIds.length === 0 || !prng.chance(0.3)) return undefined
    return new Map([[prng.pick(nodeIds), 1_000_000]])
  }

  /** To a process of any node. */
  #send(to: ProcessId, message: FromRaylet): void {
    const node = nodeNumberOf(to)
    if (node === this.nodeNumber) {
      return this.#toProcess(to, (process) => process.receive(message))
    }
    if (message.kind === 'leaseGranted' || message.kind === 'leaseRefused') {
      this.objects.passedDecided(to, message.request)
    }
    this.#peers.send(node, { kind: 'deliver', to, message })
  }

  #deliver(to: ProcessId, message: FromRaylet): void {
    if (message.kind === 'leaseGranted' || message.kind === 'leaseRefused') {
      this.#leases({ kind: 'requestAnswered', owner: to, request: message.request })
    }
    this.objects.delivered(to, message)
    this.#send(to, message)
  }

  #toPeer(to: number, message: PeerMessage): void {
    this.world.trace.note(`${this.nodeId} says to node ${to}: ${describePeer(message)}`)
    if (message.kind === 'passLease') {
      this.objects.passOn(to, message.message.task?.nested ?? [])
    } else if (message.kind === 'requestReturned') {
      this.objects.passedDecided(message.from, message.request)
    }
    this.#peers.send(to, message)
  }

  /** The raylet beside the worker decides. */
  #aboutLease(message: Exclude<AboutLease, { request: number }>, from: ProcessId): void {
    const node = nodeOfLease(message.lease)
    if (node === this.nodeNumber) this.#decideAbout(message, from)
    else this.#toPeer(node, { kind: 'aboutLease', from, message })
  }

  #decideAbout(message: AboutLease, from: ProcessId): void {
    if (message.kind === 'cancelLeaseRequest') this.objects.passedDecided(from, message.request)
    if (message.kind === 'stopLease') return
    if (message.kind === 'returnLease') {
      const lease = this.lease.tables.leases.get(message.lease)
      if (lease?.owner === from) {
        this.world.checker.giveBack(this.nodeId, `lease ${this.nodeId} ${message.lease}`)
      }
    }
    this.#leases({ ...message, from })
  }

  #nodeDied(nodeNumber: number, nodeId: string): void {
    this.world.trace.note(`${this.nodeId} hears that ${nodeId} is dead`)
    const exit = nodeDeath(nodeId)
    for (const id of this.processes.keys()) {
      this.#toProcess(id, (process) => process.receive({ kind: 'nodeDied', nodeNumber, exit }))
    }
    this.#leases({ kind: 'nodeDied', nodeNumber, nodeId })
    this.objects.nodeDied(nodeNumber)
  }

  #startWorker(start: string, jobId: string): void {
    const { prng, clock, network } = this.world
    this.#starts.set(start, 'starting')
    clock.timer(prng.integer(20, 80), () => {
      if (!this.isAlive) return
      if (this.#starts.get(start) === 'killed') {
        this.#starts.delete(start)
        const exit = { pid: 0, exitCode: null, signal: 'SIGKILL', stderr: [], reason: '' }
        this.#leases({ kind: 'workerDied', start, exit: { ...exit, started: -1 } })
        return
      }
      const worker = new SimulatedProcess(this, { jobId, start })
      this.#starts.set(start, worker)
      this.processes.set(worker.id, worker)
      this.world.trace.note(`${this.nodeId} has worker ${worker.name}`)
      network.send({ from: worker.name, to: this.nodeId }, () => {
        if (!this.isAlive) return
        const { id: process, name: address } = worker
        const joined = { start, process, pid: process, address, claimSlot: 0 }
        this.#leases({ kind: 'workerJoined', ...joined })
      })
    })
  }

  #objectEvent(event: ObjectEvent): void {
    this.objects.event(event)
  }

  #toProcess(id: number, deliver: (process: SimulatedProcess) => void): void {
    this.world.network.send({ from: this.nodeId, to: processName(id) }, () => {
      const process = this.world.processes.get(id)
      if (process?.isAlive === true) deliver(process)
    })
  }

  #report(): void {
    if (this.#reportIsDue) return
    this.#reportIsDue = true
    this.world.clock.timer(0, () => {
      this.#reportIsDue = false
      const report = reportText(this.lease.tables)
      if (!this.isAlive || report === this.#lastReport) return
      this.#lastReport = report
      this.#sendReport()
    })
  }

  #heartbeat(): void {
    this.#cancelHeartbeat = this.world.clock.timer(heartbeatMs, () => {
      this.#sendReport()
      this.#heartbeat()
    })
  }

  #sendReport(): void {
    this.#toGcs(reportOf(this.lease.tables))
  }
}

/** Requests are named by their owners and numbers. */
function describePeer(message: PeerMessage): string {
  const { kind } = message
  if (message.kind === 'passLease') {
    return `${kind} ${processName(message.from)} request ${message.message.request}`
  }
  if (message.kind === 'requestReturned' || message.kind === 'recallRequest') {
    return `${kind} ${processName(message.from)} request ${message.request}`
  }
  return kind
}
