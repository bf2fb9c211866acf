// The place of rows while a block is worked on. Which of several files a row is of is only found
// out when an error has to say it.

import type { ReadRequest } from '../datasource/file-readers.js'
import type { LocatedRow } from './locate-rows.js'
import type { TaskInput } from './operators.js'
import type { RowOrigin } from './row-origin.js'

/** What an error can say of its place while a block is worked on. */
export class Place {
  readonly #origin: RowOrigin | undefined
  /** The files that the block was read of, where these are several. */
  readonly #request: ReadRequest | undefined
  #isExact = true

  constructor(origin: RowOrigin | undefined, input?: TaskInput) {
    this.#origin = origin
    const isOfFiles = input?.kind === 'files' && input.request.pieces.length > 1
    this.#request = isOfFiles ? input.request : undefined
  }

  /** From here on, row `i` of the block need not be row `i` of its origin. */
  loseRows(): void {
    this.#isExact = false
  }

  async row(index: number): Promise<string> {
    const origin = this.#origin
    if (origin === undefined) return ` at row ${index} of its block`
    const { name, start } = origin
    if (!this.#isExact || start === undefined) return this.whole()
    const [found] = await this.#locate([index])
    if (found !== undefined) return ` at row ${found.row} of ${found.name}`
    return ` at row ${start + index} of ${name}`
  }

  /** Rows `start` up to, and without, `end`. */
  async rows(start: number, end: number): Promise<string> {
    const origin = this.#origin
    if (origin === undefined) return ` in rows ${start} to ${end - 1} of its block`
    if (!this.#isExact || origin.start === undefined) return this.whole()
    const [first, last] = await this.#locate([start, end - 1])
    if (first === undefined || last === undefined) {
      return ` in rows ${origin.start + start} to ${origin.start + end - 1} of ${origin.name}`
    }
    if (first.name === last.name) return ` in rows ${first.row} to ${last.row} of ${first.name}`
    return ` from row ${first.row} of ${first.name} to row ${last.row} of ${last.name}`
  }

  /** Somewhere among all rows. */
  whole(): string {
    if (this.#origin === undefined) return ''
    const { start, rows, name } = this.#origin
    if (start === undefined || rows === undefined) return ` in ${name}`
    return ` in rows ${start} to ${start + rows - 1} of ${name}`
  }

  async #locate(indices: readonly number[]): Promise<readonly LocatedRow[]> {
    if (this.#request === undefined) return []
    const { locateRows } = await import('./locate-rows.js')
    return locateRows(this.#request, indices)
  }
}
