// Tables in an LMDB database in a folder of the session: they survive the process of the GCS.
//
// A batch is one transaction. It is committed to the mapped file, which the kernel writes back
// whatever becomes of the process, and the flush to the disk follows behind. So a machine that
// loses its power may lose the last batches, but never a part of one, and it loses its raylet too.

import type { RootDatabase } from 'lmdb'
import type { GcsStorage, StorageChange, StorageRow, StorageTable } from './gcs-storage.js'
import { StorageTakenError } from './storage-taken-error.js'

type Rows = RootDatabase<Uint8Array, [string, string]>

/** Sorts behind every key: it cannot be a part of UTF-8. */
const lastKey = '\uffff'
const epochKey: [string, string] = ['', 'epoch']

export class LmdbStorage implements GcsStorage {
  readonly #rows: Rows
  readonly #folder: string
  readonly #epoch: number
  #closing: Promise<void> | undefined

  private constructor(rows: Rows, folder: string, epoch: number) {
    this.#rows = rows
    this.#folder = folder
    this.#epoch = epoch
  }

  static async open(folder: string): Promise<LmdbStorage> {
    const { open } = await import('lmdb')
    const rows: Rows = open({ path: folder, encoding: 'binary', cache: false })
    const epoch = await rows.transaction(() => {
      const next = epochOf(rows) + 1
      void rows.put(epochKey, Buffer.from(String(next)))
      return next
    })
    return new LmdbStorage(rows, folder, epoch)
  }

  load(table: StorageTable): Promise<readonly StorageRow[]> {
    const range = this.#rows.getRange({ start: [table, ''], end: [table, lastKey] })
    return Promise.resolve(
      [...range].map(({ key, value }) => ({ key: key[1], bytes: new Uint8Array(value) })),
    )
  }

  read(table: StorageTable, key: string): Promise<Uint8Array | undefined> {
    const bytes = this.#rows.get([table, key])
    return Promise.resolve(bytes === undefined ? undefined : new Uint8Array(bytes))
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    const isOurs = await this.#rows.transaction(() => {
      if (epochOf(this.#rows) !== this.#epoch) return false
      for (const { table, key, bytes } of changes) {
        if (bytes === undefined) void this.#rows.remove([table, key])
        else void this.#rows.put([table, key], bytes)
      }
      return true
    })
    if (!isOurs) throw new StorageTakenError(this.#folder)
  }

  close(): Promise<void> {
    this.#closing ??= this.#rows.flushed.then(() => this.#rows.close())
    return this.#closing
  }
}

function epochOf(rows: Rows): number {
  return Number(rows.get(epochKey)?.toString() ?? 0)
}
