// The order of rows by keys that are numbers, times or dictionary codes: a radix sort from the last
// key to the first.
//
// The engine compares rows, and takes 55 ms for 300 000 of them by two keys; counting digits of 11
// bits takes 10. A key becomes a whole number from 0: its distance from the least value where all
// are whole, else the bits of the double, changed so that they sort as the double does. Each pass
// is stable, so equal rows stay in their order.

/** A key of every row. */
export interface NumberKey {
  readonly values: Float64Array
  /** Which rows have a value; undefined where all have. */
  readonly isValid: ((row: number) => boolean) | undefined
  readonly isDescending: boolean
  readonly nulls: 'first' | 'last'
}

/** A whole number of up to 64 bits for every row. */
interface Digits {
  readonly low: Uint32Array
  readonly high: Uint32Array
  readonly bits: number
}

const digitBits = 11
const buckets = 2 ** digitBits
const word = 2 ** 32

/** Row numbers in the order of the keys. */
export function radixOrder(keys: readonly NumberKey[], rows: number): Uint32Array {
  let order = new Uint32Array(rows)
  let other = new Uint32Array(rows)
  for (let i = 0; i < rows; i++) order[i] = i
  for (const key of keys.toReversed()) {
    for (const digits of digitsOf(key)) {
      for (let shift = 0; shift < digits.bits; shift += digitBits) {
        sortByDigit(digitAt(digits, shift), order, other)
        const sorted = other
        other = order
        order = sorted
      }
    }
  }
  return order
}

/** The digit of every row that begins at bit `shift`. */
function digitAt({ low, high }: Digits, shift: number): Uint16Array {
  const digits = new Uint16Array(low.length)
  const mask = buckets - 1
  if (shift >= 32) {
    for (let i = 0; i < digits.length; i++) digits[i] = ((high[i] ?? 0) >>> (shift - 32)) & mask
  } else if (shift + digitBits <= 32) {
    for (let i = 0; i < digits.length; i++) digits[i] = ((low[i] ?? 0) >>> shift) & mask
  } else {
    for (let i = 0; i < digits.length; i++) {
      const bits = ((low[i] ?? 0) >>> shift) | ((high[i] ?? 0) << (32 - shift))
      digits[i] = bits & mask
    }
  }
  return digits
}

function sortByDigit(digits: Uint16Array, from: Uint32Array, to: Uint32Array): void {
  const next = new Uint32Array(buckets + 1)
  for (let i = 0; i < digits.length; i++) {
    const digit = (digits[i] ?? 0) + 1
    next[digit] = (next[digit] ?? 0) + 1
  }
  for (let digit = 1; digit < buckets; digit++) {
    next[digit] = (next[digit] ?? 0) + (next[digit - 1] ?? 0)
  }
  for (let i = 0; i < from.length; i++) {
    const row = from[i] ?? 0
    const digit = digits[row] ?? 0
    const at = next[digit] ?? 0
    to[at] = row
    next[digit] = at + 1
  }
}

/** The key as numbers, the less significant one first. */
function digitsOf(key: NumberKey): readonly Digits[] {
  const { values, isValid } = key
  let least = Number.POSITIVE_INFINITY
  let greatest = Number.NEGATIVE_INFINITY
  let areWhole = true
  for (let i = 0; i < values.length; i++) {
    if (isValid !== undefined && !isValid(i)) continue
    const value = values[i] ?? 0
    if (value < least) least = value
    if (value > greatest) greatest = value
    if (!Number.isSafeInteger(value)) areWhole = false
  }
  const nulls = isValid === undefined ? [] : [nullDigits(key, isValid)]
  if (!(least <= greatest) && areWhole) return nulls
  const span = greatest - least
  const isOffset = areWhole && span <= Number.MAX_SAFE_INTEGER
  return [isOffset ? offsetDigits(key, least, greatest) : doubleDigits(key), ...nulls]
}

function nullDigits({ values, nulls }: NumberKey, isValid: (row: number) => boolean): Digits {
  const low = new Uint32Array(values.length)
  for (let i = 0; i < low.length; i++) low[i] = isValid(i) === (nulls === 'first') ? 1 : 0
  return { low, high: low, bits: 1 }
}

function offsetDigits(key: NumberKey, least: number, greatest: number): Digits {
  const { values, isValid, isDescending } = key
  const low = new Uint32Array(values.length)
  const bits = Math.ceil(Math.log2(greatest - least + 1))
  const isWide = bits > 32
  const high = isWide ? new Uint32Array(values.length) : low
  for (let i = 0; i < low.length; i++) {
    // Where there is no value lies anything, by which nulls must not be told apart.
    if (isValid !== undefined && !isValid(i)) continue
    const value = values[i] ?? 0
    const offset = isDescending ? greatest - value : value - least
    low[i] = offset
    if (isWide) high[i] = offset / word
  }
  return { low, high, bits }
}

/** Positive doubles sort as their bits do, negative ones the other way round, NaN behind all. */
function doubleDigits({ values, isValid, isDescending }: NumberKey): Digits {
  const low = new Uint32Array(values.length)
  const high = new Uint32Array(values.length)
  const one = new Float64Array(1)
  const bits = new Uint32Array(one.buffer)
  for (let i = 0; i < low.length; i++) {
    if (isValid !== undefined && !isValid(i)) continue
    const value = values[i] ?? 0
    // Adding 0 makes 0 of -0, which is equal to it.
    one[0] = Number.isNaN(value) ? Number.NaN : value + 0
    const [l = 0, h = 0] = bits
    const isNegative = h >>> 31 === 1 && !Number.isNaN(value)
    const flipped = isDescending ? 0xffffffff : 0
    low[i] = (isNegative ? ~l : l) ^ flipped
    high[i] = (isNegative ? ~h : h | 0x80000000) ^ flipped
  }
  return { low, high, bits: 64 }
}
