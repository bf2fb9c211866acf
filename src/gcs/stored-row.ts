// How rows are written: the version of their layout, then the row, in MessagePack.
//
// Whoever changes what is in a row of a table raises its version here, and reads the older ones in
// the `stored-*` file of the table. A version that is not known was written by a newer program, and
// is refused: to guess would lose actors.

import { Packr } from 'msgpackr/pack'
import { SessionError } from '../base/errors.js'
import { packageVersion } from '../base/version.js'
import type { StorageRow, StorageTable } from './storage/gcs-storage.js'

const rowVersions: Readonly<Record<StorageTable, number>> = {
  cluster: 1,
  nodes: 1,
  jobs: 1,
  drivers: 1,
  actors: 1,
  groups: 1,
  functions: 1,
  functionBytes: 1,
  packages: 1,
  packageBytes: 1,
}

const packr = new Packr({
  useRecords: false,
  moreTypes: true,
  int64AsType: 'number',
  copyBuffers: true,
})

export function packRow(table: StorageTable, row: unknown): Uint8Array {
  // The packer writes into a buffer of its own, which it goes on using.
  return new Uint8Array(packr.pack([rowVersions[table], row]))
}

/** Throws a SessionError that names the row. */
export function unpackRow(table: StorageTable, { key, bytes }: StorageRow): unknown {
  let stored: unknown
  try {
    stored = packr.unpack(bytes)
  } catch (cause) {
    throw unreadable(`Row ${key} of table ${table} is damaged.`, cause)
  }
  const [version, row] = Array.isArray(stored) ? (stored as unknown[]) : []
  if (version === rowVersions[table]) return row
  throw unreadable(
    `Row ${key} of table ${table} has version ${String(version)}, and typeray ${packageVersion} ` +
      `reads version ${rowVersions[table]}.`,
  )
}

function unreadable(what: string, cause?: unknown): SessionError {
  return new SessionError(
    `The tables of the cluster cannot be read: ${what} Start the head with the version of ` +
      `typeray that wrote them, or with another --storage.`,
    { cause },
  )
}
