// Calls of an actor that were not sent, in order. Retries go in at the front, so it is a queue with
// two ends, and neither end costs more with a million calls than with one.

import type { Task } from './task.js'

/** Room to leave at the front when the first call comes back there. */
const headroomMin = 16
/** Taken calls at the front that are not worth a copy of the rest. */
const gapMin = 1024

export class CallQueue {
  /** Calls from `#at` on; what is before was taken, or is room for those that come back. */
  #calls: (Task | null)[] = []
  #at = 0

  get size(): number {
    return this.#calls.length - this.#at
  }

  /** The next one; null if there is none. */
  get first(): Task | null {
    return this.#calls[this.#at] ?? null
  }

  push(call: Task): void {
    this.#calls.push(call)
  }

  /** Takes the first one away. */
  shift(): void {
    this.#calls[this.#at++] = null
    if (this.#at === this.#calls.length) {
      this.#calls = []
      this.#at = 0
    } else if (this.#at > gapMin && this.#at > this.#calls.length >> 1) {
      this.#calls = this.#calls.slice(this.#at)
      this.#at = 0
    }
  }

  /** Puts calls that came back, in order, before all others. */
  unshift(calls: readonly Task[]): void {
    if (calls.length > this.#at) {
      const room = Math.max(headroomMin, calls.length, this.size >> 1)
      const all = new Array<Task | null>(room).fill(null)
      for (let i = this.#at; i < this.#calls.length; i++) all.push(this.#calls[i]!)
      this.#calls = all
      this.#at = room
    }
    for (let i = calls.length - 1; i >= 0; i--) this.#calls[--this.#at] = calls[i]!
  }

  /** How many are before it; -1 if it is not here. */
  indexOf(call: Task): number {
    const index = this.#calls.indexOf(call, this.#at)
    return index < 0 ? -1 : index - this.#at
  }

  /** Takes all, in order. */
  take(): Task[] {
    const calls = [...this]
    this.#calls = []
    this.#at = 0
    return calls
  }

  *[Symbol.iterator](): IterableIterator<Task> {
    for (let i = this.#at; i < this.#calls.length; i++) {
      const call = this.#calls[i]
      if (call != null) yield call
    }
  }
}
