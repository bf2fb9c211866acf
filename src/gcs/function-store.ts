// Bytes of functions and classes, for nodes that do not have them yet.
//
// A worker may ask before the export has arrived, which comes from another node: then it waits.
// What an earlier GCS has stored is read from storage when somebody asks for it.

import type { ExportedFunction } from '../wire/messages/gcs.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { packRow } from './stored-row.js'
import type { StorageChange } from './storage/gcs-storage.js'

export interface StoredFunction {
  readonly hash: string
  readonly jobId: string
  readonly contains: readonly ObjectKey[]
}

export class FunctionStore {
  readonly #functions = new Map<string, ExportedFunction>()
  /** Functions whose bytes are in storage only. Removed when they were read. */
  readonly #stored = new Map<string, StoredFunction>()
  /** Nodes that wait for a function. Added by `fetch`, emptied by `add` and by their death. */
  readonly #waiting = new Map<string, Set<string>>()
  #changes: StorageChange[] = []

  /** Begins with what an earlier GCS has stored. */
  load(rows: readonly StoredFunction[]): void {
    for (const row of rows) this.#stored.set(row.hash, row)
  }

  /** What is to be stored since the last call. */
  takeChanges(): StorageChange[] {
    const changes = this.#changes
    if (changes.length > 0) this.#changes = []
    return changes
  }

  forgetChanges(): void {
    this.#changes = []
  }

  /** Returns the nodes that have waited for it. */
  add({ hash, bytes, contains, jobId }: ExportedFunction & { jobId: string }): readonly string[] {
    if (this.#functions.has(hash) || this.#stored.has(hash)) return []
    const row: StoredFunction = { hash, jobId, contains }
    this.#changes.push(
      { table: 'functionBytes', key: hash, bytes },
      { table: 'functions', key: hash, bytes: packRow('functions', row) },
    )
    return this.#found({ hash, bytes, contains })
  }

  /** Its bytes were read from storage. Returns the nodes that have waited for it. */
  read(hash: string, bytes: Uint8Array): readonly string[] {
    const { contains = [] } = this.#stored.get(hash) ?? {}
    this.#stored.delete(hash)
    return this.#found({ hash, bytes, contains })
  }

  /**
   * `unknown` and `stored`: the node is then among those that `add`, or `read`, returns. `stored`
   * is said once, and whoever hears it reads the bytes.
   */
  fetch(hash: string, nodeId: string): ExportedFunction | 'unknown' | 'stored' {
    const row = this.#functions.get(hash)
    if (row !== undefined) return row
    const waiting = this.#waiting.get(hash)
    this.#waiting.set(hash, (waiting ?? new Set()).add(nodeId))
    return waiting === undefined && this.#stored.has(hash) ? 'stored' : 'unknown'
  }

  nodeDied(nodeId: string): void {
    for (const [hash, waiting] of this.#waiting) {
      waiting.delete(nodeId)
      if (waiting.size === 0 && !this.#stored.has(hash)) this.#waiting.delete(hash)
    }
  }

  #found(row: ExportedFunction): readonly string[] {
    this.#functions.set(row.hash, row)
    const waiting = [...(this.#waiting.get(row.hash) ?? [])]
    this.#waiting.delete(row.hash)
    return waiting
  }
}
