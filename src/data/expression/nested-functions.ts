// Functions of lists, structs and maps in expressions.

import type { CallOf, Expression, Operand } from './expression.js'

/**
 * Functions of lists: `col('words').list`.
 *
 * @example
 * const counted = fromItems([{ words: ['a', 'b'] }]).withColumn('n', col('words').list.len())
 */
export class ListFunctions<T = unknown> {
  readonly #call: CallOf

  /** @internal Use the property of an expression. */
  constructor(call: CallOf) {
    this.#call = call
  }

  /** The number of elements. */
  len(): Expression<number> {
    return this.#call('list.len', [])
  }

  /** The element at an index; negative ones count from the end. */
  get(index: number): Expression<T> {
    return this.#call('list.get', [index])
  }

  /** The elements from `start` to before `end`, counted from 0. */
  slice(start: number, end: number): Expression<T[]> {
    return this.#call('list.slice', [start, end])
  }

  /** Whether a value is in the list. */
  contains(value: Operand): Expression<boolean> {
    return this.#call('list.contains', [value])
  }

  /** The sum of the elements. */
  sum(): Expression<number> {
    return this.#call('list.sum', [])
  }

  /** The mean of the elements. */
  mean(): Expression<number> {
    return this.#call('list.mean', [])
  }

  /** The least element. */
  min(): Expression<T> {
    return this.#call('list.min', [])
  }

  /** The greatest element. */
  max(): Expression<T> {
    return this.#call('list.max', [])
  }

  /** In order. */
  sort(): Expression<T[]> {
    return this.#call('list.sort', [])
  }

  /** Each element once, in any order. */
  unique(): Expression<T[]> {
    return this.#call('list.unique', [])
  }

  /** Backwards. */
  reverse(): Expression<T[]> {
    return this.#call('list.reverse', [])
  }

  /** The elements of the lists in the list. */
  flatten(): Expression<unknown[]> {
    return this.#call('list.flatten', [])
  }

  /** The elements as one string. */
  join(separator: string): Expression<string> {
    return this.#call('list.join', [separator])
  }
}

/**
 * Fields of structs: `col('address').struct`.
 *
 * @example
 * const cities = fromItems([{ home: { city: 'Rom' } }]).select({
 *   city: col('home').struct.field('city'),
 * })
 */
export class StructFunctions {
  readonly #call: CallOf

  /** @internal Use the property of an expression. */
  constructor(call: CallOf) {
    this.#call = call
  }

  /** The field of a name. */
  field<T = unknown>(name: string): Expression<T> {
    return this.#call('struct.field', [name])
  }
}

/**
 * Functions of maps: `col('tags').map`.
 *
 * @example
 * const names = readParquet('tagged.parquet').withColumn('names', col('tags').map.keys())
 */
export class MapFunctions {
  readonly #call: CallOf

  /** @internal Use the property of an expression. */
  constructor(call: CallOf) {
    this.#call = call
  }

  /** The keys. */
  keys<T = unknown>(): Expression<T[]> {
    return this.#call('map.keys', [])
  }

  /** The values. */
  values<T = unknown>(): Expression<T[]> {
    return this.#call('map.values', [])
  }

  /** The value of a key; null where it is not there. */
  get<T = unknown>(key: Operand): Expression<T> {
    return this.#call('map.get', [key])
  }
}
