// Many small batches as few blocks.
//
// A function that is called for each of a million groups returns a million batches. As Arrow tables
// they take a kilobyte each, whatever is in them, and 20 us to make. So plain values are copied to
// where those of the batches before them are, and become a block when there are some thousand rows.
// Batches that disagree about names or kinds of columns begin another block: what the types of
// blocks have in common is found when they are put together.

import { type BatchOptions, blockOfBatch } from './batch.js'
import { type Block, blockOfColumns } from './block.js'
import { concatBlocks } from './concat.js'
import type { ColumnBatch } from './column.js'
import { GatheredColumn, isGatherable } from './gathered-column.js'
import { blockOfRows, type Row } from './rows.js'

/** Rows of a block that is made of batches; larger ones are blocks of their own. */
const rowsMin = 4096
/** Blocks of fewer rows that are kept before they become one. */
const smallBlocksMax = 256

/** Carries the number that a batch came with, and what is wrong with the batch. */
export class AtBatch extends Error {
  readonly number: number

  constructor(number: number, cause: unknown) {
    super('', { cause })
    this.number = number
  }
}

export class BatchJoiner {
  readonly #like: Block
  readonly #options: BatchOptions
  readonly #large: Block[] = []
  #small: Block[] = []
  /** Values that are in no block yet. Added by `add`, empty after `#close`. */
  #columns = new Map<string, GatheredColumn>()
  #rows = 0
  /** Of the batches in `columns`: their numbers, and where they end. */
  #batches: { readonly number: number; readonly end: number }[] = []

  /** `like` says which types the columns had before. */
  constructor(like: Block, options: BatchOptions) {
    this.#like = like
    this.#options = options
  }

  /** Takes what a function returned; `number` is for the error that `AtBatch` is. */
  add(batch: unknown, number: number): void {
    if (this.#gather(batch)) {
      this.#batches.push({ number, end: this.#rows })
      if (this.#rows >= rowsMin) this.#close()
      return
    }
    this.#close()
    try {
      this.#keep(blockOfBatch(batch, this.#like, this.#options))
    } catch (error) {
      throw new AtBatch(number, error)
    }
  }

  /** All that was added. */
  finish(): Block {
    this.#close()
    this.#joinSmall()
    return this.#large.length === 0 ? blockOfRows([]) : concatBlocks(this.#large)
  }

  /** False for what is not plain, wrong, or large enough to be a block. */
  #gather(batch: unknown): boolean {
    switch (this.#options.batchFormat) {
      case 'arrow':
        return false
      case 'rows':
        return this.#gatherRows(batch)
      case 'columns':
        return this.#gatherColumns(batch)
    }
  }

  #gatherColumns(batch: unknown): boolean {
    if (typeof batch !== 'object' || batch === null || Array.isArray(batch)) return false
    const names = Object.keys(batch)
    const [first = ''] = names
    const { length = 0 } = ((batch as ColumnBatch)[first] ?? {}) as { readonly length?: number }
    if (length >= rowsMin) return false
    if (length === 0) return this.#isNothing(batch as ColumnBatch, names)
    for (const name of names) {
      if (!isGatherable((batch as ColumnBatch)[name], length)) return false
    }
    if (!this.#fits(batch as ColumnBatch, names)) {
      this.#close()
      for (const name of names) {
        this.#columns.set(name, new GatheredColumn((batch as ColumnBatch)[name] ?? []))
      }
    }
    for (const name of names) this.#columns.get(name)?.append((batch as ColumnBatch)[name] ?? [])
    this.#rows += length
    return true
  }

  /** Whether it adds nothing to what is gathered, not even a name. */
  #isNothing(batch: ColumnBatch, names: readonly string[]): boolean {
    if (names.length === 0) return false
    return names.every((name) => this.#columns.has(name) && isGatherable(batch[name], 0))
  }

  #fits(batch: ColumnBatch, names: readonly string[]): boolean {
    if (names.length !== this.#columns.size) return false
    return names.every((name) => this.#columns.get(name)?.takes(batch[name] ?? []) === true)
  }

  #gatherRows(batch: unknown): boolean {
    if (!Array.isArray(batch) || batch.length >= rowsMin) return false
    if (batch.length === 0) return this.#rows > 0
    const rows = batch as readonly Row[]
    const columns = new Map<string, unknown[]>()
    for (const [i, row] of rows.entries()) {
      for (const name of Object.keys(row ?? {})) {
        const values = columns.get(name) ?? new Array<unknown>(rows.length).fill(null)
        values[i] = row[name]
        columns.set(name, values)
      }
    }
    if (columns.size === 0) return false
    return this.#gatherColumns(Object.fromEntries(columns))
  }

  /** Makes a block of what was gathered. */
  #close(): void {
    const columns = this.#columns
    const batches = this.#batches
    const rows = this.#rows
    if (rows === 0) return
    this.#columns = new Map()
    this.#batches = []
    this.#rows = 0
    const blockOf = (start: number, end: number): Block => {
      const parts = [...columns].map(([name, column]) => [name, column.values(start, end)] as const)
      const { dates } = this.#options
      return blockOfColumns(Object.fromEntries(parts), this.#like, { dates })
    }
    let joined: Block | undefined
    try {
      joined = blockOf(0, rows)
    } catch {
      // One of them is wrong, or they have different types.
    }
    if (joined !== undefined) {
      this.#keep(joined)
      return
    }
    let start = 0
    for (const { number, end } of batches) {
      try {
        this.#keep(blockOf(start, end))
      } catch (error) {
        throw new AtBatch(number, error)
      }
      start = end
    }
  }

  #keep(block: Block): void {
    this.#small.push(block)
    if (block.numRows >= rowsMin || this.#small.length >= smallBlocksMax) this.#joinSmall()
  }

  #joinSmall(): void {
    if (this.#small.length > 0) this.#large.push(concatBlocks(this.#small))
    this.#small = []
  }
}
