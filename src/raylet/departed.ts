// Who is gone, so that what is said of them late is not counted.

import { nodeNumberOf, type ProcessId } from '../base/ids.js'

/** Processes that are remembered; nodes are few, and their numbers are never used again. */
const goneMax = 100_000

export class Departed {
  readonly #processes = new Set<ProcessId>()
  readonly #nodes = new Set<number>()

  processDied(process: ProcessId): void {
    this.#processes.add(process)
    if (this.#processes.size <= goneMax) return
    const oldest = this.#processes.values().next()
    if (oldest.done !== true) this.#processes.delete(oldest.value)
  }

  nodeDied(node: number): void {
    this.#nodes.add(node)
  }

  /** It has ended by itself, while its node lived. */
  hasEnded(process: ProcessId): boolean {
    return this.#processes.has(process)
  }

  /** It is gone, alone or with its node. */
  has(process: ProcessId): boolean {
    return this.#processes.has(process) || this.#nodes.has(nodeNumberOf(process))
  }

  hasNode(node: number): boolean {
    return this.#nodes.has(node)
  }
}
