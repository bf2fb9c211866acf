// Nothing leaves the GCS that its storage does not know.
//
// A GCS that tells the world of a state and dies before the state is stored comes back without it:
// an actor would run that nobody knows, a name would have two holders. Writing every row before the
// event goes on would be safe, and would make each event wait for a disk. Here events are handled
// at once, in memory, and what they say to others waits until everything they have changed is
// stored. One batch is under way at a time; what changes meanwhile is in the next, each row once,
// however long the storage is away.
//
// So what the world knows is never ahead of the storage. What was heard and not stored is lost with
// the process: raylets keep it until they are told that it was handled (see `gcs-session`).

import type { StorageChange } from './storage/gcs-storage.js'

/** Calls `done` when the changes are stored; later batches are stored later. */
export type Persist = (changes: readonly StorageChange[], done: () => void) => void

export class Outbox {
  readonly #persist: Persist
  /** What may go out with the batch that is under way. */
  #leaving: (() => void)[] = []
  /** What was said since that batch was closed. */
  #waiting: (() => void)[] = []
  /** By table and key: what has changed since then. */
  readonly #changes = new Map<string, StorageChange>()
  #isWriting = false

  constructor(persist: Persist) {
    this.#persist = persist
  }

  /** Runs `run` when everything that was changed so far, this event included, is stored. */
  say(run: () => void): void {
    this.#waiting.push(run)
  }

  /** The event is handled, and has changed these rows. */
  commit(changes: readonly StorageChange[]): void {
    for (const change of changes) this.#changes.set(`${change.table} ${change.key}`, change)
    if (!this.#isWriting) this.#next()
  }

  #next(): void {
    const saying = this.#waiting
    this.#waiting = []
    if (this.#changes.size === 0) {
      for (const run of saying) run()
      return
    }
    this.#leaving = saying
    this.#isWriting = true
    const batch = [...this.#changes.values()]
    this.#changes.clear()
    this.#persist(batch, () => this.#written())
  }

  #written(): void {
    this.#isWriting = false
    const leaving = this.#leaving
    this.#leaving = []
    for (const run of leaving) run()
    // One of them may have begun the next batch.
    if (!this.#isWriting) this.#next()
  }
}
