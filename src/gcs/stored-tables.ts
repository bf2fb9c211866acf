// The tables as an earlier GCS has left them, read and checked.

import type { StoredActor } from './actor-storage.js'
import type { StoredFunction } from './function-store.js'
import type { StoredGroup } from './group-storage.js'
import type { StoredJob } from './job-table.js'
import type { StoredNode } from './node-table.js'
import type { StoredPackage } from './package-store.js'
import type { StoredDriver } from './process-table.js'
import { unpackRow } from './stored-row.js'
import type { GcsStorage, StorageRow, StorageTable } from './storage/gcs-storage.js'

export interface StoredTables {
  readonly nodes: readonly StoredNode[]
  readonly jobs: readonly StoredJob[]
  readonly drivers: readonly StoredDriver[]
  readonly actors: readonly StoredActor[]
  readonly groups: readonly StoredGroup[]
  readonly functions: readonly StoredFunction[]
  readonly packages: readonly StoredPackage[]
}

/** Bytes of functions and packages are not among them. */
const loaded = ['nodes', 'jobs', 'drivers', 'actors', 'groups', 'functions', 'packages'] as const

/** Throws a SessionError that names a row which cannot be read. */
export async function loadTables(storage: GcsStorage): Promise<StoredTables> {
  const all = await Promise.all(
    loaded.map(async (table) => [table, await storage.load(table)] as const),
  )
  const rows = new Map<StorageTable, readonly StorageRow[]>(all)
  return tablesOf((table) => rows.get(table) ?? [])
}

export function tablesOf(rowsOf: (table: StorageTable) => readonly StorageRow[]): StoredTables {
  // The version of a row says what is in it.
  const read = (table: StorageTable): unknown[] => rowsOf(table).map((row) => unpackRow(table, row))
  return Object.fromEntries(loaded.map((table) => [table, read(table)])) as unknown as StoredTables
}
