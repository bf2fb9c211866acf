// What came for actors before their creation: handles travel on other sockets.

import type { ProcessId } from '../base/ids.js'
import { type Audience, dropNode, objectKeyOf } from './actor-record.js'

export interface EarlyActor {
  readonly subscribers: Map<ProcessId, string>
  kill: { readonly noRestart: boolean; readonly reason: string } | undefined
}

export class EarlyActors {
  /** Added by `of`; removed by the creation, or when it is known that it never comes. */
  readonly #actors = new Map<string, EarlyActor>()

  has(key: string): boolean {
    return this.#actors.has(key)
  }

  of(key: string): EarlyActor {
    let early = this.#actors.get(key)
    if (early === undefined) {
      early = { subscribers: new Map(), kill: undefined }
      this.#actors.set(key, early)
    }
    return early
  }

  take(key: string): EarlyActor | undefined {
    const early = this.#actors.get(key)
    this.#actors.delete(key)
    return early
  }

  nodeDied(nodeId: string): void {
    for (const early of this.#actors.values()) dropNode(early.subscribers, nodeId)
  }

  /** Returns who waits for an actor that the process can no longer create. */
  processDied(process: ProcessId): Audience[] {
    const orphans: Audience[] = []
    for (const [key, early] of this.#actors) {
      const { subscribers, kill } = early
      subscribers.delete(process)
      const actor = objectKeyOf(key)
      const isOrphan = actor[0] === process
      if (isOrphan) orphans.push({ actor, subscribers })
      if (isOrphan || (subscribers.size === 0 && kill === undefined)) this.#actors.delete(key)
    }
    return orphans
  }
}
