// What the processes of this node have asked of homes on other nodes and was not answered.
//
// When such a node dies nobody answers any more, and they must be told.

import type { ProcessId } from '../base/ids.js'
import { nodeNumberOf, objectIdHex, workerIdHex } from '../base/ids.js'
import type { ObjectKey, WireError } from '../wire/messages/terms.js'

export interface RemoteAsk {
  readonly from: ProcessId
  readonly object: ObjectKey
  /** It only wants to know that the object is ready. */
  readonly isSignal: boolean
}

export class RemoteAsks {
  /** Asks with how often, by what they are. Removed by an answer, or with who asked. */
  readonly #open = new Map<string, { readonly ask: RemoteAsk; count: number }>()

  get size(): number {
    return this.#open.size
  }

  add(ask: RemoteAsk): void {
    const key = textOf(ask)
    const known = this.#open.get(key)
    if (known === undefined) this.#open.set(key, { ask, count: 1 })
    else known.count++
  }

  answered(ask: RemoteAsk): void {
    const key = textOf(ask)
    const known = this.#open.get(key)
    if (known === undefined) return
    if (--known.count === 0) this.#open.delete(key)
  }

  processDied(process: ProcessId): void {
    for (const [key, { ask }] of this.#open) if (ask.from === process) this.#open.delete(key)
  }

  /** Takes those that the node will not answer, each as often as it was asked. */
  takeOf(node: number): RemoteAsk[] {
    const taken: RemoteAsk[] = []
    for (const [key, { ask, count }] of this.#open) {
      if (nodeNumberOf(ask.object[0]) !== node) continue
      this.#open.delete(key)
      for (let n = 0; n < count; n++) taken.push(ask)
    }
    return taken
  }
}

/** Why the objects of a dead node have no value any more. */
export function homeDied([owner, sequence]: ObjectKey): WireError {
  const id = objectIdHex(owner, sequence)
  const ownerId = workerIdHex(owner)
  const message =
    `Object ${id} is lost: node number ${nodeNumberOf(owner)} has died, and with it process ` +
    `${ownerId}, which owned it, and what was known of its objects. Submit the task again from a ` +
    'process that lives longer.'
  return { code: 'RAY_OWNER_DIED', message, fields: { objectId: id, ownerId } }
}

function textOf({ from, object: [owner, sequence], isSignal }: RemoteAsk): string {
  return `${from} ${owner}:${sequence} ${isSignal ? 'await' : 'get'}`
}
