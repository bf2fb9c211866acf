import { packRow } from './stored-row.js'
import type { StorageChange, StorageTable } from './storage/gcs-storage.js'

/** The keys of a table whose rows differ from what is stored. */
export class ChangedRows {
  readonly #table: StorageTable
  /** Added by `mark` while an event is handled; emptied by `take` at its end. */
  readonly #keys = new Set<string>()

  constructor(table: StorageTable) {
    this.#table = table
  }

  mark(key: string): void {
    this.#keys.add(key)
  }

  /** Nothing is stored. */
  forget(): void {
    this.#keys.clear()
  }

  /** `rowOf` gives the row as it is now, or undefined when it is gone. */
  take(rowOf: (key: string) => unknown): StorageChange[] {
    if (this.#keys.size === 0) return []
    const table = this.#table
    const changes = [...this.#keys].map((key): StorageChange => {
      const row = rowOf(key)
      return { table, key, bytes: row === undefined ? undefined : packRow(table, row) }
    })
    this.#keys.clear()
    return changes
  }
}
