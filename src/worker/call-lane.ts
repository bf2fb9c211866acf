// The calls of one concurrency group of an actor: a queue, and how many of it run.

import type { Incoming } from './owner-connection.js'

export class CallLane {
  readonly limit: number
  running = 0
  /** Called when a call that was started later ends. */
  readonly finished: () => void
  #queue: Incoming[] = []
  #at = 0

  constructor(limit: number, freed: () => void) {
    this.limit = limit
    this.finished = () => {
      this.running--
      freed()
    }
  }

  /** Nothing of it runs or waits. */
  get isEmpty(): boolean {
    return this.running === 0 && this.#at === this.#queue.length
  }

  add(call: Incoming): void {
    this.#queue.push(call)
  }

  /** The next call, if one may start now. */
  next(): Incoming | undefined {
    if (this.running >= this.limit) return undefined
    if (this.#at === this.#queue.length) {
      if (this.#at > 0) {
        this.#queue = []
        this.#at = 0
      }
      return undefined
    }
    const call = this.#queue[this.#at]!
    this.#queue[this.#at++] = undefined as unknown as Incoming
    return call
  }

  *waiting(): IterableIterator<Incoming> {
    for (let i = this.#at; i < this.#queue.length; i++) yield this.#queue[i]!
  }
}
