// Blocks as DuckDB tables, without a copy: `SELECT * FROM typeray_block(7)`.
//
// `duckdb_arrow_scan` would be the obvious way; it returns wrong columns and ignores filters
// (duckdb issue 17012). So a table function of our own hands DuckDB one slice of 2048 rows after
// the other: the Arrow structures that describe the block are laid out once per scan, and each call
// only moves their offset and length.
//
// What the structures point at stays JavaScript's: the block is kept in `blocks` until `withBlock`
// ends, and the release callbacks do nothing. A type that is not mapped is refused before DuckDB
// sees it, because a wrong description crashes the process rather than throw.

import type { Table } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { throwArrowError } from './arrow-export.js'
import { ArrowLayout, layoutBytes } from './arrow-layout.js'
import { duckdbLibrary, type Pointer } from './duckdb-library.js'
import { assertEngineTakes, withLogicalType } from './duckdb-types.js'
import { refuseTwins } from './column-twins.js'
import { engineName } from './engine-name.js'
import { engineConnection } from './engine.js'
import { nativeBox, pointerBox, readPointer } from './native-memory.js'

/** DuckDB's vector size: the most rows that one call of a table function may return. */
const vectorRows = 2048
const bigintType = 5

/** Blocks that a query is reading, by the number that the query names. Emptied by `withBlock`. */
const blocks = new Map<number, Table>()
/** Scans under way. Added by `init`, removed when the last row is out or by `withBlock`. */
const scans = new Map<number, Scan>()
let nextNumber = 1
let isInstalled = false

/**
 * Calls `body` with SQL that names `block` as a table; the block must be one batch without
 * dictionaries.
 */
export function withBlock<T>(block: Table, body: (tableSql: string) => T): T {
  install()
  block.schema.fields.forEach(assertEngineTakes)
  refuseTwins(block.schema.fields.map((field) => engineName(field.name)))
  const number = nextNumber++
  blocks.set(number, block)
  try {
    return body(`typeray_block(${number})`)
  } finally {
    blocks.delete(number)
    for (const [key, scan] of scans) if (scan.block === number) endScan(key, scan)
  }
}

interface Scan {
  readonly block: number
  readonly layout: ArrowLayout
  readonly parent: number
  readonly columns: readonly number[]
  readonly schema: Buffer
  readonly rows: number
  row: number
}

function install(): void {
  if (isInstalled) return
  const { call, callback } = duckdbLibrary()
  const fn = Number(call.createTableFunction())
  call.setFunctionName(fn, 'typeray_block')
  const parameter = Number(call.createType(bigintType))
  call.addParameter(fn, parameter)
  call.destroyType(pointerBox(parameter))
  call.supportProjection(fn, true)
  call.setBind(fn, callback(reporting(call.bindError, bind), 1))
  call.setInit(fn, callback(reporting(call.initError, init), 1))
  call.setScan(fn, callback(reporting(call.scanError, scanNext), 2))
  const refused = call.registerTableFunction(engineConnection(), fn)
  call.destroyTableFunction(pointerBox(fn))
  if (refused !== 0) throw new RayError('DuckDB did not accept the table function of blocks.')
  isInstalled = true
}

type Callback = (info: Pointer, output: Pointer) => void

/** An exception must not cross C frames: it becomes the error of the query. */
function reporting(report: (...args: readonly unknown[]) => unknown, body: Callback): Callback {
  return (info, output) => {
    try {
      body(info, output)
    } catch (error) {
      report(info, error instanceof Error ? error.message : String(error))
    }
  }
}

function findBlock(number: number): Table {
  const block = blocks.get(number)
  if (block === undefined) throw new RayError(`There is no block ${number} to scan.`)
  return block
}

function bind(info: Pointer): void {
  const { call } = duckdbLibrary()
  const parameter = Number(call.bindParameter(info, 0))
  const number = Number(call.valueInt64(parameter))
  call.destroyValue(pointerBox(parameter))
  const block = findBlock(number)
  for (const field of block.schema.fields) {
    withLogicalType(field, (type) => call.bindAddColumn(info, engineName(field.name), type))
  }
  call.bindCardinality(info, block.numRows, true)
  call.bindSetData(info, number, null)
}

function init(info: Pointer): void {
  const { call } = duckdbLibrary()
  const number = Number(call.initBindData(info))
  const block = findBlock(number)
  const { fields } = block.schema
  const wanted = Array.from({ length: Number(call.initColumnCount(info)) }, (_, i) =>
    Number(call.initColumnIndex(info, i)),
  ).filter((index) => index < fields.length)
  call.initThreads(info, 1)
  const layout = new ArrowLayout(1024 + fields.reduce((sum, field) => sum + layoutBytes(field), 0))
  const schema = nativeBox(8)
  const children = block.batches[0]?.data.children ?? []
  const columns = wanted.flatMap((index) => {
    const child = children[index]
    return child === undefined ? [] : [layout.array(child)]
  })
  if (columns.length > 0) {
    const described = layout.schema(wanted.flatMap((index) => fields[index] ?? []))
    throwArrowError(call.schemaFromArrow(engineConnection(), described, schema))
  }
  const key = nextNumber++
  const parent = layout.parent(columns)
  const rows = block.numRows
  scans.set(key, { block: number, layout, parent, columns, schema, rows, row: 0 })
  call.initSetData(info, key, null)
}

function scanNext(info: Pointer, output: Pointer): void {
  const { call } = duckdbLibrary()
  const key = Number(call.scanData(info))
  const scan = scans.get(key)
  const rows = scan === undefined ? 0 : Math.min(vectorRows, scan.rows - scan.row)
  if (scan !== undefined && rows > 0 && scan.columns.length > 0) {
    scan.layout.moveTo(scan, { row: scan.row, rows })
    const chunk = nativeBox(8)
    throwArrowError(
      call.chunkFromArrow(
        engineConnection(),
        scan.layout.address(scan.parent),
        readPointer(scan.schema),
        chunk,
      ),
    )
    for (let i = 0; i < scan.columns.length; i++) {
      call.referenceVector(call.chunkVector(output, i), call.chunkVector(readPointer(chunk), i))
    }
    call.destroyChunk(chunk)
  }
  if (scan !== undefined) scan.row += rows
  if (scan !== undefined && rows === 0) endScan(key, scan)
  call.chunkSetSize(output, rows)
}

function endScan(key: number, scan: Scan): void {
  scans.delete(key)
  if (scan.columns.length > 0) duckdbLibrary().call.destroyArrowSchema(scan.schema)
}
