// Bytes of functions and classes, for nodes that do not have them yet.
//
// A worker may ask before the export has arrived, which comes from another node: then it waits.
// What an earlier GCS has stored is read from storage when somebody asks for it. What no job uses
// any more is dropped; whoever asks for it all the same is told that it is gone.

import { functionTombstonesMax } from '../base/limits.js'
import type { ExportedFunction } from '../wire/messages/gcs.js'
import type { ObjectKey } from '../wire/messages/terms.js'
import { BoundedMap } from './bounded-map.js'
import { JobUses } from './job-uses.js'
import { packRow } from './stored-row.js'
import type { StorageChange } from './storage/gcs-storage.js'

export interface StoredFunction {
  readonly hash: string
  /** The first that has defined it. */
  readonly jobId: string
  /** All that use it, when there are others. */
  readonly jobs?: readonly string[]
  readonly contains: readonly ObjectKey[]
}

export class FunctionStore {
  readonly #functions = new Map<string, ExportedFunction>()
  /** Functions whose bytes are in storage only. Removed when they were read. */
  readonly #stored = new Map<string, StoredFunction>()
  /** Nodes that wait for a function. Added by `fetch`, emptied by `add` and by their death. */
  readonly #waiting = new Map<string, Set<string>>()
  readonly #uses = new JobUses()
  readonly #gone = new BoundedMap<string, true>(functionTombstonesMax)
  #changes: StorageChange[] = []

  /** Begins with what an earlier GCS has stored. */
  load(rows: readonly StoredFunction[]): void {
    for (const row of rows) {
      this.#stored.set(row.hash, row)
      for (const jobId of row.jobs ?? [row.jobId]) this.#uses.add(row.hash, jobId)
    }
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
    if (this.#uses.isOver(jobId)) return []
    this.use(hash, jobId)
    if (this.#functions.has(hash) || this.#stored.has(hash)) return []
    this.#gone.delete(hash)
    this.#changes.push({ table: 'functionBytes', key: hash, bytes })
    this.#store(hash, contains)
    return this.#found({ hash, bytes, contains })
  }

  /** A worker of the job runs it. */
  use(hash: string, jobId: string): void {
    if (!this.#uses.add(hash, jobId)) return
    const known = this.#functions.get(hash) ?? this.#stored.get(hash)
    if (known !== undefined) this.#store(hash, known.contains)
  }

  /** The job is over. Returns what is dropped with it. */
  jobOver(jobId: string): readonly string[] {
    const dropped = this.#uses.over(jobId)
    for (const hash of dropped) {
      this.#functions.delete(hash)
      this.#stored.delete(hash)
      this.#waiting.delete(hash)
      this.#gone.set(hash, true)
      this.#changes.push(
        { table: 'functionBytes', key: hash, bytes: undefined },
        { table: 'functions', key: hash, bytes: undefined },
      )
    }
    return dropped
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
  fetch(hash: string, nodeId: string): ExportedFunction | 'unknown' | 'stored' | 'gone' {
    const row = this.#functions.get(hash)
    if (row !== undefined) return row
    if (this.#gone.has(hash)) return 'gone'
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

  #store(hash: string, contains: readonly ObjectKey[]): void {
    const jobs = this.#uses.jobsOf(hash)
    const row: StoredFunction = { hash, jobId: jobs[0] ?? '', jobs, contains }
    this.#changes.push({ table: 'functions', key: hash, bytes: packRow('functions', row) })
  }

  #found(row: ExportedFunction): readonly string[] {
    this.#functions.set(row.hash, row)
    const waiting = [...(this.#waiting.get(row.hash) ?? [])]
    this.#waiting.delete(row.hash)
    return waiting
  }
}
