// Bytes of remote functions and classes, by hash, for the workers that run them.
//
// A push may overtake the export of its function, which goes another way; then the worker's
// question waits for it.

import type { ProcessId } from '../base/ids.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import type { FromRaylet } from '../wire/messages/raylet.js'

export interface FunctionRow {
  readonly bytes: Uint8Array
  /** Refs and handles among what it captured. */
  readonly contains: readonly ObjectKey[]
}

export class FunctionTable {
  readonly #functions = new Map<string, FunctionRow>()
  /**
   * Who waits for a function. Added by fetch, emptied by define and by the death of the process.
   */
  readonly #waiting = new Map<string, Set<ProcessId>>()
  /** Jobs that the GCS knows to use a function, by hash. Removed by `remove`. */
  readonly #jobs = new Map<string, Set<string>>()

  /** Returns who has waited for it; nothing when it is known already. */
  define(hash: string, row: FunctionRow): { isNew: boolean; waiting: readonly ProcessId[] } {
    if (this.#functions.has(hash)) return { isNew: false, waiting: [] }
    this.#functions.set(hash, row)
    const waiting = [...(this.#waiting.get(hash) ?? [])]
    this.#waiting.delete(hash)
    return { isNew: true, waiting }
  }

  /** Undefined when it is not known yet; the process is then among those that `define` returns. */
  fetch(hash: string, process: ProcessId): FunctionRow | undefined {
    const row = this.#functions.get(hash)
    if (row !== undefined) return row
    const waiting = this.#waiting.get(hash) ?? new Set()
    this.#waiting.set(hash, waiting.add(process))
    return undefined
  }

  /** A worker of the job uses it. True: that is news. */
  use(hash: string, jobId: string): boolean {
    const jobs = this.#jobs.get(hash) ?? new Set()
    this.#jobs.set(hash, jobs)
    const isNew = !jobs.has(jobId)
    jobs.add(jobId)
    return isNew
  }

  /** No job uses it any more. Returns what is gone, and who has waited for it. */
  remove(hash: string): { row: FunctionRow | undefined; waiting: readonly ProcessId[] } {
    const row = this.#functions.get(hash)
    const waiting = [...(this.#waiting.get(hash) ?? [])]
    this.#functions.delete(hash)
    this.#waiting.delete(hash)
    this.#jobs.delete(hash)
    return { row, waiting }
  }

  processDied(process: ProcessId): void {
    for (const [hash, waiting] of this.#waiting) {
      waiting.delete(process)
      if (waiting.size === 0) this.#waiting.delete(hash)
    }
  }
}

export function functionDefined(hash: string, row: FunctionRow): FromRaylet {
  const { bytes, contains } = row
  return { kind: 'functionDefined', hash, bytes, ...(contains.length === 0 ? {} : { contains }) }
}
