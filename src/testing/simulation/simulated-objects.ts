// The objects of a simulated node: the table of those whose home it is, and the way to the homes of
// others. All of them are small, so no copies are moved.

import { nodeNumberOf, type ProcessId, rayletProcess } from '../../base/ids.js'
import { LendsUnderWay } from '../../raylet/lends-under-way.js'
import type { ObjectEffect, ObjectEvent } from '../../raylet/object-events.js'
import { isAllHere, routeObjectEvent } from '../../raylet/object-router.js'
import { ObjectTable } from '../../raylet/object-table.js'
import { PassedRefs } from '../../raylet/passed-refs.js'
import { homeDied, RemoteAsks } from '../../raylet/remote-asks.js'
import type { LendMessage, ObjectMessage } from '../../wire/messages/peer.js'
import type { FromRaylet } from '../../wire/messages/raylet.js'
import type { ObjectKey } from '../../wire/messages/terms.js'
import type { SimulatedPeers } from './peers.js'
import type { World } from './world.js'

export interface SimulatedObjectPorts {
  readonly world: World
  readonly nodeNumber: number
  readonly peers: SimulatedPeers
  readonly send: (to: ProcessId, message: FromRaylet) => void
  readonly actorOutOfScope: (actor: ObjectKey) => void
}

type Ask = Extract<ObjectEvent, { kind: 'getObjects' | 'awaitObjects' }>

export class SimulatedObjects {
  readonly table: ObjectTable
  readonly #ports: SimulatedObjectPorts
  readonly #here: number
  readonly #asks = new RemoteAsks()
  readonly #passed = new PassedRefs()
  readonly #lends: LendsUnderWay

  constructor(ports: SimulatedObjectPorts) {
    this.#ports = ports
    this.#here = ports.nodeNumber
    this.table = new ObjectTable(ports.nodeNumber)
    const { peers } = ports
    this.#lends = new LendsUnderWay({
      here: ports.nodeNumber,
      send: (to, message) => peers.send(to, message),
      isDead: (node) => peers.isDead(node),
      count: (event) => this.handle(event),
    })
  }

  /** Counts that are between two other nodes. */
  get lendsUnderWay(): number {
    return this.#lends.size
  }

  /** What a process of this node, or its raylet, says. */
  event(event: ObjectEvent): void {
    if (event.kind === 'processDied') this.#forget(event.process)
    if (isAllHere(event, this.#here)) return this.handle(event)
    for (const part of routeObjectEvent(event, this.#here)) {
      if (part.home === this.#here) this.handle(part.event)
      else this.#tell(part.home, part.event)
    }
  }

  /** What this node decides, whoever says it. */
  handle(event: ObjectEvent): void {
    const { clock } = this.#ports.world
    for (const effect of this.table.handle(event, clock.now())) this.#do(effect)
  }

  fromPeer(from: number, message: LendMessage | { kind: 'object'; event: ObjectMessage }): void {
    if (message.kind !== 'object') return this.#lends.fromPeer(from, message)
    this.#lends.heard(from, message.event)
    this.handle(message.event)
  }

  /** Refs of a task that is passed on to another node go with it. */
  passOn(to: number, refs: readonly ObjectKey[]): void {
    if (refs.length > 0) this.event({ kind: 'lend', to: rayletProcess(to), objects: refs })
  }

  /** A task came from another node with these refs in its arguments. */
  passedHere(of: ProcessId, request: number, refs: readonly ObjectKey[]): void {
    this.#lends.received(nodeNumberOf(of), refs)
    this.#passed.add(of, request, refs)
  }

  /** The worker that runs it holds them now, or it runs elsewhere. */
  passedDecided(of: ProcessId, request: number): void {
    this.#giveBack(this.#passed.decided(of, request))
  }

  /** An answer of another node passes by, on its way to a process of this one. */
  delivered(to: ProcessId, message: FromRaylet): void {
    if (message.kind !== 'ready') return
    this.#asks.answered({ from: to, object: message.object, isSignal: message.signal === true })
  }

  nodeDied(node: number): void {
    this.#giveBack(this.#passed.nodeDied(node))
    this.handle({ kind: 'nodeDied', node })
    this.#lends.nodeDied(node)
    for (const { from, object } of this.#asks.takeOf(node)) this.#homeDied(from, object)
  }

  #do(effect: ObjectEffect): void {
    const { world, send, actorOutOfScope } = this.#ports
    switch (effect.kind) {
      case 'send':
        return send(effect.to, effect.message)
      case 'actorOutOfScope':
        return actorOutOfScope(effect.actor)
      case 'elsewhere':
        return this.event(effect.event)
      default:
        return world.checker.fail('no object of the simulation is in the store', [])
    }
  }

  #tell(home: number, event: ObjectEvent): void {
    const { peers } = this.#ports
    if (event.kind === 'getObjects' || event.kind === 'awaitObjects') this.#ask(home, event)
    else peers.send(home, { kind: 'object', event: event as ObjectMessage })
  }

  #ask(home: number, event: Ask): void {
    const { peers } = this.#ports
    if (peers.isDead(home)) {
      for (const object of event.objects) this.#homeDied(event.from, object)
      return
    }
    for (const object of event.objects) {
      this.#asks.add({ from: event.from, object, isSignal: event.kind === 'awaitObjects' })
    }
    peers.send(home, { kind: 'object', event })
  }

  #homeDied(to: ProcessId, object: ObjectKey): void {
    this.#ports.send(to, { kind: 'ready', object, error: homeDied(object) })
  }

  #forget(process: ProcessId): void {
    this.#asks.processDied(process)
    this.#giveBack(this.#passed.processDied(process))
  }

  #giveBack(keys: readonly ObjectKey[]): void {
    const from = rayletProcess(this.#here)
    if (keys.length > 0) this.event({ kind: 'release', from, objects: keys.flat() })
  }
}
