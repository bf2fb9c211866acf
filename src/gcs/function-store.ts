// Bytes of functions and classes, for nodes that do not have them yet.
//
// A worker may ask before the export has arrived, which comes from another node: then it waits.

import type { ExportedFunction } from '../wire/messages/gcs.js'

export class FunctionStore {
  readonly #functions = new Map<string, ExportedFunction>()
  /** Nodes that wait for a function. Added by `fetch`, emptied by `add` and by their death. */
  readonly #waiting = new Map<string, Set<string>>()

  /** Returns the nodes that have waited for it. */
  add({ hash, bytes, contains }: ExportedFunction): readonly string[] {
    if (this.#functions.has(hash)) return []
    this.#functions.set(hash, { hash, bytes, contains })
    const waiting = [...(this.#waiting.get(hash) ?? [])]
    this.#waiting.delete(hash)
    return waiting
  }

  /** Undefined when it is not known yet; the node is then among those that `add` returns. */
  fetch(hash: string, nodeId: string): ExportedFunction | undefined {
    const row = this.#functions.get(hash)
    if (row !== undefined) return row
    const waiting = this.#waiting.get(hash) ?? new Set()
    this.#waiting.set(hash, waiting.add(nodeId))
    return undefined
  }

  nodeDied(nodeId: string): void {
    for (const [hash, waiting] of this.#waiting) {
      waiting.delete(nodeId)
      if (waiting.size === 0) this.#waiting.delete(hash)
    }
  }
}
