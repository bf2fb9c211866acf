// One DuckDB database per process, in memory, for the Parquet work of tasks.
//
// It has one thread: a worker runs one task at a time on one CPU, parallelism is between workers,
// and a synchronous query with two threads would deadlock because the callbacks that feed blocks in
// need the JavaScript thread. A query over files alone may have more (`withThreads`).

import type { Table } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { duckdbLibrary, type Pointer } from './duckdb-library.js'
import { engineName } from './engine-name.js'
import { exportResult } from './export-result.js'
import { nativeBox, readCString, readPointer } from './native-memory.js'
import type { StringForm } from './result-columns.js'

const settings: Readonly<Record<string, string>> = {
  threads: '1',
  // Extensions would be downloaded; Parquet and JSON are built in.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  // One file per folder and block, however many folders there are.
  partitioned_write_max_open_files: '100000',
  // The engine keeps footers by path, and takes a file for the one it knows if inode, size and age
  // in seconds are the same. A file without a name that follows another often has its inode and
  // its path in /proc, and was read with the other's footer. The system caches files anyway.
  enable_external_file_cache: 'false',
}

/** Characters of a query that its error shows. */
const sqlShownMax = 2000

let connection: Pointer | undefined

/** The connection of this process, opened by the first call and kept until the process ends. */
export function engineConnection(): Pointer {
  if (connection !== undefined) return connection
  connection = connect()
  // Timestamps without a zone are UTC in JavaScript too.
  execute("SET TimeZone = 'UTC'")
  return connection
}

/** Runs `sql` and gives its result as a table of one batch. */
export function query(sql: string, strings: StringForm = 'plain'): Table {
  return exportResult(run(sql), strings)
}

/** Runs `sql` for its effect. */
export function execute(sql: string): void {
  duckdbLibrary().call.destroyResult(run(sql))
}

/**
 * Calls `body` while queries may use several threads. Not for queries over blocks: the callbacks
 * that feed these in need the thread that waits for the query.
 */
export function withThreads<T>(threads: number, body: () => T): T {
  if (threads <= 1) return body()
  execute(`SET threads = ${threads}`)
  try {
    return body()
  } finally {
    execute('SET threads = 1')
  }
}

/** Quotes text as an SQL string; a NUL, which would end the query, is spelled out. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return quoted.includes('\0') ? `(${quoted.replaceAll('\0', `' || chr(0) || '`)})` : quoted
}

/** Quotes a column name. */
export function quoteName(name: string): string {
  return `"${engineName(name).replaceAll('"', '""')}"`
}

function run(sql: string): Buffer {
  const { call } = duckdbLibrary()
  const result = nativeBox()
  if (call.query(engineConnection(), sql, result) === 0) return result
  const message = messageOf(String(call.resultError(result)))
  call.destroyResult(result)
  throw new RayError(`DuckDB: ${message}`, { fields: { sql: sql.slice(0, sqlShownMax) } })
}

/** Without the place in SQL that the user did not write, and with what to do where it is known. */
function messageOf(error: string): string {
  const message = error.replace(/(\s+Candidate functions:[\s\S]*|\s+LINE \d+:[\s\S]*)$/, '')
  if (message.includes("'+(VARCHAR")) return `${message} Strings are put together by .str.concat().`
  const isOverflow = /Overflow in|Overflow on|out of range for the destination/.test(message)
  if (!isOverflow) return message
  const sentence = message.replace(/[.!]?$/, '.')
  if (message.includes("can't be cast")) {
    return `${sentence} tryCast gives null where a value does not fit.`
  }
  const wider = /INT64|INT128|BIGINT/.test(message) ? '' : "cast('int64') or "
  return `${sentence} Cast to a wider type before, such as ${wider}cast('float64').`
}

function connect(): Pointer {
  const { call } = duckdbLibrary()
  const config = nativeBox(8)
  const database = nativeBox(8)
  const error = nativeBox(8)
  const opened = nativeBox(8)
  call.createConfig(config)
  for (const [name, value] of Object.entries(settings)) {
    call.setConfig(readPointer(config), name, value)
  }
  if (call.open(null, database, readPointer(config), error) !== 0) {
    throw new RayError(`DuckDB did not open: ${readCString(readPointer(error))}`)
  }
  call.destroyConfig(config)
  if (call.connect(readPointer(database), opened) !== 0) {
    throw new RayError('DuckDB did not open a connection.')
  }
  // Timestamps with a zone must not depend on where a worker runs.
  const zoned = nativeBox()
  call.query(readPointer(opened), "SET TimeZone = 'UTC'", zoned)
  call.destroyResult(zoned)
  return readPointer(opened)
}
