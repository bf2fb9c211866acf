// The columns of a DuckDB result, collected chunk by chunk.
//
// Values of a fixed width lie in the engine's vectors as they do in Arrow, so a column of them is
// copied from vectors straight to where it stays. Strings that repeat become codes on the way. All
// others go by Arrow arrays that the engine makes of a chunk.

import { type Data, DataType, makeData, type Utf8 } from 'apache-arrow'
import { assert } from '../../base/assert.js'
import { blockOfData } from '../block/block.js'
import { concatBlocks } from '../block/concat.js'
import { dataOfBlock } from '../block/gather.js'
import { compactStrings, dictionaryData, dictionaryStrings, NullBits } from '../block/utf8.js'
import { joinPieces, type Piece, readPiece } from './arrow-export.js'
import { duckdbLibrary, type Pointer } from './duckdb-library.js'
import { addressOf, copyFromNative, copyNative } from './native-memory.js'
import { cellWords, StringCodes } from './string-codes.js'

/** Strings as they are, or as codes where they repeat. */
export type StringForm = 'plain' | 'coded'

/** A column of a result, to which chunks are added in order. */
export interface ResultColumn {
  /** Takes the rows of a chunk from their vector. False: it wants an Arrow array of them. */
  addVector(vector: Pointer, rows: number): boolean
  addArray(array: Pointer): void
  /** The column, when all chunks have been added and their Arrow arrays are still there. */
  finish(): Data
}

/** What is known of a column before its chunks. */
export interface ColumnKind {
  readonly type: DataType
  /** DuckDB's number of its type. */
  readonly typeId: number
  /** Rows of the whole result. */
  readonly rows: number
}

/** DuckDB's types of a fixed width whose values are Arrow's: numbers, dates, times, timestamps. */
const fixedTypeIds: ReadonlySet<number> = new Set([
  2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 20, 21, 22, 31,
])
const stringTypeId = 17
/** Fewer strings than this are not worth a dictionary. */
const codedRowsMin = 64

export function resultColumn(kind: ColumnKind, strings: StringForm): ResultColumn {
  const { type, typeId, rows } = kind
  if (fixedTypeIds.has(typeId) && !DataType.isDecimal(type)) return new FixedColumn(type, rows)
  const isString = typeId === stringTypeId && DataType.isUtf8(type)
  if (!isString || strings === 'plain' || rows < codedRowsMin) return new ArrowColumn(type)
  return new CodedColumn(type, rows)
}

/** By way of Arrow arrays. */
class ArrowColumn implements ResultColumn {
  readonly #type: DataType
  readonly #pieces: Piece[] = []

  constructor(type: DataType) {
    this.#type = type
  }

  addVector(): boolean {
    return false
  }

  addArray(array: Pointer): void {
    this.#pieces.push(readPiece(array))
  }

  finish(): Data {
    return joinPieces(this.#type, this.#pieces)
  }
}

/** Arrow's bits of the rows of a vector, which are the engine's; none if no row is null. */
function validBits(vector: Pointer, rows: number): Uint8Array {
  const at = Number(duckdbLibrary().call.vectorValidity(vector))
  if (at === 0) return noBits
  const bits = new Uint8Array((rows + 7) >> 3)
  copyFromNative(bits, at)
  return bits
}

const noBits = new Uint8Array(0)

/** Notes the nulls of `rows` rows that begin at row `begin` of a column. */
function addNulls(nulls: NullBits, bits: Uint8Array, [begin, rows]: readonly [number, number]) {
  if (bits.length === 0) return
  for (let row = 0; row < rows; row++) {
    if ((((bits[row >> 3] ?? 0) >> (row & 7)) & 1) === 0) nulls.add(begin + row)
  }
}

/** Values of a fixed width. */
class FixedColumn implements ResultColumn {
  readonly #type: DataType
  readonly #values: Uint8Array
  readonly #address: Pointer
  readonly #nulls: NullBits
  readonly #width: number
  #row = 0

  constructor(type: DataType, rows: number) {
    const ArrayType = type.ArrayType as FixedArray
    const values = new ArrayType(new ArrayBuffer(ArrayType.BYTES_PER_ELEMENT * rows))
    this.#type = type
    this.#values = values
    this.#address = addressOf(values)
    this.#nulls = new NullBits(rows)
    this.#width = ArrayType.BYTES_PER_ELEMENT
  }

  addVector(vector: Pointer, rows: number): boolean {
    assert(this.#row + rows <= this.#values.length, 'a result has the rows it said')
    const from = Number(duckdbLibrary().call.vectorData(vector))
    copyNative(this.#address + this.#row * this.#width, from, rows * this.#width)
    addNulls(this.#nulls, validBits(vector, rows), [this.#row, rows])
    this.#row += rows
    return true
  }

  addArray(): void {
    assert(false, 'a column of a fixed width takes vectors')
  }

  finish(): Data {
    const data = this.#values
    const parts = { type: this.#type, length: data.length, ...this.#nulls.result(), data }
    return makeData(parts as unknown as Parameters<typeof makeData>[0])
  }
}

type FixedArray = (new (buffer: ArrayBuffer) => Uint8Array) & { readonly BYTES_PER_ELEMENT: number }

/**
 * Strings as codes, until one comes that is long, or too many differ. From there on they are taken
 * by way of Arrow, and the codes before are written out.
 */
class CodedColumn implements ResultColumn {
  readonly #codes: StringCodes
  readonly #indices: Int32Array
  readonly #nulls: NullBits
  readonly #rest: ArrowColumn
  #row = 0
  #isCoded = true

  constructor(type: DataType, rows: number) {
    this.#codes = new StringCodes(rows)
    this.#indices = new Int32Array(new ArrayBuffer(4 * rows))
    this.#nulls = new NullBits(rows)
    this.#rest = new ArrowColumn(type)
  }

  addVector(vector: Pointer, rows: number): boolean {
    if (!this.#isCoded) return false
    const valid = validBits(vector, rows)
    const indices = this.#indices.subarray(this.#row, this.#row + rows)
    this.#isCoded = this.#codes.encode({ words: cellsOf(vector, rows), rows, valid }, indices)
    if (!this.#isCoded) return false
    addNulls(this.#nulls, valid, [this.#row, rows])
    this.#row += rows
    return true
  }

  addArray(array: Pointer): void {
    this.#rest.addArray(array)
  }

  finish(): Data {
    const indices = this.#indices.subarray(0, this.#row)
    const nulls = this.#nulls.result()
    const coded = dictionaryData({ indices, values: this.#codes.strings(), ...nulls })
    if (this.#isCoded) return coded
    const parts = [dictionaryStrings(coded), this.#rest.finish()]
    const blocks = parts.flatMap((data) => (data === undefined ? [] : blockOfData([''], [data])))
    const joined = dataOfBlock(concatBlocks(blocks))[0]
    assert(joined !== undefined && DataType.isUtf8(joined.type), 'strings joined are strings')
    // Long strings may repeat as well.
    return compactStrings(joined as Data<Utf8>)
  }
}

/** Where the cells of one vector are looked at. */
let cells = new Int32Array(cellWords * 2048)

/** The cells of a vector of strings; overwritten by the next call. */
function cellsOf(vector: Pointer, rows: number): Int32Array {
  if (cells.length < cellWords * rows) cells = new Int32Array(cellWords * rows)
  const from = Number(duckdbLibrary().call.vectorData(vector))
  copyFromNative(new Uint8Array(cells.buffer, 0, 4 * cellWords * rows), from)
  return cells
}
