// A column of strings as codes into a list of distinct values.
//
// Millions of short strings with a few hundred values are what real columns look like (airports,
// cities, states). Kept as codes, such a column costs 4 bytes a row, and its values become
// JavaScript strings once per block instead of once per row. Columns whose values mostly differ
// gain nothing, so encoding gives up on them early.

/**
 * Strings of a column, each stored once. Iterates and indexes like the array of its strings.
 *
 * @example
 * const column = new DictionaryColumn(Int32Array.of(0, 1, 0), ['red', 'blue'])
 * console.log(column.at(2)) // red
 */
export class DictionaryColumn<V extends string | null = string | null> implements Iterable<V> {
  /** Position in `values` of each row; -1 where the row is null. */
  readonly codes: Int32Array
  /** The distinct strings. */
  readonly values: readonly string[]

  constructor(codes: Int32Array, values: readonly string[]) {
    this.codes = codes
    this.values = values
  }

  /** Number of rows. */
  get length(): number {
    return this.codes.length
  }

  /** The string of a row, or null. */
  at(row: number): V {
    return (this.values[this.codes[row] ?? -1] ?? null) as V
  }

  /** The strings of all rows. */
  toArray(): V[] {
    const { codes, values } = this
    const rows = new Array<V>(codes.length)
    for (let i = 0; i < codes.length; i++) rows[i] = (values[codes[i] ?? -1] ?? null) as V
    return rows
  }

  [Symbol.iterator](): Iterator<V> {
    return this.toArray()[Symbol.iterator]()
  }
}

/**
 * Encodes strings (and nulls) as codes.
 *
 * @example
 * const { codes, values } = dictionaryEncode(['JFK', 'SFO', 'JFK'])
 */
export function dictionaryEncode<V extends string | null>(
  strings: ArrayLike<V> | DictionaryColumn<V>,
): DictionaryColumn<V> {
  if (strings instanceof DictionaryColumn) return strings
  const found = encodeWithin(strings, strings.length + 1)
  return new DictionaryColumn<V>(found?.codes ?? new Int32Array(0), found?.values ?? [])
}

/** Encodes strings while they repeat; gives undefined when too many differ for codes to pay. */
export function tryDictionaryEncode(
  strings: ArrayLike<string | null | undefined>,
): DictionaryColumn | undefined {
  return encodeWithin(strings, distinctMax(strings.length))
}

/**
 * More distinct values than this, and a dictionary is larger or slower than the strings themselves.
 */
export function distinctMax(rows: number): number {
  return Math.min(65_536, Math.max(16, rows >> 2))
}

function encodeWithin(
  strings: ArrayLike<string | null | undefined>,
  limit: number,
): DictionaryColumn | undefined {
  const codes = new Int32Array(strings.length)
  const known = new Map<string, number>()
  for (let i = 0; i < strings.length; i++) {
    const text = strings[i]
    if (text === null || text === undefined) {
      codes[i] = -1
      continue
    }
    let code = known.get(text)
    if (code === undefined) {
      code = known.size
      if (code >= limit) return undefined
      known.set(text, code)
    }
    codes[i] = code
  }
  return new DictionaryColumn(codes, [...known.keys()])
}
