// Which items a run of a generator sends. A first run sends all; one that replaces another sends
// those that its consumer has not, or has lost.

import { generatorItemsMax } from '../base/limits.js'
import type { PushExtension } from '../wire/messages/task.js'

export class WantedItems {
  readonly #skip: number
  readonly #only: ReadonlySet<number> | null
  /** How many may be made before the consumer has read any of this run. */
  readonly credit: number
  /** The run is over after so many items. */
  readonly end: number

  constructor({ skip = 0, only, backpressure = generatorItemsMax }: PushExtension) {
    this.#skip = skip
    this.#only = only === undefined ? null : new Set(only)
    this.credit = only === undefined ? skip + backpressure : Infinity
    this.end = only === undefined ? Infinity : Math.max(...only) + 1
  }

  has(index: number): boolean {
    return this.#only === null ? index >= this.#skip : this.#only.has(index)
  }
}
