// Hands out extents of the arena: whole pages, so that every object can be mapped by itself.
//
// What a write costs depends on whether its pages exist. Copying to a page that was written
// before runs at memory speed; the first touch of a page is ten times slower. So free extents that
// were used before come first, best fit, and fresh memory only when none of them is large enough.
//
// That makes the warm pages a prefix of the arena: everything below `#freshOffset` was handed
// out once, nothing above it ever was. An extent at the end of the prefix may reach into fresh
// memory, and its warm bytes are again a prefix of it.
//
// Free extents are found by size through a sorted list of the sizes that occur. That list stays
// short whatever the number of extents: n different sizes need n * n / 2 pages, so an arena of
// 200 GB has 10 000 at most. (An extent whose writer died is counted as warm though some of its
// pages may not exist; writing there is slower, and nothing else.)
//
// Invariants, checked by validate():
//   - used and free extents tile the prefix exactly, and no two free extents touch;
//   - the index by size holds exactly the free extents.

import { assert } from '../base/assert.js'
import { pageBytes } from '../base/limits.js'

export interface Extent {
  readonly offset: number
  /** What was asked for; the extent itself is that rounded up to pages. */
  readonly sizeBytes: number
  readonly warmBytes: number
}

export interface ArenaStats {
  readonly totalBytes: number
  readonly usedBytes: number
  /** Length of the prefix that was handed out at least once. */
  readonly warmBytes: number
  readonly freeExtents: number
  /** The largest object that would fit now. */
  readonly largestFreeBytes: number
}

export class Arena {
  readonly totalBytes: number
  readonly #pages: number
  /** First page that was never handed out. */
  #freshPage = 0
  #usedPages = 0
  /** Used extents: first page to count of pages. */
  readonly #used = new Map<number, number>()
  /** Free extents below the fresh page, by first page, and by the page after their last. */
  readonly #freeByStart = new Map<number, number>()
  readonly #freeByEnd = new Map<number, number>()
  /** Sizes of free extents in pages, ascending, and the first pages of each size. */
  readonly #sizes: number[] = []
  readonly #startsBySize = new Map<number, Set<number>>()

  constructor(totalBytes: number) {
    this.#pages = Math.floor(totalBytes / pageBytes)
    assert(this.#pages > 0, 'arena has at least one page')
    this.totalBytes = this.#pages * pageBytes
  }

  get usedBytes(): number {
    return this.#usedPages * pageBytes
  }

  /** Undefined when no free extent is large enough. */
  allocate(sizeBytes: number): Extent | undefined {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, 'size is a number of bytes')
    const pages = pagesFor(sizeBytes)
    const start = this.#takeWarm(pages) ?? this.#takeFresh(pages)
    if (start === undefined) return undefined
    const warmPages = Math.max(0, Math.min(pages, this.#freshPage - start))
    this.#freshPage = Math.max(this.#freshPage, start + pages)
    this.#used.set(start, pages)
    this.#usedPages += pages
    const warmBytes = Math.min(sizeBytes, warmPages * pageBytes)
    return { offset: start * pageBytes, sizeBytes, warmBytes }
  }

  release(offset: number): void {
    let start = offset / pageBytes
    const used = this.#used.get(start)
    assert(used !== undefined, `extent ${offset} is in use`)
    this.#used.delete(start)
    this.#usedPages -= used
    let pages = used
    const before = this.#freeByEnd.get(start)
    if (before !== undefined) {
      pages += this.#removeFree(before)
      start = before
    }
    if (this.#freeByStart.has(start + pages)) pages += this.#removeFree(start + pages)
    this.#addFree(start, pages)
  }

  stats(): ArenaStats {
    const tail = this.#freeByEnd.get(this.#freshPage) ?? this.#freshPage
    const largest = Math.max(this.#sizes.at(-1) ?? 0, this.#pages - tail)
    return {
      totalBytes: this.totalBytes,
      usedBytes: this.usedBytes,
      warmBytes: this.#freshPage * pageBytes,
      freeExtents: this.#freeByStart.size,
      largestFreeBytes: largest * pageBytes,
    }
  }

  validate(): void {
    const extents = [
      ...[...this.#used].map(([start, pages]) => ({ start, pages, isFree: false })),
      ...[...this.#freeByStart].map(([start, pages]) => ({ start, pages, isFree: true })),
    ].sort((a, b) => a.start - b.start)
    let next = 0
    let wasFree = false
    let usedPages = 0
    for (const { start, pages, isFree } of extents) {
      assert(start === next, `extent at page ${start} begins where the last one ended, ${next}`)
      assert(pages > 0, 'extents are not empty')
      assert(!(wasFree && isFree), `free extents at page ${start} are joined`)
      if (isFree) assert(this.#freeByEnd.get(start + pages) === start, 'free extent has an end')
      if (isFree) assert(this.#startsBySize.get(pages)?.has(start), 'free extent is indexed')
      else usedPages += pages
      next = start + pages
      wasFree = isFree
    }
    assert(next === this.#freshPage, 'extents tile the warm prefix')
    assert(this.#freshPage <= this.#pages, 'the prefix is inside the arena')
    assert(usedPages === this.#usedPages, 'used pages are counted')
    assert(this.#freeByEnd.size === this.#freeByStart.size, 'ends match starts')
    this.#validateIndex()
  }

  #validateIndex(): void {
    let indexed = 0
    for (const starts of this.#startsBySize.values()) indexed += starts.size
    assert(indexed === this.#freeByStart.size, 'index holds free extents only')
    assert(this.#sizes.length === this.#startsBySize.size, 'sizes match index')
    this.#sizes.forEach((size, i) => {
      assert(i === 0 || this.#sizes[i - 1]! < size, 'sizes ascend')
      assert((this.#startsBySize.get(size)?.size ?? 0) > 0, 'a listed size occurs')
    })
  }

  /** The smallest free extent that is large enough; the rest of it stays free. */
  #takeWarm(pages: number): number | undefined {
    const size = this.#sizes[this.#sizeIndex(pages)]
    if (size === undefined) return undefined
    for (const start of this.#startsBySize.get(size) ?? []) {
      this.#removeFree(start)
      if (size > pages) this.#addFree(start + pages, size - pages)
      return start
    }
    return undefined
  }

  /** Fresh memory, together with the free extent just before it if there is one. */
  #takeFresh(pages: number): number | undefined {
    const start = this.#freeByEnd.get(this.#freshPage) ?? this.#freshPage
    if (start + pages > this.#pages) return undefined
    if (start < this.#freshPage) this.#removeFree(start)
    return start
  }

  #addFree(start: number, pages: number): void {
    this.#freeByStart.set(start, pages)
    this.#freeByEnd.set(start + pages, start)
    const starts = this.#startsBySize.get(pages)
    if (starts !== undefined) {
      starts.add(start)
      return
    }
    this.#startsBySize.set(pages, new Set([start]))
    this.#sizes.splice(this.#sizeIndex(pages), 0, pages)
  }

  #removeFree(start: number): number {
    const pages = this.#freeByStart.get(start)
    assert(pages !== undefined, `extent at page ${start} is free`)
    this.#freeByStart.delete(start)
    this.#freeByEnd.delete(start + pages)
    const starts = this.#startsBySize.get(pages)
    assert(starts !== undefined, 'free extent is indexed')
    starts.delete(start)
    if (starts.size === 0) {
      this.#startsBySize.delete(pages)
      this.#sizes.splice(this.#sizeIndex(pages), 1)
    }
    return pages
  }

  /** Index of the first listed size that is not smaller than `pages`. */
  #sizeIndex(pages: number): number {
    let low = 0
    let high = this.#sizes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#sizes[middle]! < pages) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** What an object takes of the arena, or of a file. */
export function extentBytes(sizeBytes: number): number {
  return pagesFor(sizeBytes) * pageBytes
}

/** An empty object has a page too, so that every object has an offset of its own. */
function pagesFor(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / pageBytes))
}
