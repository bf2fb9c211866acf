// Functions of lists, structs and maps in expressions.

import { RayError } from '../../base/errors.js'
import { refuseUnknown } from '../step-options.js'
import type { CallOf, Expression, Operand } from './expression.js'

/** How `list.sort` orders elements. */
export interface ListSortOptions {
  /** Whether the greatest come first. */
  readonly descending?: boolean
  /** Where nulls go; last unless told otherwise. */
  readonly nulls?: 'first' | 'last'
}

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

  /** Every `step`th element from `start` to before `end`; negative ones count from the end. */
  slice(start = 0, end?: number, step = 1): Expression<T[]> {
    if (!(Number.isInteger(step) && step > 0)) {
      throw new RayError(`list.slice: the step must be a whole number above 0, not ${step}.`)
    }
    return this.#call('list.slice', [start, end ?? null, step])
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

  /** In order, nulls last unless told otherwise. */
  sort(options: ListSortOptions = {}): Expression<T[]> {
    refuseUnknown('list.sort', options, ['descending', 'nulls'])
    const { descending = false, nulls = 'last' } = options
    if (nulls !== 'first' && nulls !== 'last') {
      throw new RayError(`list.sort: nulls must be 'first' or 'last', not ${String(nulls)}.`)
    }
    return this.#call('list.sort', [descending ? 'DESC' : 'ASC', `NULLS ${nulls.toUpperCase()}`])
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
 * Functions of arrays, lists of a fixed length: `col('vector').arr`.
 *
 * @example
 * const lists = rangeTensor(10, { shape: [3] }).withColumn('list', col('data').arr.toList())
 */
export class ArrayFunctions<T = unknown> {
  readonly #call: CallOf

  /** @internal Use the property of an expression. */
  constructor(call: CallOf) {
    this.#call = call
  }

  /** As a list, which may have any length. */
  toList(): Expression<T[]> {
    return this.#call('arr.toList', [])
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

  /** The field at an index, counted from 0. */
  fieldByIndex<T = unknown>(index: number): Expression<T> {
    if (!(Number.isInteger(index) && index >= 0)) {
      throw new RayError(`struct.fieldByIndex takes a whole number from 0, not ${index}.`)
    }
    return this.#call('struct.fieldByIndex', [index])
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
