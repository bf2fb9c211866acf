// A column that grows by the columns of small batches.

import type { Column } from './column.js'
import type { BigintArray, NumberArray } from './number-array.js'
import { isNumbers } from './number-data.js'

type TypedArray = NumberArray | BigintArray
type TypedConstructor = new (length: number) => TypedArray

const lengthMin = 256
/** Longer arrays are faster to copy as a whole. */
const loopMax = 16

/**
 * Whether it is a typed array, or an array of values that are themselves: whoever made other values
 * may use them again for the next batch.
 */
export function isGatherable(column: unknown, length: number): column is TypedArray | unknown[] {
  if (Array.isArray(column)) return column.length === length && column.every(isPlain)
  return isNumbers(column) && column.length === length
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null || value instanceof Date
}

export class GatheredColumn {
  /** Of the arrays that it takes; undefined if these are plain. */
  readonly #class: TypedConstructor | undefined
  #typed: TypedArray | undefined
  readonly #plain: unknown[] = []
  #length = 0

  /** For columns like this one. */
  constructor(column: Column) {
    if (!isNumbers(column)) return
    this.#class = column.constructor as TypedConstructor
    this.#typed = new this.#class(lengthMin)
  }

  takes(column: Column): boolean {
    return this.#class === undefined ? Array.isArray(column) : column.constructor === this.#class
  }

  /** Copies the values of a column that it takes. */
  append(column: Column): void {
    if (this.#class === undefined) {
      for (const value of column as readonly unknown[]) {
        this.#plain.push(value instanceof Date ? new Date(value) : value)
      }
      return
    }
    const added = column as Float64Array
    const begin = this.#length
    this.#length += added.length
    const typed = this.#roomFor(this.#class, this.#length)
    if (added.length > loopMax) typed.set(added, begin)
    else for (let i = 0; i < added.length; i++) typed[begin + i] = added[i] ?? 0
  }

  /** Arrays of its own: nothing is written to them any more. */
  values(start: number, end: number): TypedArray | unknown[] {
    return this.#typed?.subarray(start, end) ?? this.#plain.slice(start, end)
  }

  #roomFor(Class: TypedConstructor, length: number): Float64Array {
    const present = this.#typed as Float64Array
    if (length <= present.length) return present
    const grown = new Class(Math.max(length, 2 * present.length)) as Float64Array
    grown.set(present)
    this.#typed = grown
    return grown
  }
}
