// Decides which rows of a stream each of several readers gets.
//
// Without `equal` it is simple: whoever asks first gets the next block. With `equal` all must have
// the same number of rows at the end, although nobody knows beforehand how many there will be. So a
// block is given away only if the rows that are left in the queue could bring all others up to the
// same number. When the stream ends, the queue is divided by rows, and what cannot be divided is
// dropped: fewer rows than there are readers.
//
// Invariant: readers x (the most rows of one reader) <= rows given away + rows in the queue.

import type { RefBundle } from '../block/metadata.js'
import type { RowRange } from './row-ranges.js'

export class SplitState {
  readonly #equal: boolean
  /** Rows that each reader has got. */
  readonly #given: number[]
  /** Added by `add`, removed as they are given away. */
  readonly #queue: RowRange[] = []
  #queuedRows = 0
  #isEnded = false

  constructor(readers: number, equal: boolean) {
    this.#equal = equal
    this.#given = new Array<number>(readers).fill(0)
  }

  /** Blocks that nobody has got yet. */
  get queued(): number {
    return this.#queue.length
  }

  add(bundle: RefBundle): void {
    const { rows } = bundle.metadata
    if (rows === 0) return
    this.#queue.push({ bundle, start: 0, end: rows })
    this.#queuedRows += rows
  }

  /** No more blocks will come. */
  end(): void {
    this.#isEnded = true
  }

  /** The next rows of a reader; 'later' if they depend on what is to come; 'end'. */
  take(reader: number): RowRange | 'later' | 'end' {
    const head = this.#queue[0]
    if (!this.#equal) return head === undefined ? this.#nothing() : this.#give(reader, head)
    if (this.#isEnded) return this.#takeLast(reader)
    if (head === undefined || !this.#isSafe(reader, head)) return 'later'
    return this.#give(reader, head)
  }

  #nothing(): 'later' | 'end' {
    return this.#isEnded ? 'end' : 'later'
  }

  #isSafe(reader: number, head: RowRange): boolean {
    const rows = head.end - head.start
    const most = Math.max(...this.#given, (this.#given[reader] ?? 0) + rows)
    return this.#given.length * most <= this.#givenRows() + this.#queuedRows
  }

  #takeLast(reader: number): RowRange | 'end' {
    const target = Math.floor((this.#givenRows() + this.#queuedRows) / this.#given.length)
    const head = this.#queue[0]
    const rows = target - (this.#given[reader] ?? 0)
    if (head === undefined || rows <= 0) return 'end'
    return this.#give(reader, { ...head, end: Math.min(head.end, head.start + rows) })
  }

  /** Gives the head of the queue away, or the beginning of it. */
  #give(reader: number, range: RowRange): RowRange {
    const head = this.#queue.shift()
    if (head !== undefined && range.end < head.end) {
      this.#queue.unshift({ ...head, start: range.end })
    }
    const rows = range.end - range.start
    this.#given[reader] = (this.#given[reader] ?? 0) + rows
    this.#queuedRows -= rows
    return range
  }

  #givenRows(): number {
    return this.#given.reduce((sum, rows) => sum + rows, 0)
  }
}
