// The storage port of the GCS: rows of bytes by table and key, and batches that are written whole
// or not at all.
//
// What is in the rows, and when they are written, is not decided here: see `stored-row` and
// `outbox`.

/** The tables of the GCS. Those of bytes are read row by row, everything else at the start. */
export type StorageTable =
  | 'cluster'
  | 'nodes'
  | 'jobs'
  | 'drivers'
  | 'actors'
  | 'groups'
  | 'functions'
  | 'functionBytes'
  | 'packages'
  | 'packageBytes'

export interface StorageRow {
  readonly key: string
  readonly bytes: Uint8Array
}

/** One row that is set, or removed when it has no bytes. */
export interface StorageChange {
  readonly table: StorageTable
  readonly key: string
  readonly bytes: Uint8Array | undefined
}

export interface GcsStorage {
  /** All rows of a table, in no order. */
  load(table: StorageTable): Promise<readonly StorageRow[]>
  read(table: StorageTable, key: string): Promise<Uint8Array | undefined>
  /**
   * Settles when all changes will be found by whoever loads later, also after this process was
   * killed. Batches are written in the order of the calls; of two changes to a row the later holds.
   * Rejects with `StorageTakenError` when another GCS has opened the same tables since.
   */
  write(changes: readonly StorageChange[]): Promise<void>
  /** Settles when everything handed over is written. Idempotent. */
  close(): Promise<void>
}
