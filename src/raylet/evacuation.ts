// Objects of this home whose only copies are on nodes that are about to leave.
//
// Such a node could send its copies somewhere by itself, but does not know which of them are the
// last. The home does: it has another node fetch what is nowhere else, and drops the copies of the
// node that leaves as soon as there is another one. A node that leaves waits until it has no copies
// of objects of other homes, or until its time is up; what is lost then is made again as after any
// death, if it can be.
//
// Nothing is done at an event: all is looked at again with every view of the cluster, which comes
// at least as often as nodes report.

import { evacuationRetryMs, evacuationsMax } from '../base/limits.js'
import type { ClusterNode, ObjectKey } from '../wire/messages/terms.js'
import type { ObjectEntry } from './object-entry.js'

export interface EvacuationPorts {
  readonly here: number
  readonly entries: () => readonly ObjectEntry[]
  /** The node is to have a copy. */
  readonly fetch: (object: ObjectKey, node: number) => void
  /** The copy of the node is not needed. */
  readonly drop: (object: ObjectKey, node: number) => void
}

export class Evacuation {
  readonly #ports: EvacuationPorts
  /** When another node was asked to fetch an object; emptied when nobody leaves. */
  readonly #askedAt = new Map<ObjectEntry, number>()
  #turn = 0

  constructor(ports: EvacuationPorts) {
    this.#ports = ports
  }

  look(nodes: readonly ClusterNode[], now: number): void {
    const leaving = new Set<number>()
    for (const { nodeNumber, isDraining } of nodes) if (isDraining) leaving.add(nodeNumber)
    if (leaving.size === 0) {
      this.#askedAt.clear()
      return
    }
    // What is counted here goes with this node.
    const { here, entries } = this.#ports
    if (leaving.has(here)) return
    const targets = targetsOf(nodes, here)
    let left = evacuationsMax
    for (const entry of entries()) {
      if (entry.copies === null || left === 0) continue
      if (this.#move(entry, { leaving, targets, now })) left--
    }
  }

  /** True: a node was asked to fetch it. */
  #move(entry: ObjectEntry, { leaving, targets, now }: Surroundings): boolean {
    const { key, copies } = entry
    const complete = copies?.complete() ?? []
    const going = complete.filter((node) => leaving.has(node))
    if (going.length === 0) return false
    if (going.length < complete.length) {
      this.#askedAt.delete(entry)
      for (const node of going) this.#ports.drop(key, node)
      return false
    }
    // One that is about to have it was asked, or reads it.
    const isComing = copies?.nodes().some((node) => !leaving.has(node)) === true
    const askedAt = this.#askedAt.get(entry) ?? -Infinity
    if (isComing || now - askedAt < evacuationRetryMs) return false
    this.#askedAt.set(entry, now)
    this.#ports.fetch(key, targets[this.#turn++ % targets.length] ?? this.#ports.here)
    return true
  }
}

interface Surroundings {
  readonly leaving: ReadonlySet<number>
  readonly targets: readonly number[]
  readonly now: number
}

/** Nodes that stay and run something; this one when there are none. */
function targetsOf(nodes: readonly ClusterNode[], here: number): readonly number[] {
  const stay = nodes.filter((node) => node.alive && !node.isDraining && !node.isClient)
  return stay.length === 0 ? [here] : stay.map(({ nodeNumber }) => nodeNumber)
}
