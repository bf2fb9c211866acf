// Arrow tables, record batches and vectors travel as an Arrow IPC stream, in one buffer that the
// reader's columns point into.
//
// Its classes carry brands in the global symbol registry, so a table made by one copy of the
// library (a bundle, or its other module format) is a table to every other. `arrow-copies.ts` says
// which copy reads and writes here.

import { types } from 'node:util'
import type * as Arrow from 'apache-arrow'
import { arrowStream, tableOfStream } from '../base/arrow-stream.js'
import type { PiecedBytes } from '../base/pieced-bytes.js'
import { arrowForBlocks, arrowForReading, arrowForWriting, isOfBlocks } from './arrow-copies.js'

/** Brands of apache-arrow by kind; the position is the kind on the wire. */
const brands = ['Table', 'RecordBatch', 'Vector'].map((name) => Symbol.for(`apache-arrow/${name}`))
const table = 0
const recordBatch = 1
const vector = 2
/** A table that datasets made, and that their copy of the library reads. */
export const blockKind = 3
const vectorColumn = 'values'

/** On tables of datasets that nobody else is to read. */
const blockMark = Symbol.for('typeray.block')

/** The kind of an Arrow value, as the wire has it, or undefined for every other object. */
export function arrowKindOf(value: object): number | undefined {
  const kind = arrowBrandOf(value)
  return kind === table && blockMark in value ? blockKind : kind
}

/** The kind of an Arrow value, or undefined for every other object. */
export function arrowBrandOf(value: object): number | undefined {
  if (types.isProxy(value)) return undefined
  for (let kind = 0; kind < brands.length; kind++) {
    const brand = brands[kind]!
    if (brand in value && (value as Record<symbol, unknown>)[brand] === true) return kind
  }
  return undefined
}

/**
 * The streams that values were read from. Their columns are views of it, so it is their stream
 * still.
 */
const streams = new WeakMap<object, Uint8Array>()

/**
 * The IPC stream of an Arrow value: the one that it was read from, or pieces of which most are its
 * columns.
 */
export function arrowToBytes(value: object, kind: number): Uint8Array | PiecedBytes {
  const received = streams.get(value)
  if (received !== undefined) return received
  if (isOfBlocks(value)) return arrowStream(arrowForBlocks(), value as Arrow.Table)
  const library = arrowForWriting()
  const { Table } = library
  if (kind === recordBatch) return arrowStream(library, new Table([value as Arrow.RecordBatch]))
  if (kind === vector) {
    return arrowStream(library, new Table({ [vectorColumn]: value as Arrow.Vector }))
  }
  return arrowStream(library, value as Arrow.Table)
}

/** The Arrow value of an IPC stream; its columns are views of `bytes`. */
export function arrowFromBytes(bytes: Uint8Array, kind: number): object | undefined {
  const value = readStream(bytes, kind)
  if (value !== undefined) streams.set(value, bytes)
  return value
}

function readStream(bytes: Uint8Array, kind: number): object | undefined {
  if (kind === blockKind) return tableOfStream(arrowForBlocks(), bytes)
  const library = arrowForReading()
  const { RecordBatch, makeData, Struct } = library
  const result = tableOfStream(library, bytes)
  if (kind === table) return result
  if (kind === vector) return result.getChild(vectorColumn) ?? undefined
  if (kind !== recordBatch) return undefined
  // The stream of a batch without rows has a schema and no batch.
  return (
    result.batches[0] ??
    new RecordBatch(result.schema, makeData({ type: new Struct(result.schema.fields), length: 0 }))
  )
}
