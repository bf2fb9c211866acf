// A simulated node: the raylet's own state machines, in a shell that starts no processes and opens
// no sockets.

import type { FromGcs, NodeHoldings, ToGcs } from '../../wire/messages/gcs.js'
import type { ProcessExit, Resources } from '../../wire/messages/terms.js'
import type { PeerMessage } from '../../wire/messages/peer.js'
import type { ToRaylet } from '../../wire/messages/raylet.js'
import { LeaseState } from '../../raylet/lease-state.js'
import type { LeaseEffect, LeaseEvent } from '../../raylet/lease-events.js'
import { ObjectTable } from '../../raylet/object-table.js'
import type { ObjectEffect, ObjectEvent } from '../../raylet/object-events.js'
import { nodeHoldings } from '../../raylet/node-holdings.js'
import { ResourceSet } from '../../scheduling/resources.js'
import { actorName } from './checker.js'
import { SimulatedProcess } from './process.js'
import type { World } from './world.js'

type RequestLease = Extract<ToRaylet, { kind: 'requestLease' }>

const heartbeatMs = 3000
/**
 * A node that was full for a moment says no and reports nothing. That is rare, and made common
 * here.
 */
const refusalChance = 0.1

export interface NodeOptions {
  readonly nodeId: string
  readonly resources: Resources
  /** Otherwise it says only what has changed. */
  readonly hasHeartbeat: boolean
  /** Hands a message to the network, towards the GCS. */
  readonly toGcs: (message: ToGcs) => void
}

export class SimulatedNode {
  readonly world: World
  readonly nodeId: string
  readonly resources: Resources
  readonly lease: LeaseState
  readonly objects = new ObjectTable()
  /** Live processes. */
  readonly processes = new Map<number, SimulatedProcess>()
  readonly finishedJobs = new Set<string>()
  readonly bundles = new Map<string, Set<number>>()
  /** Requests to place actors, and whether they were refused here. */
  readonly #refused = new Map<string, boolean>()
  readonly #toGcs: (message: ToGcs) => void
  /** Workers by the name of their start, from when they begin to start. */
  readonly #starts = new Map<string, SimulatedProcess | 'starting' | 'killed'>()
  #cancelTick: () => void = () => {}
  #cancelHeartbeat: () => void = () => {}
  #reportIsDue = false
  #lastReport = ''
  isAlive = true

  constructor(world: World, options: NodeOptions) {
    this.world = world
    this.nodeId = options.nodeId
    this.resources = options.resources
    this.#toGcs = options.toGcs
    this.lease = new LeaseState({ nodeId: this.nodeId, resources: this.resources })
    world.checker.nodeHas(this.nodeId, this.resources)
    const where = { nodeId: this.nodeId, address: this.nodeId, labels: {} }
    const isHead = this.nodeId === 'n1'
    this.#toGcs({ kind: 'registerNode', ...where, isHead, resources: this.resources })
    if (options.hasHeartbeat) this.#heartbeat()
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
        return this.#leases({ ...this.#atHome(message), from, jobId })
      case 'returnLease':
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
      case 'relayToWorker':
      case 'signalWorker':
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
      case 'jobFinished':
      case 'functionFound':
      case 'functionsGone':
      case 'groupLocated':
      case 'drain':
      case 'packageFound':
      case 'gcsHandled':
      case 'warnJob':
        return undefined
      case 'nodeIsDead':
        // Whoever was given up leaves.
        return this.isAlive ? this.die() : undefined
      case 'endActor':
      case 'reserveRoom':
      case 'clusterView':
        return this.#leases(message)
      case 'placeActor': {
        if (!this.#refuses(message)) return this.#leases(message)
        const { spec, incarnation, attempt } = message
        const refusal = { nodeId: this.nodeId, actor: spec.actor, incarnation, attempt }
        return this.#toGcs({ kind: 'actorNotPlaced', ...refusal })
      }
      case 'reserveBundles': {
        if (!this.world.prng.chance(refusalChance)) return this.#leases(message)
        const { group, attempt } = message
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

  holdings(): NodeHoldings {
    return nodeHoldings(this.lease.tables)
  }

  validate(): void {
    this.lease.validate()
    this.objects.validate()
  }

  /** A request that is repeated is answered as it was before, as raylets do. */
  #refuses({ spec, attempt }: FromGcs & { readonly kind: 'placeActor' }): boolean {
    const request = `${actorName(spec.actor)} ${attempt}`
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
          this.world.trace.note(`${this.nodeId} grants p${to} lease ${message.lease}`)
          this.world.checker.take(
            this.nodeId,
            `lease ${this.nodeId} ${message.lease}`,
            message.resources,
          )
        } else if (message.kind === 'startActor') {
          const { strategy, resources, actor } = message.spec
          this.world.trace.note(`${this.nodeId} starts ${actorName(actor)} in p${to}`)
          // In a group it takes from a bundle, which is counted as a whole.
          const held = strategy.kind === 'placementGroup' ? {} : resources
          this.world.checker.take(this.nodeId, `actor in p${to}`, held)
        }
        this.#toProcess(to, (process) => process.receive(message))
        return
      }
      case 'gcs':
        return this.#toGcs(effect.message)
      case 'peer':
        return this.#refuse(effect.to, effect.message)
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

  /**
   * Tasks of the simulation stay on the node of their driver, if they can run there. They say so
   * themselves: to ask all other nodes in vain is most of the work of a large cluster.
   */
  #atHome(message: RequestLease): RequestLease {
    const { resources, strategy } = message.key
    const total = this.lease.tables.pool.total
    const isFree = strategy.kind === 'default' || strategy.kind === 'spread'
    if (!isFree || !ResourceSet.from(resources).fitsIn(total)) return message
    const { nodeId } = this
    const home = { kind: 'nodeAffinity', nodeId, soft: false } as const
    return { ...message, key: { ...message.key, strategy: home } }
  }

  /** What cannot run at home is not passed on. */
  #refuse(node: number, message: PeerMessage): void {
    if (message.kind !== 'passLease') return
    const { from } = message
    const { request } = message.message
    const nothing = { available: {}, waiting: {} }
    this.world.clock.timer(0, () => {
      if (!this.isAlive) return
      this.#leases({ kind: 'requestReturned', node, from, request, why: 'never', ...nothing })
    })
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
    const effects = this.objects.handle(event, this.world.clock.now())
    for (const effect of effects) this.#objectEffect(effect)
  }

  #objectEffect(effect: ObjectEffect): void {
    switch (effect.kind) {
      case 'send':
        return this.#toProcess(effect.to, (process) => process.receive(effect.message))
      case 'actorOutOfScope':
        this.world.trace.note(`${actorName(effect.actor)} is out of scope`)
        return this.#toGcs(effect)
      case 'sendStored':
      case 'freeStored':
      case 'dropCopies':
      case 'makePrimary':
      case 'elsewhere':
        return this.world.checker.fail('no object of the simulation is in the store', [])
    }
  }

  #toProcess(id: number, deliver: (process: SimulatedProcess) => void): void {
    this.world.network.send({ from: this.nodeId, to: `p${id}` }, () => {
      const process = this.world.processes.get(id)
      if (process?.isAlive === true) deliver(process)
    })
  }

  #report(): void {
    if (this.#reportIsDue) return
    this.#reportIsDue = true
    this.world.clock.timer(0, () => {
      this.#reportIsDue = false
      const { tables, available } = this.lease
      const report = `${available}|${tables.reclaimable(tables.pool)}`
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
    const { tables, available } = this.lease
    const reclaimable = tables.reclaimable(tables.pool).toResources()
    const { nodeId, resources: total } = this
    const free = { available: available.toResources(), reclaimable }
    this.#toGcs({ kind: 'nodeReport', nodeId, total, ...free })
  }
}
