// Where a sort cuts its rows, so that all parts are about equally large.
//
// The cuts are quantiles of a sample of sort keys. A key that very many rows have takes several of
// them: its rows are then a part of their own, between the key and the one that comes next to it.
// They need no sorting, as they are in order, so that the part may become several blocks.

import type { KeySample } from '../block/metadata.js'

export interface SortCuts {
  /** Sort keys as bytes: part `i` has the rows below boundary `i`, and none below `i - 1`. */
  readonly boundaries: readonly Uint8Array[]
  /** The same of the first key alone, as numbers, where that is enough to tell parts apart. */
  readonly firsts: readonly number[] | undefined
  readonly parts: readonly SortedPart[]
}

export interface SortedPart {
  /** Whether all rows of the part have the same keys. */
  readonly isEqual: boolean
  /** The number of blocks that it becomes; all parts together become as many as were asked for. */
  readonly blocks: number
}

const range: SortedPart = { isEqual: false, blocks: 1 }

/** Cuts for `count` blocks. */
export function sortCuts(sample: readonly KeySample[], count: number): SortCuts {
  const sorted = [...sample].sort((a, b) => Buffer.compare(a.key, b.key))
  const cuts = Array.from({ length: count - 1 }, (_, i) => {
    return sorted[Math.floor(((i + 1) * sorted.length) / count)]
  })
  const boundaries: Uint8Array[] = []
  const parts = [range]
  for (let at = 0; at < cuts.length;) {
    const key = cuts[at]?.key ?? new Uint8Array(0)
    const first = at
    while (at < cuts.length && isSame(cuts[at], key)) at++
    boundaries.push(key)
    if (at - first > 1) {
      boundaries.push(following(key))
      parts.push({ isEqual: true, blocks: at - first - 1 })
    }
    parts.push(range)
  }
  const firsts = cuts.flatMap((cut) => cut?.first ?? [])
  // Where many rows agree in their first key, the others must tell them apart.
  const isEnough = firsts.length === cuts.length && new Set(firsts).size === cuts.length
  return { boundaries, firsts: isEnough ? firsts : undefined, parts }
}

function isSame(cut: KeySample | undefined, key: Uint8Array): boolean {
  return cut === undefined || Buffer.compare(cut.key, key) === 0
}

/** Nothing sorts between a key and this. */
function following(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}
