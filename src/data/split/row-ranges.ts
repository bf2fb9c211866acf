// Cuts a list of blocks at row numbers: blocks that lie on one side stay whole.

import type { RefBundle } from '../block/metadata.js'

/** Consecutive rows of a block, from `start` to, and without, `end`. */
export interface RowRange {
  readonly bundle: RefBundle
  readonly start: number
  readonly end: number
}

export function isWhole({ bundle, start, end }: RowRange): boolean {
  return start === 0 && end === bundle.metadata.rows
}

/** The parts between the indices, which ascend: one more part than there are indices. */
export function cutAt(
  bundles: readonly RefBundle[],
  indices: readonly number[],
): readonly (readonly RowRange[])[] {
  const parts: RowRange[][] = Array.from({ length: indices.length + 1 }, () => [])
  let part = 0
  let first = 0
  for (const bundle of bundles) {
    const { rows } = bundle.metadata
    let start = 0
    while (start < rows) {
      const cut = (indices[part] ?? Number.POSITIVE_INFINITY) - first
      if (cut <= start) {
        part++
        continue
      }
      const end = Math.min(rows, cut)
      parts[part]?.push({ bundle, start, end })
      start = end
    }
    first += rows
  }
  return parts
}

/** Where `rows` rows are cut into `count` parts as equal as can be. */
export function evenIndices(rows: number, count: number): readonly number[] {
  return Array.from({ length: count - 1 }, (_, i) => Math.floor(((i + 1) * rows) / count))
}
