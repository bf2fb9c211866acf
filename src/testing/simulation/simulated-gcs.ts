// A GCS that dies and starts again, with storage that lasts and links that break with it.
//
// What was on its way to it is lost, and so is the batch that was being written, or not. Each node
// finds the new one after a while, and repeats what its session has kept.

import type { GcsOptions } from '../../gcs/gcs-server.js'
import { GcsServer } from '../../gcs/gcs-server.js'
import { tablesOf } from '../../gcs/stored-tables.js'
import type { StorageChange } from '../../gcs/storage/gcs-storage.js'
import { MemoryStorage } from '../../gcs/storage/memory-storage.js'
import { GcsSession } from '../../raylet/gcs-session.js'
import type { FromGcs, NodeHoldings, ToGcs } from '../../wire/messages/gcs.js'
import type { PlacementGroupRow } from '../../wire/messages/raylet.js'
import type { Connection } from './network.js'
import type { World } from './world.js'

const storeMsMax = 3
const startMsMax = 500
const reconnectMsMax = 2000

export interface LinkedNode {
  readonly nodeId: string
  readonly isAlive: boolean
  fromGcs(message: FromGcs): void
  holdings(): NodeHoldings
}

interface NodeLink {
  readonly session: GcsSession
  /** Set when the node has been made. */
  node: LinkedNode | undefined
  /** The GCS that it is connected to; those before it are dead. */
  generation: number
}

export interface SimulatedGcsOptions {
  readonly health: Pick<GcsOptions, 'nodeDeadlineMs'>
  /** The GCS sends this, before the network carries it. */
  readonly said: (message: FromGcs) => void
  readonly heard: (message: ToGcs) => void
}

export class SimulatedGcs {
  readonly #world: World
  readonly #options: SimulatedGcsOptions
  readonly #storage = new MemoryStorage()
  readonly #links = new Map<string, NodeLink>()
  #server: GcsServer | undefined
  #generation = 0
  /** The batch that is being written. */
  #batch: readonly StorageChange[] = []

  constructor(world: World, options: SimulatedGcsOptions) {
    this.#world = world
    this.#options = options
    this.#server = this.#start()
  }

  /** A node that may speak before it is there. */
  link(nodeId: string): (message: ToGcs) => void {
    const session = new GcsSession()
    // While there is no GCS, it connects to the next one.
    const generation = this.#server === undefined ? -1 : this.#generation
    const link: NodeLink = { session, node: undefined, generation }
    this.#links.set(nodeId, link)
    return (message) => {
      session.sending(message)
      this.#carry(link, nodeId, { message, position: session.sent })
    }
  }

  attach(node: LinkedNode): void {
    const link = this.#links.get(node.nodeId)
    if (link !== undefined) link.node = node
  }

  nodeLost(nodeId: string): void {
    this.#server?.nodeLost(nodeId)
  }

  groups(): readonly PlacementGroupRow[] {
    return this.#server?.placementGroups() ?? []
  }

  /** It dies now, and starts again a little later. */
  restart(): void {
    if (this.#server === undefined) return
    const { clock, prng, trace } = this.#world
    trace.note('gcs dies')
    this.#server.close()
    this.#server = undefined
    this.#generation++
    if (prng.chance(0.5)) this.#storage.apply(this.#batch)
    clock.timer(prng.integer(1, startMsMax), () => {
      trace.note('gcs starts')
      this.#server = this.#start()
      for (const link of this.#links.values()) this.#reconnectSoon(link)
    })
  }

  close(): void {
    this.#server?.close()
  }

  #start(): GcsServer {
    const generation = this.#generation
    const { clock, prng } = this.#world
    const persist = (changes: readonly StorageChange[], done: () => void): void => {
      this.#batch = changes
      clock.timer(prng.integer(0, storeMsMax), () => {
        if (generation !== this.#generation) return
        this.#storage.apply(changes)
        this.#batch = []
        done()
      })
    }
    const send = (nodeId: string, message: FromGcs): void => this.#send(nodeId, message)
    const stored = tablesOf((table) => this.#storage.rows(table))
    const options = { ...this.#options.health, persist, stored, validate: true }
    return new GcsServer(clock, send, options)
  }

  #reconnectSoon(link: NodeLink): void {
    const { clock, prng, trace } = this.#world
    clock.timer(prng.integer(1, reconnectMsMax), () => {
      const { node, session } = link
      const isThere = this.#server !== undefined && node?.isAlive === true
      if (!isThere || link.generation === this.#generation) return
      trace.note(`${node.nodeId} finds the gcs again`)
      link.generation = this.#generation
      for (const [at, message] of session.repeat(node.holdings()).entries()) {
        this.#carry(link, node.nodeId, { message, position: at + 1 })
      }
    })
  }

  /** `position`: the how-manieth message of this connection it is. */
  #carry(
    link: NodeLink,
    nodeId: string,
    { message, position }: { readonly message: ToGcs; readonly position: number },
  ): void {
    const generation = this.#generation
    if (link.generation !== generation) return
    this.#world.network.send(between(nodeId, 'gcs'), () => {
      if (generation !== this.#generation) return
      this.#options.heard(message)
      this.#server?.receive(message, () => {
        this.#send(nodeId, { kind: 'gcsHandled', count: position })
      })
    })
  }

  #send(nodeId: string, message: FromGcs): void {
    const link = this.#links.get(nodeId)
    if (link?.generation !== this.#generation) return
    this.#options.said(message)
    const { generation } = link
    this.#world.network.send(between('gcs', nodeId), () => {
      // What a dead GCS has said may still arrive, but not behind what its successor says.
      if (link.generation !== generation || link.node?.isAlive !== true) return
      if (link.session.received(message)) link.node.fromGcs(message)
    })
  }
}

function between(from: string, to: string): Connection {
  return { from, to, nodes: [from, to] }
}
