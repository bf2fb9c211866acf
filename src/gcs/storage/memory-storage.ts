// Tables that last as long as this object: for sessions that end with their program, and for tests,
// where a second GCS is built from what the first has left.

import type { GcsStorage, StorageChange, StorageRow, StorageTable } from './gcs-storage.js'

export class MemoryStorage implements GcsStorage {
  readonly #tables = new Map<StorageTable, Map<string, Uint8Array>>()

  load(table: StorageTable): Promise<readonly StorageRow[]> {
    return Promise.resolve(this.rows(table))
  }

  read(table: StorageTable, key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#tables.get(table)?.get(key))
  }

  write(changes: readonly StorageChange[]): Promise<void> {
    this.apply(changes)
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** The same at once, for the simulator, in which nothing may wait for a promise. */
  rows(table: StorageTable): readonly StorageRow[] {
    return [...(this.#tables.get(table) ?? [])].map(([key, bytes]) => ({ key, bytes }))
  }

  apply(changes: readonly StorageChange[]): void {
    for (const { table, key, bytes } of changes) {
      let rows = this.#tables.get(table)
      if (rows === undefined) this.#tables.set(table, (rows = new Map<string, Uint8Array>()))
      if (bytes === undefined) rows.delete(key)
      else rows.set(key, bytes.slice())
    }
  }
}
