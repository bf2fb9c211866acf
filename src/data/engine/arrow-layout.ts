// The description of a block in the structures of the Arrow C data interface, which
// `native-memory.ts` spells out.

import { type Data, DataType, type Field } from 'apache-arrow'
import { RayError } from '../../base/errors.js'
import { formatOfType } from './arrow-format.js'
import { duckdbLibrary, type Pointer } from './duckdb-library.js'
import { childrenOf } from './duckdb-types.js'
import { addressOf, nativeBox } from './native-memory.js'

/** Offsets of the ArrowArrays, inside a layout, that move together. */
export interface ArrowSlices {
  readonly parent: number
  readonly columns: readonly number[]
}

/** The Arrow structures of one scan, in one piece of memory that does not move. */
export class ArrowLayout {
  readonly #memory: Buffer
  readonly #base: Pointer
  #used = 0

  constructor(bytes: number) {
    this.#memory = nativeBox(bytes)
    this.#base = addressOf(this.#memory)
  }

  address(offset: number): Pointer {
    return this.#base + offset
  }

  /** Describes `fields` as a struct; gives the address of its ArrowSchema. */
  schema(fields: readonly Field[]): Pointer {
    const children = fields.map((field) => this.#fieldSchema(field))
    return this.address(this.#schema({ format: '+s', name: '', children }))
  }

  #fieldSchema({ name, type }: Field): number {
    const nested = childrenOf(type)
    if (nested === undefined) return this.#schema({ ...formatOfType(type, name), name })
    const children = nested.map((child) => this.#fieldSchema(child))
    return this.#schema({ format: nestedFormat(type), name, children })
  }

  #schema(of: { format: string; name: string; children?: readonly number[] }): number {
    const format = this.#text(of.format)
    const name = this.#text(of.name)
    const children = this.#pointers((of.children ?? []).map((child) => this.address(child)))
    const nullable = 2
    const count = of.children?.length ?? 0
    const { noRelease } = duckdbLibrary()
    return this.#words([format, name, 0, nullable, count, children, 0, noRelease, 0])
  }

  /** Describes one column; gives the offset of its ArrowArray. */
  array(column: Data): number {
    const { type } = column
    const bitmap = column.nullCount > 0 ? addressOf(column.nullBitmap) : 0
    if (column.offset > 0 && (bitmap !== 0 || DataType.isBool(type))) {
      throw new RayError('A sliced column with a bitmap must be copied before it is scanned.')
    }
    const buffers = [bitmap, ...buffersOf(column)]
    const pointers = this.#pointers(buffers)
    const children = column.children.map((child) => this.address(this.array(child)))
    const childPointers = this.#pointers(children)
    const { noRelease } = duckdbLibrary()
    // The length of what is nested does not change; that of the column itself is set by moveTo.
    const { length, nullCount } = column
    const counts = [length, nullCount, 0, buffers.length, children.length]
    return this.#words([...counts, pointers, childPointers, 0, noRelease, 0])
  }

  /** The struct of all columns; gives the offset of its ArrowArray. */
  parent(columns: readonly number[]): number {
    const buffers = this.#pointers([0])
    const children = this.#pointers(columns.map((column) => this.address(column)))
    const { noRelease } = duckdbLibrary()
    return this.#words([0, 0, 0, 1, columns.length, buffers, children, 0, noRelease, 0])
  }

  /**
   * Makes the structures describe `rows` rows from `row`. DuckDB clears `release` when it takes an
   * array.
   */
  moveTo(scan: ArrowSlices, to: { row: number; rows: number }): void {
    const { noRelease } = duckdbLibrary()
    for (const at of [scan.parent, ...scan.columns]) {
      this.#memory.writeBigInt64LE(BigInt(to.rows), at)
      this.#memory.writeBigUInt64LE(BigInt(noRelease), at + 64)
    }
    for (const at of scan.columns) this.#memory.writeBigInt64LE(BigInt(to.row), at + 16)
  }

  #take(bytes: number): number {
    const at = this.#used
    this.#used = (at + bytes + 7) & ~7
    if (this.#used > this.#memory.length) throw new RayError('The layout of a scan is too small.')
    return at
  }

  #words(words: readonly number[]): number {
    const at = this.#take(8 * words.length)
    words.forEach((word, i) => this.#memory.writeBigInt64LE(BigInt(word), at + 8 * i))
    return at
  }

  #text(text: string): Pointer {
    const at = this.#take(Buffer.byteLength(text) + 1)
    this.#memory.write(text, at)
    return this.address(at)
  }

  #pointers(pointers: readonly Pointer[]): Pointer {
    return pointers.length === 0 ? 0 : this.address(this.#words(pointers))
  }
}

/** Bytes that the structures of a column take, names included: an upper bound. */
export function layoutBytes({ name, type }: Field): number {
  const children = childrenOf(type) ?? []
  return 512 + 4 * name.length + children.reduce((sum, child) => sum + layoutBytes(child), 0)
}

function nestedFormat(type: DataType): string {
  if (DataType.isList(type)) return '+l'
  if (DataType.isMap(type)) return '+m'
  return DataType.isFixedSizeList(type) ? `+w:${type.listSize}` : '+s'
}

/** The buffers of a column behind its validity. */
function buffersOf(column: Data): readonly Pointer[] {
  const { type } = column
  if (DataType.isStruct(type) || DataType.isFixedSizeList(type)) return []
  // Null, and not undefined, in columns that came through a message.
  const offsets = column.valueOffsets as ArrayBufferView | null | undefined
  const offsetsAt = offsets === null || offsets === undefined ? undefined : addressOf(offsets)
  if (DataType.isList(type) || DataType.isMap(type)) return [offsetsAt ?? 0]
  const values = addressOf(column.values as ArrayBufferView)
  return offsetsAt === undefined ? [values] : [offsetsAt, values]
}
