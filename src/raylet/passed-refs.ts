// Refs in the arguments of tasks that travel to this node with their requests.
//
// The raylet that picks a worker lends it what the arguments contain. When that is not the raylet
// of the owner, its word travels on another link than the owner's release, which might be heard
// first. So the owner's raylet lends to the one that it passes the request to, ahead of any release
// of the owner; that one lends to the worker, and gives its own count back when the request is
// decided.

import type { ProcessId } from '../base/ids.js'
import { nodeNumberOf } from '../base/ids.js'
import type { ObjectKey } from '../wire/messages/terms.js'

export class PassedRefs {
  /** By owner and request. Added with the request; removed when it is decided. */
  readonly #refs = new Map<
    string,
    { readonly of: ProcessId; readonly keys: readonly ObjectKey[] }
  >()

  add(of: ProcessId, request: number, keys: readonly ObjectKey[]): void {
    if (keys.length > 0) this.#refs.set(`${of} ${request}`, { of, keys })
  }

  /** The objects on which a count is to be given back. */
  decided(of: ProcessId, request: number): readonly ObjectKey[] {
    if (this.#refs.size === 0) return []
    const id = `${of} ${request}`
    const keys = this.#refs.get(id)?.keys ?? []
    this.#refs.delete(id)
    return keys
  }

  /** The same of all requests of a process. */
  processDied(process: ProcessId): readonly ObjectKey[] {
    return this.#takeWhere((of) => of === process)
  }

  nodeDied(node: number): readonly ObjectKey[] {
    return this.#takeWhere((of) => nodeNumberOf(of) === node)
  }

  #takeWhere(isIt: (of: ProcessId) => boolean): readonly ObjectKey[] {
    const taken: ObjectKey[] = []
    for (const [id, { of, keys }] of this.#refs) {
      if (!isIt(of)) continue
      this.#refs.delete(id)
      taken.push(...keys)
    }
    return taken
  }
}
