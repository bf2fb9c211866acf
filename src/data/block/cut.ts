// A block cut into parts, each row into the part that somebody chose for it.
//
// To gather the rows of a part is to read the whole block, because every line of the processor's
// cache has rows of most parts: eleven parts read a column eleven times. So a column of fixed width
// is read once, from its beginning to its end, and its values are put in the order of the parts;
// that is done when the first part is written, and the others are copied from it.

import type { Data } from 'apache-arrow'
import { dataScratchBytesMax } from '../../base/limits.js'
import type { Block } from './block.js'
import {
  arrayTypeOf,
  blockOfDeferred,
  type DeferredColumn,
  type FixedValues,
} from './deferred-block.js'
import { dataOfBlock, gatherBlock, gatherData, isFixed } from './gather.js'
import { inverse, scatter } from './scatter.js'

/** Where rows go when all parts lie one behind the other. */
export interface Cut {
  /** The place of each row. */
  readonly places: Uint32Array
  /** Where each part ends. */
  readonly ends: Uint32Array
}

/** The parts, made at once. */
export function cutBlock(block: Block, { places, ends }: Cut): readonly Block[] {
  const order = inverse(places)
  return rangesOf(ends).map(([begin, end]) => gatherBlock(block, order.subarray(begin, end)))
}

/** The parts, for a task that returns them: most columns are made where they are stored. */
export function deferCut(block: Block, { places, ends }: Cut): readonly Block[] {
  const names = block.schema.fields.map(({ name }) => name)
  const ranges = rangesOf(ends)
  const written = ranges.filter(([begin, end]) => end > begin).length
  let order: Uint32Array | undefined
  const columns = dataOfBlock(block).map((data, i) => {
    if (isFixed(data) && data.stride === 1) return new OrderedColumn(data, places, written)
    const rows = (order ??= inverse(places))
    return { part: ([begin, end]: Range) => gatherData(data, rows.subarray(begin, end), names[i]) }
  })
  return ranges.map((range) => {
    return blockOfDeferred(
      names,
      columns.map((column): Data | DeferredColumn => column.part(range)),
    )
  })
}

type Range = readonly [begin: number, end: number]

function rangesOf(ends: Uint32Array): readonly Range[] {
  return Array.from(ends, (end, part) => [part === 0 ? 0 : (ends[part - 1] ?? 0), end])
}

/** A column whose values are put in order when they are first asked for. */
class OrderedColumn {
  readonly #data: Data
  readonly #places: Uint32Array
  /** Parts that have not been written. */
  #left: number
  #values: FixedValues | undefined

  constructor(data: Data, places: Uint32Array, parts: number) {
    this.#data = data
    this.#places = places
    this.#left = parts
  }

  part([begin, end]: Range): DeferredColumn {
    const { type, stride, dictionary } = this.#data
    const fill = (target: FixedValues): void => this.#write(target, begin, end)
    return { type, length: end - begin, stride, dictionary, fill }
  }

  #write(target: FixedValues, begin: number, end: number): void {
    const values = (this.#values ??= this.#ordered())
    target.set(values.subarray(begin, end) as Uint8Array & BigInt64Array)
    if (--this.#left > 0) return
    scratch.give(values.buffer as ArrayBuffer)
    this.#values = undefined
  }

  #ordered(): FixedValues {
    const { type, length } = this.#data
    // Buffers that came through a message are padded beyond the last row.
    const from = (this.#data.values as Int32Array).subarray(0, length)
    const ArrayType = arrayTypeOf(type)
    const values = new ArrayType(scratch.take(from.byteLength), 0, length)
    scatter(from, values, this.#places)
    return values
  }
}

/**
 * Memory of columns in order, which the next block has use for: V8 collects large arrays late, and
 * marks its heap the more often for them.
 */
class Scratch {
  readonly #free: ArrayBuffer[] = []
  #bytes = 0

  take(bytes: number): ArrayBuffer {
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= bytes)
    const [found] = at < 0 ? [] : this.#free.splice(at, 1)
    if (found === undefined) return new ArrayBuffer(bytes)
    this.#bytes -= found.byteLength
    return found
  }

  give(memory: ArrayBuffer): void {
    if (this.#bytes + memory.byteLength > dataScratchBytesMax) return
    this.#free.push(memory)
    this.#bytes += memory.byteLength
  }
}

const scratch = new Scratch()
