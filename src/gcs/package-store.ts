// Packed folders of programs, by the hash of what is in them, for nodes that need them.
//
// They come and go in pieces, so that no single message is large.

import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'

type Export = Extract<ToGcs, { kind: 'exportPackage' }>

export class PackageStore {
  /** Pieces by package; a package is complete when it has all. */
  readonly #packages = new Map<string, (Uint8Array | undefined)[]>()
  /** Nodes that wait for a package. Added by `fetch`, emptied by `add` and by their death. */
  readonly #waiting = new Map<string, Set<string>>()

  /** Returns the nodes that have waited for it, when it is complete. */
  add({ hash, index, count, bytes }: Export): readonly string[] {
    const pieces = this.#packages.get(hash) ?? new Array<undefined>(count).fill(undefined)
    this.#packages.set(hash, pieces)
    if (index >= pieces.length || this.#isComplete(hash)) return []
    pieces[index] = bytes
    if (!this.#isComplete(hash)) return []
    const waiting = [...(this.#waiting.get(hash) ?? [])]
    this.#waiting.delete(hash)
    return waiting
  }

  /** Empty when it is not here yet; the node is then among those that `add` returns. */
  fetch(hash: string, nodeId: string): FromGcs[] {
    if (!this.#isComplete(hash)) {
      const waiting = this.#waiting.get(hash) ?? new Set()
      this.#waiting.set(hash, waiting.add(nodeId))
      return []
    }
    const pieces = this.#packages.get(hash) ?? []
    const count = pieces.length
    return pieces.map((bytes = new Uint8Array(), index) => ({
      kind: 'packageFound',
      hash,
      index,
      count,
      bytes,
    }))
  }

  nodeDied(nodeId: string): void {
    for (const [hash, waiting] of this.#waiting) {
      waiting.delete(nodeId)
      if (waiting.size === 0) this.#waiting.delete(hash)
    }
  }

  #isComplete(hash: string): boolean {
    const pieces = this.#packages.get(hash)
    return pieces !== undefined && !pieces.includes(undefined)
  }
}
