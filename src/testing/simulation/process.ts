// A simulated driver or worker: it owns tasks and actors, holds refs, and, if it is a worker, runs
// what others own.

import type { ProcessId } from '../../base/ids.js'
import type { Prng } from '../../base/prng.js'
import type { Resources, SchedulingStrategy } from '../../wire/messages/terms.js'
import type { ActorSpec, FromRaylet, ToRaylet } from '../../wire/messages/raylet.js'
import { ActorCaller } from './actor-caller.js'
import { actorName } from './checker.js'
import { Executor } from './executor.js'
import { HeldRefs } from './held-refs.js'
import type { SimulatedNode } from './node.js'
import { TaskOwner } from './task-owner.js'
import { processName } from './world.js'
import type { World } from './world.js'

export class SimulatedProcess {
  readonly world: World
  readonly node: SimulatedNode
  readonly id: ProcessId
  readonly jobId: string
  /** Name of its start by the raylet; undefined for a driver. */
  readonly start: string | undefined
  readonly tasks = new TaskOwner(this)
  readonly actors = new ActorCaller(this)
  readonly refs = new HeldRefs(this)
  readonly executor = new Executor(this)
  /** What placement groups that it created were last said to be. */
  readonly groups = new Map<string, string>()
  isAlive = true
  /** Its job was over before it was started. */
  readonly isLate: boolean
  readonly #peers = new Set<ProcessId>()
  #actorCount = 0

  constructor(node: SimulatedNode, options: { jobId: string; start?: string }) {
    this.node = node
    this.world = node.world
    this.id = node.newProcessId()
    this.jobId = options.jobId
    this.start = options.start
    this.isLate = node.finishedJobs.has(options.jobId)
    this.world.processes.set(this.id, this)
  }

  get name(): string {
    return processName(this.id)
  }

  /**
   * Creates an actor of which this process owns the only handle, and listens to what becomes of it.
   */
  createActor(options: {
    readonly resources: Resources
    readonly isDetached: boolean
    readonly group?: string | undefined
  }): ActorSpec {
    const { world, name } = this
    const { prng } = world
    const { resources, isDetached: detached, group } = options
    const sequence = ++this.#actorCount
    const spec: ActorSpec = {
      actor: [this.id, sequence],
      className: 'Simulated',
      classHash: '',
      flags: 0,
      args: new Uint8Array(0),
      nested: [],
      placement: group === undefined ? { CPU: 1, ...resources } : resources,
      resources,
      strategy: strategyOf(prng, group),
      environment: '',
      name: prng.chance(0.2) ? `name${prng.integer(1, 3)}` : '',
      namespace: this.jobId,
      detached,
      getIfExists: false,
      maxRestarts: prng.pick([0, 1, 3, -1]),
      maxTaskRetries: 0,
      maxConcurrency: 1,
      maxPendingCalls: -1,
      depth: 0,
      methods: [],
    }
    world.trace.note(`${name} creates ${actorName(spec.actor)} ${group ?? ''}`)
    world.checker.counts.actors++
    this.send({ kind: 'createActor', request: sequence, spec })
    this.send({ kind: 'subscribeActor', actor: spec.actor })
    return spec
  }

  send(message: ToRaylet): void {
    const { node, world } = this
    const connection = { from: this.name, to: node.nodeId }
    world.network.send(connection, () => {
      if (node.isAlive) node.fromProcess(this, message)
    })
  }

  /** A message on the direct connection to another process. */
  toProcess(id: ProcessId, deliver: (process: SimulatedProcess) => void): void {
    this.connect(id)
    const there = this.world.processes.get(id)?.node.nodeId
    const nodes = [this.node.nodeId, there ?? ''] as const
    const connection = { from: this.name, to: processName(id), nodes }
    this.world.network.send(connection, () => {
      const process = this.world.processes.get(id)
      if (process?.isAlive === true) deliver(process)
    })
  }

  connect(id: ProcessId): void {
    const peer = this.world.processes.get(id)
    if (peer === undefined || this.#peers.has(id)) return
    this.#peers.add(id)
    if (peer.isAlive) peer.#peers.add(this.id)
    // The connection is refused.
    else peer.#cut(this)
  }

  pushed(from: SimulatedProcess, lease: number, taskId: string): void {
    this.executor.pushed({ from, lease, taskId })
  }

  called(from: SimulatedProcess, call: string): void {
    this.executor.called(from, call)
  }

  receive(message: FromRaylet): void {
    switch (message.kind) {
      case 'leaseGranted':
        return this.tasks.granted(message)
      case 'leaseRefused':
        return this.tasks.refused(message.request, message.error)
      case 'requestLost':
        return this.tasks.requestLost(message.request)
      case 'nodeDied':
        return this.tasks.nodeDied(message.nodeNumber)
      case 'leaseEnded':
        return this.tasks.leaseEnded(message.lease, message.exit)
      case 'relayed':
        return this.tasks.relayed(message.lease, new TextDecoder().decode(message.frames))
      case 'leaseOpened':
        return this.executor.opened(message)
      case 'recallLease':
        return this.executor.recalled(message.lease, message.ownerDied)
      case 'exit':
        return this.executor.exit()
      case 'ready':
        return this.refs.ready(message)
      case 'actorChanged':
        return this.actors.changed(message.actor, message.state)
      case 'startActor':
        return this.executor.startActor(message.spec)
      case 'placementGroupChanged':
        this.world.trace.note(`${this.name} hears ${message.group} ${message.state}`)
        this.groups.set(message.group, message.state)
        return
      default:
        return
    }
  }

  /** Ends by itself, or is killed: `signal`, or an exit code of 0. */
  end(reason: string, signal: string | null = null): void {
    if (!this.isAlive) return
    this.isAlive = false
    const { world, node } = this
    world.trace.note(`${this.name} ends ${signal ?? 'by itself'} (${reason})`)
    const { hosted } = this.executor
    if (hosted !== undefined) world.checker.hostGone(hosted.actor, this.name)
    for (const id of this.#peers) {
      const peer = world.processes.get(id)
      if (peer !== undefined) this.#cut(peer)
    }
    const exitCode = signal === null ? 0 : null
    const exit = { pid: this.id, exitCode, signal, stderr: [], reason, started: -1 }
    world.network.send({ from: this.name, to: node.nodeId }, () => {
      if (node.isAlive) node.processEnded(this, exit)
    })
  }

  #cut(peer: SimulatedProcess): void {
    const nodes = [this.node.nodeId, peer.node.nodeId] as const
    this.world.network.send({ from: this.name, to: peer.name, nodes }, () => {
      if (!peer.isAlive) return
      // The next message tries to connect again, and is refused again.
      peer.#peers.delete(this.id)
      peer.tasks.closed(this.id)
      peer.actors.closed(this.id)
    })
  }
}

function strategyOf(prng: Prng, group: string | undefined): SchedulingStrategy {
  if (group !== undefined) return { kind: 'placementGroup', target: { group, bundle: -1 } }
  if (prng.chance(0.2)) return { kind: 'nodeAffinity', nodeId: 'n2', soft: prng.chance(0.8) }
  return { kind: prng.chance(0.5) ? 'spread' : 'default' }
}
