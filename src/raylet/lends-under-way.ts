// Counts that one raylet lends to another on objects of a third node, and of which one half may be
// lost.
//
// A raylet that sends refs to another one, inside a value or with a task, lends it a count on each
// at their home. The lend and the refs travel on different links, so when the lender's node dies
// between the two, one of them may be lost: a count that nobody knows of and gives back, or refs
// that nobody counts. Neither would ever be put right.
//
// So whoever receives such refs claims them at their home. What was lent less what was claimed is
// under way. When a node dies, each home asks those to whom something of it is under way whether
// they have claimed all that came. They answer when they too take the node for dead and therefore
// hear nothing more from it, and the answer comes behind their claims. What is under way then will
// not arrive: a count that nobody has claimed is taken back, and one that was claimed and never
// lent is counted after all.
//
// Lends to processes are not claimed: what is lost of them ends with the process.

import { isRaylet, nodeNumberOf, rayletProcess } from '../base/ids.js'
import type { LendMessage, ObjectMessage } from '../wire/messages/peer.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { ObjectEvent } from './object-events.js'
import { byHome, keyHome } from './object-router.js'

export interface LendPorts {
  readonly here: number
  readonly send: (to: number, message: LendMessage) => void
  /** Nothing more is heard of the node. */
  readonly isDead: (node: number) => boolean
  /** For the table of objects. */
  readonly count: (event: ObjectEvent) => void
}

interface UnderWay {
  readonly key: ObjectKey
  /** What was lent less what was claimed; never zero. */
  count: number
}

interface Row {
  readonly by: number
  readonly to: number
  readonly objects: Map<string, UnderWay>
}

export class LendsUnderWay {
  readonly #ports: LendPorts
  /**
   * By lender and receiver. Added by what is heard first of a lend and its claim, and removed by
   * the other or by the death of a node.
   */
  readonly #rows = new Map<string, Row>()
  /** Homes that ask for claims, with the node they ask about, until that is known to be dead. */
  readonly #asked: { readonly home: number; readonly of: number }[] = []

  constructor(ports: LendPorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#rows.size
  }

  /** What another node says of objects, before the table hears it. */
  heard(from: number, event: ObjectMessage): void {
    if (event.kind === 'lend') {
      const to = nodeNumberOf(event.to)
      // Between a node and itself nothing is lost, and the dead hold nothing.
      if (!isRaylet(event.to) || to === from || this.#ports.isDead(to)) return
      for (const key of event.objects) this.#add(from, to, { key, change: 1 })
    } else if (event.kind === 'settle' || event.kind === 'seal') {
      const foreign = event.contains?.filter((key) => keyHome(key) !== this.#ports.here) ?? []
      if (foreign.length > 0) this.received(from, foreign)
    }
  }

  /** Refs came from a node that lent this raylet a count on each. */
  received(by: number, keys: readonly ObjectKey[]): void {
    // The lender's own objects are counted by itself: with it they are gone.
    const elsewhere = keys.filter((key) => keyHome(key) !== by)
    for (const [home, objects] of byHome(elsewhere, keyHome)) {
      if (home !== this.#ports.here) this.#ports.send(home, { kind: 'claimLent', by, objects })
      else this.#claim(by, home, objects)
    }
  }

  fromPeer(from: number, message: LendMessage): void {
    switch (message.kind) {
      case 'claimLent':
        return this.#claim(message.by, from, message.objects)
      case 'askClaims':
        if (this.#ports.isDead(message.of)) return this.#answer(from, message.of)
        this.#asked.push({ home: from, of: message.of })
        return undefined
      case 'claimsSaid':
        return this.#settle(message.of, from)
    }
  }

  /** After the links of the node are closed. */
  nodeDied(node: number): void {
    for (const { home } of this.#asked.filter(({ of }) => of === node)) this.#answer(home, node)
    const rest = this.#asked.filter(({ home, of }) => home !== node && of !== node)
    this.#asked.splice(0, this.#asked.length, ...rest)
    for (const [id, { by, to }] of [...this.#rows]) {
      // What the dead held is counted no more.
      if (to === node) this.#rows.delete(id)
      else if (by !== node) continue
      else if (to === this.#ports.here) this.#settle(node, to)
      else this.#ports.send(to, { kind: 'askClaims', of: node })
    }
  }

  #answer(home: number, of: number): void {
    this.#ports.send(home, { kind: 'claimsSaid', of })
  }

  #claim(by: number, to: number, keys: readonly ObjectKey[]): void {
    for (const key of keys) this.#add(by, to, { key, change: -1 })
    // No lend will come that these belong to.
    if (this.#ports.isDead(by)) this.#settle(by, to, (count) => count < 0)
  }

  #add(by: number, to: number, { key, change }: { key: ObjectKey; change: 1 | -1 }): void {
    const id = `${by} ${to}`
    const row = this.#rows.get(id) ?? { by, to, objects: new Map<string, UnderWay>() }
    this.#rows.set(id, row)
    const name = key.join(':')
    const known = row.objects.get(name)
    if (known === undefined) row.objects.set(name, { key, count: change })
    else if ((known.count += change) === 0) row.objects.delete(name)
    if (row.objects.size === 0) this.#rows.delete(id)
  }

  /** What is under way from a dead node will not arrive. */
  #settle(by: number, to: number, isMeant = (_count: number): boolean => true): void {
    const id = `${by} ${to}`
    const row = this.#rows.get(id)
    for (const [name, { key, count }] of row?.objects ?? []) {
      if (!isMeant(count)) continue
      row?.objects.delete(name)
      const objects = Array.from({ length: Math.abs(count) }, () => key)
      const holder = rayletProcess(to)
      if (count > 0) this.#ports.count({ kind: 'unlend', from: holder, objects })
      else this.#ports.count({ kind: 'lend', to: holder, objects })
    }
    if (row?.objects.size === 0) this.#rows.delete(id)
  }
}
