// The objects of a node: the table of those whose home it is, and all that leads to other nodes.
//
// What a process says of an object goes to the object's home. What the home answers comes back,
// and is pulled here first when it is a stored object that this node has no copy of.

import { assertNever } from '../base/assert.js'
import type { Clock } from '../base/clock.js'
import { objectPlaceholderMs } from '../base/limits.js'
import { nodeNumberOf, type ProcessId, rayletProcess } from '../base/ids.js'
import type {
  LendMessage,
  ObjectMessage,
  ObjectPeerMessage,
  StoredObject,
} from '../wire/messages/peer.js'
import type { FromRaylet } from '../wire/messages/raylet.js'
import type { ClusterNode, ObjectKey } from '../wire/messages/terms.js'
import { pullUrgency } from '../wire/pull-urgency.js'
import { Evacuation } from './evacuation.js'
import { LendsUnderWay } from './lends-under-way.js'
import type { ObjectEffect, ObjectEvent } from './object-events.js'
import { isAllHere, routeObjectEvent } from './object-router.js'
import { ObjectTable } from './object-table.js'
import { PassedRefs } from './passed-refs.js'
import type { PeerLinks } from './peer-links.js'
import { homeDied, RemoteAsks } from './remote-asks.js'
import type { StoreService } from './store-service.js'
import { ObjectPuller } from './transfer/object-puller.js'
import { type PrefetchEvent, PrefetchState } from './transfer/prefetch-state.js'
import { keyText, type PullOutcome, type PullReader } from './transfer/pull-state.js'

export interface ObjectPorts {
  readonly clock: Clock
  readonly token: string
  readonly nodeId: string
  readonly nodeNumber: number
  readonly store: StoreService
  readonly peers: PeerLinks
  readonly validate?: boolean
  readonly send: (to: ProcessId, message: FromRaylet) => void
  /** Whether it is a process of this node that lives. */
  readonly isMember: (process: ProcessId) => boolean
  readonly actorOutOfScope: (actor: ObjectKey) => void
  /** For the log of the node. */
  readonly note: (text: string) => void
}

type Ask = Extract<ObjectEvent, { kind: 'getObjects' | 'awaitObjects' }>

export class ObjectService {
  readonly table: ObjectTable
  readonly puller: ObjectPuller
  readonly #ports: ObjectPorts
  readonly #here: number
  readonly #asks = new RemoteAsks()
  readonly #passed = new PassedRefs()
  readonly #lends: LendsUnderWay
  readonly #prefetch = new PrefetchState()
  /**
   * Copies in this store of objects of other homes, and whether their values contain refs. Added
   * when one is sealed; removed when it is dropped or evicted.
   */
  readonly #copies = new Map<string, { readonly object: ObjectKey; readonly isNesting: boolean }>()
  /** Pulls whose readers have said whether the value contains refs. */
  readonly #nesting = new Map<string, boolean>()
  readonly #evacuation: Evacuation
  #cancelSweep: (() => void) | undefined

  constructor(ports: ObjectPorts) {
    this.#ports = ports
    this.#here = ports.nodeNumber
    this.table = new ObjectTable(ports.nodeNumber)
    this.#evacuation = new Evacuation({
      here: this.#here,
      entries: () => this.table.entries(),
      fetch: (object, node) => this.#fetchTo(node, object),
      drop: (object, node) => this.#handle({ kind: 'copyRemoved', object, node, isMissing: true }),
    })
    const { peers, validate = false } = ports
    this.#lends = new LendsUnderWay({
      here: this.#here,
      send: (to, message) => peers.send(to, message),
      isDead: (node) => peers.isDead(node),
      count: (event) => this.#handle(event),
    })
    this.puller = new ObjectPuller({
      ...ports,
      validate,
      node: (number) => peers.nodeOf(number),
      askToDial: (number) => peers.send(number, { kind: 'dialBulk' }),
      sealed: (object) => this.#pulled(object),
      deliver: (object, readers) => {
        for (const reader of readers) this.#deliver(object, reader)
      },
      answer: (object, readers, outcome) => this.#answer(object, readers, outcome),
      ask: (object) => this.#askHome(object, pullUrgency.get),
      removed: (object, node, isMissing) =>
        this.event({ kind: 'copyRemoved', object, node, ...(isMissing && { isMissing }) }),
    })
  }

  /** What a process of this node, or its raylet, says. */
  event(event: ObjectEvent): void {
    if (event.kind === 'processDied') this.#forget(event.process)
    if (isAllHere(event, this.#here)) return this.#handle(event)
    for (const part of routeObjectEvent(event, this.#here)) {
      if (part.home === this.#here) this.#handle(part.event)
      else this.#tell(part.home, part.event)
    }
  }

  /** A process of this node has written an object into the store. */
  sealed(event: Extract<ObjectEvent, { kind: 'seal' }>): void {
    const { object, contains = [] } = event
    this.#keepCopy(object, contains.length > 0)
    this.event({ ...event, node: this.#here })
    this.puller.handle({ kind: 'present', object })
  }

  /** The tasks of the process that wait for their turn read these objects, and no others. */
  prefetch(by: ProcessId, objects: readonly ObjectKey[]): void {
    this.#ahead({ kind: 'list', by, objects })
  }

  /** Nodes that leave give what they have to others. */
  viewChanged(nodes: readonly ClusterNode[]): void {
    this.#evacuation.look(nodes, this.#ports.clock.now())
  }

  /** Other nodes would lose something with this one: copies, or objects whose home it is. */
  get isNeeded(): boolean {
    return this.#copies.size > 0 || this.#farHolders().size > 0
  }

  /** Processes of other nodes may hold what they have only not collected yet. */
  remindHolders(): void {
    for (const holder of this.#farHolders()) {
      this.#ports.send(holder, { kind: 'collectGarbage' })
    }
  }

  /** Processes and raylets of other nodes that hold a value whose home this is. */
  #farHolders(): ReadonlySet<ProcessId> {
    const holders = this.table
      .entries()
      .filter((entry) => entry.isStored || entry.body !== undefined)
      .flatMap((entry) => entry.holders())
    return new Set(holders.filter((holder) => nodeNumberOf(holder) !== this.#here))
  }

  /** The node, which may be this one, is to have a copy. */
  #fetchTo(node: number, object: ObjectKey): void {
    if (node === this.#here) this.#askHome(object, pullUrgency.argument)
    else this.#ports.peers.send(node, { kind: 'fetchCopy', object })
  }

  fromPeer(from: number, message: ObjectPeerMessage | LendMessage): void {
    switch (message.kind) {
      case 'fetchCopy':
        if (this.#ports.store.sizeOf(message.object) !== undefined) return undefined
        return this.#askHome(message.object, pullUrgency.argument)
      case 'object':
        this.#lends.heard(from, message.event)
        return this.#handle(message.event)
      case 'claimLent':
      case 'askClaims':
      case 'claimsSaid':
        return this.#lends.fromPeer(from, message)
      case 'located':
        this.#asks.answered({ from: message.to, object: message.object, isSignal: false })
        return this.#located(message)
      case 'dropCopy':
        return this.#drop(message.object)
      case 'makePrimary':
        return this.#ports.store.makePrimary(message.object)
      case 'dialBulk': {
        const node = this.#ports.peers.nodeOf(from)
        if (node !== undefined) this.puller.links.dial(node)
        return undefined
      }
      default:
        return assertNever(message)
    }
  }

  /**
   * Bytes of these objects that nodes have, by node id. Undefined: nothing is known of them, which
   * are small, or whose homes are other nodes.
   */
  bytesOn(objects: readonly ObjectKey[]): ReadonlyMap<string, number> | undefined {
    let bytes: Map<string, number> | undefined
    for (const object of objects) {
      for (const [node, sizeBytes] of this.table.copiesOf(object)) {
        const nodeId = this.#ports.peers.nodeOf(node)?.nodeId
        if (nodeId === undefined) continue
        bytes ??= new Map()
        bytes.set(nodeId, (bytes.get(nodeId) ?? 0) + sizeBytes)
      }
    }
    return bytes
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
    this.#giveBack(rayletProcess(this.#here), this.#passed.decided(of, request))
  }

  /** An answer of another node passes by, on its way to a process of this one. */
  delivered(to: ProcessId, message: FromRaylet): void {
    if (message.kind !== 'ready') return
    const isSignal = message.signal === true
    this.#asks.answered({ from: to, object: message.object, isSignal })
  }

  /** What this raylet asked for itself is answered. */
  answered(message: FromRaylet): void {
    if (message.kind !== 'ready') return
    const { object, error, body, contains = [] } = message
    const outcome = error !== undefined ? { error } : body && { body, contains }
    if (outcome !== undefined) this.puller.handle({ kind: 'answered', object, outcome })
  }

  nodeDied(node: number): void {
    this.puller.links.drop(node)
    this.#giveBack(rayletProcess(this.#here), this.#passed.nodeDied(node))
    this.#handle({ kind: 'nodeDied', node })
    this.#lends.nodeDied(node)
    for (const { from, object, isSignal } of this.#asks.takeOf(node)) {
      this.#homeDied(from, object, isSignal)
    }
    for (const { object } of this.#copies.values()) {
      if (nodeNumberOf(object[0]) === node) this.#drop(object)
    }
    this.puller.handle({ kind: 'nodeDied', node })
  }

  /** The store has made room with a secondary copy. */
  evicted(object: ObjectKey): void {
    this.#copies.delete(keyText(object))
    this.#ahead({ kind: 'gone', object })
    this.event({ kind: 'copyRemoved', object, node: this.#here })
  }

  close(): void {
    this.#cancelSweep?.()
    this.puller.close()
  }

  #handle(event: ObjectEvent): void {
    const { clock, validate } = this.#ports
    const effects = this.table.handle(event, clock.now())
    if (validate === true) this.table.validate()
    for (const effect of effects) this.#do(effect)
    if (!this.table.isSweepWanted || this.#cancelSweep !== undefined) return
    this.#cancelSweep = clock.timer(objectPlaceholderMs, () => {
      this.#cancelSweep = undefined
      this.#handle({ kind: 'tick' })
    })
  }

  #do(effect: ObjectEffect): void {
    const { peers, store, send, actorOutOfScope } = this.#ports
    switch (effect.kind) {
      case 'send':
        return send(effect.to, effect.message)
      case 'sendStored': {
        const node = nodeNumberOf(effect.to)
        if (node === this.#here) return this.#located(effect)
        return peers.send(node, { ...effect, kind: 'located' })
      }
      case 'freeStored':
        return this.#drop(effect.object)
      case 'dropCopies':
        for (const node of effect.nodes) {
          peers.send(node, { kind: 'dropCopy', object: effect.object })
        }
        return undefined
      case 'makePrimary':
        if (effect.node === this.#here) return store.makePrimary(effect.object)
        return peers.send(effect.node, { kind: 'makePrimary', object: effect.object })
      case 'elsewhere':
        return this.event(effect.event)
      case 'actorOutOfScope':
        return actorOutOfScope(effect.actor)
      default:
        return assertNever(effect)
    }
  }

  #tell(home: number, event: ObjectEvent): void {
    const { peers } = this.#ports
    if (event.kind === 'getObjects' || event.kind === 'awaitObjects') return this.#ask(home, event)
    if (isObjectMessage(event)) peers.send(home, { kind: 'object', event })
  }

  #ask(home: number, event: Ask): void {
    const { peers } = this.#ports
    const { from } = event
    const isSignal = event.kind === 'awaitObjects'
    const objects = event.objects.filter((object) => {
      if (!isSignal && this.#readCopy(event, object)) return false
      if (peers.isDead(home)) this.#homeDied(from, object, isSignal)
      else this.#asks.add({ from, object, isSignal })
      return !peers.isDead(home)
    })
    if (objects.length > 0) peers.send(home, { kind: 'object', event: { ...event, objects } })
  }

  /** Without a word to the home: there is a copy, and nothing to be counted. */
  #readCopy({ from, isBare }: Ask, object: ObjectKey): boolean {
    const copy = this.#copies.get(keyText(object))
    if (copy === undefined || (copy.isNesting && isBare !== true)) return false
    if (from === rayletProcess(this.#here)) return false
    return this.#sendHere(object, { process: from, contains: [] })
  }

  /** Of a stored object: it is here, or is to come. */
  #located(what: StoredObject): void {
    const { to, object, contains, isNesting, sources } = what
    const reader = { process: to, contains }
    const isSelf = to === rayletProcess(this.#here)
    const { store, isMember } = this.#ports
    if (!isSelf && !isMember(to)) {
      // It has died since it asked. Nothing was begun for it, unless for others too.
      const isWanted = store.sizeOf(object) !== undefined || this.puller.has(object)
      if (!isWanted) this.event({ kind: 'copyRemoved', object, node: this.#here })
      return
    }
    if (store.sizeOf(object) !== undefined) {
      if (!isSelf) this.#deliver(object, reader)
      this.puller.handle({ kind: 'present', object })
      return
    }
    // The home takes it to be here. It is not any more, and may not have been told.
    if (sources.length === 0) {
      this.event({ kind: 'copyRemoved', object, node: this.#here })
    }
    this.#nesting.set(keyText(object), isNesting)
    this.puller.handle({ ...what, kind: 'want', reader: isSelf ? undefined : reader })
  }

  #sendHere(object: ObjectKey, { process, contains }: PullReader): boolean {
    const location = this.#ports.store.pin(process, object)
    if (location === undefined) return false
    const nested = contains.length === 0 ? {} : { contains }
    this.#ports.send(process, { kind: 'ready', object, location, ...nested })
    return true
  }

  #deliver(object: ObjectKey, reader: PullReader): void {
    if (this.#sendHere(object, reader)) return
    const { process, contains } = reader
    // It was dropped in the same moment: its home has more to say, and what was lent stays lent.
    this.#giveBack(process, contains)
    this.event({ kind: 'getObjects', from: process, objects: [object] })
  }

  #answer(object: ObjectKey, readers: readonly PullReader[], outcome: PullOutcome): void {
    for (const { process, contains } of readers) {
      if (contains.length > 0) this.#giveBack(process, contains)
      // A body that contains refs lends them to each reader: they ask for it themselves.
      if ('body' in outcome) this.event({ kind: 'getObjects', from: process, objects: [object] })
      else this.#ports.send(process, { kind: 'ready', object, error: outcome.error })
    }
  }

  #giveBack(from: ProcessId, contains: readonly ObjectKey[]): void {
    if (contains.length > 0) this.event({ kind: 'release', from, objects: contains.flat() })
  }

  #pulled(object: ObjectKey): void {
    const key = keyText(object)
    this.#keepCopy(object, this.#nesting.get(key) !== false)
    this.#nesting.delete(key)
    this.event({ kind: 'copyAdded', object, node: this.#here })
    const sizeBytes = this.#ports.store.sizeOf(object) ?? 0
    this.#ahead({ kind: 'came', object, sizeBytes })
  }

  #ahead(event: PrefetchEvent): void {
    const before = this.#prefetch.heldBytes
    const effects = this.#prefetch.handle(event)
    if (this.#ports.validate === true) this.#prefetch.validate()
    const { heldBytes: bytes } = this.#prefetch
    if (bytes !== before || event.kind === 'came') this.puller.handle({ kind: 'held', bytes })
    for (const { kind, object } of effects) {
      if (kind === 'unwanted') this.puller.handle({ kind, object })
      else if (this.#ports.store.sizeOf(object) === undefined && !this.puller.has(object)) {
        this.#askHome(object, pullUrgency.hint)
      }
    }
  }

  #keepCopy(object: ObjectKey, isNesting: boolean): void {
    if (nodeNumberOf(object[0]) === this.#here) return
    this.#copies.set(keyText(object), { object, isNesting })
  }

  #drop(object: ObjectKey): void {
    this.#copies.delete(keyText(object))
    this.#ahead({ kind: 'gone', object })
    this.#ports.store.free(object)
    this.puller.handle({ kind: 'dropped', object })
  }

  #askHome(object: ObjectKey, urgency: number): void {
    const from = rayletProcess(this.#here)
    this.event({ kind: 'getObjects', from, objects: [object], isBare: true, urgency })
  }

  #homeDied(to: ProcessId, object: ObjectKey, isSignal: boolean): void {
    const signal = { signal: true, failed: true }
    if (isSignal) this.#ports.send(to, { kind: 'ready', object, ...signal })
    else this.#ports.send(to, { kind: 'ready', object, error: homeDied(object) })
  }

  #forget(process: ProcessId): void {
    this.#asks.processDied(process)
    this.#ahead({ kind: 'list', by: process, objects: [] })
    this.#giveBack(rayletProcess(this.#here), this.#passed.processDied(process))
    this.puller.handle({ kind: 'processDied', process })
  }
}

const messageKinds: ReadonlySet<ObjectEvent['kind']> = new Set<ObjectMessage['kind']>([
  'settle',
  'release',
  'lend',
  'unlend',
  'free',
  'seal',
  'copyAdded',
  'copyRemoved',
])

function isObjectMessage(event: ObjectEvent): event is ObjectEvent & ObjectMessage {
  return messageKinds.has(event.kind)
}
