// Counts the blocks that failed, and decides whether the execution goes on without them.

import { messageOf } from '../../base/thrown.js'
import type { BlockMetadata } from '../block/metadata.js'

export class ErroredBlocks {
  readonly #max: number
  #count = 0

  /** `max` below zero: any number. */
  constructor(max: number) {
    this.#max = max
  }

  get count(): number {
    return this.#count
  }

  /** Whether any block may fail. */
  get isTolerant(): boolean {
    return this.#max !== 0
  }

  /** True if the block is to be left out; false if its error is everybody's. */
  tolerates(error: unknown): boolean {
    if (this.#max >= 0 && this.#count >= this.#max) return false
    this.#count++
    process.stderr.write(`typeray: a block failed and is left out: ${messageOf(error)}\n`)
    return true
  }
}

/** What is known of a block; undefined if it failed and is to be left out. */
export async function unlessTolerated(
  metadata: Promise<BlockMetadata>,
  errored: ErroredBlocks | undefined,
): Promise<BlockMetadata | undefined> {
  try {
    return await metadata
  } catch (error) {
    if (errored?.tolerates(error) === true) return undefined
    throw error
  }
}
