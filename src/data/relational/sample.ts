// Random numbers that a seed reproduces: which rows are sampled, where rows go in a shuffle.

import { randomInt } from 'node:crypto'

/** Where random numbers are for: each block has a sequence of its own. */
export interface RandomPlace {
  readonly seed: number | undefined
  /** Position of the block among those of its operator. */
  readonly index: number
}

/** A generator of numbers from 0 to 1 (mulberry32), the same for the same seed and block. */
export function randomNumbers({ seed, index }: RandomPlace): () => number {
  let state = seed === undefined ? randomInt(2 ** 32 - 1) : mix(mix(seed >>> 0) ^ mix(index + 1))
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
  }
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
  const next = randomNumbers(place)
  const kept = new Uint32Array(rows)
  let count = 0
  for (let i = 0; i < rows; i++) if (next() < fraction) kept[count++] = i
  return kept.subarray(0, count)
}

/** The numbers below `count` in random order. */
export function permutation(count: number, place: RandomPlace): Uint32Array {
  const next = randomNumbers(place)
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const j = Math.floor(next() * (i + 1))
    order[i] = order[j] ?? 0
    order[j] = i
  }
  return order
}
