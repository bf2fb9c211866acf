// Packed folders of programs, by the hash of what is in them, for nodes that need them.
//
// They come and go in pieces, so that no single message is large. What an earlier GCS has stored is
// read from storage, piece by piece, when somebody asks for it. A package goes with the last job
// that has sent it.

import type { FromGcs, ToGcs } from '../wire/messages/gcs.js'
import { JobUses } from './job-uses.js'
import { packRow } from './stored-row.js'
import type { StorageChange } from './storage/gcs-storage.js'

type Export = Extract<ToGcs, { kind: 'exportPackage' }>

export interface StoredPackage {
  readonly hash: string
  readonly count: number
  /** Indexes of the pieces that are stored. */
  readonly pieces: readonly number[]
  /** Jobs that have sent it. */
  readonly jobs?: readonly string[]
}

export const pieceKey = (hash: string, index: number): string => `${hash}/${index}`

/** A piece that is in storage only. */
const stored = Symbol('stored')

export class PackageStore {
  /** Pieces by package; a package is complete when it has all. */
  readonly #packages = new Map<string, (Uint8Array | typeof stored | undefined)[]>()
  /** Nodes that wait for a package. Added by `fetch`, emptied by `add` and by their death. */
  readonly #waiting = new Map<string, Set<string>>()
  readonly #uses = new JobUses()
  #changes: StorageChange[] = []

  /** Begins with what an earlier GCS has stored. */
  load(rows: readonly StoredPackage[]): void {
    for (const { hash, count, pieces, jobs = [] } of rows) {
      for (const jobId of jobs) this.#uses.add(hash, jobId)
      const has = new Set(pieces)
      const all = Array.from({ length: count }, (_, index) => (has.has(index) ? stored : undefined))
      this.#packages.set(hash, all)
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

  /** Returns the nodes that have waited for it, when it is complete. */
  add({ hash, index, count, bytes, jobId }: Export): readonly string[] {
    if (this.#uses.isOver(jobId)) return []
    const isNewUse = this.#uses.add(hash, jobId)
    const pieces = this.#packages.get(hash) ?? new Array<undefined>(count).fill(undefined)
    this.#packages.set(hash, pieces)
    if (index >= pieces.length || pieces[index] !== undefined) {
      if (isNewUse) this.#store(hash, pieces)
      return []
    }
    pieces[index] = bytes
    this.#changes.push({ table: 'packageBytes', key: pieceKey(hash, index), bytes })
    this.#store(hash, pieces)
    if (!this.#isComplete(hash)) return []
    const waiting = [...(this.#waiting.get(hash) ?? [])]
    this.#waiting.delete(hash)
    return waiting
  }

  #store(hash: string, pieces: readonly unknown[]): void {
    const has = [...pieces.keys()].filter((each) => pieces[each] !== undefined)
    const jobs = this.#uses.jobsOf(hash)
    const row: StoredPackage = { hash, count: pieces.length, pieces: has, jobs }
    this.#changes.push({ table: 'packages', key: hash, bytes: packRow('packages', row) })
  }

  /** The job is over. */
  jobOver(jobId: string): void {
    for (const hash of this.#uses.over(jobId)) {
      for (const index of this.#packages.get(hash)?.keys() ?? []) {
        this.#changes.push({ table: 'packageBytes', key: pieceKey(hash, index), bytes: undefined })
      }
      this.#changes.push({ table: 'packages', key: hash, bytes: undefined })
      this.#packages.delete(hash)
      this.#waiting.delete(hash)
    }
  }

  /**
   * Empty when it is not here yet; the node is then among those that `add` returns. `read` is
   * called for each piece that has to be read from storage first.
   */
  fetch(
    { hash, nodeId }: { readonly hash: string; readonly nodeId: string },
    read: (index: number, found: (bytes: Uint8Array) => FromGcs) => void,
  ): FromGcs[] {
    if (!this.#isComplete(hash)) {
      const waiting = this.#waiting.get(hash) ?? new Set()
      this.#waiting.set(hash, waiting.add(nodeId))
      return []
    }
    const pieces = this.#packages.get(hash) ?? []
    const found = (index: number, bytes: Uint8Array): FromGcs => ({
      kind: 'packageFound',
      hash,
      index,
      count: pieces.length,
      bytes,
    })
    return pieces.flatMap((piece, index) => {
      if (piece instanceof Uint8Array) return [found(index, piece)]
      read(index, (bytes) => found(index, bytes))
      return []
    })
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
