// A simulated node that has asked to join, and waits for its number: what it hears before that, its
// raylet hears when there is one.

import type { FromGcs, NodeHoldings } from '../../wire/messages/gcs.js'
import type { Resources } from '../../wire/messages/terms.js'
import type { LinkedNode } from './simulated-gcs.js'

export interface JoiningOptions {
  readonly nodeId: string
  readonly resources: Resources
  readonly registered: (nodeNumber: number) => LinkedNode
}

export class JoiningNode implements LinkedNode {
  readonly nodeId: string
  readonly isAlive = true
  readonly #options: JoiningOptions
  readonly #early: FromGcs[] = []

  constructor(options: JoiningOptions) {
    this.nodeId = options.nodeId
    this.#options = options
  }

  fromGcs(message: FromGcs): void {
    if (message.kind !== 'nodeRegistered') {
      this.#early.push(message)
      return
    }
    const node = this.#options.registered(message.nodeNumber)
    for (const each of this.#early) node.fromGcs(each)
  }

  holdings(): NodeHoldings {
    const { resources } = this.#options
    return { available: resources, total: resources, actors: [], bundles: [], awaited: [] }
  }
}
