// Blocks of which some columns are computed where they are stored.
//
// A task that cuts or shuffles a block makes columns only to hand them over. Made in memory of
// their own they cost that memory, which V8 then collects and the kernel clears again, and a copy
// into the object store. So such a column is a function that fills the bytes that it is given, and
// the core calls it with those in the store.
//
// Until then zeros of nobody stand in for the values. Such a block must not be looked at: it is for
// a task that returns it at once.

import { type Data, DataType, makeData, type Vector } from 'apache-arrow'
import { deferStream } from '../../base/arrow-stream.js'
import { assert } from '../../base/assert.js'
import type { Filling } from '../../base/pieced-bytes.js'
import { arrowOfBlocks } from './arrow-library.js'
import { type Block, blockOfData } from './block.js'

/** A column of values of a fixed width, none of them null. */
export interface DeferredColumn {
  readonly type: DataType
  /** Rows. */
  readonly length: number
  /** Array elements per row: more than one for decimals. */
  readonly stride: number
  /** Of a dictionary column, whose codes are the values. */
  readonly dictionary?: Vector | undefined
  /** Writes the values into memory of its kind. */
  fill(target: FixedValues): void
}

export type FixedValues = Float64Array | BigInt64Array | Int32Array | Uint8Array

/** Stands in for columns: large enough for those of most blocks, and never touched. */
let standIn = new ArrayBuffer(0)
/** What stands in for more goes with its block. */
const standInBytesMax = 64 * 1024 * 1024

/** Puts columns together of which some do not exist yet. */
export function blockOfDeferred(
  names: readonly string[],
  columns: readonly (Data | DeferredColumn)[],
  rows: number,
): Block {
  const sizes = columns.map((column) => ('fill' in column ? sizeOf(column) : 0))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const memory = total > standIn.byteLength ? new ArrayBuffer(total) : standIn
  if (total <= standInBytesMax) standIn = memory
  const fillings = new Map<number, Filling>()
  let at = 0
  const data = columns.map((column, i) => {
    if (!('fill' in column)) return column
    const begin = at
    at += sizes[i] ?? 0
    const { type, length, dictionary } = column
    const ArrayType = arrayTypeOf(type)
    const values = new ArrayType(memory, begin, length * column.stride)
    const fill = ({ buffer, byteOffset }: Uint8Array): void => {
      column.fill(new ArrayType(buffer, byteOffset, values.length))
    }
    fillings.set(begin, { length: values.byteLength, fill })
    const parts = { type, length, nullCount: 0, nullBitmap: null, data: values, dictionary }
    return makeData(parts as unknown as Parameters<typeof makeData>[0])
  })
  const block = blockOfData(names, data, rows)
  deferStream(arrowOfBlocks, block, (piece) => {
    if (piece.buffer !== memory) return piece
    const filling = fillings.get(piece.byteOffset)
    assert(filling?.length === piece.length, 'a column that is deferred is written whole')
    return filling
  })
  return block
}

/** A multiple of 8, as in Arrow's messages. */
function sizeOf({ type, length, stride }: DeferredColumn): number {
  return Math.ceil((arrayTypeOf(type).BYTES_PER_ELEMENT * length * stride) / 8) * 8
}

type FixedConstructor = (new (
  buffer: ArrayBufferLike,
  at: number,
  length: number,
) => FixedValues) & {
  readonly BYTES_PER_ELEMENT: number
}

/** The class of the array that holds values of a type. */
export function arrayTypeOf(type: DataType): FixedConstructor {
  const stored = DataType.isDictionary(type) ? type.indices : type
  return stored.ArrayType as FixedConstructor
}
