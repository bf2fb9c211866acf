// Runs a whole cluster in one process: the real state machines of GCS and raylets, simulated
// drivers and workers, a network that delays, and faults. One seed decides everything, so a failure
// can be run again as often as it takes to understand it.
//
// A run has four acts: the workload with faults; the wait until everything asked for has its
// answer; the end of all drivers; and the look at what is left, which must be nothing but what was
// made to stay.

import { Prng } from '../../base/prng.js'
import type { ObjectKey, Resources } from '../../wire/messages/terms.js'
import type { FromGcs, ToGcs } from '../../wire/messages/gcs.js'
import { VirtualClock } from '../virtual-clock.js'
import { ResourceSet } from '../../scheduling/resources.js'
import { actorName, Checker } from './checker.js'
import { DriverPlan } from './driver-plan.js'
import { Network } from './network.js'
import { JoiningNode } from './joining-node.js'
import { NodeDirectory } from './node-directory.js'
import { SimulatedGcs } from './simulated-gcs.js'
import { SimulatedNode } from './node.js'
import type { SimulatedProcess } from './process.js'
import { Trace } from './trace.js'
import { processText, type World } from './world.js'

export interface SimulationOptions {
  readonly seed: number
  readonly nodes?: number
  /** Length of the act with workload and faults, in virtual milliseconds. */
  readonly workMs?: number
  readonly actionsPerDriver?: number
  readonly faults?: boolean
  readonly watch?: (line: string) => void
}

export interface SimulationSummary {
  readonly seed: number
  readonly hash: string
  readonly nodes: number
  readonly events: number
  readonly messages: number
  readonly virtualMs: number
  readonly killed: Readonly<Record<'workers' | 'drivers' | 'nodes' | 'gcs' | 'links', number>>
  readonly counts: Readonly<Record<string, number>>
}

/**
 * After the last fault everything has an answer within this time, and after the last driver all is
 * quiet within it.
 */
const settleMsMax = 120_000
const nodeDeadlineMs = 15_000

export class Simulator {
  readonly #options: Required<Omit<SimulationOptions, 'watch'>>
  readonly #prng: Prng
  readonly #clock = new VirtualClock()
  readonly #trace = new Trace()
  readonly #checker = new Checker(this.#trace)
  readonly #network: Network
  readonly #world: World
  readonly #gcs: SimulatedGcs
  readonly #nodes = new Map<string, SimulatedNode>()
  readonly #plans: DriverPlan[] = []
  readonly #killed = { workers: 0, drivers: 0, nodes: 0, gcs: 0, links: 0 }
  readonly #hasHeartbeats: boolean
  constructor(options: SimulationOptions) {
    const prng = new Prng(options.seed)
    this.#prng = prng
    const nodes = options.nodes ?? prng.pick([1, 2, 3, 5, 10, 30])
    const { seed, workMs = 5000, actionsPerDriver = 60, faults = true } = options
    this.#options = { seed, nodes, workMs, actionsPerDriver, faults }
    this.#trace.watch = options.watch
    const slowChance = prng.pick([0, 0.001, 0.02])
    this.#network = new Network(this.#clock, prng, {
      delayMsMax: 1,
      slowChance,
      slowMsMax: 300,
      slowLinkChance: prng.pick([0, 0, 0.1]),
      slowLinkMsMax: 100,
    })
    this.#checker.isCutOff = (nodeId) => this.#network.wasCut(nodeId)
    this.#world = {
      clock: this.#clock,
      prng,
      trace: this.#trace,
      network: this.#network,
      checker: this.#checker,
      processes: new Map(),
      tasks: new Map(),
      nodes: new NodeDirectory(),
      nodeCount: nodes,
    }
    // Without heartbeats the GCS knows of a death from a cut connection only, as on one machine.
    this.#hasHeartbeats = prng.chance(0.5)
    const health = this.#hasHeartbeats ? { nodeDeadlineMs } : {}
    this.#gcs = new SimulatedGcs(this.#world, {
      health,
      said: (message) => this.#fromGcs(message),
      heard: (message) => {
        if (message.kind !== 'nodeReport') this.#trace.note(`gcs ${describe(message)}`)
      },
    })
  }

  run(): SimulationSummary {
    const { nodes, workMs, faults } = this.#options
    // The head is the first of all.
    this.#addNode('n1')
    this.#settle('the head', () => this.#nodes.size === 1)
    for (let i = 2; i <= nodes; i++) this.#addNode(`n${i}`)
    this.#settle('the nodes', () => this.#nodes.size === nodes)
    this.#startDrivers()
    if (faults) this.#planFaults()
    this.#runUntil(this.#clock.now() + workMs)
    for (const plan of this.#plans) if (plan.driver.isAlive) plan.removeCpuGroups()
    this.#settle('the workload', () => this.#isAnswered('tasks and values'))
    this.#checkNobodyWaitsForRoom()
    for (const plan of this.#plans) if (plan.driver.isAlive) plan.finish()
    this.#settle('what waited for others', () => this.#isAnswered('calls too'))
    // Long enough for a silent node to be missed, and for what was asked of it to be asked of
    // others.
    this.#runUntil(this.#clock.now() + 2 * nodeDeadlineMs)
    this.#checkBeforeTheEnd()
    for (const { driver } of this.#plans) driver.end('goodbye')
    this.#settle('the cluster', () => this.#isQuiet())
    // What was asked of slow nodes in the end takes its time.
    this.#runUntil(this.#clock.now() + nodeDeadlineMs)
    this.#checkWhatIsLeft()
    this.#gcs.close()
    return this.#summary()
  }

  #summary(): SimulationSummary {
    return {
      seed: this.#options.seed,
      hash: this.#trace.hash,
      nodes: this.#options.nodes,
      events: this.#trace.count,
      messages: this.#network.carried,
      virtualMs: Math.round(this.#clock.now()),
      killed: this.#killed,
      counts: this.#checker.counts,
    }
  }

  #addNode(nodeId: string): void {
    const resources = { CPU: this.#prng.pick([1, 2, 2, 4, 8]), slot: this.#prng.integer(1, 6) }
    const toGcs = this.#gcs.link(nodeId)
    const hasHeartbeat = this.#hasHeartbeats
    const registered = (nodeNumber: number): SimulatedNode => {
      const facts = { nodeId, nodeNumber, resources, hasHeartbeat, toGcs }
      const node = new SimulatedNode(this.#world, facts)
      this.#nodes.set(nodeId, node)
      this.#world.nodes.add(node)
      this.#gcs.attach(node)
      return node
    }
    this.#gcs.attach(new JoiningNode({ nodeId, resources, registered }))
    const where = { nodeId, address: nodeId, labels: {}, isHead: nodeId === 'n1' }
    toGcs({ kind: 'registerNode', ...where, resources })
  }

  #fromGcs(message: FromGcs): void {
    if (message.kind !== 'placementGroupChanged') return
    this.#trace.note(`gcs says ${message.group} ${message.state}`)
    if (message.state === 'created') this.#checkCreated(message.group)
  }

  #startDrivers(): void {
    const { nodes, workMs, actionsPerDriver } = this.#options
    const count = Math.min(nodes, 1 + Math.ceil(nodes / 4))
    for (let i = 1; i <= count; i++) {
      const node = this.#nodes.get(`n${i}`)
      if (node === undefined) continue
      const plan = new DriverPlan(node.startDriver(`job${i}`))
      this.#plans.push(plan)
      plan.begin(actionsPerDriver, workMs)
    }
  }

  #planFaults(): void {
    const { nodes, workMs } = this.#options
    const plan = (count: number, fault: () => void): void => {
      for (let i = 0; i < count; i++) this.#clock.timer(this.#prng.integer(1, workMs), fault)
    }
    plan(3 + nodes, () => this.#killWorker())
    if (this.#prng.chance(0.5)) plan(1, () => this.#killDriver())
    if (nodes > 1) plan(this.#prng.integer(0, Math.ceil(nodes / 10) + 1), () => this.#killNode())
    if (this.#prng.chance(0.5)) plan(this.#prng.integer(1, 3), () => this.#killGcs())
    if (nodes > 1 && this.#prng.chance(0.5)) {
      plan(this.#prng.integer(1, 3), () => this.#cutNode())
    }
    if (nodes > 1 && this.#prng.chance(0.5)) {
      plan(1, () => this.#addNode(`n${this.#nodes.size + 1}`))
    }
  }

  #killGcs(): void {
    this.#killed.gcs++
    this.#gcs.restart()
  }

  #killWorker(): void {
    const workers = this.#live().filter((process) => process.start !== undefined)
    if (workers.length === 0) return
    this.#killed.workers++
    this.#prng.pick(workers).end('fault', 'SIGKILL')
  }

  #killDriver(): void {
    const drivers = this.#live().filter((process) => process.start === undefined)
    if (drivers.length === 0) return
    this.#killed.drivers++
    this.#prng.pick(drivers).end('fault', 'SIGKILL')
  }

  /**
   * Any but the first, on which the GCS lives. Half of them fall silent, and only the health check
   * can tell.
   */
  #killNode(): void {
    const nodes = [...this.#nodes.values()].filter((node) => node.isAlive && node.nodeId !== 'n1')
    if (nodes.length === 0) return
    const node = this.#prng.pick(nodes)
    this.#killed.nodes++
    node.die()
    if (this.#hasHeartbeats && this.#prng.chance(0.5)) return
    const { nodeId } = node
    const connection = { from: nodeId, to: 'gcs', nodes: [nodeId, 'gcs'] } as const
    this.#network.send(connection, () => this.#gcs.nodeLost(nodeId))
  }

  /**
   * Takes a node off the network, for less than it takes to be missed or for more: then it is told
   * that it is dead when it comes back.
   */
  #cutNode(): void {
    const nodes = [...this.#nodes.values()].filter((node) => node.isAlive && node.nodeId !== 'n1')
    if (nodes.length === 0) return
    this.#killed.links++
    const { nodeId } = this.#prng.pick(nodes)
    const ms = this.#prng.integer(10, 2 * nodeDeadlineMs)
    this.#trace.note(`${nodeId} is off the network for ${ms} ms`)
    this.#network.cut(nodeId, ms)
  }

  #live(): SimulatedProcess[] {
    return [...this.#world.processes.values()].filter((process) => process.isAlive)
  }

  #runUntil(at: number): void {
    while (this.#clock.step(at));
    for (const node of this.#nodes.values()) if (node.isAlive) node.validate()
  }

  #settle(what: string, isSettled: () => boolean): void {
    const end = this.#clock.now() + settleMsMax
    while (!isSettled()) {
      if (this.#clock.now() > end) this.#failToSettle(what)
      this.#runUntil(this.#clock.now() + 500)
      // Keeps the time going on when there is no timer in the next half second.
      this.#clock.advance(0.5)
    }
  }

  #failToSettle(what: string): never {
    const isAlive = (id: number): boolean => this.#world.processes.get(id)?.isAlive === true
    const open = [...this.#checker.unsettled(isAlive), ...this.#checker.unanswered(isAlive)]
    const leases = [...this.#nodes.values()]
      .filter((node) => node.isAlive)
      .map((node) => {
        const { queue, leases, workers } = node.lease.tables
        const free = `${node.lease.available}`
        const use = `${leases.size} leases, ${workers.size} workers, free ${free}`
        return `${node.nodeId}: ${queue.size} waiting, ${use}`
      })
    const unquiet = this.#live().filter(({ executor }) => executor.hosted === undefined)
    const names = unquiet.map(({ name, node, jobId }) => `${name} of ${jobId} on ${node.nodeId}`)
    const first = [...open.slice(0, 3), ...unquiet.map(({ name }) => name).slice(0, 3)]
    const text = [
      `${what} does not settle; open: ${open.slice(0, 20).join(' ')}`,
      `host no actor: ${names.slice(0, 20).join(', ')}`,
      ...leases,
    ].join('\n  ')
    return this.#checker.fail(text, first)
  }

  /** Calls may wait for an actor that waits for others to end. */
  #isAnswered(what: 'tasks and values' | 'calls too'): boolean {
    return this.#live().every((process) => {
      const isOpen = process.tasks.open > 0 || process.refs.openGets > 0
      return !isOpen && (what === 'tasks and values' || process.actors.open === 0)
    })
  }

  /** No job is left: no lease, no request, no worker but those of detached actors. */
  #isQuiet(): boolean {
    if (!this.#network.isWhole) return false
    return [...this.#nodes.values()].every(({ isAlive, lease, processes }) => {
      if (!isAlive) return true
      const workers = [...processes.values()]
      const { leases, queue } = lease.tables
      const isEmpty =
        [...leases.values()].every((each) => this.#isForgotten(each)) && queue.size === 0
      // Idle workers of a job that was over before they started stay.
      const isDone = ({ id, executor, isLate }: SimulatedProcess): boolean => {
        const isLeased = lease.tables.workers.ofProcess(id)?.lease !== undefined
        return executor.hosted !== undefined || isLate || isLeased
      }
      return isEmpty && workers.every(isDone)
    })
  }

  /**
   * A detached actor may be one of the owners that forget a lease, which nobody else asks for; and
   * so may a worker that it keeps in that way, on any node.
   */
  #isForgotten({ owner }: { readonly owner: number }): boolean {
    const seen = new Set<number>()
    for (let at: number | undefined = owner; at !== undefined && !seen.has(at);) {
      const process = this.#world.processes.get(at)
      if (process?.isAlive !== true) return false
      if (process.executor.hosted?.detached === true) return true
      seen.add(at)
      at = process.node.lease.tables.workers.ofProcess(at)?.lease?.owner
    }
    return false
  }

  /**
   * An actor that is not placed has no node with room for it, once its node's death would have been
   * noticed.
   */
  #checkNobodyWaitsForRoom(): void {
    this.#runUntil(this.#clock.now() + 2 * nodeDeadlineMs)
    this.#checkBundles('created')
    for (const { group, state, bundles } of this.#gcs.groups()) {
      const [only, ...more] = bundles
      if (state !== 'pending' || only === undefined || more.length > 0) continue
      this.#checkNoRoom(group, only.resources)
    }
    for (const { waiting } of this.#plans) {
      for (const { actor, placement } of waiting()) {
        const isQueued = [...this.#nodes.values()].some((node) => isQueuedAt(node, actor))
        if (!isQueued) this.#checkNoRoom(actorName(actor), placement)
      }
    }
  }

  #checkNoRoom(waiting: string, resources: Resources): void {
    const need = ResourceSet.from(resources)
    for (const { isAlive, lease, nodeId } of this.#nodes.values()) {
      if (!isAlive || !need.fitsIn(lease.available)) continue
      this.#checker.fail(`${waiting} waits although ${nodeId} has room`, [waiting, nodeId])
    }
  }

  #checkCreated(group: string): void {
    // The server is in the middle of its work: it is asked when it is done.
    this.#clock.timer(0, () => {
      const row = this.#gcs.groups().find((each) => each.group === group)
      if (row?.state !== 'created') return
      for (const { index, nodeId } of row.bundles) {
        const node = this.#nodes.get(nodeId ?? '')
        if (node !== undefined && !node.isAlive) continue
        const isHeld = node?.bundles.get(group)?.has(index) === true
        this.#checker.expect(isHeld, `bundle ${index} of ${group} is not held`, [group])
      }
    })
  }

  /** Drivers have dropped what they had, and all had time to notice. */
  #checkBeforeTheEnd(): void {
    this.#checkBundles('any')
    this.#checkOwners()
  }

  /**
   * What nodes hold is what the group has there. A group that is not created may be in the middle
   * of an attempt.
   */
  #checkBundles(which: 'created' | 'any'): void {
    const rows = new Map(this.#gcs.groups().map((row) => [row.group, row]))
    for (const node of this.#nodes.values()) {
      if (!node.isAlive) continue
      for (const [group, indexes] of node.bundles) {
        const row = rows.get(group)
        if (which === 'created' && row?.state !== 'created') continue
        for (const index of indexes) {
          const isHere = row?.bundles.some(
            (bundle) => bundle.index === index && bundle.nodeId === node.nodeId,
          )
          const what = `${node.nodeId} holds bundle ${index} of ${group} for nobody`
          this.#checker.expect(isHere === true, what, [group, node.nodeId])
        }
      }
    }
  }

  #checkOwners(): void {
    for (const process of this.#live()) {
      const spec = process.executor.hosted
      if (spec === undefined || spec.detached) continue
      const owner = this.#world.processes.get(spec.actor[0])
      const name = actorName(spec.actor)
      this.#checker.expect(owner?.isAlive === true, `${name} outlives its owner`, [name])
    }
  }

  #checkWhatIsLeft(): void {
    this.#checkOwners()
    for (const node of this.#nodes.values()) {
      if (!node.isAlive) continue
      node.validate()
      const left = node.objects.table.entries().filter((entry) => !entry.isActor)
      const names = left.map(({ key }) => `o${processText(key[0])}.${key[1]}`)
      this.#checker.expect(left.length === 0, `${node.nodeId} keeps ${names.join(' ')}`, names)
      const isDone = node.objects.lendsUnderWay === 0
      this.#checker.expect(isDone, `${node.nodeId} waits for claims`, [node.nodeId])
    }
  }
}

/**
 * A raylet that is asked to place an actor lets it wait for room there, and does not look
 * elsewhere.
 */
function isQueuedAt(node: SimulatedNode, [owner, sequence]: ObjectKey): boolean {
  for (const { actor } of node.lease.tables.queue) {
    const key = actor?.spec.actor
    if (key?.[0] === owner && key[1] === sequence) return true
  }
  return false
}

function describe(message: ToGcs): string {
  if ('actor' in message) return `${message.kind} ${actorName(message.actor)}`
  if ('group' in message) return `${message.kind} ${message.group}`
  if (message.kind === 'createActor') {
    return `createActor ${actorName(message.spec.actor)}`
  }
  return message.kind
}
