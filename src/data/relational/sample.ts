// Random numbers that a seed reproduces: which rows are sampled, where rows go in a shuffle.
//
// Each loop over rows is a function of its own, and ends with the loop: of a loop that is running
// V8 compiles what has run of its function, and throws the code away when the rest begins.

import { randomInt } from 'node:crypto'

/** Where random numbers are for: each block has a sequence of its own. */
export interface RandomPlace {
  readonly seed: number | undefined
  /** Position of the block among those of its operator. */
  readonly index: number
}

/** Where a sequence of numbers begins: the same for the same seed and block. */
function stateOf({ seed, index }: RandomPlace): number {
  return seed === undefined ? randomInt(2 ** 32 - 1) : mix(mix(seed >>> 0) ^ mix(index + 1))
}

/** What a state gains from one number to the next. */
const step = 0x6d2b79f5

/** The number from 0 to 1 of a state (mulberry32). */
function numberOf(state: number): number {
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
}

function mix(value: number): number {
  let h = (value ^ 0x9e3779b9) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The rows that are kept when each is with a probability of `fraction`. */
export function sampleIndices(
  rows: number,
  { fraction, ...place }: RandomPlace & { readonly fraction: number },
): Uint32Array {
  const kept = new Uint32Array(rows)
  return kept.subarray(0, fillSample(kept, fraction, stateOf(place)))
}

function fillSample(kept: Uint32Array, fraction: number, first: number): number {
  let state = first
  let count = 0
  for (let i = 0; i < kept.length; i++) {
    state = (state + step) | 0
    if (numberOf(state) < fraction) kept[count++] = i
  }
  return count
}

/** A number from 0 to 1 for each row. */
export function randomColumn(rows: number, place: RandomPlace): Float64Array {
  const numbers = new Float64Array(rows)
  fillNumbers(numbers, stateOf(place))
  return numbers
}

function fillNumbers(numbers: Float64Array, first: number): void {
  let state = first
  for (let i = 0; i < numbers.length; i++) {
    state = (state + step) | 0
    numbers[i] = numberOf(state)
  }
}

/** For each row one of `count` parts. */
export function randomParts(
  rows: number,
  { count, ...place }: RandomPlace & { readonly count: number },
): Int32Array {
  const parts = new Int32Array(rows)
  fillParts(parts, count, stateOf(place))
  return parts
}

function fillParts(parts: Int32Array, count: number, first: number): void {
  let state = first
  for (let i = 0; i < parts.length; i++) {
    state = (state + step) | 0
    parts[i] = Math.floor(numberOf(state) * count)
  }
}

/** The numbers below `count` in random order. */
export function permutation(count: number, place: RandomPlace): Uint32Array {
  const order = new Uint32Array(count)
  fillPermutation(order, stateOf(place))
  return order
}

function fillPermutation(order: Uint32Array, first: number): void {
  let state = first
  for (let i = 0; i < order.length; i++) {
    state = (state + step) | 0
    const j = Math.floor(numberOf(state) * (i + 1))
    order[i] = order[j] ?? 0
    order[j] = i
  }
}
