// DuckDB's C library, reached through koffi.
//
// DuckDB's own JavaScript API hands out its vectors value by value: it has no Arrow in or out. The
// C library that the same npm package carries does, so its functions are declared here and called
// directly. Pointers are plain numbers: koffi gives a bigint only above 2^53, where no user address
// is.
//
// The Arrow functions are exported but marked unstable, so the version is checked when the library
// is loaded. Loading costs some 30 ms and 70 MB of mapped file, so it happens at the first query
// and never at import.

import { createRequire } from 'node:module'
import type KoffiModule from 'koffi'
import path from 'node:path'
import { RayError } from '../../base/errors.js'

export type Pointer = number

/** The release whose Arrow functions were verified; another one may have changed them. */
const versionVerified = 'v1.5.'

const declarations = {
  version: 'const char* duckdb_library_version()',
  createConfig: 'int duckdb_create_config(void* out)',
  setConfig: 'int duckdb_set_config(uintptr_t config, const char* name, const char* value)',
  destroyConfig: 'void duckdb_destroy_config(void* config)',
  open: 'int duckdb_open_ext(const char* path, void* out, uintptr_t config, void* error)',
  connect: 'int duckdb_connect(uintptr_t database, void* out)',
  query: 'int duckdb_query(uintptr_t connection, const char* sql, void* result)',
  resultError: 'const char* duckdb_result_error(void* result)',
  destroyResult: 'void duckdb_destroy_result(void* result)',
  columnCount: 'uint64 duckdb_column_count(void* result)',
  columnTypeId: 'int duckdb_column_type(void* result, uint64 index)',
  rowCount: 'uint64 duckdb_row_count(void* result)',
  columnName: 'uintptr_t duckdb_column_name(void* result, uint64 index)',
  columnType: 'uintptr_t duckdb_column_logical_type(void* result, uint64 index)',
  fetchChunk: 'uintptr_t duckdb_fetch_chunk(typeray_duckdb_result result)',
  destroyChunk: 'void duckdb_destroy_data_chunk(void* chunk)',
  arrowOptions: 'uintptr_t duckdb_result_get_arrow_options(void* result)',
  destroyArrowOptions: 'void duckdb_destroy_arrow_options(void* options)',
  toArrowSchema:
    'uintptr_t duckdb_to_arrow_schema(uintptr_t options, void* types, void* names, ' +
    'uint64 count, void* out)',
  chunkToArrow:
    'uintptr_t duckdb_data_chunk_to_arrow(uintptr_t options, uintptr_t chunk, void* out)',
  errorMessage: 'const char* duckdb_error_data_message(uintptr_t error)',
  destroyError: 'void duckdb_destroy_error_data(void* error)',
  createTableFunction: 'uintptr_t duckdb_create_table_function()',
  destroyTableFunction: 'void duckdb_destroy_table_function(void* fn)',
  setFunctionName: 'void duckdb_table_function_set_name(uintptr_t fn, const char* name)',
  addParameter: 'void duckdb_table_function_add_parameter(uintptr_t fn, uintptr_t type)',
  setBind: 'void duckdb_table_function_set_bind(uintptr_t fn, void* callback)',
  setInit: 'void duckdb_table_function_set_init(uintptr_t fn, void* callback)',
  setScan: 'void duckdb_table_function_set_function(uintptr_t fn, void* callback)',
  supportProjection:
    'void duckdb_table_function_supports_projection_pushdown(uintptr_t fn, bool yes)',
  registerTableFunction: 'int duckdb_register_table_function(uintptr_t connection, uintptr_t fn)',
  createType: 'uintptr_t duckdb_create_logical_type(int type)',
  createDecimalType: 'uintptr_t duckdb_create_decimal_type(uint8 width, uint8 scale)',
  createListType: 'uintptr_t duckdb_create_list_type(uintptr_t item)',
  createArrayType: 'uintptr_t duckdb_create_array_type(uintptr_t item, uint64 size)',
  createMapType: 'uintptr_t duckdb_create_map_type(uintptr_t key, uintptr_t value)',
  createStructType:
    'uintptr_t duckdb_create_struct_type(void* types, const char** names, uint64 count)',
  destroyType: 'void duckdb_destroy_logical_type(void* type)',
  bindParameter: 'uintptr_t duckdb_bind_get_parameter(uintptr_t bind, uint64 index)',
  valueInt64: 'int64 duckdb_get_int64(uintptr_t value)',
  destroyValue: 'void duckdb_destroy_value(void* value)',
  bindAddColumn:
    'void duckdb_bind_add_result_column(uintptr_t bind, const char* name, uintptr_t type)',
  bindCardinality: 'void duckdb_bind_set_cardinality(uintptr_t bind, uint64 rows, bool exact)',
  bindSetData: 'void duckdb_bind_set_bind_data(uintptr_t bind, uintptr_t data, void* destroy)',
  bindError: 'void duckdb_bind_set_error(uintptr_t bind, const char* message)',
  initBindData: 'uintptr_t duckdb_init_get_bind_data(uintptr_t init)',
  initSetData: 'void duckdb_init_set_init_data(uintptr_t init, uintptr_t data, void* destroy)',
  initColumnCount: 'uint64 duckdb_init_get_column_count(uintptr_t init)',
  initColumnIndex: 'uint64 duckdb_init_get_column_index(uintptr_t init, uint64 index)',
  initThreads: 'void duckdb_init_set_max_threads(uintptr_t init, uint64 count)',
  initError: 'void duckdb_init_set_error(uintptr_t init, const char* message)',
  scanData: 'uintptr_t duckdb_function_get_init_data(uintptr_t scan)',
  scanError: 'void duckdb_function_set_error(uintptr_t scan, const char* message)',
  chunkVector: 'uintptr_t duckdb_data_chunk_get_vector(uintptr_t chunk, uint64 index)',
  chunkSize: 'uint64 duckdb_data_chunk_get_size(uintptr_t chunk)',
  vectorData: 'uintptr_t duckdb_vector_get_data(uintptr_t vector)',
  vectorValidity: 'uintptr_t duckdb_vector_get_validity(uintptr_t vector)',
  chunkSetSize: 'void duckdb_data_chunk_set_size(uintptr_t chunk, uint64 size)',
  referenceVector: 'void duckdb_vector_reference_vector(uintptr_t to, uintptr_t from)',
  schemaFromArrow:
    'uintptr_t duckdb_schema_from_arrow(uintptr_t connection, uintptr_t schema, void* out)',
  chunkFromArrow:
    'uintptr_t duckdb_data_chunk_from_arrow(uintptr_t connection, uintptr_t array, ' +
    'uintptr_t schema, void* out)',
  destroyArrowSchema: 'void duckdb_destroy_arrow_converted_schema(void* schema)',
} as const

type NativeFunction = (...args: readonly unknown[]) => unknown
type Koffi = typeof KoffiModule

export type DuckdbFunctions = Record<keyof typeof declarations, NativeFunction>

export interface DuckdbLibrary {
  readonly koffi: Koffi
  readonly call: DuckdbFunctions
  /** Reads the 48 bytes of a `duckdb_result`, which `fetchChunk` takes by value. */
  decodeResult(result: Buffer): unknown
  /** Calls an Arrow release callback, found at `address`, with the structure it belongs to. */
  release(address: Pointer, structure: Buffer): void
  /**
   * A function that ignores its argument: the release callback of memory that stays JavaScript's.
   */
  readonly noRelease: Pointer
  /**
   * Makes `callback` callable from C with `argumentCount` pointers, for the life of the process.
   */
  callback(callback: (...pointers: Pointer[]) => void, argumentCount: 1 | 2): unknown
}

let loaded: DuckdbLibrary | undefined

/** The library, loaded by the first call. */
export function duckdbLibrary(): DuckdbLibrary {
  loaded ??= load()
  return loaded
}

function load(): DuckdbLibrary {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi
  const library = koffi.load(findLibrary())
  koffi.struct('typeray_duckdb_result', {
    columnCount: 'uint64',
    rowCount: 'uint64',
    rowsChanged: 'uint64',
    columns: 'void*',
    message: 'void*',
    data: 'void*',
  })
  const release = koffi.proto('void typeray_arrow_release(void* structure)')
  const callbacks = [
    koffi.proto('void typeray_duckdb_callback1(uintptr_t)'),
    koffi.proto('void typeray_duckdb_callback2(uintptr_t, uintptr_t)'),
  ] as const
  const call = declare((text) => library.func(text))
  const version = String(call.version())
  if (!version.startsWith(versionVerified)) {
    throw new RayError(
      `Typeray reads Parquet with DuckDB ${versionVerified}x, and found ${version}. ` +
        'Install the version of @duckdb/node-api that typeray names in its package.json.',
    )
  }
  return {
    koffi,
    call,
    decodeResult: (result) => koffi.decode(result, 'typeray_duckdb_result'),
    release: (address, structure) => void koffi.call(address, release, structure),
    noRelease: Number(koffi.address(koffi.load(null).symbol('getpid'))),
    callback: (fn, count) =>
      koffi.register(fn, koffi.pointer(callbacks[count - 1] ?? callbacks[0])),
  }
}

function declare(find: (declaration: string) => NativeFunction): DuckdbFunctions {
  const found: Partial<DuckdbFunctions> = {}
  for (const [name, text] of Object.entries(declarations)) {
    found[name as keyof typeof declarations] = find(text)
  }
  return found as DuckdbFunctions
}

/** Follows the dependencies of @duckdb/node-api, which a strict package manager does not hoist. */
function findLibrary(): string {
  const packages = [
    '@duckdb/node-api',
    '@duckdb/node-bindings',
    `@duckdb/node-bindings-${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`,
  ]
  let from = import.meta.url
  try {
    for (const name of packages) from = createRequire(from).resolve(`${name}/package.json`)
  } catch (cause) {
    throw new RayError(
      'Parquet needs the optional dependency @duckdb/node-api, and it is not installed for ' +
        `${process.platform}-${process.arch}. Run: npm install @duckdb/node-api`,
      { cause },
    )
  }
  return path.join(path.dirname(from), 'libduckdb.so')
}

function isMusl(): boolean {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime === undefined
}
