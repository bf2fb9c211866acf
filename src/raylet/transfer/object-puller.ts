// Does what PullState decides: takes room in the store, reads from other nodes, and hands over what
// is complete.

import type { Clock } from '../../base/clock.js'
import { type ProcessId, rayletProcess } from '../../base/ids.js'
import { pullShare } from '../../base/limits.js'
import type { ObjectKey, WireError } from '../../wire/messages/terms.js'
import type { StoreService } from '../store-service.js'
import { type BulkOptions, BulkLinks } from './bulk-links.js'
import { IncomingObject } from './incoming-object.js'
import { ObjectSender } from './object-sender.js'
import {
  keyText,
  type PullEffect,
  type PullEvent,
  type PullOutcome,
  type PullReader,
  PullState,
} from './pull-state.js'

export interface PullerPorts extends Omit<BulkOptions, 'asked' | 'closed'> {
  readonly clock: Clock
  readonly store: StoreService
  readonly validate: boolean
  /** The store has it now. */
  readonly sealed: (object: ObjectKey) => void
  readonly deliver: (object: ObjectKey, readers: readonly PullReader[]) => void
  readonly answer: (object: ObjectKey, readers: readonly PullReader[], outcome: PullOutcome) => void
  readonly ask: (object: ObjectKey) => void
  /** The node has no copy, as this one knows of itself or has found out. */
  readonly removed: (object: ObjectKey, node: number, isMissing: boolean) => void
}

export class ObjectPuller {
  readonly links: BulkLinks
  readonly #ports: PullerPorts
  readonly #self: ProcessId
  readonly #state: PullState
  /** By pull. Removed when it is complete or aborted. */
  readonly #incoming = new Map<number, IncomingObject>()
  /** The same by object. */
  readonly #byObject = new Map<string, IncomingObject>()
  #queue: PullEvent[] = []
  #isHandling = false
  #cancelTick: (() => void) | undefined

  constructor(ports: PullerPorts) {
    const { store, nodeNumber } = ports
    this.#ports = ports
    this.#self = rayletProcess(nodeNumber)
    this.#state = new PullState(store.arenaBytes * pullShare)
    const incoming = (object: ObjectKey): IncomingObject | undefined =>
      this.#byObject.get(keyText(object))
    const sender = new ObjectSender({ store, self: this.#self, incoming })
    this.links = new BulkLinks({
      ...ports,
      asked: (head, connection) => sender.asked(head, connection),
      closed: () => undefined,
    })
  }

  /** Whether the object is on its way. */
  has(object: ObjectKey): boolean {
    return this.#state.has(object)
  }

  /** Events that follow from effects wait until those are done. */
  handle(event: PullEvent): void {
    this.#queue.push(event)
    if (this.#isHandling) return
    this.#isHandling = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const effects = this.#state.handle(next, this.#ports.clock.now())
        if (this.#ports.validate) this.#state.validate()
        for (const effect of effects) this.#do(effect)
      }
    } finally {
      this.#isHandling = false
    }
    this.#setTick()
  }

  close(): void {
    this.#cancelTick?.()
    this.links.close()
  }

  #setTick(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    const at = this.#state.nextTickAt()
    if (at === Infinity) return
    const { clock } = this.#ports
    const ms = Math.max(0, at - clock.now())
    this.#cancelTick = clock.timer(ms, () => this.handle({ kind: 'tick' }))
  }

  #do(effect: PullEffect): void {
    const { ports } = { ports: this.#ports }
    switch (effect.kind) {
      case 'allocate':
        return void this.#allocate(effect)
      case 'read':
        return this.#incoming.get(effect.pull)?.read(effect.sources)
      case 'abort':
        return this.#take(effect.pull)?.abort()
      case 'seal':
        return this.#seal(effect.pull, effect.object)
      case 'deliver':
        return ports.deliver(effect.object, effect.readers)
      case 'answer':
        return ports.answer(effect.object, effect.readers, effect.outcome)
      case 'ask':
        return ports.ask(effect.object)
      case 'missing':
        return ports.removed(effect.object, effect.node, true)
      case 'giveUp':
        return ports.removed(effect.object, ports.nodeNumber, false)
    }
  }

  async #allocate({
    pull,
    object,
    sizeBytes,
  }: Extract<PullEffect, { kind: 'allocate' }>): Promise<void> {
    const { store } = this.#ports
    const incoming = this.#expect(pull, object, sizeBytes)
    const response = await store.allocate(this.#self, sizeBytes)
    if ('error' in response) this.#refused(pull, response.error)
    else {
      incoming.give(response)
      this.handle({ kind: 'allocated', pull })
    }
  }

  #expect(pull: number, object: ObjectKey, sizeBytes: number): IncomingObject {
    const { store } = this.#ports
    const incoming = new IncomingObject(object, sizeBytes, {
      memory: () => store.memory,
      arenaFile: store.arenaFile,
      connect: (node) => this.links.to(node),
      finished: () => this.handle({ kind: 'finished', pull }),
      stalled: (missing) => this.handle({ kind: 'stalled', pull, missing }),
      released: ({ allocation }) => store.abort(this.#self, allocation),
      pin: () => store.pin(this.#self, object),
      unpin: () => store.unpin(this.#self, object),
    })
    this.#incoming.set(pull, incoming)
    this.#byObject.set(keyText(object), incoming)
    return incoming
  }

  #refused(pull: number, error: WireError): void {
    this.#take(pull)
    this.handle({ kind: 'refused', pull, error })
  }

  #seal(pull: number, object: ObjectKey): void {
    const incoming = this.#take(pull)
    const allocation = incoming?.room?.allocation
    if (incoming === undefined || allocation === undefined) return
    this.#ports.store.seal(this.#self, allocation, object, true)
    incoming.sealed()
    this.#ports.sealed(object)
  }

  #take(pull: number): IncomingObject | undefined {
    const incoming = this.#incoming.get(pull)
    this.#incoming.delete(pull)
    if (incoming === undefined) return undefined
    const key = keyText(incoming.object)
    if (this.#byObject.get(key) === incoming) this.#byObject.delete(key)
    return incoming
  }
}
